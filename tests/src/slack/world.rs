//! What Slack knows, in memory.

use super::delivery::Deliveries;
use super::fault::{Fault, FaultKind};
use super::message::Message;
use super::notified::Notified;
use super::options::{Clock, SlackChannel, SlackLimits, SlackMode, SlackOptions, SlackUser};
use super::rate::Rates;
use super::refusal::Refusal;
use super::response_url::Hook;
use super::view::{Trigger, View};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::sync::watch;

/// Calls are remembered for assertions, up to here.
const CALLS_LIMIT: usize = 10_000;
/// Messages are kept up to here; then nothing can be posted.
const MESSAGES_LIMIT: usize = 10_000;
/// Triggers and response URLs are kept up to here; then the oldest are forgotten.
pub(super) const KEPT_LIMIT: usize = 10_000;

/// What kind of conversation it is; scopes are named after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Public,
    Private,
    /// The app's conversation with this user.
    Im(String),
}

/// A channel, or the app's conversation with one person.
#[derive(Clone, Debug)]
pub(super) struct Conversation {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) archived: bool,
    pub(super) bot_is_member: bool,
    pub(super) shared_outside: bool,
    pub(super) origin_team: Option<String>,
    pub(super) posting_restricted: bool,
    pub(super) absent: Vec<String>,
}

impl Conversation {
    /// What the names of scopes begin with.
    pub(super) fn family(&self) -> &'static str {
        match self.kind {
            Kind::Public => "channels",
            Kind::Private => "groups",
            Kind::Im(_) => "im",
        }
    }

    /// As payloads name it.
    pub(super) fn shown_name(&self) -> &str {
        match self.kind {
            Kind::Public => &self.name,
            Kind::Private => "privategroup",
            Kind::Im(_) => "directmessage",
        }
    }

    pub(super) fn has(&self, user: &str) -> bool {
        match &self.kind {
            Kind::Im(with) => with == user,
            _ => !self.absent.iter().any(|absent| absent == user),
        }
    }
}

pub(super) struct World {
    /// Members by the group's id.
    pub(super) groups: BTreeMap<String, Vec<String>>,
    pub(super) scopes: Vec<String>,
    pub(super) app_scopes: Vec<String>,
    pub(super) revoked: bool,
    pub(super) faults: Vec<Fault>,
    pub(super) calls: Vec<String>,
    pub(super) users: Vec<SlackUser>,
    pub(super) channels: Vec<SlackChannel>,
    /// The open direct conversations: their ids by user.
    pub(super) ims: BTreeMap<String, String>,
    pub(super) messages: Vec<Message>,
    pub(super) modals: Vec<View>,
    pub(super) homes: BTreeMap<String, View>,
    pub(super) triggers: BTreeMap<String, Trigger>,
    pub(super) hooks: BTreeMap<String, Hook>,
    pub(super) notified: Vec<Notified>,
    pub(super) manifest: Value,
    pub(super) rates: Rates,
    pub(super) limits: SlackLimits,
    pub(super) bot_url: Option<String>,
    pub(super) mode: SlackMode,
    pub(super) deliveries: Deliveries,
    clock: Clock,
    /// How far this Slack's time is from the clock.
    shift: SignedDuration,
    /// When this Slack began, so that another one with a bot of old does not give the same ids again.
    began_s: i64,
    bot_user: String,
    last_ts_us: i64,
    made: u64,
    seq: u64,
    changes: watch::Sender<u64>,
}

impl World {
    pub(super) fn new(options: &SlackOptions, changes: watch::Sender<u64>) -> Self {
        Self {
            groups: BTreeMap::new(),
            scopes: options.scopes.clone(),
            app_scopes: vec!["connections:write".to_owned()],
            revoked: false,
            faults: Vec::new(),
            calls: Vec::new(),
            users: options.users.clone(),
            channels: options.channels.clone(),
            ims: BTreeMap::new(),
            messages: Vec::new(),
            modals: Vec::new(),
            homes: BTreeMap::new(),
            triggers: BTreeMap::new(),
            hooks: BTreeMap::new(),
            notified: Vec::new(),
            manifest: super::apps::manifest(options),
            rates: Rates::default(),
            limits: options.limits.clone(),
            bot_url: options.bot_url.clone(),
            mode: options.mode,
            deliveries: Deliveries::default(),
            clock: options.clock.clone(),
            shift: SignedDuration::ZERO,
            began_s: (options.clock)().as_second(),
            bot_user: options.bot_user.clone(),
            last_ts_us: 0,
            made: 0,
            seq: 0,
            changes,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)() + self.shift
    }

    /// What the app's own clock says: deliveries are signed with it, whatever time it is here.
    pub(super) fn unshifted_now(&self) -> Timestamp {
        (self.clock)()
    }

    /// From now on it is so much later here, or earlier. What was counted of calls is forgotten.
    pub(super) fn shift(&mut self, by: SignedDuration) {
        self.shift += by;
        self.rates = Rates::default();
    }

    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    /// A number that no other thing has.
    pub(super) fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// An id that no other thing has, also of a stand-in that is started later.
    pub(super) fn fresh_id(&mut self) -> String {
        let number = self.number();
        format!("{:X}{number:05X}", self.began_s)
    }

