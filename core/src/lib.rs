//! The decisions of Slipway: what a typed line means, what a release does next, who may let it run, what the
//! channel shows. Everything here is a pure function of its arguments: no tokio, no network, no database, no
//! clock and no randomness. Time and ids come in as values.

pub mod audit;
pub mod command;
pub mod configuration;
pub mod environment;
pub mod facts;
pub mod flow;
pub mod gate;
pub mod ids;
pub mod intent;
pub mod link;
pub mod membership;
pub mod message;
pub mod migration;
pub mod paths;
pub mod person;
pub mod plan;
pub mod policy;
pub mod policy_case;
pub mod promotion;
pub mod pull;
pub mod release;
pub mod replay;
pub mod together;
pub mod workflow;
