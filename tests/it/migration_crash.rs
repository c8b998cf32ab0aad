//! A run of migrations that is killed in each of its phases, with SIGKILL or with the database under it, and started
//! again: nothing is applied twice, nothing is recorded that did not happen, and what is said is right. What holds a run
//! in place is the database itself, so that the phase is certain.

mod bot;
mod phases;
mod place;
mod runner;
mod server_stops;
mod sqlite;
mod two_at_once;
mod ways_back;
