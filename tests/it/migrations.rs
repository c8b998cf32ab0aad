//! Migrations on real databases: PostgreSQL, started for the tests, and SQLite.

mod bad_databases;
mod baseline;
mod guarded;
mod half_done;
mod history;
mod lost;
mod runs;
mod silent;
mod sqlite;
mod support;
mod tls;
mod tools;
mod watch;
mod with_sqlx;
