//! What interactions are signed with.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use std::io;

/// The key of an app.
pub(super) struct Key(Ed25519KeyPair);

impl Key {
    pub(super) fn fresh() -> io::Result<Self> {
        Ed25519KeyPair::generate().map(Self).map_err(|_| io::Error::other("no key could be made"))
    }

    /// What the app checks signatures with, in hex.
    pub(super) fn public(&self) -> String {
        hex::encode(self.0.public_key().as_ref())
    }

    /// `X-Signature-Ed25519` of a body that is sent at a time.
    pub(super) fn signature(&self, timestamp: &str, body: &[u8]) -> String {
        hex::encode(self.0.sign(&[timestamp.as_bytes(), body].concat()).as_ref())
    }
}
