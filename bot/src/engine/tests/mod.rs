//! Whole stories through the engine and a real store, without anything outside: what the executor would do is said
//! by the test.

mod accounts;
mod arrived;
mod aside;
mod audit;
mod backwards;
mod beginnings;
mod by_hand;
mod cancelling;
mod chat;
mod configuration;
mod deferred;
mod effects;
mod flow;
mod group_votes;
mod groups;
mod inbox;
mod linking;
mod locks;
mod members;
mod migrating;
mod paths;
mod policies;
mod promoting;
mod queue;
mod reacting;
mod releasing;
mod replaying;
mod reporting;
mod shipping;
mod threats;
mod together;
mod voting;
mod wondering;

mod beside;
mod deferred_held;
mod hands;
mod tags;
mod unhindered;
mod unhindered_outside;

mod closed;
mod imageless;
mod undated;

mod broken_off;
mod far_back;
mod hints;
mod unmarked;
mod what_may_ship;

use chat::{Chat, plan, sha};
use slipway_core::release::{Event, Failure, Outcome, Phase, Release, Step};
