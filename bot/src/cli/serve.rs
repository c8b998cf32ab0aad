//! `slipway serve`.

use super::Refused;
use crate::{assemble, serve};
use clap::Args;
use std::path::Path;

/// Arguments of `slipway serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {}

pub(super) async fn run(_args: &ServeArgs, path: &Path) -> Result<(), Refused> {
    let (config, secrets) = super::load_with_secrets(path)?;
    let parts = assemble::parts(&config, &secrets).await.map_err(|error| Refused(error.to_string()))?;
    serve::serve(parts).await.map_err(|error| Refused(error.to_string()))
}
