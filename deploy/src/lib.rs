//! The outside: GitHub, the image registry, what runs the image, configuration secrets, databases and health
//! checks. One trait per kind of thing, with an `observe` beside each `apply`. No decisions are made here.

pub mod aws;
pub mod database;
pub mod github;
pub mod health;
