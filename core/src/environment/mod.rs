//! The environment: its lock, its queue and the one running release.
