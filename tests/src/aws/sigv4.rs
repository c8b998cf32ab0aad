//! Checks Signature Version 4 the way AWS does: form, credential scope, freshness, and the signature itself.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use super::answer::Refusal;
use axum::http::{HeaderMap, HeaderName};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// How far the request's clock may be off, in seconds.
pub(super) const SKEW_LIMIT_S: i64 = 300;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What a request has to be signed with.
pub(super) struct Expected<'a> {
    pub(super) access_key_id: &'a str,
    pub(super) secret_access_key: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    pub(super) now: Timestamp,
}

/// Checks a `POST /` without query.
pub(super) fn check(headers: &HeaderMap, body: &[u8], expected: &Expected<'_>) -> Result<(), Refusal> {
    let Some(authorization) = headers.get("authorization") else {
        return Err(Refusal::new("MissingAuthenticationTokenException", "Missing Authentication Token"));
    };
    let parts = authorization.to_str().ok().and_then(parts);
    let Parts { credential, signed, signature } = parts.ok_or_else(|| incomplete("the header's form"))?;
    let date = header(headers, "x-amz-date").ok_or_else(|| incomplete("x-amz-date"))?;
    let at = moment(date).ok_or_else(|| incomplete("the form of x-amz-date"))?;

    let scope: Vec<&str> = credential.split('/').collect();
    let [key, day, region, service, end] = scope[..] else {
        return Err(incomplete("the credential scope's five parts"));
    };
    if key != expected.access_key_id {
        let text = "The security token included in the request is invalid.";
        return Err(Refusal::new("UnrecognizedClientException", text));
    }
    let right = [&date[..8], expected.region, expected.service, "aws4_request"];
    if [day, region, service, end] != right {
        let text = format!("Credential should be scoped to {}, not {}.", right.join("/"), scope[1..].join("/"));
        return Err(invalid(text));
    }
    if (expected.now.as_second() - at.as_second()).abs() > SKEW_LIMIT_S {
        return Err(invalid(format!("Signature expired: {date} is not within 5 min of {}", expected.now)));
    }
    let names: Vec<&str> = signed.split(';').collect();
    let unsigned = headers.keys().map(HeaderName::as_str).find(|name| {
        (*name == "host" || *name == "content-type" || name.starts_with("x-amz-")) && !names.contains(name)
    });
    if let Some(name) = unsigned {
        return Err(invalid(format!("{name} must be a signed header")));
    }
    if !names.is_sorted() || !names.contains(&"host") || !names.contains(&"x-amz-date") {
        return Err(incomplete("SignedHeaders in order, with host and x-amz-date"));
    }
    let payload = hex::encode(Sha256::digest(body));
    if header(headers, "x-amz-content-sha256").is_some_and(|claimed| claimed != payload) {
        return Err(invalid("x-amz-content-sha256 is not the body's".to_owned()));
    }
    let right = signature_of(headers, signed, &payload, date, expected).ok_or_else(|| incomplete("a signed header"))?;
    if right != signature {
        let text = "The request signature we calculated does not match the signature you provided.";
        return Err(invalid(text.to_owned()));
    }
    Ok(())
}

/// The signature that the request should have, in hex.
fn signature_of(
    headers: &HeaderMap,
    signed: &str,
    payload: &str,
    date: &str,
    expected: &Expected<'_>,
) -> Option<String> {
    let names: Vec<&str> = signed.split(';').collect();
    let canonical = hex::encode(Sha256::digest(canonical(headers, &names, signed, payload)?));
    let scope = [date.get(..8)?, expected.region, expected.service, "aws4_request"];
    let text = format!("{ALGORITHM}\n{date}\n{}\n{canonical}", scope.join("/"));
    let first = format!("AWS4{}", expected.secret_access_key).into_bytes();
    let key = scope.iter().fold(first, |key, part| hmac(&key, part));
    Some(hex::encode(hmac(&key, &text)))
}

/// Signs a request the way a client does. Only tests have a use for it.
#[cfg(test)]
pub(super) fn sign(headers: &mut HeaderMap, body: &[u8], with: &Expected<'_>) {
    let date = with.now.strftime("%Y%m%dT%H%M%SZ").to_string();
    headers.insert("x-amz-date", date.parse().unwrap());
    let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    let signed = names.join(";");
    let payload = hex::encode(Sha256::digest(body));
    let signature = signature_of(headers, &signed, &payload, &date, with).unwrap();
    let scope = format!("{}/{}/{}/aws4_request", &date[..8], with.region, with.service);
    let value =
        format!("{ALGORITHM} Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}", with.access_key_id);
    headers.insert("authorization", value.parse().unwrap());
}

struct Parts<'a> {
    credential: &'a str,
    signed: &'a str,
    signature: &'a str,
}

fn parts(authorization: &str) -> Option<Parts<'_>> {
    let mut fields = authorization.strip_prefix(ALGORITHM)?.strip_prefix(' ')?.split(',').map(str::trim);
    let credential = fields.next()?.strip_prefix("Credential=")?;
    let signed = fields.next()?.strip_prefix("SignedHeaders=")?;
    let signature = fields.next()?.strip_prefix("Signature=")?;
    let hex = signature.len() == 64 && signature.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (fields.next().is_none() && hex).then_some(Parts { credential, signed, signature })
}

/// `20261123T071500Z`.
fn moment(date: &str) -> Option<Timestamp> {
    let digits = |range: std::ops::Range<usize>| date.get(range)?.parse::<i16>().ok();
    let small = |range| i8::try_from(digits(range)?).ok();
    if date.len() != 16 || date.as_bytes()[8] != b'T' || !date.ends_with('Z') {
        return None;
    }
    let civil = jiff::civil::DateTime::new(
        digits(0..4)?,
        small(4..6)?,
        small(6..8)?,
        small(9..11)?,
        small(11..13)?,
        small(13..15)?,
        0,
    );
    Some(civil.ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

fn canonical(headers: &HeaderMap, names: &[&str], signed: &str, payload: &str) -> Option<String> {
    let mut text = "POST\n/\n\n".to_owned();
    for name in names {
        let value = header(headers, name)?.split_whitespace().collect::<Vec<_>>().join(" ");
        text.push_str(&format!("{name}:{value}\n"));
    }
    Some(format!("{text}\n{signed}\n{payload}"))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn incomplete(what: &str) -> Refusal {
    Refusal::new("IncompleteSignatureException", format!("Authorization header requires {what}"))
}

fn invalid(text: String) -> Refusal {
    Refusal::new("InvalidSignatureException", text)
}

/// HMAC-SHA256 (RFC 2104). Not constant-time: nothing here is worth a timing attack.
fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    const BLOCK_BYTES: usize = 64;
    let mut block = [0_u8; BLOCK_BYTES];
    if key.len() > BLOCK_BYTES {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text.as_bytes()).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_gives_the_vectors_of_rfc_4231() {
        let second = hmac(b"Jefe", "what do ya want for nothing?");
        assert_eq!(hex::encode(second), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let sixth = hmac(&[0xaa; 131], "Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(hex::encode(sixth), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn dates_have_one_form() {
        assert_eq!(moment("20261123T071500Z").unwrap().to_string(), "2026-11-23T07:15:00Z");
        for bad in ["", "2026-11-23T07:15:00Z", "20261323T071500Z", "20261123 071500Z", "2026112àT071500Z"] {
            assert_eq!(moment(bad), None, "{bad}");
        }
    }
}
