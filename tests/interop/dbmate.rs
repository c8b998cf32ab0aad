//! dbmate as it is released.

use crate::place::{Ended, Place};
use std::process::Command;

/// Where `make interop` has put it.
const VARIABLE: &str = "SLIPWAY_DBMATE";

pub(crate) fn run(place: &Place, command: &[&str]) -> Ended {
    let dbmate = std::env::var_os(VARIABLE).expect("make interop says in SLIPWAY_DBMATE where dbmate is");
    let output = Command::new(dbmate)
        .args(["--no-dump-schema", "--migrations-dir"])
        .arg(place.migrations())
        .args(command)
        .current_dir(place.root())
        .env("DATABASE_URL", &place.url)
        .output();
    output.unwrap().into()
}
