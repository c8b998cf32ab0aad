//! A GitHub App: its signed tokens, its installation, and the installation's tokens.

use super::server::{Refusal, Reply, Shared, ok};
use super::shapes;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// When it was installed: nobody looks at it.
const AT: &str = "2025-01-06T09:00:00Z";
/// The one installation that there is.
const INSTALLATION_ID: u64 = 51_204_877;
/// A token that an App signs may be valid for so long.
const SIGNED_LIMIT_S: i64 = 600;
/// Clocks may differ by so much.
const SKEW_LIMIT_S: i64 = 60;
/// An installation's token is valid for an hour.
const TOKEN_S: i64 = 3_600;

/// An App that is installed on the repository.
pub(super) struct App {
    id: u64,
    public_key: Vec<u8>,
    permissions: BTreeMap<String, String>,
    /// Tokens that were given out, and until when they are good.
    tokens: BTreeMap<String, Timestamp>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    /// A number, or the same as a text.
    iss: Value,
    iat: i64,
    exp: i64,
}

impl App {
    /// `public_key` is an `RSAPublicKey` in DER.
    pub(super) fn new(id: u64, public_key: Vec<u8>, permissions: &[(&str, &str)]) -> Self {
        let permissions = permissions.iter().map(|(name, how)| ((*name).to_owned(), (*how).to_owned())).collect();
        Self { id, public_key, permissions, tokens: BTreeMap::new() }
    }

    /// Whether its installation may write something.
    pub(super) fn may_write(&self, what: &str) -> bool {
        self.permissions.get(what).is_some_and(|how| how == "write")
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn has_given(&self, token: &str, now: Timestamp) -> bool {
        self.tokens.get(token).is_some_and(|until| now < *until)
    }

    /// Whether somebody who holds the App's key has signed this, now and for not too long.
    pub(super) fn has_signed(&self, token: &str, now: Timestamp) -> Result<(), Refusal> {
        let bad = |message: &str| Refusal(StatusCode::UNAUTHORIZED, message.to_owned());
        let undecodable = || bad("A JSON web token could not be decoded");
        let (signed, signature) = token.rsplit_once('.').ok_or_else(undecodable)?;
        let (header, claims) = signed.split_once('.').ok_or_else(undecodable)?;
        let header: Header =
            decoded(header).and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(undecodable)?;
        let claims: Claims =
            decoded(claims).and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(undecodable)?;
        let signature = decoded(signature).ok_or_else(undecodable)?;
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.public_key);
        if header.alg != "RS256" || key.verify(signed.as_bytes(), &signature).is_err() {
            return Err(undecodable());
        }
        let (id, text) = (json!(self.id), json!(self.id.to_string()));
        if claims.iss != id && claims.iss != text {
            return Err(bad("'Issuer' claim ('iss') must be an Integer"));
        }
        let now_s = now.as_second();
        if claims.iat > now_s + SKEW_LIMIT_S {
            return Err(bad(
                "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
            ));
        }
        if claims.exp <= now_s || claims.exp > now_s + SIGNED_LIMIT_S {
            return Err(bad("'Expiration time' claim ('exp') is too far in the future"));
        }
        Ok(())
    }
}

/// Whether a path is the App's own, to be asked for with what it signs and not with a token of its installation.
pub(super) fn is_own(path: &str) -> bool {
    path.ends_with("/installation") || path.starts_with("/app/")
}

pub(super) async fn installation(State(shared): State<Arc<Shared>>) -> Reply {
    let world = shared.world();
    let app = world.app.as_ref().ok_or_else(Refusal::not_found)?;
    let owner = shared.options.full_name.split('/').next().unwrap_or_default();
    ok(json!({
        "id": INSTALLATION_ID, "app_id": app.id, "app_slug": "slipway", "account": shapes::user(&shared, owner),
        "permissions": app.permissions, "events": [], "repository_selection": "selected", "target_type": "Organization",
        "access_tokens_url": format!("{}/app/installations/{INSTALLATION_ID}/access_tokens", shared.base),
        "repositories_url": format!("{}/installation/repositories", shared.base),
        "html_url": format!("{}/organizations/{owner}/settings/installations/{INSTALLATION_ID}", shared.base),
        "target_id": 1, "created_at": AT, "updated_at": AT, "single_file_name": null, "suspended_at": null,
        "suspended_by": null,
    }))
}

pub(super) async fn token(State(shared): State<Arc<Shared>>, Path(id): Path<u64>) -> Reply {
    let now = shared.now();
    let mut world = shared.world();
    let app = world.app.as_mut().filter(|_| id == INSTALLATION_ID).ok_or_else(Refusal::not_found)?;
    let token = format!("ghs_{:036}", app.tokens.len());
    let until = now.checked_add(SignedDuration::from_secs(TOKEN_S)).unwrap_or(now);
    app.tokens.insert(token.clone(), until);
    let body = json!({
        "token": token, "expires_at": shapes::time(until), "permissions": app.permissions,
        "repository_selection": "selected",
    });
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// Base64 for addresses, without padding.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    };
    let (mut bits, mut count, mut bytes) = (0_u32, 0_u32, Vec::new());
    for byte in text.bytes() {
        bits = ((bits << 6) | u32::from(digit(byte)?)) & 0xFFFF;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xFF).ok()?);
        }
    }
    Some(bytes)
}
