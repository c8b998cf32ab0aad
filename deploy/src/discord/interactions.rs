//! Answers to interactions.
