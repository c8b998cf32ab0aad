//! `slipway.toml`.
