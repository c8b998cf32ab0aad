//! The terminal's rendering of a message.
