//! Whether a request is signed as AWS asks. The signature's form, scope and time are checked; its bytes are not,
//! because the stand-in has no reason to know the secret key.

use super::{ACCESS_KEY_ID, REGION};
use axum::http::HeaderMap;

/// How far a request's clock may be off.
const CLOCK_SKEW_LIMIT_S: i64 = 5 * 60;

/// Why a request is refused: AWS's code and words.
pub(super) struct Refused(pub(super) &'static str, pub(super) String);

pub(super) fn check(headers: &HeaderMap, service: &str, now_ms: i64) -> Result<(), Refused> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let missing = || Refused("MissingAuthenticationTokenException", "Request is missing Authentication Token".into());
    let incomplete = |what: &str| Refused("IncompleteSignatureException", format!("Authorization header: {what}"));
    let authorization = header("authorization").ok_or_else(missing)?;
    let rest = authorization.strip_prefix("AWS4-HMAC-SHA256 ").ok_or_else(|| incomplete("unknown algorithm"))?;
    let part = |name: &str| {
        let prefix = format!("{name}=");
        let found = rest.split(',').map(str::trim).find_map(|part| part.strip_prefix(&prefix).map(str::to_owned));
        found.ok_or_else(|| incomplete(&format!("requires '{name}'")))
    };
    let (credential, signed, signature) = (part("Credential")?, part("SignedHeaders")?, part("Signature")?);
    let date = header("x-amz-date").ok_or_else(|| incomplete("requires 'X-Amz-Date'"))?;
    let scope: Vec<_> = credential.split('/').collect();
    let [key, day, region, of, "aws4_request"] = scope[..] else { return Err(incomplete("the credential's scope")) };
    if key != ACCESS_KEY_ID {
        return Err(Refused(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.".into(),
        ));
    }
    if (region, of) != (REGION, service) || !date.starts_with(day) {
        let what = format!("Credential should be scoped to a valid region and service: '{REGION}', '{service}'.");
        return Err(Refused("InvalidSignatureException", what));
    }
    for needed in ["host", "x-amz-date"] {
        if !signed.split(';').any(|name| name == needed) {
            return Err(Refused("InvalidSignatureException", format!("'{needed}' must be a 'SignedHeader'.")));
        }
    }
    if signature.len() != 64 || !signature.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(incomplete("the signature is not 64 hex digits"));
    }
    let at = jiff::fmt::strtime::parse("%Y%m%dT%H%M%SZ", date).and_then(|parsed| parsed.to_datetime());
    let at = at.and_then(|at| at.in_tz("UTC")).map_err(|_| incomplete("'X-Amz-Date'"))?.timestamp().as_second();
    if (now_ms / 1000 - at).abs() > CLOCK_SKEW_LIMIT_S {
        return Err(Refused("InvalidSignatureException", "Signature expired or not yet current.".into()));
    }
    Ok(())
}
