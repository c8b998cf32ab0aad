//! Whether a delivery is Discord's.
