//! Durations as people say them.
