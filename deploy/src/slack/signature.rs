//! Whether a request really comes from Slack.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use thiserror::Error;

/// How far a request's time may be from ours, both ways.
const AGE_LIMIT_S: u64 = 300;
/// The only version there is.
const VERSION: &str = "v0";
/// Length of a signature: SHA-256.
const SIGNATURE_BYTES: usize = 32;

/// Why a request is not taken for Slack's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadSignature {
    /// There is nothing to compare with, and an empty secret would let everybody in.
    #[error("SLACK_SIGNING_SECRET is empty")]
    NoSecret,
    /// `X-Slack-Request-Timestamp` or `X-Slack-Signature` is not there.
    #[error("a header of Slack's signature is missing")]
    Missing,
    /// A header that Slack would not write.
    #[error("a header of Slack's signature is malformed")]
    Malformed,
    /// Signed more than 300 s ago, or ahead: perhaps recorded and sent again.
    #[error("the request was signed more than {AGE_LIMIT_S} s from now; if this goes on, set the server's clock")]
    Stale,
    /// Signed with another secret, or changed on the way.
    #[error("the signature is wrong; if this goes on, compare SLACK_SIGNING_SECRET with the app's signing secret")]
    Wrong,
}

/// Checks that `body`, as it came, was signed with the app's signing secret and about now: `timestamp_header` is
/// `X-Slack-Request-Timestamp`, `signature_header` is `X-Slack-Signature`.
///
/// # Errors
/// When anything is not exactly as Slack makes it.
pub fn verify(
    secret: &SecretString,
    timestamp_header: Option<&str>,
    signature_header: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), BadSignature> {
    // A line end is what a file leaves behind.
    let secret = secret.expose_secret().trim();
    if secret.is_empty() {
        return Err(BadSignature::NoSecret);
    }
    let (Some(timestamp), Some(signature)) = (timestamp_header, signature_header) else {
        return Err(BadSignature::Missing);
    };
    let signed_s = seconds(timestamp).ok_or(BadSignature::Malformed)?;
    let signature = signature_bytes(signature).ok_or(BadSignature::Malformed)?;
    if now.as_second().abs_diff(signed_s) > AGE_LIMIT_S {
        return Err(BadSignature::Stale);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| BadSignature::Wrong)?;
    for part in [VERSION.as_bytes(), b":", timestamp.as_bytes(), b":", body] {
        mac.update(part);
    }
    // In constant time.
    mac.verify_slice(&signature).map_err(|_| BadSignature::Wrong)
}

/// Digits alone: no sign, no space.
fn seconds(header: &str) -> Option<i64> {
    header.bytes().all(|b| b.is_ascii_digit()).then(|| header.parse().ok())?
}

