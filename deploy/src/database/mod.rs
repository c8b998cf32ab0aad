//! The databases that migrations run on.
