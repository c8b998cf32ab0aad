//! Whether a delivery is Discord's.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use jiff::Timestamp;
use thiserror::Error;

/// How far a request's time may be from ours, both ways.
const AGE_LIMIT_S: u64 = 300;
/// Length of a public key of Ed25519.
const KEY_BYTES: usize = 32;
/// Length of a signature of Ed25519.
const SIGNATURE_BYTES: usize = 64;
/// Longest time that is taken: seconds have ten digits until 2286.
const TIMESTAMP_LIMIT_BYTES: usize = 20;

/// Why a request is not taken for Discord's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadSignature {
    /// There is nothing to check with.
    #[error("DISCORD_PUBLIC_KEY is no public key: copy it again (Developer Portal, General Information)")]
    NoKey,
    /// `X-Signature-Timestamp` or `X-Signature-Ed25519` is not there.
    #[error("a header of Discord's signature is missing")]
    Missing,
    /// A header that Discord would not write.
    #[error("a header of Discord's signature is malformed")]
    Malformed,
    /// Signed more than 300 s ago, or ahead: perhaps recorded and sent again.
    #[error("the request was signed more than {AGE_LIMIT_S} s from now; if this goes on, set the server's clock")]
    Stale,
    /// Signed with another key, or changed on the way. Discord itself sends such requests now and then, to see whether
    /// they are refused.
    #[error("the signature is wrong; if all are, compare DISCORD_PUBLIC_KEY with the app's public key")]
    Wrong,
}

/// Checks that `body`, as it came, was signed with the app's key and about now: `timestamp` is the header
/// `X-Signature-Timestamp`, `signature` is `X-Signature-Ed25519`.
///
/// # Errors
/// When anything is not exactly as Discord makes it.
pub fn verify(
    public_key_hex: &str,
    timestamp: Option<&str>,
    signature: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), BadSignature> {
    // A line end is what a file leaves behind.
    let key: [u8; KEY_BYTES] = bytes(public_key_hex.trim()).ok_or(BadSignature::NoKey)?;
    let (Some(timestamp), Some(signature)) = (timestamp, signature) else {
        return Err(BadSignature::Missing);
    };
    let signed_s = seconds(timestamp).ok_or(BadSignature::Malformed)?;
    let signature: [u8; SIGNATURE_BYTES] = bytes(signature).ok_or(BadSignature::Malformed)?;
    let signed = [timestamp.as_bytes(), body].concat();
    UnparsedPublicKey::new(&ED25519, key).verify(&signed, &signature).map_err(|_| BadSignature::Wrong)?;
    if now.as_second().abs_diff(signed_s) > AGE_LIMIT_S { Err(BadSignature::Stale) } else { Ok(()) }
}

/// Digits alone: no sign, no space, no zero in front. Nothing stands between the time and the body, so the time must
/// have one way to be written.
fn seconds(header: &str) -> Option<i64> {
    let plain = header.len() <= TIMESTAMP_LIMIT_BYTES && header.bytes().all(|b| b.is_ascii_digit());
    if plain && !header.starts_with('0') { header.parse().ok() } else { None }
}

fn bytes<const LENGTH: usize>(digits: &str) -> Option<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}
