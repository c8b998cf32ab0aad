//! The Discord stand-in: as strict as Discord is.

mod answers;
mod commands;
mod deliveries;
mod events;
mod limits;
mod messages;
mod people;
mod places;
mod refusals;
mod rig;
