//! Migrations on real databases: PostgreSQL, started for the tests, and SQLite.

mod bad_databases;
mod guarded;
mod half_done;
mod history;
mod runs;
mod sqlite;
mod support;
mod tls;
mod watch;
