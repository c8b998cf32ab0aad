//! Ports for programs that bind them themselves, maybe again after a crash.

use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// The first of them.
const FIRST: u32 = 10_000;
/// How many there are. All are below those that Linux (32768) and macOS (49152) give to whoever asks for any, so that
/// nobody gets one of them between two starts.
const COUNT: u32 = 20_000;
/// How far the ports of one process begin from those of the next.
const PROCESS_STEP: u32 = 211;

/// A port of 127.0.0.1 that nobody has, another one at each call.
///
/// # Errors
/// When all are taken.
pub fn free() -> io::Result<u16> {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let begins = std::process::id().wrapping_mul(PROCESS_STEP);
    for _ in 0..COUNT {
        let offset = begins.wrapping_add(CALLS.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = u16::try_from(FIRST + offset).map_err(io::Error::other)?;
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(_) => return Ok(port),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "no port is free"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_twice_or_to_whoever_asks_for_any() {
        let ports: Vec<_> = (0..100).map(|_| free().unwrap()).collect();
        let distinct: std::collections::BTreeSet<_> = ports.iter().collect();
        assert_eq!(distinct.len(), ports.len());
        assert!(ports.iter().all(|port| (10_000..30_000).contains(port)), "{ports:?}");
    }

    #[test]
    fn one_that_somebody_has_is_passed_over() {
        let had: Vec<_> = (0..50).map(|_| TcpListener::bind(("127.0.0.1", free().unwrap())).unwrap()).collect();
        let had: Vec<_> = had.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        assert!((0..50).all(|_| !had.contains(&free().unwrap())));
    }
}
