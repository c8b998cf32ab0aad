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
    #[error("the signature is wrong; if all are, compare DISCORD_PUBLIC_KEY with the application's public key")]
    Wrong,
}

/// Checks that `body`, as it came, was signed with the application's key and about now: `timestamp` is the header
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
    let key: [u8; KEY_BYTES] = bytes(&public_key_hex.trim().to_ascii_lowercase()).ok_or(BadSignature::NoKey)?;
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

/// Hexadecimal digits, small ones as Discord writes them.
fn bytes<const LENGTH: usize>(digits: &str) -> Option<[u8; LENGTH]> {
    if digits.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0; LENGTH];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

    const SIGNED_S: i64 = 1_531_420_618;
    const TIMESTAMP: &str = "1531420618";
    const BODY: &[u8] = br#"{"id":"846462639134605312","type":1,"version":1}"#;

    fn pair(seed: u8) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
    }

    fn key(seed: u8) -> String {
        hex::encode(pair(seed).public_key())
    }

    /// What the key's owner would send.
    fn signed(timestamp: &str, body: &[u8]) -> String {
        hex::encode(pair(1).sign(&[timestamp.as_bytes(), body].concat()))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn tried(timestamp: &str, signature: &str, body: &[u8]) -> Result<(), BadSignature> {
        verify(&key(1), Some(timestamp), Some(signature), body, at(SIGNED_S))
    }

    #[test]
    fn the_first_example_of_rfc_8032_is_one_of_this_kind() {
        // The signature of nothing, so what is signed is the time alone: it has to be refused for its form, not its
        // arithmetic.
        let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let signature = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b\
            d25bf5f0595bbe24655141438e7a100b";
        let checked = UnparsedPublicKey::new(&ED25519, bytes::<KEY_BYTES>(key).unwrap());
        assert!(checked.verify(b"", &bytes::<SIGNATURE_BYTES>(signature).unwrap()).is_ok());
        assert_eq!(verify(key, Some(""), Some(signature), b"", at(SIGNED_S)), Err(BadSignature::Malformed));
    }

    #[test]
    fn what_the_keys_owner_sends_is_taken() {
        for body in [BODY, b"", b"\xff\xfe\0", "äöü".as_bytes()] {
            assert_eq!(tried(TIMESTAMP, &signed(TIMESTAMP, body), body), Ok(()));
        }
        let with_line_end = format!("{}\n", key(1));
        let signature = signed(TIMESTAMP, BODY);
        assert_eq!(verify(&with_line_end, Some(TIMESTAMP), Some(&signature), BODY, at(SIGNED_S)), Ok(()));
    }

    #[test]
    fn another_body_key_or_time_is_wrong() {
        let (signature, wrong) = (signed(TIMESTAMP, BODY), Err(BadSignature::Wrong));
        for at in 0..BODY.len() {
            let mut altered = BODY.to_vec();
            altered[at] ^= 1;
            assert_eq!(tried(TIMESTAMP, &signature, &altered), wrong, "byte {at}");
        }
        assert_eq!(tried(TIMESTAMP, &signature, &BODY[1..]), wrong);
        assert_eq!(tried(TIMESTAMP, &signature, &[BODY, b"\n"].concat()), wrong);
        assert_eq!(tried("1531420619", &signature, BODY), wrong);
        assert_eq!(tried(TIMESTAMP, &"0".repeat(128), BODY), wrong);
        for other in [key(2), "0".repeat(64), "f".repeat(64)] {
            assert_eq!(verify(&other, Some(TIMESTAMP), Some(&signature), BODY, at(SIGNED_S)), wrong, "{other}");
        }
        let mut halves = hex::decode(&signature).unwrap();
        halves.rotate_left(32);
        assert_eq!(tried(TIMESTAMP, &hex::encode(halves), BODY), wrong);
    }

    #[test]
    fn missing_is_not_empty() {
        let signature = signed(TIMESTAMP, BODY);
        for (timestamp, signature) in [(None, None), (Some(TIMESTAMP), None), (None, Some(signature.as_str()))] {
            assert_eq!(verify(&key(1), timestamp, signature, BODY, at(SIGNED_S)), Err(BadSignature::Missing));
        }
        assert_eq!(tried("", &signature, BODY), Err(BadSignature::Malformed));
        assert_eq!(tried(TIMESTAMP, "", BODY), Err(BadSignature::Malformed));
    }

    #[test]
    fn strange_headers_never_open() {
        let good = signed(TIMESTAMP, BODY);
        let signatures = [
            good[..126].to_owned(),
            good[..127].to_owned(),
            format!("{good}0"),
            format!("{good}00"),
            format!(" {good}"),
            format!("{good} "),
            format!("0x{}", &good[2..]),
            good.to_uppercase(),
            "g".repeat(128),
            "ä".repeat(64),
        ];
        for signature in signatures {
            assert_eq!(tried(TIMESTAMP, &signature, BODY), Err(BadSignature::Malformed), "{signature}");
        }
        let timestamps = [
            "+1531420618",
            "-1531420618",
            "01531420618",
            " 1531420618",
            "1531420618 ",
            "1531420618.0",
            "0x5b479c4a",
            "1e9",
            "١٥٣١٤٢٠٦١٨",
            "9223372036854775808",
            "99999999999999999999999999999999",
            "0",
        ];
        for timestamp in timestamps {
            // Signed by the key's owner, and refused nevertheless.
            let signature = signed(timestamp, BODY);
            assert_eq!(tried(timestamp, &signature, BODY), Err(BadSignature::Malformed), "{timestamp}");
        }
    }

    #[test]
    fn five_minutes_either_way_and_no_second_more() {
        let (key, signature) = (key(1), signed(TIMESTAMP, BODY));
        let tried = |now| verify(&key, Some(TIMESTAMP), Some(&signature), BODY, now);
        for now in [SIGNED_S - 300, SIGNED_S, SIGNED_S + 300] {
            assert_eq!(tried(at(now)), Ok(()), "{now}");
        }
        for now in [at(SIGNED_S - 301), at(SIGNED_S + 301), at(0), Timestamp::MIN, Timestamp::MAX] {
            assert_eq!(tried(now), Err(BadSignature::Stale), "{now}");
        }
        let farthest = i64::MAX.to_string();
        let signature = signed(&farthest, b"");
        for now in [Timestamp::MIN, at(SIGNED_S), Timestamp::MAX] {
            assert_eq!(verify(&key, Some(&farthest), Some(&signature), b"", now), Err(BadSignature::Stale));
        }
    }

    #[test]
    fn who_altered_an_old_request_learns_nothing_of_its_age() {
        let old = verify(&key(2), Some(TIMESTAMP), Some(&signed(TIMESTAMP, BODY)), BODY, at(0));
        assert_eq!(old, Err(BadSignature::Wrong));
    }

    #[test]
    fn without_a_key_nobody_is_let_in() {
        let signature = signed(TIMESTAMP, BODY);
        for none in ["", " \n", &key(1)[..62], &key(1)[..63], &format!("{}00", key(1)), &"g".repeat(64)] {
            let verified = verify(none, Some(TIMESTAMP), Some(&signature), BODY, at(SIGNED_S));
            assert_eq!(verified, Err(BadSignature::NoKey), "{none}");
        }
    }
}
