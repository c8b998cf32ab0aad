//! The chats of a running bot: what goes out to each, and what is listened to.

use super::{DiscordParts, SlackParts};
use crate::chat::Chat;
use crate::chat::discord::{self, DiscordChat, DiscordReactions, GatewayListener, Suggestions, heard};
use crate::chat::entrance::Entrance;
use crate::chat::reread::{Reactions, Reread};
use crate::chat::slack::{self, SlackChat, SlackReactions, SocketMode};
use crate::chat::terminal::Terminal;
use crate::clock::Clock;
use crate::config::{DiscordMode, SlackMode};
use crate::engine::Signals;
use crate::setup::Setup;
use crate::store::Store;
use crate::web::{DiscordDoor, SlackDoor};
use slipway_deploy::discord::Discord;
use slipway_deploy::github::GitHub;
use slipway_deploy::slack::Slack;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tracing::warn;

/// The chats.
pub(super) struct Chats {
    /// What all of them share.
    pub(super) store: Store,
    pub(super) setup: Arc<Setup>,
    pub(super) clock: Clock,
    pub(super) signals: Signals,
    pub(super) ack_budget_ms: u64,
    /// What goes out.
    pub(super) outgoing: Vec<Arc<dyn Chat>>,
    /// What is read again before anything is decided.
    pub(super) rereads: Vec<Arc<Reread>>,
    /// What is listened to.
    pub(super) tasks: JoinSet<()>,
}

impl Chats {
    /// Without a token of the API nobody can speak there; what is said is kept all the same.
    pub(super) fn terminal(&mut self, changed: &Arc<Notify>, has_token: bool) {
        match has_token {
            true => warn!("the terminal chat is on: whoever holds the API token can speak for anybody"),
            false => warn!(
                "the terminal chat is on and SLIPWAY_API_TOKEN is not set: it hears nobody until it is; set it to a long \
                 random text and start again"
            ),
        }
        self.outgoing.push(Arc::new(Terminal::new(self.store.clone(), changed.clone())));
    }

    /// Has Slack listened to, by one way or the other. Gives the door for what comes over HTTP.
    pub(super) fn slack(&mut self, parts: SlackParts, slack: Slack) -> Option<SlackDoor> {
        self.outgoing.push(Arc::new(SlackChat::new(slack.clone(), self.clock.clone())));
        let entrance = self.entrance(&parts.config.approve, &parts.config.veto);
        let intake = Arc::new(slack::Intake::new(entrance, slack.clone(), &parts.config));
        let reread = self.reread(SlackReactions::new(slack.clone(), intake.clone()));
        let introduced = slack::introduce(slack.clone(), intake.clone());
        self.tasks.spawn(async move {
            introduced.await;
            // It has nothing left to do, and no part of the bot may end.
            std::future::pending().await
        });
        match (parts.config.mode, parts.app_token) {
            (SlackMode::Http, _) => Some(SlackDoor { signing_secret: parts.signing_secret.map(Arc::new), intake }),
            (SlackMode::Socket, Some(token)) => {
                self.tasks.spawn(SocketMode { slack, token, intake, reread }.run());
                None
            }
            (SlackMode::Socket, None) => {
                warn!("SLACK_APP_TOKEN is not set: nothing that is said in Slack is heard");
                None
            }
        }
    }

    /// Has Discord listened to. Reactions and messages always come over the gateway; commands, buttons and forms over HTTP
    /// where that is wanted: then the door for them is given.
    pub(super) fn discord(&mut self, parts: DiscordParts, discord: Discord, github: GitHub) -> Option<DiscordDoor> {
        let DiscordParts { config, token, public_key } = parts;
        let names = |listed: &[String]| listed.iter().map(|name| heard::reaction_kind(name)).collect::<Vec<_>>();
        let entrance = self.entrance(&names(&config.approve), &names(&config.veto));
        let suggestions = Suggestions::new(github);
        let intake = Arc::new(discord::Intake::new(entrance, discord.clone(), suggestions, &config));
        let chat = DiscordChat::new(discord.clone(), self.clock.clone(), intake.clone());
        self.outgoing.push(Arc::new(chat));
        let reread = self.reread(DiscordReactions::new(discord.clone(), intake.clone()));
        self.tasks.spawn(GatewayListener { discord, token, intake: intake.clone(), reread }.run());
        match config.mode {
            DiscordMode::Http => Some(DiscordDoor { public_key: public_key.map(Into::into), intake }),
            DiscordMode::Gateway => None,
        }
    }

    fn entrance(&self, approve: &[String], veto: &[String]) -> Entrance {
        let (store, setup, clock, signals) =
            (self.store.clone(), self.setup.clone(), self.clock.clone(), self.signals.clone());
        Entrance::new(store, setup, clock, signals, (approve, veto), self.ack_budget_ms)
    }

    fn reread(&mut self, reactions: impl Reactions + 'static) -> Arc<Reread> {
        let reread = Arc::new(Reread::new(Arc::new(reactions)));
        self.tasks.spawn(reread.clone().run());
        self.rereads.push(reread.clone());
        reread
    }
}
