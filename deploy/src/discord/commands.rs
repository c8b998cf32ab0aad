//! The registered commands.
