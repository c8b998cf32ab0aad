//! The tools themselves and Slipway in turn on one database: dbmate as it is released, and sqlx's own `Migrator`. Nothing
//! is applied twice, each accepts what the other wrote, and what Slipway writes is cell by cell what the tool writes.
//!
//! `make interop` runs this; it installs dbmate and says where it is.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod cells;
mod dbmate;
mod in_turn;
mod models;
mod place;
mod sqlx_tool;
mod trouble;
