//! What a stand-in is started with.

use jiff::Timestamp;
use slipway::slack_app::SCOPES;
use slipway_core::command::slash_commands;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A person in the workspace, or one of another workspace who is in a shared channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackUser {
    /// `U0ANA0001`.
    pub id: String,
    /// What comes after an `@`.
    pub name: String,
    /// What is shown.
    pub real_name: String,
    /// The workspace, when it is not the app's own: somebody from outside, by Slack Connect.
    pub team: Option<String>,
}

impl SlackUser {
    /// Somebody of the app's own workspace.
    #[must_use]
    pub fn new(id: &str, name: &str) -> Self {
        let mut letters = name.chars();
        let real_name = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
        Self { id: id.to_owned(), name: name.to_owned(), real_name, team: None }
    }

    /// The same person in another workspace (`T…`).
    #[must_use]
    pub fn of_team(mut self, team: &str) -> Self {
        self.team = Some(team.to_owned());
        self
    }
}

/// A channel. Everybody is in it but those of `absent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackChannel {
    /// `C0RELEASES`.
    pub id: String,
    /// Without `#`.
    pub name: String,
    /// Only members know that there is such a channel.
    pub private: bool,
    /// Nothing can be posted any more.
    pub archived: bool,
    /// Shared with another organisation.
    pub shared_outside: bool,
    /// The workspace that a shared channel comes from (`T…`), when that is not the app's own.
    pub origin_team: Option<String>,
    /// Only some may post, and the app is none of them.
    pub posting_restricted: bool,
    /// The app's user is in it.
    pub bot_is_member: bool,
    /// The users who are not in it, by id.
    pub absent: Vec<String>,
}

impl SlackChannel {
    /// A public channel with everybody and the bot in it.
    #[must_use]
    pub fn new(id: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            private: false,
            archived: false,
            shared_outside: false,
            origin_team: None,
            posting_restricted: false,
            bot_is_member: true,
            absent: Vec::new(),
        }
    }
}

/// A slash command that the app has registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackCommand {
    /// With its slash: `/deploy`.
    pub command: String,
    /// What the list of commands says of it.
    pub description: String,
    /// What comes after it.
    pub usage_hint: String,
}

impl SlackCommand {
    /// A command as the app's settings have it.
    #[must_use]
    pub fn new(command: &str, description: &str, usage_hint: &str) -> Self {
        Self { command: command.to_owned(), description: description.to_owned(), usage_hint: usage_hint.to_owned() }
    }
}

/// How Slack reaches the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlackMode {
    /// By signed requests to `bot_url`.
    Http,
    /// By connections that the app opens.
    Socket,
}

/// How much and how fast. All times but those of deliveries are read from the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackLimits {
    /// How far apart the messages of one channel are in the long run, in milliseconds. 0: no limit.
    pub post_every_ms: u64,
    /// How many messages of one channel may come at once.
    pub post_burst: u32,
    /// Calls a minute of methods of Slack's tiers 1 to 4. 0: no limit.
    pub tier_per_min: [u32; 4],
    /// How many of them may come at once.
    pub tier_burst: [u32; 4],
    /// How long the app may take to answer a delivery, in real time.
    pub answer_within: Duration,
    /// How long after each failure an event is sent again, in real time: Slack's 0, 1 and 5 minutes, much shortened.
    pub retry_after: [Duration; 3],
    /// How often a Socket Mode connection is pinged, in real time.
    pub ping_every: Duration,
    /// How long a message can be edited, in seconds. None: for ever.
    pub edit_window_s: Option<i64>,
}

impl Default for SlackLimits {
    fn default() -> Self {
        Self {
            post_every_ms: 1_000,
            post_burst: 5,
            tier_per_min: [1, 20, 50, 100],
            tier_burst: [10, 20, 50, 100],
            answer_within: Duration::from_secs(3),
            retry_after: [Duration::ZERO, Duration::from_millis(100), Duration::from_millis(500)],
            ping_every: Duration::from_secs(10),
            edit_window_s: None,
        }
    }
}

impl SlackLimits {
    /// No call is ever one too many.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { post_every_ms: 0, tier_per_min: [0; 4], ..Self::default() }
    }
}

/// What the stand-in serves.
#[derive(Clone)]
pub struct SlackOptions {
    /// The one bot token that is accepted.
    pub token: String,
    /// The app-level token, with the scope `connections:write`.
    pub app_token: String,
    /// The token that may read the app's manifest.
    pub config_token: String,
    /// What deliveries are signed with.
    pub signing_secret: String,
    /// Where the app listens: `http://127.0.0.1:8080`. Can be set later.
    pub bot_url: Option<String>,
    /// How Slack reaches the app.
    pub mode: SlackMode,
    /// The workspace.
    pub team_id: String,
    /// The app.
    pub app_id: String,
    /// The app's user in the workspace.
    pub bot_user: String,
    /// What the app may do at first.
    pub scopes: Vec<String>,
    /// Who is there.
    pub users: Vec<SlackUser>,
    /// Where they talk.
    pub channels: Vec<SlackChannel>,
    /// The app's slash commands.
    pub commands: Vec<SlackCommand>,
    /// In the conversation with the app people can only read.
    pub messages_tab_read_only: bool,
    /// The app has subscribed to what people write in the conversation with it.
    pub message_im_subscribed: bool,
    /// How much and how fast.
    pub limits: SlackLimits,
    /// What time it is.
    pub clock: Clock,
}

impl SlackOptions {
    /// An app that was given what Slipway needs, five people and two channels.
    #[must_use]
    pub fn new(token: &str) -> Self {
        let people = ["U0ANA0001 ana", "U0BOB0001 bob", "U0CHEN001 chen", "U0DORA001 dora", "U0EVE0001 eve"];
        let users = people.iter().filter_map(|both| both.split_once(' ')).map(|(id, name)| SlackUser::new(id, name));
        let channels = [("C0RELEASES", "releases"), ("C0ANNOUNCE", "announcements")];
        let commands = slash_commands().into_iter().map(|known| {
            // As the app's manifest has them.
            SlackCommand { command: known.name, description: known.description, usage_hint: known.usage_hint }
        });
        Self {
            token: token.to_owned(),
            app_token: "xapp-1-sandbox".to_owned(),
            config_token: "xoxe.xoxp-1-sandbox".to_owned(),
            signing_secret: "sandbox-signing-secret".to_owned(),
            bot_url: None,
            mode: SlackMode::Http,
            team_id: "T9TK3CUKW".to_owned(),
            app_id: "A0KRD7HC3".to_owned(),
            bot_user: "U0SLIPWAY".to_owned(),
            scopes: SCOPES.iter().map(|scope| scope.name.to_owned()).collect(),
            users: users.collect(),
            channels: channels.iter().map(|(id, name)| SlackChannel::new(id, name)).collect(),
            commands: commands.collect(),
            messages_tab_read_only: false,
            message_im_subscribed: true,
            limits: SlackLimits::default(),
            clock: Arc::new(Timestamp::now),
        }
    }
}

impl fmt::Debug for SlackOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlackOptions").field("team_id", &self.team_id).field("mode", &self.mode).finish_non_exhaustive()
    }
}
