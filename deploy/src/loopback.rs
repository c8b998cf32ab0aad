//! Addresses on this machine: where the sandbox's stand-ins are, without TLS.

use reqwest::Url;
use std::net::IpAddr;

/// Whether an address is on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The same of one that is used without TLS.
pub(crate) fn is_plain_loopback(url: &Url, scheme: &str) -> bool {
    url.scheme() == scheme && is_loopback(url)
}
