//! What a stand-in is started with.

use super::permission;
use jiff::Timestamp;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A person in the guild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscordUser {
    /// `210000000000000001`.
    pub id: String,
    /// What comes after an `@`.
    pub name: String,
    /// The ids of the roles that they have, but for @everyone.
    pub roles: Vec<String>,
}

impl DiscordUser {
    /// Somebody without a role.
    #[must_use]
    pub fn new(id: &str, name: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), roles: Vec::new() }
    }

    /// The same with one role more.
    #[must_use]
    pub fn with_role(mut self, role: &str) -> Self {
        self.roles.push(role.to_owned());
        self
    }
}

/// A text channel of the guild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscordChannel {
    /// `310000000000000001`.
    pub id: String,
    /// Without `#`.
    pub name: String,
}

impl DiscordChannel {
    /// A channel that everybody sees.
    #[must_use]
    pub fn new(id: &str, name: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned() }
    }
}

/// A role of the guild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscordRole {
    /// `510000000000000001`; that of @everyone is the guild's.
    pub id: String,
    /// `releasers`.
    pub name: String,
    /// What it allows everywhere.
    pub permissions: u64,
}

impl DiscordRole {
    /// A role that allows nothing of its own.
    #[must_use]
    pub fn new(id: &str, name: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), permissions: 0 }
    }
}

/// How interactions reach the app. Everything else comes over the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiscordMode {
    /// Over the gateway too.
    Gateway,
    /// By signed requests.
    Http {
        /// The whole address. Can be set later.
        url: Option<String>,
    },
}

/// So many calls in a time. 0 calls: no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many.
    pub calls: u32,
    /// In how long, in milliseconds, from the first of them.
    pub per_ms: i64,
}

/// How much and how fast. All times but that of an answer are read from the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscordLimits {
    /// New messages of a channel.
    pub post: Window,
    /// Changes of messages of a channel.
    pub edit: Window,
    /// Each other route, for each channel, guild and interaction's token.
    pub other: Window,
    /// All calls but those of interactions, in a second. 0: no limit.
    pub global_per_s: u32,
    /// Changes of messages of a channel that are older than an hour, in an hour. None: no limit.
    pub old_edits_per_hour: Option<u32>,
    /// How long the app may take to answer an interaction, in real time; by the clock it is 3 s, or this if it is more.
    pub answer_within: Duration,
}

impl Default for DiscordLimits {
    fn default() -> Self {
        Self {
            post: Window { calls: 5, per_ms: 5_000 },
            edit: Window { calls: 5, per_ms: 5_000 },
            other: Window { calls: 10, per_ms: 1_000 },
            global_per_s: 50,
            old_edits_per_hour: Some(3),
            answer_within: Duration::from_secs(3),
        }
    }
}

impl DiscordLimits {
    /// No call is ever one too many.
    #[must_use]
    pub fn unlimited() -> Self {
        let none = Window { calls: 0, per_ms: 0 };
        Self {
            post: none,
            edit: none,
            other: none,
            global_per_s: 0,
            old_edits_per_hour: None,
            answer_within: Duration::from_secs(3),
        }
    }
}

/// What the stand-in serves.
#[derive(Clone)]
pub struct DiscordOptions {
    /// The one guild that the app is in.
    pub guild: String,
    /// The app.
    pub application_id: String,
    /// The app's user.
    pub bot_user: String,
    /// The one bot token that is accepted.
    pub token: String,
    /// How interactions reach the app.
    pub mode: DiscordMode,
    /// Who is there.
    pub users: Vec<DiscordUser>,
    /// Where they talk.
    pub channels: Vec<DiscordChannel>,
    /// What people and the app can be, but for @everyone and the app's own.
    pub roles: Vec<DiscordRole>,
    /// What the role that came with the app allows it.
    pub bot_permissions: u64,
    /// The app may list the members, and hear of them.
    pub members_intent: bool,
    /// How much and how fast.
    pub limits: DiscordLimits,
    /// What time it is.
    pub clock: Clock,
}

impl DiscordOptions {
    /// An app that was given what Slipway needs, five people and two channels.
    #[must_use]
    pub fn new(token: &str) -> Self {
        let people = [
            ("210000000000000001", "ana"),
            ("210000000000000002", "bob"),
            ("210000000000000003", "chen"),
            ("210000000000000004", "dora"),
            ("210000000000000005", "eve"),
        ];
        let channels = [("310000000000000001", "releases"), ("310000000000000002", "announcements")];
        Self {
            guild: "410000000000000001".to_owned(),
            application_id: "110000000000000001".to_owned(),
            // Apps of old have another id than their user; whoever mixes them up is found out.
            bot_user: "110000000000000002".to_owned(),
            token: token.to_owned(),
            mode: DiscordMode::Gateway,
            users: people.iter().map(|(id, name)| DiscordUser::new(id, name)).collect(),
            channels: channels.iter().map(|(id, name)| DiscordChannel::new(id, name)).collect(),
            roles: Vec::new(),
            bot_permissions: permission::NEEDED,
            members_intent: false,
            limits: DiscordLimits::default(),
            clock: Arc::new(Timestamp::now),
        }
    }
}

impl Default for DiscordOptions {
    fn default() -> Self {
        Self::new("sandbox-discord-token")
    }
}

impl fmt::Debug for DiscordOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiscordOptions").field("guild", &self.guild).field("mode", &self.mode).finish_non_exhaustive()
    }
}
