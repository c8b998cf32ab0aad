//! Migrations on real databases: PostgreSQL, started for the tests, and SQLite.

mod baseline;
mod half_done;
mod history;
mod lost;
mod runs;
mod sqlite;
mod support;
mod tools;
mod watch;
mod with_sqlx;
