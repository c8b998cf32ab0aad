//! The gateway: what Discord says by itself.

mod address;

pub use address::GatewayBot;
