//! Migrations on real databases: PostgreSQL, started for the tests, and SQLite.

mod half_done;
mod history;
mod runs;
mod sqlite;
mod support;
