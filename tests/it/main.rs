//! The integration tests: Slipway's own clients and engine against the stand-ins.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod github;
