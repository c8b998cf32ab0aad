//! Whether Discord would take what the app sends.

pub(super) mod command;
pub(super) mod components;
pub(super) mod embeds;
pub(super) mod mentions;
pub(super) mod modal;
pub(super) mod options;
