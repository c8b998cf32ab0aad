//! What can go wrong with Slack, in sentences for people.

use jiff::Timestamp;
use thiserror::Error;

/// Why Slack did not do or tell what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SlackError {
    /// The token is none, or none any more.
    #[error("Slack does not accept the token ({code}). Set SLACK_BOT_TOKEN to the bot token of the installed app.")]
    BadCredentials {
        /// Slack's code: `invalid_auth`, `token_revoked`, …
        code: String,
    },
    /// The app-level token is none, or opens no Socket Mode connection.
    #[error(
        "Slack opens no Socket Mode connection with this token ({code}). Set SLACK_APP_TOKEN to an app-level token \
         (xapp-…) that has the scope connections:write."
    )]
    BadAppToken {
        /// Slack's code: `invalid_auth`, `not_allowed_token_type`, `missing_scope`, …
        code: String,
    },
    /// The app configuration token is none, or none any more: Slack makes them for 12 hours.
    #[error(
        "Slack does not accept the app configuration token ({code}). Make a new one at api.slack.com/apps (they last 12 \
         hours) and set SLACK_CONFIG_TOKEN to its access token."
    )]
    BadConfigToken {
        /// Slack's code: `invalid_auth`, `token_expired`, `not_allowed_token_type`, …
        code: String,
    },
    /// The app was not given what this needs.
    #[error(
        "Slack does not allow this: the app lacks the scope {needed}. Add it under OAuth & Permissions and install \
         the app again."
    )]
    MissingScope {
        /// The scope.
        needed: String,
    },
    /// Slack does not know the thing that was asked about.
    #[error("Slack has no {what} in this workspace, or it is disabled. Copy the id again.")]
    NotFound {
        /// What was asked about.
        what: String,
    },
    /// The message, or the one that begins the thread, was deleted.
    #[error("The Slack message is not there any more: it was deleted.")]
    MessageGone,
    /// The message is there, and stays as it is.
    #[error("Slack lets nobody change this message any more ({code}). Post a new one.")]
    NotEditable {
        /// Slack's code: `edit_window_closed`, `cant_update_message`.
        code: String,
    },
    /// The app has to be a member for this.
    #[error("Slipway is not in the Slack channel {channel}. Invite it there with /invite @slipway.")]
    NotInChannel {
        /// The channel's id.
        channel: String,
    },
    /// Slack says the same of a private channel without the app and of one that is not there.
    #[error(
        "Slack shows Slipway no channel {channel}. If it is a private one, invite the app there with \
         /invite @slipway; else copy the id again."
    )]
    NoChannel {
        /// The channel's id.
        channel: String,
    },
    /// Only some may post there.
    #[error(
        "Slack lets only some people post in the channel {channel}. Allow the app to post there in the channel's \
         settings, or name another one."
    )]
    PostingRestricted {
        /// The channel's id.
        channel: String,
    },
    /// Nothing can be posted there any more.
    #[error("The Slack channel {channel} is archived. Unarchive it and /invite @slipway there, or name another one.")]
    Archived {
        /// The channel's id.
        channel: String,
    },
    /// Somebody cannot be told something where they are not.
    #[error("The person is not in the Slack channel {channel}, so nothing can be shown to them there. Join it first.")]
    UserNotInChannel {
        /// The channel's id.
        channel: String,
    },
    /// Slack refused the blocks, the text, the metadata or the view.
    #[error("Slack refused the form of what Slipway sent ({code}{}). This is a mistake in Slipway: report it.", said_words(.said))]
    BadForm {
        /// Slack's code: `invalid_blocks`, `msg_too_long`, …
        code: String,
        /// Slack's own remarks, the first few, shortened.
        said: Vec<String>,
    },
    /// A `response_url` is good for 5 answers and 30 minutes.
    #[error(
        "Slack takes no more answers to this command or button: it is older than 30 minutes or was answered 5 times. \
         Type or press it again."
    )]
    AnswersUsedUp,
    /// A `trigger_id` is good for one form and 3 seconds.
    #[error("Slack opens a form only within 3 seconds of the command or button, and once. Type or press it again.")]
    TriggerExpired,
    /// An address to send to that is not Slack's, or is none.
    #[error("{what} is not an address of Slack's. Nothing was sent there.")]
    NotSlacks {
        /// What the address was for; never the address.
        what: String,
    },
    /// 429.
    #[error("Slack limits the number of requests{}. Try again then.", until_words(.until.as_ref()))]
    RateLimited {
        /// When it will listen again, if it said so.
        until: Option<Timestamp>,
    },
    /// Another `ok: false`: Slack understood and refused.
    #[error("Slack refused this ({code}).")]
    Refused {
        /// Slack's code.
        code: String,
    },
    /// No connection, or it broke. Of something that posts it is not known whether it was done.
    #[error("Slack cannot be reached ({detail}). Check the network and `[slack] api_url`.")]
    Unreachable {
        /// The innermost reason.
        detail: String,
    },
    /// No complete answer in time. Of something that posts it is not known whether it was done.
    #[error("Slack did not answer in {limit_ms} ms. Try again, or look at status.slack.com.")]
    Slow {
        /// The limit in milliseconds.
        limit_ms: u128,
    },
    /// Another status than 200.
    #[error("Slack has trouble of its own ({status}). Try again, or look at status.slack.com.")]
    Server {
        /// The HTTP status.
        status: u16,
    },
    /// An answer that is not as documented.
    #[error("Slack's answer cannot be used: {detail}.")]
    Unreadable {
        /// What is wrong with it.
        detail: String,
    },
    /// An answer beyond what Slipway takes.
    #[error("Slack's answer is too big: {detail}.")]
    TooBig {
        /// The limit that it breaks.
        detail: String,
    },
    /// The Socket Mode connection is over.
    #[error("The Socket Mode connection to Slack is over ({reason}). It has to be opened again.")]
    SocketClosed {
        /// Who ended it and why, or for how long nothing came.
        reason: String,
    },
    /// Something came over Socket Mode that cannot be read. It was not acknowledged, and the connection goes on.
    #[error("Slack sent something over Socket Mode that cannot be read: {detail}. It was not acknowledged.")]
    BadEnvelope {
        /// What is wrong with it; never what it holds.
        detail: String,
    },
}

impl SlackError {
    /// Whether the same call is worth trying again later without anybody mending anything. Of a call that posts it may
    /// have been done nevertheless: look first, with [`super::Slack::find_posted`].
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            // 200 is trouble that Slack tells of in the body.
            Self::Server { status } => *status == 200 || *status >= 500,
            Self::RateLimited { .. } | Self::Unreachable { .. } | Self::Slow { .. } | Self::SocketClosed { .. } => true,
            // Half an answer, or the page of somebody in between.
            Self::Unreadable { .. } => true,
            _ => false,
        }
    }

    /// Before which moment there is no use in trying again, where Slack said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Timestamp> {
        match self {
            Self::RateLimited { until } => *until,
            _ => None,
        }
    }
}

fn until_words(until: Option<&Timestamp>) -> String {
    until.map_or_else(String::new, |t| format!(" until {}", t.strftime("%H:%M:%S UTC")))
}

fn said_words(said: &[String]) -> String {
    if said.is_empty() { String::new() } else { format!(": {}", said.join("; ")) }
}
