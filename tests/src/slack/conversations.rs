//! `conversations.*`: channels, and what was said in them.

use super::arguments::Arguments;
use super::message::Message;
use super::refusal::{Refusal, Reply};
use super::server::Shared;
use super::time::micros;
use super::world::{Conversation, Kind, World};
use serde_json::{Value, json};

const PAGE_DEFAULT: u64 = 100;
const PAGE_LIMIT: u64 = 999;

/// Which messages are asked for.
struct Window {
    oldest_us: i64,
    latest_us: i64,
    inclusive: bool,
    limit: usize,
    /// Where the page before ended.
    after_us: Option<i64>,
    metadata: bool,
}

impl Window {
    fn read(arguments: &Arguments) -> Result<Self, Refusal> {
        let time = |name: &str, code: &'static str| match arguments.text(name)?.filter(|ts| !ts.is_empty()) {
            None => Ok(None),
            Some(ts) => micros(ts).map(Some).ok_or_else(|| Refusal::code(code)),
        };
        let limit = arguments.number("limit")?.unwrap_or(PAGE_DEFAULT);
        if !(1..=PAGE_LIMIT).contains(&limit) {
            return Err(Refusal::code("invalid_limit"));
        }
        let after_us = match arguments.text("cursor")?.filter(|cursor| !cursor.is_empty()) {
            None => None,
            Some(cursor) => {
                let bytes = hex::decode(cursor).ok();
                let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
                let ended = text.as_deref().and_then(|text| text.strip_prefix("ts:")).and_then(micros);
                Some(ended.ok_or_else(|| Refusal::code("invalid_cursor"))?)
            }
        };
        Ok(Self {
            oldest_us: time("oldest", "invalid_ts_oldest")?.unwrap_or(0),
            latest_us: time("latest", "invalid_ts_latest")?.unwrap_or(i64::MAX),
            inclusive: arguments.flag("inclusive")?,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            after_us,
            metadata: arguments.flag("include_all_metadata")?,
        })
    }

    fn has(&self, message: &Message) -> bool {
        let at_us = micros(&message.ts).unwrap_or_default();
        if self.inclusive {
            (self.oldest_us..=self.latest_us).contains(&at_us)
        } else {
            self.oldest_us < at_us && at_us < self.latest_us
        }
    }

    /// The first of the messages, and where the next page begins. Of a deleted one its tombstone is shown.
    fn page(&self, shared: &Shared, world: &World, all: Vec<&Message>) -> Value {
        let has_more = all.len() > self.limit;
        let page: Vec<_> = all.into_iter().take(self.limit).collect();
        let cursor = page.last().filter(|_| has_more).map(|last| hex::encode(format!("ts:{}", last.ts)));
        let shown = page.iter().map(|message| match message.deleted {
            true => world.tombstone(&message.channel, &message.ts).unwrap_or_default(),
            false => shared.shown(world, message, self.metadata),
        });
        json!({
            "messages": shown.collect::<Vec<_>>(), "has_more": has_more,
            "response_metadata": { "next_cursor": cursor.unwrap_or_default() },
        })
    }
}

/// Whether something of a message is there to be read.
fn is_left(world: &World, message: &Message) -> bool {
    message.ephemeral_for.is_none() && (!message.deleted || world.tombstone(&message.channel, &message.ts).is_some())
}

/// A conversation that may be read: the scope for its kind is there, and the bot is in it.
fn readable(world: &World, arguments: &Arguments) -> Result<Conversation, Refusal> {
    let found = world.seen_by_bot(arguments.need("channel")?)?;
    world.need_scope(&format!("{}:history", found.family()))?;
    if !found.bot_is_member {
        return Err(Refusal::code("not_in_channel"));
    }
    Ok(found)
}

pub(super) fn history(shared: &Shared, arguments: &Arguments) -> Reply {
    let world = shared.world();
    let channel = readable(&world, arguments)?;
    let window = Window::read(arguments)?;
    let inside = world
        .messages
        .iter()
        .rev()
        .filter(|m| m.channel == channel.id && !m.is_reply() && window.has(m) && is_left(&world, m));
    let all = inside.filter(|m| window.after_us.is_none_or(|after_us| micros(&m.ts) < Some(after_us)));
    Ok(window.page(shared, &world, all.collect()))
}

pub(super) fn replies(shared: &Shared, arguments: &Arguments) -> Reply {
    let world = shared.world();
    let channel = readable(&world, arguments)?;
    let window = Window::read(arguments)?;
    let ts = arguments.need("ts")?;
    let found = |ts: &str| world.messages.iter().find(|m| m.is(&channel.id, ts) && is_left(&world, m));
    let asked = found(ts).ok_or_else(|| Refusal::code("thread_not_found"))?;
    let thread = asked.thread_ts.clone().unwrap_or_else(|| asked.ts.clone());
    let first = found(&thread);
    let answers = world.replies(&channel.id, &thread).filter(|m| window.has(m));
    let all = first.into_iter().chain(answers);
    let all = all.filter(|m| window.after_us.is_none_or(|after_us| micros(&m.ts) > Some(after_us)));
    Ok(window.page(shared, &world, all.collect()))
}

pub(super) fn info(shared: &Shared, arguments: &Arguments) -> Reply {
    let world = shared.world();
    let found = world.seen_by_bot(arguments.need("channel")?)?;
    world.need_scope(&format!("{}:read", found.family()))?;
    Ok(json!({ "channel": shown(shared, &found) }))
}

fn shown(shared: &Shared, conversation: &Conversation) -> Value {
    let team = &shared.options.team_id;
    if let Kind::Im(user) = &conversation.kind {
        return json!({
            "id": conversation.id, "created": 1_500_000_000, "is_archived": false, "is_im": true,
            "is_org_shared": false, "context_team_id": team, "user": user, "is_open": true,
        });
    }
    let private = conversation.kind == Kind::Private;
    let outside = conversation.shared_outside;
    json!({
        "id": conversation.id, "name": conversation.name, "name_normalized": conversation.name,
        "is_channel": true, "is_group": false, "is_im": false, "is_mpim": false, "is_private": private,
        "created": 1_500_000_000, "creator": "U0ANA0001", "is_archived": conversation.archived, "is_general": false,
        "is_shared": outside, "is_ext_shared": outside, "is_org_shared": false, "is_pending_ext_shared": false,
        "context_team_id": team, "is_member": conversation.bot_is_member,
        "topic": { "value": "", "creator": "", "last_set": 0 },
        "purpose": { "value": "", "creator": "", "last_set": 0 },
    })
}

pub(super) fn open(shared: &Shared, arguments: &Arguments) -> Reply {
    let mut world = shared.world();
    let users = arguments.need("users")?;
    if users.contains(',') {
        return Err(Refusal::missing_scope("mpim:write", &world.scopes));
    }
    let already = world.ims.contains_key(users);
    let id = world.im(users).ok_or_else(|| Refusal::code("user_not_found"))?;
    let mut answer = json!({ "channel": { "id": id } });
    if already {
        answer["no_op"] = json!(true);
        answer["already_open"] = json!(true);
    }
    if arguments.flag("return_im")? {
        answer["channel"] = shown(shared, &world.seen_by_bot(&id)?);
    }
    Ok(answer)
}
