//! What deliveries are signed with.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// `X-Slack-Signature` of a body that is sent at a time, in seconds since 1970.
#[must_use]
pub fn signature(signing_secret: &str, timestamp_s: i64, body: &[u8]) -> String {
    // HMAC takes keys of any length, so the error cannot happen; without a key nothing is signed.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(signing_secret.as_bytes()) else {
        return String::new();
    };
    mac.update(format!("v0:{timestamp_s}:").as_bytes());
    mac.update(body);
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}
