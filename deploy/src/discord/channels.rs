//! Channels, threads, conversations.
