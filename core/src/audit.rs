//! The audit log as a hash chain.
