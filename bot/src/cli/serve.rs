//! `slipway serve`.

use super::Refused;
use clap::Args;
use std::path::Path;

/// Arguments of `slipway serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {}

pub(super) async fn run(_args: &ServeArgs, path: &Path) -> Result<(), Refused> {
    let (_config, _secrets) = super::load_with_secrets(path)?;
    Err(Refused("slipway serve is not wired yet.".to_owned()))
}
