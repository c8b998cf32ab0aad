//! Slipway as an app of Slack's: what it needs there, and the manifest that says so. One list for the manifest, for
//! `slipway check` and for who wants to know why.

mod manifest;
mod needs;

pub use manifest::{Manifest, NoManifest, SlashCommand, manifest};
pub use needs::{EVENTS, Event, SCOPES, Scope, scope};
