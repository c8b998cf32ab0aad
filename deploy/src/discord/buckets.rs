//! How much Discord takes, as its answers say.
