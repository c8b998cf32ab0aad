//! What can go wrong with Discord, in sentences for people.

use std::time::Duration;
use thiserror::Error;

/// Why Discord did not do or tell what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DiscordError {
    /// 401: the token is none, or none any more.
    #[error(
        "Discord does not accept the token. Set DISCORD_TOKEN to the bot token of the application (Developer \
         Portal, Bot)."
    )]
    BadToken,
    /// 50001: the application does not see the place.
    #[error("Discord shows Slipway nothing there. Whoever runs Slipway finds out more with slipway check.")]
    MissingAccess {
        /// Where; in [`DiscordError::for_operators`] only: people in a chat read the other one.
        place: String,
    },
    /// 50013: the application sees the place and may not do this there.
    #[error("Discord does not let Slipway do this there. Whoever runs Slipway finds out more with slipway check.")]
    MissingPermissions {
        /// Where; in [`DiscordError::for_operators`] only: people in a chat read the other one.
        place: String,
    },
    /// 10008.
    #[error("The Discord message is not there any more: it was deleted.")]
    MessageGone,
    /// 10003.
    #[error("The Discord channel is not there any more, or the application is not in its server. Name another one.")]
    ChannelGone,
    /// 50007.
    #[error(
        "Discord lets Slipway send this person no direct message. They have to allow messages from members of the \
         server, in its privacy settings."
    )]
    CannotDirect,
    /// 50083.
    #[error("The Discord thread is archived: nothing can be said there any more.")]
    ThreadArchived,
    /// 10015, 50027: an interaction's token is good for 15 minutes.
    #[error(
        "Discord takes no more answers to this command or button: it is older than 15 minutes. Type or press it again."
    )]
    AnswersUsedUp,
    /// 10062: the first answer has to come within 3 seconds.
    #[error("Discord takes the first answer to a command or button within 3 seconds only. Type or press it again.")]
    UnknownInteraction,
    /// 30046.
    #[error("Discord takes no more changes of this message: it is older than an hour.")]
    OldMessage,
    /// 160004.
    #[error("The Discord message has a thread already.")]
    ThreadExists,
    /// 429, or Slipway itself held the call back because Discord would have answered so.
    #[error("Discord limits the number of requests. Try again in {} s.", whole_seconds(.retry_after))]
    RateLimited {
        /// How long to wait.
        retry_after: Duration,
        /// Whether it concerns all calls, and not this kind of call in this place alone.
        is_global: bool,
    },
    /// Discord understood and refused.
    #[error("Discord refused this ({status}, {code}: {message}).")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Discord's code, 0 where it gave none.
        code: u64,
        /// Discord's own words, shortened.
        message: String,
    },
    /// No connection, or it broke. Of something that posts it is not known whether it was done.
    #[error("Discord cannot be reached ({detail}). Check the network and `[discord] api_url`.")]
    Unreachable {
        /// The innermost reason.
        detail: String,
    },
    /// No complete answer in time. Of something that posts it is not known whether it was done.
    #[error("Discord did not answer in {limit_ms} ms. Try again, or look at discordstatus.com.")]
    Slow {
        /// The limit in milliseconds.
        limit_ms: u128,
    },
    /// 5xx.
    #[error("Discord has trouble of its own ({status}). Try again, or look at discordstatus.com.")]
    Server {
        /// The HTTP status.
        status: u16,
    },
    /// An answer that is not as documented.
    #[error("Discord's answer cannot be used: {detail}.")]
    Unreadable {
        /// What is wrong with it.
        detail: String,
    },
    /// An answer, or a number of them, beyond what Slipway takes.
    #[error("Discord's answer is too big: {detail}.")]
    TooBig {
        /// The limit that it breaks.
        detail: String,
    },
    /// Something that cannot stand in an address. Nothing was sent.
    #[error("{what} is none of Discord's. Nothing was sent; copy it again.")]
    NotDiscords {
        /// What it should have been; never what it is.
        what: &'static str,
    },
}

impl DiscordError {
    /// The same for whoever runs Slipway, who can mend it: where it was too, if it is not allowed there.
    #[must_use]
    pub fn for_operators(&self) -> String {
        match self {
            Self::MissingAccess { place } => format!(
                "Discord shows Slipway nothing of {place}. Let the application's role view it, or copy the id again."
            ),
            Self::MissingPermissions { place } => format!(
                "Discord does not let Slipway do this in {place}. Give the application's role what it lacks there."
            ),
            error => error.to_string(),
        }
    }

    /// Whether the same call is worth trying again later without anybody mending anything. Of a call that posts it may
    /// have been done nevertheless: look first, with [`super::Discord::find_posted`].
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Unreachable { .. } | Self::Slow { .. } | Self::Server { .. } => true,
            // Half an answer, or the page of somebody in between.
            Self::Unreadable { .. } => true,
            _ => false,
        }
    }

    /// How long there is no use in trying again, where Discord said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}

fn whole_seconds(wait: &Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
