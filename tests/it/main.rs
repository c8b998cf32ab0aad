//! The integration tests, in one binary: clients against stand-ins, migrations on real databases, transcripts of the
//! whole bot, crashes, and the house rules.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod as_an_app;
mod audit;
mod awaited;
mod aws;
mod broken_off;
mod by_hand;
mod configuration;
mod correlated;
mod crash;
mod cut_over;
mod deferred;
mod discord;
mod discord_chat;
mod discord_gateway;
mod discord_lines;
mod discord_page;
mod ecs;
mod faults;
mod flow;
mod github;
mod held_up;
mod histories;
mod locks;
mod members;
mod migrate_cli;
mod migration_crash;
mod migrations;
mod on_github;
mod paths;
mod policies;
mod policy_repository;
mod promotion_crash;
mod pull_requests;
mod rehearsal;
mod role;
mod shipping;
mod slack;
mod slack_chat;
mod support;
mod targets;
mod tidy;
mod together;
mod transcripts;

mod concerned;

mod build_tags;
mod pages;
