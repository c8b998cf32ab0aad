//! The sandbox: loopback stand-ins for GitHub, Slack, Discord and AWS that speak the real wire protocols to the real SDK
//! clients, a world that joins them with the real bot, and the demo that plays a release in it.

pub mod aws;
pub mod bot;
mod deliveries;
pub mod demo;
pub mod discord;
pub mod front;
pub mod github;
mod people;
pub mod port;
pub mod postgres;
pub mod screen;
pub mod slack;
mod spoilt;
pub mod traffic;
pub mod world;
