//! Integration tests: the real clients against the sandbox's stand-ins.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the answer, in its helpers too")]

mod aws;