    /// The time as a message has it: no two are the same.
    pub(super) fn ts(&mut self) -> String {
        self.last_ts_us = self.now().as_microsecond().max(self.last_ts_us + 1);
        format!("{}.{:06}", self.last_ts_us / 1_000_000, self.last_ts_us % 1_000_000)
    }

    /// Something that people see has changed: its new place in the order of changes.
    pub(super) fn changed(&mut self) -> u64 {
        self.seq += 1;
        // Nobody may be waiting for it.
        let _ = self.changes.send(self.seq);
        self.seq
    }

    pub(super) fn heard(&mut self, call: String) {
        if self.calls.len() < CALLS_LIMIT {
            self.calls.push(call);
        }
    }

    /// The next fault for a method, used up by one.
    pub(super) fn fault_for(&mut self, method: &str) -> Option<FaultKind> {
        let fault = self.faults.iter_mut().find(|fault| fault.times > 0 && fault.method == method)?;
        fault.times -= 1;
        Some(fault.kind)
    }

    pub(super) fn user(&self, id: &str) -> Option<&SlackUser> {
        self.users.iter().find(|user| user.id == id)
    }

    /// `ana`, or the id of somebody who is not known.
    pub(super) fn name<'a>(&'a self, id: &'a str) -> &'a str {
        match id {
            id if id == self.bot_user => "slipway",
            super::SLACKBOT => "slackbot",
            id => self.user(id).map_or(id, |user| &user.name),
        }
    }

    pub(super) fn conversation(&self, id: &str) -> Option<Conversation> {
        if let Some((user, id)) = self.ims.iter().find(|(_, im)| *im == id) {
            return Some(Conversation {
                id: id.clone(),
                name: String::new(),
                kind: Kind::Im(user.clone()),
                archived: false,
                bot_is_member: true,
                shared_outside: false,
                origin_team: None,
                posting_restricted: false,
                absent: Vec::new(),
            });
        }
        let channel = self.channels.iter().find(|channel| channel.id == id)?;
        Some(Conversation {
            id: channel.id.clone(),
            name: channel.name.clone(),
            kind: if channel.private { Kind::Private } else { Kind::Public },
            archived: channel.archived,
            bot_is_member: channel.bot_is_member,
            shared_outside: channel.shared_outside,
            origin_team: channel.origin_team.clone(),
            posting_restricted: channel.posting_restricted,
            absent: channel.absent.clone(),
        })
    }

    /// The app's direct conversation with a user, opened when it is not yet. None: there is no such user.
    pub(super) fn im(&mut self, user: &str) -> Option<String> {
        self.user(user)?;
        if !self.ims.contains_key(user) {
            self.ims.insert(user.to_owned(), format!("D{}", user.get(1..).unwrap_or_default()));
            self.changed();
        }
        self.ims.get(user).cloned()
    }

    /// The bot may not know of a private channel that it is not in.
    pub(super) fn seen_by_bot(&self, id: &str) -> Result<Conversation, Refusal> {
        let found = self.conversation(id).filter(|c| c.bot_is_member || c.kind != Kind::Private);
        found.ok_or_else(|| Refusal::code("channel_not_found"))
    }

    pub(super) fn need_scope(&self, scope: &str) -> Result<(), Refusal> {
        if self.scopes.iter().any(|has| has == scope) {
            return Ok(());
        }
        Err(Refusal::missing_scope(scope, &self.scopes))
    }

    /// A message that is still there and that everybody in the channel sees.
    pub(super) fn message(&self, channel: &str, ts: &str) -> Option<&Message> {
        self.messages.iter().find(|m| m.is(channel, ts) && m.ephemeral_for.is_none() && !m.deleted)
    }

    /// Changes a message of any kind and gives it a new place in the order of changes.
    pub(super) fn change(&mut self, channel: &str, ts: &str, how: impl FnOnce(&mut Message)) {
        let seq = self.changed();
        if let Some(message) = self.messages.iter_mut().find(|m| m.is(channel, ts)) {
            how(message);
            message.seq = seq;
        }
    }

    /// Gives ids to the blocks and elements that came without.
    pub(super) fn name_all(&mut self, blocks: &mut Value) {
        super::blocks::name_all(blocks, &mut self.made);
    }

    /// Keeps a message and gives it its time.
    pub(super) fn post(&mut self, mut message: Message) -> Result<Message, Refusal> {
        if self.messages.len() >= MESSAGES_LIMIT {
            return Err(Refusal::code("fatal_error"));
        }
        message.ts = self.ts();
        message.seq = self.changed();
        if let Some(blocks) = &mut message.blocks {
            self.name_all(blocks);
        }
        if message.user == self.bot_user {
            self.note_notified(&message, false);
        }
        self.messages.push(message.clone());
        Ok(message)
    }
}
