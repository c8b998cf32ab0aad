//! What all pages have in common: their frame, and what browsers may do with them.

use super::html::Html;
use super::markup::{Links, line};
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use slipway_core::message::Line;

/// How pages look. Browsers are told its hash, so that no other style is taken.
const STYLE: &str = include_str!("style.css");
/// What a page may load and do: nothing, but look like this.
const POLICY: &str = "default-src 'none'; style-src 'sha256-wQDotsJvaux16FJbP1KV3mpPgQ5FeCz/jhg+w2iwQ5w='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// What each page says to browsers: it is nobody's but the reader's, and as old as it is.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// A page.
pub(super) fn respond(status: StatusCode, title: &str, content: Html) -> Response {
    let page = Html::document(&format!("{title} · Slipway"), STYLE, content);
    let mut response = (status, Body::from(page)).into_response();
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The way to what runs where, above a page.
pub(super) fn way_home(page: &mut Html) {
    page.element("nav", |nav| nav.link("/", "Slipway: what runs where"));
}

/// A page that says why there is nothing to read, and what to do.
pub(super) fn refusal(status: StatusCode, title: &str, way_out: Line) -> Response {
    let mut page = Html::default();
    page.words("h1", "", title);
    page.element("p", |p| line(p, &way_out, &Links::default()));
    respond(status, title, page)
}

/// The store did not answer.
pub(super) fn store_failed() -> Response {
    let way_out = Line::plain("Load the page again in a moment; the log says more.");
    refusal(StatusCode::SERVICE_UNAVAILABLE, "Slipway's store does not answer.", way_out)
}

#[cfg(test)]
mod tests {
    use super::super::access::base64;
    use super::*;
    use slipway_core::audit::content_hash;
    use std::fmt::Write as _;

    #[test]
    fn browsers_are_told_the_hash_of_the_style() {
        let said = POLICY.split_once("'sha256-").unwrap().1.split_once('\'').unwrap().0;
        let hex = base64(said).unwrap_or_default().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        assert_eq!(hex, content_hash(STYLE.as_bytes()), "as hex: write it into POLICY in base64");
        assert!(!STYLE.contains("</") && !STYLE.contains("url("), "it stays what it is inside of a page");
    }

    #[test]
    fn a_page_is_not_kept_framed_or_run() {
        let page = refusal(StatusCode::NOT_FOUND, "Nothing.", Line::plain("Go."));
        let header = |name: &str| page.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-security-policy").starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(header("content-security-policy").ends_with("frame-ancestors 'none'"));
        let others = ["cache-control", "x-content-type-options", "x-frame-options", "referrer-policy"].map(header);
        assert_eq!(others, ["no-store", "nosniff", "DENY", "no-referrer"]);
    }
}
