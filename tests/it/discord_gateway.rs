//! Discord's gateway: the real client against the stand-in's.

mod faults;
mod rig;
mod sessions;
mod strict;
