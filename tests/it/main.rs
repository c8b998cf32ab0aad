//! Integration tests: the real clients against the sandbox's stand-ins.

mod aws;
