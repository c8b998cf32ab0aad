//! Whether a webhook really comes from GitHub.

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use thiserror::Error;

/// The only kind of signature that is taken; GitHub still sends one with SHA-1 beside it.
const KIND: &str = "sha256=";
/// Length of a signature.
const SIGNATURE_BYTES: usize = 32;

/// Why a webhook is not taken for GitHub's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadWebhook {
    /// There is nothing to compare with, and an empty secret would let everybody in.
    #[error("GITHUB_WEBHOOK_SECRET is empty")]
    NoSecret,
    /// `X-Hub-Signature-256` is not there.
    #[error("GitHub's signature is missing; set a secret in the webhook's settings")]
    Missing,
    /// A header that GitHub would not write.
    #[error("GitHub's signature is malformed")]
    Malformed,
    /// Signed with another secret, or changed on the way.
    #[error("the signature is wrong; if this goes on, compare GITHUB_WEBHOOK_SECRET with the webhook's secret")]
    Wrong,
}

/// Checks that `body`, as it came, was signed with the webhook's secret: `header` is `X-Hub-Signature-256`.
///
/// # Errors
/// When anything is not exactly as GitHub makes it.
pub fn verify_webhook(secret: &SecretString, header: Option<&str>, body: &[u8]) -> Result<(), BadWebhook> {
    // A line end is what a file leaves behind.
    let secret = secret.expose_secret().trim();
    if secret.is_empty() {
        return Err(BadWebhook::NoSecret);
    }
    let digits = header.ok_or(BadWebhook::Missing)?.strip_prefix(KIND).ok_or(BadWebhook::Malformed)?;
    let mut signature = [0; SIGNATURE_BYTES];
    hex::decode_to_slice(digits, &mut signature).map_err(|_| BadWebhook::Malformed)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| BadWebhook::Wrong)?;
    mac.update(body);
    // In constant time.
    mac.verify_slice(&signature).map_err(|_| BadWebhook::Wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GitHub's documented example.
    const SECRET: &str = "It's a Secret to Everybody";
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn verify(secret: &str, header: Option<&str>, body: &str) -> Result<(), BadWebhook> {
        verify_webhook(&secret.to_owned().into(), header, body.as_bytes())
    }

    #[test]
    fn the_published_example_passes_and_nothing_else_does() {
        let body = "Hello, World!";
        assert_eq!(verify(SECRET, Some(SIGNATURE), body), Ok(()));
        assert_eq!(verify("It's a Secret to Everybody\n", Some(SIGNATURE), body), Ok(()), "as a file ends");
        assert_eq!(verify(SECRET, Some(SIGNATURE), "Hello, World"), Err(BadWebhook::Wrong));
        assert_eq!(verify("another", Some(SIGNATURE), body), Err(BadWebhook::Wrong));
        assert_eq!(verify("", Some(SIGNATURE), body), Err(BadWebhook::NoSecret));
        assert_eq!(verify(SECRET, None, body), Err(BadWebhook::Missing));
        let other = SIGNATURE.replacen("75", "76", 1);
        assert_eq!(verify(SECRET, Some(&other), body), Err(BadWebhook::Wrong));
        for bad in ["", "sha256=", "sha1=757107ea0eb2509fc211221cce984b8a", &SIGNATURE[..70], &SIGNATURE[7..]] {
            assert_eq!(verify(SECRET, Some(bad), body), Err(BadWebhook::Malformed), "{bad}");
        }
    }
}
