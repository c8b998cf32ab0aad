//! What Discord knows, in memory.

use super::delivery::Deliveries;
use super::fault::{Fault, FaultKind};
use super::gateway::Hub;
use super::interaction::{Interaction, Modal};
use super::message::Message;
use super::notified::Notified;
use super::options::{Clock, DiscordChannel, DiscordLimits, DiscordMode, DiscordOptions, DiscordRole, DiscordUser};
use super::place::Place;
use super::rate::Rates;
use super::refusal::Refusal;
use super::snowflake;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::watch;

/// Calls are remembered for assertions, up to here.
const CALLS_LIMIT: usize = 10_000;
/// Messages are kept up to here; then nothing can be posted.
const MESSAGES_LIMIT: usize = 10_000;
/// Interactions are kept up to here; then the oldest are forgotten.
const INTERACTIONS_LIMIT: usize = 10_000;

pub(super) struct World {
    pub(super) guild: String,
    pub(super) application_id: String,
    pub(super) bot_user: String,
    /// Whose the guild is: nobody who plays here.
    pub(super) owner: String,
    pub(super) bot_permissions: u64,
    pub(super) members_intent: bool,
    pub(super) revoked: bool,
    pub(super) users: Vec<DiscordUser>,
    pub(super) roles: Vec<DiscordRole>,
    pub(super) channels: Vec<DiscordChannel>,
    pub(super) threads: Vec<Place>,
    /// The open conversations with the app: their ids by user.
    pub(super) directs: BTreeMap<String, String>,
    /// Who takes no messages of the app's.
    pub(super) closed: BTreeSet<String>,
    /// What the app may not do, by channel.
    pub(super) denied: BTreeMap<String, u64>,
    /// Who does not see a channel: its id, and theirs.
    pub(super) absent: BTreeSet<(String, String)>,
    pub(super) messages: Vec<Message>,
    pub(super) interactions: Vec<Interaction>,
    pub(super) modals: Vec<Modal>,
    /// By guild, `""` for those of everywhere.
    pub(super) commands: BTreeMap<String, Vec<Value>>,
    pub(super) notified: Vec<Notified>,
    pub(super) faults: Vec<Fault>,
    pub(super) calls: Vec<String>,
    pub(super) invalid_calls: u64,
    pub(super) rates: Rates,
    pub(super) limits: DiscordLimits,
    pub(super) mode: DiscordMode,
    pub(super) deliveries: Deliveries,
    pub(super) began: Timestamp,
    hub: Option<Arc<Hub>>,
    clock: Clock,
    /// How far this Discord's time is from the clock.
    shift: SignedDuration,
    last_id: u64,
    made: u64,
    seq: u64,
    changes: watch::Sender<u64>,
}

impl World {
    pub(super) fn new(options: &DiscordOptions, changes: watch::Sender<u64>) -> Self {
        let began = (options.clock)();
        Self {
            guild: options.guild.clone(),
            application_id: options.application_id.clone(),
            bot_user: options.bot_user.clone(),
            owner: snowflake::first_at(began.as_millisecond()).to_string(),
            bot_permissions: options.bot_permissions,
            members_intent: options.members_intent,
            revoked: false,
            users: options.users.clone(),
            roles: options.roles.clone(),
            channels: options.channels.clone(),
            threads: Vec::new(),
            directs: BTreeMap::new(),
            closed: BTreeSet::new(),
            denied: BTreeMap::new(),
            absent: BTreeSet::new(),
            messages: Vec::new(),
            interactions: Vec::new(),
            modals: Vec::new(),
            commands: BTreeMap::new(),
            notified: Vec::new(),
            faults: Vec::new(),
            calls: Vec::new(),
            invalid_calls: 0,
            rates: Rates::default(),
            limits: options.limits.clone(),
            mode: options.mode.clone(),
            deliveries: Deliveries::default(),
            began,
            hub: None,
            clock: options.clock.clone(),
            shift: SignedDuration::ZERO,
            last_id: 0,
            made: 0,
            seq: 0,
            changes,
        }
    }

    pub(super) fn set_hub(&mut self, hub: Arc<Hub>) {
        self.hub = Some(hub);
    }

    /// Sends something over the gateway. In the world's lock, so that the order is that of what happened.
    pub(super) fn dispatch(&self, intent: u64, kind: &str, data: Value) {
        if let Some(hub) = &self.hub {
            hub.dispatch(intent, kind, data);
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)() + self.shift
    }

