//! A strict small model of Discord: its REST API, its gateway, interactions to the app, and the side of the people. What
//! it knows of is kept in memory.

pub mod gateway;
