//! The gateway: what Discord says by itself.
