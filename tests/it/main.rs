//! The integration tests: Slipway's own clients and engine against the stand-ins.

mod github;