/// `v0=` and 64 hexadecimal digits, small ones as Slack writes them.
fn signature_bytes(header: &str) -> Option<[u8; SIGNATURE_BYTES]> {
    let digits = header.strip_prefix(VERSION)?.strip_prefix('=')?;
    if digits.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut signature = [0; SIGNATURE_BYTES];
    hex::decode_to_slice(digits, &mut signature).ok()?;
    Some(signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slack's documented example.
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const SIGNED_S: i64 = 1_531_420_618;
    const TIMESTAMP: &str = "1531420618";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V\
        &channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=\
        &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
        &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn tried(
        timestamp: Option<&str>,
        signature: Option<&str>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), BadSignature> {
        verify(&SECRET.into(), timestamp, signature, body, now)
    }

    /// What the secret's owner would send.
    fn signed(timestamp: &str, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(format!("v0:{timestamp}:").as_bytes());
        mac.update(body);
        format!("v0={}", hex::encode(mac.finalize().into_bytes()))
    }

    #[test]
    fn slacks_own_example_is_taken() {
        assert_eq!(tried(Some(TIMESTAMP), Some(SIGNATURE), BODY.as_bytes(), at(SIGNED_S)), Ok(()));
        let with_line_end = SecretString::from(format!("{SECRET}\n"));
        assert_eq!(verify(&with_line_end, Some(TIMESTAMP), Some(SIGNATURE), BODY.as_bytes(), at(SIGNED_S)), Ok(()));
    }

    #[test]
    fn a_body_need_not_be_text() {
        for body in [&b""[..], b"\xff\xfe\0", "äöü".as_bytes()] {
            let signature = signed(TIMESTAMP, body);
            assert_eq!(tried(Some(TIMESTAMP), Some(&signature), body, at(SIGNED_S)), Ok(()));
        }
    }

    #[test]
    fn another_body_secret_or_time_is_wrong() {
        let body = BODY.as_bytes();
        let now = at(SIGNED_S);
        let wrong = Err(BadSignature::Wrong);
        assert_eq!(tried(Some(TIMESTAMP), Some(SIGNATURE), &body[..body.len() - 1], now), wrong);
        assert_eq!(tried(Some(TIMESTAMP), Some(SIGNATURE), b"", now), wrong);
        assert_eq!(tried(Some(TIMESTAMP), Some(SIGNATURE), &[body, b"\n"].concat(), now), wrong);
        assert_eq!(tried(Some("1531420619"), Some(SIGNATURE), body, now), wrong);
        assert_eq!(tried(Some("01531420618"), Some(SIGNATURE), body, now), wrong);
        assert_eq!(tried(Some(TIMESTAMP), Some(&SIGNATURE.replace("503", "504")), body, now), wrong);
        assert_eq!(tried(Some(TIMESTAMP), Some(&format!("v0={}", "0".repeat(64))), body, now), wrong);
        let other = SecretString::from("8f742231b10e8888abcd99yyyzzz85a6");
        assert_eq!(verify(&other, Some(TIMESTAMP), Some(SIGNATURE), body, now), wrong);
    }

    #[test]
    fn missing_is_not_empty() {
        let (body, now) = (BODY.as_bytes(), at(SIGNED_S));
        for (timestamp, signature) in [(None, None), (Some(TIMESTAMP), None), (None, Some(SIGNATURE))] {
            assert_eq!(tried(timestamp, signature, body, now), Err(BadSignature::Missing));
        }
        assert_eq!(tried(Some(""), Some(SIGNATURE), body, now), Err(BadSignature::Malformed));
        assert_eq!(tried(Some(TIMESTAMP), Some(""), body, now), Err(BadSignature::Malformed));
    }

    #[test]
    fn strange_headers_never_open() {
        let (body, now) = (BODY.as_bytes(), at(SIGNED_S));
        let digits = SIGNATURE.trim_start_matches("v0=");
        let signatures = [
            format!("v1={digits}"),
            format!("V0={digits}"),
            format!("v0:{digits}"),
            format!("v0=={digits}"),
            format!("v0= {digits}"),
            format!(" {SIGNATURE}"),
            format!("{SIGNATURE} "),
            format!("{SIGNATURE},{SIGNATURE}"),
            digits.to_owned(),
            format!("v0={}", digits.to_uppercase()),
            format!("v0={}", &digits[..62]),
            format!("v0={}", &digits[..63]),
            format!("v0={digits}00"),
            format!("v0={}", "g".repeat(64)),
            format!("v0={}", "ä".repeat(32)),
            "v0=".to_owned(),
            "v0".to_owned(),
            "ä".to_owned(),
        ];
        for signature in signatures {
            assert_eq!(
                tried(Some(TIMESTAMP), Some(&signature), body, now),
                Err(BadSignature::Malformed),
                "{signature}"
            );
        }
        let timestamps = [
            "+1531420618",
            "-1531420618",
            " 1531420618",
            "1531420618 ",
            "1531420618.0",
            "0x5b479c4a",
            "1e9",
            "١٥٣١٤٢٠٦١٨",
            "9223372036854775808",
            "99999999999999999999999999999999",
        ];
        for timestamp in timestamps {
            // Signed by the secret's owner, and refused nevertheless.
            let signature = signed(timestamp, body);
            assert_eq!(
                tried(Some(timestamp), Some(&signature), body, now),
                Err(BadSignature::Malformed),
                "{timestamp}"
            );
        }
    }

    #[test]
    fn five_minutes_either_way_and_no_second_more() {
        let body = BODY.as_bytes();
        let tried = |now| tried(Some(TIMESTAMP), Some(SIGNATURE), body, now);
        for now in [SIGNED_S - 300, SIGNED_S + 300] {
            assert_eq!(tried(at(now)), Ok(()), "{now}");
        }
        for now in [SIGNED_S - 301, SIGNED_S + 301, 0] {
            assert_eq!(tried(at(now)), Err(BadSignature::Stale), "{now}");
        }
        assert_eq!(tried(Timestamp::MIN), Err(BadSignature::Stale));
        assert_eq!(tried(Timestamp::MAX), Err(BadSignature::Stale));
    }

    #[test]
    fn the_farthest_times_do_not_overflow() {
        for timestamp in ["0", "9223372036854775807"] {
            let signature = signed(timestamp, b"");
            for now in [Timestamp::MIN, Timestamp::MAX, at(SIGNED_S)] {
                assert_eq!(tried(Some(timestamp), Some(&signature), b"", now), Err(BadSignature::Stale));
            }
        }
    }

    #[test]
    fn an_empty_secret_lets_nobody_in() {
        for secret in ["", " \n"] {
            let verified = verify(&secret.into(), Some(TIMESTAMP), Some(SIGNATURE), BODY.as_bytes(), at(SIGNED_S));
            assert_eq!(verified, Err(BadSignature::NoSecret));
        }
    }
}
