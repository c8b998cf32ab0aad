//! Which calls there are.

use super::call::Call;
use super::{answers, applications, channels, commands, guilds, messages, reactions, respond, threads};
use crate::discord::refusal::Reply;
use crate::discord::server::Shared;
use std::sync::Arc;

/// Which of the limits a route has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rate {
    Post,
    Edit,
    Other,
}

/// A route: its method and path, whether it needs the bot's token, how often it can be called, and what it does.
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) needs_token: bool,
    pub(super) rate: Rate,
    pub(super) call: fn(&Arc<Shared>, &Call) -> Reply,
}

const fn entry(name: &'static str, call: fn(&Arc<Shared>, &Call) -> Reply) -> Entry {
    Entry { name, needs_token: true, rate: Rate::Other, call }
}

/// A route for whoever has an interaction's token.
const fn open(name: &'static str, call: fn(&Arc<Shared>, &Call) -> Reply) -> Entry {
    Entry { needs_token: false, ..entry(name, call) }
}

/// All of them.
const ROUTES: [Entry; 29] = [
    entry("GET /applications/@me", applications::me),
    entry("GET /users/@me", applications::user),
    entry("GET /users/@me/guilds", guilds::mine),
    entry("POST /users/@me/channels", channels::direct),
    entry("GET /gateway/bot", applications::gateway),
    entry("GET /guilds/{guild}", guilds::get),
    entry("GET /guilds/{guild}/members", guilds::members),
    entry("GET /guilds/{guild}/members/{user}", guilds::member),
    entry("GET /channels/{channel}", channels::get),
    entry("PATCH /channels/{channel}", threads::update),
    entry("GET /channels/{channel}/messages", messages::list),
    Entry { rate: Rate::Post, ..entry("POST /channels/{channel}/messages", messages::post) },
    entry("GET /channels/{channel}/messages/{message}", messages::get),
    Entry { rate: Rate::Edit, ..entry("PATCH /channels/{channel}/messages/{message}", messages::update) },
    entry("DELETE /channels/{channel}/messages/{message}", messages::delete),
    entry("GET /channels/{channel}/messages/{message}/reactions/{emoji}", reactions::users),
    entry("POST /channels/{channel}/messages/{message}/threads", threads::begin),
    entry("GET /applications/{application}/commands", commands::list),
    entry("PUT /applications/{application}/commands", commands::put),
    entry("GET /applications/{application}/guilds/{guild}/commands", commands::list),
    entry("PUT /applications/{application}/guilds/{guild}/commands", commands::put),
    open("POST /interactions/{interaction}/{token}/callback", respond::callback),
    open("POST /webhooks/{application}/{token}", answers::follow_up),
    open("GET /webhooks/{application}/{token}/messages/@original", answers::get),
    open("PATCH /webhooks/{application}/{token}/messages/@original", answers::update),
    open("DELETE /webhooks/{application}/{token}/messages/@original", answers::delete),
    open("GET /webhooks/{application}/{token}/messages/{message}", answers::get),
    open("PATCH /webhooks/{application}/{token}/messages/{message}", answers::update),
    open("DELETE /webhooks/{application}/{token}/messages/{message}", answers::delete),
];

/// The route of a call, and what stands in the path in the places of names.
pub(super) fn find(method: &str, path: &str) -> Option<(&'static Entry, Vec<(&'static str, String)>)> {
    ROUTES.iter().find_map(|entry| {
        let (wanted, pattern) = entry.name.split_once(" /")?;
        (wanted == method).then_some(())?;
        Some((entry, matched(pattern, path)?))
    })
}

fn matched(pattern: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    let mut params = Vec::new();
    loop {
        let (wanted, given) = match (pattern.next(), path.next()) {
            (None, None) => return Some(params),
            (wanted, given) => (wanted?, given?),
        };
        match wanted.strip_prefix('{').and_then(|wanted| wanted.strip_suffix('}')) {
            Some(name) => params.push((name, given.to_owned())),
            None if wanted == given => {}
            None => return None,
        }
    }
}
