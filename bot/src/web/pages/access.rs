//! Who may read pages: whoever has the token, and without it who sits at the machine itself. Only pages are opened so: the
//! API takes no password that a browser sends by itself.

use super::super::{Web, same_secret};
use super::frame;
use axum::body::Body;
use axum::extract::State;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use slipway_core::message::Line;
use std::net::{IpAddr, SocketAddr};

/// What a browser is asked for.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"Slipway\"");
/// What proxies add: a request with one of these comes from elsewhere, whatever the listener's address.
const FORWARDED: [&str; 6] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];
/// The longest credentials that are read.
const CREDENTIALS_LIMIT_BYTES: usize = 4_096;

/// Lets pass who may read pages.
pub(in super::super) async fn guard(State(web): State<Web>, request: Request<Body>, next: Next) -> Response {
    let headers = request.headers();
    let home = web.readiness.setup().home_page();
    let has_doors = web.slack.is_some() || web.discord.is_some() || web.github.secret.is_some();
    if is_here(web.listen, home.as_deref(), has_doors, headers) {
        return next.run(request).await;
    }
    let Some(token) = &web.api_token else {
        return frame::refusal(
            StatusCode::FORBIDDEN,
            "These pages are closed: SLIPWAY_API_TOKEN is not set.",
            Line::plain("Whoever runs Slipway sets it and starts Slipway again; pages then ask for it. The chat has ")
                .code("/release show")
                .text(" meanwhile."),
        );
    };
    if given(headers).is_some_and(|given| same_secret(&given, token)) {
        return next.run(request).await;
    }
    let mut refused = frame::refusal(
        StatusCode::UNAUTHORIZED,
        "This page asks for Slipway's token.",
        Line::plain(
            "Load it again, with any user name and the value of SLIPWAY_API_TOKEN as the password. The chat has ",
        )
        .code("/release show")
        .text(" without it."),
    );
    refused.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
    refused
}

/// Whether a request comes from the machine itself: it is listened there alone, the browser was told so (and not another
/// name that leads here), and people are sent nowhere else, which only a proxy could bring here. So could one bring what
/// chats and GitHub deliver: with a door for these, only an address of this machine that people are sent to says otherwise.
fn is_here(listen: SocketAddr, home: Option<&str>, has_doors: bool, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().filter(|_| hosts.next().is_none()).and_then(|host| host.to_str().ok());
    let is_local = |home: &str| home.parse().is_ok_and(|url: Uri| url.authority().is_some_and(is_loopback));
    let stays_here = home.map_or(!has_doors, is_local);
    listen.ip().is_loopback()
        && host.and_then(|host| host.parse().ok()).is_some_and(|host| is_loopback(&host))
        && stays_here
        && !FORWARDED.iter().any(|name| headers.contains_key(*name))
}

/// Whether a host is this machine by its name.
fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host();
    let ip = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    !authority.as_str().contains('@')
        && (host.eq_ignore_ascii_case("localhost") || ip.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()))
}

/// The token that a request brings: as programs do, or as the password that a browser asks for.
fn given(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ').filter(|_| value.len() <= CREDENTIALS_LIMIT_BYTES)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.to_owned());
    }
    let basic = scheme.eq_ignore_ascii_case("basic").then(|| base64(credentials)).flatten()?;
    let (_user, password) = std::str::from_utf8(&basic).ok()?.split_once(':')?;
    Some(password.to_owned())
}

/// What a text in base64 stands for; with padding, as headers have it.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let digit = |byte| match byte {
        b'A'..=b'Z' => Some(u32::from(byte - b'A')),
        b'a'..=b'z' => Some(u32::from(byte - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let bare = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in bare.as_bytes().chunks(4) {
        let mut bits = 0;
        for byte in group {
            bits = bits << 6 | digit(*byte)?;
        }
        // Four digits are three bytes, three are two, two are one.
        let [_, first, second, third] = (bits << (6 * (4 - group.len()))).to_be_bytes();
        bytes.extend([first, second, third].into_iter().take(group.len() - 1));
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn here(listen: &str, home: Option<&str>, pairs: &[(&'static str, &'static str)]) -> bool {
        is_here(listen.parse().unwrap(), home, false, &headers(pairs))
    }

    #[test]
    fn only_what_names_this_machine_on_this_machine_comes_from_here() {
        let (local, own) = ("127.0.0.1:8080", ("host", "127.0.0.1:8080"));
        for host in ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080", "127.9.9.9"] {
            assert!(here(local, None, &[("host", host)]), "{host}");
        }
        for host in ["evil.dev", "localhost.evil.dev", "127.0.0.1.evil.dev", "me@localhost", "", "0.0.0.0:8080"] {
            assert!(!here(local, None, &[("host", host)]), "{host}: a name that somebody has lead here");
        }
        assert!(!here(local, None, &[]));
        assert!(!here(local, None, &[own, ("host", "evil.dev")]));
        assert!(!here("0.0.0.0:8080", None, &[own]), "everybody reaches it");
        assert!(here("[::1]:8080", Some("http://localhost:8080/"), &[own]));
    }

    #[test]
    fn what_a_proxy_brings_is_not_from_here() {
        let own = ("host", "127.0.0.1:8080");
        for name in FORWARDED {
            assert!(!here("127.0.0.1:8080", None, &[own, (name, "203.0.113.9")]), "{name}");
        }
        // One that adds nothing and names the listener as the host, as nginx does by default.
        assert!(!here("127.0.0.1:8080", Some("https://slipway.acme.dev/"), &[own]));
        // What is delivered over HTTP comes through one.
        let listen = "127.0.0.1:8080".parse().unwrap();
        assert!(!is_here(listen, None, true, &headers(&[own])));
        assert!(is_here(listen, Some("http://localhost:8080/"), true, &headers(&[own])));
    }

    #[test]
    fn the_token_comes_as_bearer_or_as_password() {
        let said = |value: &'static str| given(&headers(&[("authorization", value)]));
        assert_eq!(said("Bearer s3cret").as_deref(), Some("s3cret"));
        assert_eq!(said("basic YW5hOnMzOmNyZXQ=").as_deref(), Some("s3:cret"), "the user name ends at the first colon");
        assert_eq!(said("Basic OnMzY3JldA==").as_deref(), Some("s3cret"));
        for bad in ["Basic", "Basic YW5h", "Basic YW5hOnM", "Basic ====", "Basic !!!!", "Digest x", "Basic gICAgA=="] {
            assert_eq!(said(bad), None, "{bad}");
        }
        assert_eq!(given(&HeaderMap::new()), None);
    }

    #[test]
    fn base64_is_read() {
        for (text, bytes) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmE=", "fooba")] {
            assert_eq!(base64(text).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(base64("+/8="), Some(vec![0xfb, 0xff]));
        for bad in ["Zg", "Zg=", "Z===", "Zm 9", "Zm=v", "Zg==Zg=="] {
            assert_eq!(base64(bad), None, "{bad}");
        }
    }
}
