//! The gateway: a connection over which Discord says what happens.
//!
//! Nothing is acknowledged by itself. Whoever takes an event stores it first and acknowledges it then; what comes after
//! the newest acknowledged one is asked for again, by the next connection and after a restart too. Nothing is given out
//! twice by one [`Gateway`], and nothing with a hole before it.
//!
//! `protocol` decides, with the time passed in; `wire` carries; `driver` joins the two and makes connection after
//! connection; `handle` is what others hold.

mod address;
mod driver;
mod ending;
mod event;
mod frame;
mod handle;
mod pace;
mod protocol;
mod wire;

pub use address::{GatewayAddress, GatewayBot, NoAddress};
pub use event::{GatewayEvent, Resume};
pub use handle::Gateway;
pub use pace::GatewayPace;

/// Guilds, their channels, threads and roles.
pub const GUILDS: u64 = 1 << 0;
/// Messages in guilds; without what they say, but for those that name the app.
pub const GUILD_MESSAGES: u64 = 1 << 9;
/// Reactions in guilds.
pub const GUILD_MESSAGE_REACTIONS: u64 = 1 << 10;
/// Messages to the app alone.
pub const DIRECT_MESSAGES: u64 = 1 << 12;
/// Reactions there.
pub const DIRECT_MESSAGE_REACTIONS: u64 = 1 << 13;
