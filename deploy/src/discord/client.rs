//! The client: one exchange each, with bounds.