    /// What the app's own clock says: deliveries are signed with it, whatever time it is here.
    pub(super) fn unshifted_now(&self) -> Timestamp {
        (self.clock)()
    }

    /// From now on it is so much later here, or earlier; so are the ids. What was counted of calls is forgotten.
    pub(super) fn shift(&mut self, by: SignedDuration) {
        self.shift += by;
        if by.is_negative() {
            self.last_id = 0;
        }
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

    /// An id of now: no two are the same, and later ones are greater while nobody turns the clock back.
    pub(super) fn fresh_id(&mut self) -> String {
        self.last_id = snowflake::first_at(self.now().as_millisecond()).max(self.last_id + 1);
        self.last_id.to_string()
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

    /// The next fault for a route, used up by one.
    pub(super) fn fault_for(&mut self, route: &str) -> Option<FaultKind> {
        let fault = self.faults.iter_mut().find(|fault| fault.times > 0 && fault.method == route)?;
        fault.times -= 1;
        Some(fault.kind)
    }

    pub(super) fn user(&self, id: &str) -> Option<&DiscordUser> {
        self.users.iter().find(|user| user.id == id)
    }

    /// `ana`, or the id of somebody who is not known.
    pub(super) fn name<'a>(&'a self, id: &'a str) -> &'a str {
        if id == self.bot_user {
            return "slipway";
        }
        self.user(id).map_or(id, |user| &user.name)
    }

    /// The app's conversation with a user, opened when it is not yet. None: there is no such user.
    pub(super) fn direct(&mut self, user: &str) -> Option<String> {
        self.user(user)?;
        if !self.directs.contains_key(user) {
            let id = self.fresh_id();
            self.directs.insert(user.to_owned(), id);
            self.changed();
        }
        self.directs.get(user).cloned()
    }

    /// A message that is still there and that everybody in the channel sees.
    pub(super) fn message(&self, channel: &str, id: &str) -> Option<&Message> {
        self.messages.iter().find(|m| m.is(channel, id) && m.ephemeral_for.is_none() && !m.deleted)
    }

    /// The newest message of a place.
    pub(super) fn last_id(&self, channel: &str) -> Option<&str> {
        let here = |m: &&Message| m.channel == channel && m.ephemeral_for.is_none() && !m.deleted;
        self.messages.iter().rev().find(here).map(|m| m.id.as_str())
    }

    pub(super) fn count_in(&self, channel: &str) -> usize {
        self.messages.iter().filter(|m| m.channel == channel && !m.deleted).count()
    }

    /// Changes a message of any kind and gives it a new place in the order of changes.
    pub(super) fn change(&mut self, channel: &str, id: &str, how: impl FnOnce(&mut Message)) {
        let seq = self.changed();
        if let Some(message) = self.messages.iter_mut().find(|m| m.is(channel, id)) {
            how(message);
            message.seq = seq;
        }
    }

    /// Keeps a message, gives it its id, and tells the app of it.
    pub(super) fn post(&mut self, mut message: Message) -> Result<Message, Refusal> {
        if self.messages.len() >= MESSAGES_LIMIT {
            return Err(Refusal::full());
        }
        message.id = self.fresh_id();
        message.seq = self.changed();
        if message.author == self.bot_user {
            self.note_notified(&message, false);
        }
        self.messages.push(message.clone());
        self.tell_of_message("MESSAGE_CREATE", &message);
        Ok(message)
    }

    /// Remembers what somebody began.
    pub(super) fn begin(&mut self, interaction: Interaction) {
        if self.interactions.len() >= INTERACTIONS_LIMIT {
            self.interactions.drain(..INTERACTIONS_LIMIT / 2);
        }
        self.interactions.push(interaction);
    }

    /// The commands that somebody can type in a place: the guild's own first.
    pub(super) fn commands_at(&self, place: &Place) -> Vec<Value> {
        let of = |guild: &str| self.commands.get(guild).cloned().unwrap_or_default();
        let everywhere = of("");
        if !place.is_direct() {
            return of(&self.guild).into_iter().chain(everywhere).collect();
        }
        let in_conversation = |command: &Value| match command["contexts"].as_array() {
            Some(contexts) => contexts.iter().any(|context| context == 1),
            None => command["dm_permission"] != false,
        };
        everywhere.into_iter().filter(in_conversation).collect()
    }
}
