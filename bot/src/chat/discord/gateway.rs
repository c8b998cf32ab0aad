//! What comes over the gateway. An event is acknowledged when what it says is durable, and not before; the session is kept,
//! so that the next start goes on where this one stopped.

use super::heard::{self, Happened, What};
use super::intake::{Intake, Place};
use super::session::SessionKeeper;
use super::show::DiscordChat;
use crate::chat::reread::Reread;
use crate::rest;
use crate::store::GatewaySession;
use secrecy::SecretString;
use serde_json::Value;
use slipway_deploy::discord::{
    DIRECT_MESSAGE_REACTIONS, DIRECT_MESSAGES, Discord, GUILD_MESSAGE_REACTIONS, GUILD_MESSAGES, GUILDS, GatewayEvent,
    Resume,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tracing::{error, info, warn};

/// What Slipway wants to hear of. None of it is privileged: of other people's messages only those that mention it have words.
const INTENTS: u64 = GUILDS | GUILD_MESSAGES | GUILD_MESSAGE_REACTIONS | DIRECT_MESSAGES | DIRECT_MESSAGE_REACTIONS;
/// How often the session is kept while nothing of importance happens.
const KEEP_EVERY: Duration = Duration::from_secs(5);
/// How many answers are under way at once.
const ANSWERS_LIMIT: usize = 64;

/// How many suggestions are.
const SUGGESTIONS_LIMIT: usize = 16;
/// The event that tells that the app is in a server.
const JOINED: &str = "GUILD_CREATE";

/// How many answers may be under way.
struct Answers {
    suggestions: Arc<Semaphore>,
    others: Arc<Semaphore>,
}

/// Listens to Discord.
#[derive(Debug)]
pub struct GatewayListener {
    /// The client.
    pub discord: Discord,
    /// The bot's token.
    pub token: SecretString,
    /// Takes in what is heard.
    pub intake: Arc<Intake>,
    /// Reads again what may have been missed.
    pub reread: Arc<Reread>,
}

impl GatewayListener {
    /// Listens for ever.
    pub async fn run(self) {
        // Who the application is, is not said again when a session is taken up.
        super::introduce(&self.discord, &self.intake).await;
        let kept = self.kept().await;
        let mut session = kept.as_ref().map(|resume| resume.session_id.clone()).unwrap_or_default();
        let mut gateway = self.discord.open_gateway(&self.token, INTENTS, kept);
        let answers = Answers {
            suggestions: Arc::new(Semaphore::new(SUGGESTIONS_LIMIT)),
            others: Arc::new(Semaphore::new(ANSWERS_LIMIT)),
        };
        let keeper = SessionKeeper::start(self.intake.entrance.store.clone(), self.intake.application.clone());
        let mut kept_at = Instant::now();
        loop {
            match gateway.next().await {
                GatewayEvent::Ready { session_id, user_id, guilds, .. } => {
                    info!(user = user_id, "Discord is listened to");
                    session = session_id;
                    self.intake.introduce(user_id, &guilds);
                    self.reread.soon();
                    keeper.keep(&gateway);
                }
                GatewayEvent::Resumed => {
                    info!("Discord is listened to again, and nothing was missed");
                    self.reread.soon();
                }
                GatewayEvent::InvalidSession => {
                    warn!("Discord has forgotten what was missed: the reactions are read again");
                    self.reread.soon();
                    keeper.over();
                }
                GatewayEvent::Dispatch { seq, kind, data, replayed } => {
                    let place = Place { session: &session, seq, replayed, again: false };
                    let matters = self.dispatch(&kind, data, place, &answers).await;
                    gateway.acknowledge(seq);
                    if matters || kept_at.elapsed() >= KEEP_EVERY {
                        kept_at = Instant::now();
                        keeper.keep(&gateway);
                    }
                }
            }
        }
    }

    /// Takes an event in, and does not return before that is durable. Gives whether it was something for this app.
    async fn dispatch(&self, kind: &str, data: Value, place: Place<'_>, answers: &Answers) -> bool {
        let happened = match heard::happened(kind, data) {
            Ok(Happened::Nothing) => {
                if kind == JOINED && self.intake.wants_a_guild() {
                    super::introduce(&self.discord, &self.intake).await;
                }
                return false;
            }
            Ok(Happened::Asked(asked)) => {
                self.asked(*asked, place.replayed, answers).await;
                return true;
            }
            Ok(happened) => happened,
            // Told again it would be the same.
            Err(error) => {
                error!(kind, %error, "an event of Discord's cannot be read");
                return false;
            }
        };
        let mut place = place;
        while !self.intake.happened(happened.clone(), place).await {
            place.again = true;
            tokio::time::sleep(rest::AFTER_FAILURE).await;
        }
        true
    }

    /// Takes in what wants an answer, and answers beside what comes next.
    async fn asked(&self, asked: heard::Asked, told_again: bool, answers: &Answers) {
        let (discord, intake) = (self.discord.clone(), self.intake.clone());
        let (id, token) = (asked.id.clone(), asked.token.clone());
        let respond = move |answer: Option<Value>, permit: OwnedSemaphorePermit| async move {
            let _permit = permit;
            let Some(answer) = answer else { return };
            if let Err(error) = discord.respond(&id, token.expose(), &answer).await {
                warn!(%error, "an answer did not reach Discord in time");
            }
        };
        // What changes nothing may take longer, and holds up nothing: when there are too many, some have no answer.
        if matches!(asked.what, What::Suggest { .. }) {
            if let Ok(permit) = answers.suggestions.clone().try_acquire_owned() {
                tokio::spawn(async move { respond(intake.asked(asked, told_again).await, permit).await });
            }
            return;
        }
        let answer = intake.asked(asked, told_again).await;
        // As many as there are permits can be waited for: none is given up.
        if let Ok(permit) = answers.others.clone().acquire_owned().await {
            tokio::spawn(respond(answer, permit));
        }
    }

    async fn kept(&self) -> Option<Resume> {
        let kept = self.intake.entrance.store.gateway_session(DiscordChat::PLATFORM, &self.intake.application).await;
        let GatewaySession { session: session_id, seq, resume_url } =
            kept.inspect_err(|error| error!(%error, "the session with Discord could not be read")).ok().flatten()?;
        Some(Resume { session_id, seq: u64::try_from(seq).ok()?, resume_url })
    }
}
