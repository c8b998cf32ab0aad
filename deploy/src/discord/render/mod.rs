//! Messages and forms as Discord shows them.
