//! The sandbox: loopback stand-ins for GitHub and AWS that speak the real wire protocols to the real SDK
//! clients, and the demo that plays a release on them.

pub mod aws;
pub mod github;
pub mod postgres;
