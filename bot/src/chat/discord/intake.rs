//! What is done with what Discord says, however it came: whether it is ours, whose it is, and into the inbox. Nothing is
//! answered before it is durable; questions that change nothing are answered at once.

use super::callback;
use super::heard::{Asked, Happened, Reaction, Said, Typed, What, reaction_kind};
use super::suggest::Suggestions;
use super::talk::Talk;
use super::underway::Underway;
use crate::chat::entrance::{Entrance, NOT_CONFIRMED, NOT_READY};
use crate::chat::forms::{self, Submission};
use crate::chat::words::after_mention;
use crate::chat::{Interaction, Reply, direct};
use crate::config;
use crate::engine::Incoming;
use crate::store::StoreError;
use serde_json::Value;
use slipway_core::command::line_of;
use slipway_core::message::Verb;
use slipway_core::person::{Identity, Platform};
use slipway_core::policy::Stance;
use slipway_deploy::discord::{Discord, created_at, modal};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tokio::time::Instant;
use tracing::{error, info, warn};

/// How long Discord takes answers to what was asked, less what sending one may take.
pub(super) const ANSWERS_MS: i64 = 14 * 60_000;
/// What was asked longer ago than this is not done: whoever asked was told that it failed, and may have asked again.
const LATE_MS: i64 = 60_000;
/// The same of what is told again: whoever asked has seen by then that nobody answered.
const LATE_AGAIN_MS: i64 = 3_000;
/// What somebody reads who asks for something of a later version.
const UNKNOWN: &str = "This version of Slipway does not know that. Nothing was started.";
/// What the button carries by which somebody says that they really mean it.
pub(super) const SURE: &str = "cancel_sure";

/// Whose application this is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ours {
    /// The server.
    pub guild: Option<String>,
    /// The application's user.
    pub bot_user: Option<String>,
    /// It is in several servers, and nobody says which one is meant.
    pub several: bool,
}

/// Where an event stands in the gateway's own order.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The session.
    pub session: &'a str,
    /// Its number there.
    pub seq: u64,
    /// It is told again after a while in which nobody listened.
    pub replayed: bool,
    /// It was tried before, and is not known to be durable.
    pub again: bool,
    /// When it came, in microseconds since 1970. Discord does not say when anything was done.
    pub came_us: i64,
}

/// Takes in what Discord says.
#[derive(Debug)]
pub struct Intake {
    pub(super) entrance: Entrance,
    pub(super) application: String,
    talk: Talk,
    suggestions: Suggestions,
    ours: RwLock<Ours>,
    /// When the newest reaction came, in microseconds since 1970: the next one is later, whatever our clock says.
    newest_us: AtomicI64,
    /// What has come over the gateway, for which also what is asked over HTTP waits.
    underway: Mutex<Underway>,
}

impl Intake {
    /// An intake for a configuration.
    #[must_use]
    pub fn new(entrance: Entrance, discord: Discord, suggestions: Suggestions, config: &config::Discord) -> Self {
        let ours = Ours { guild: config.guild_id.clone(), ..Ours::default() };
        let application = config.application_id.clone();
        let talk = Talk::new(discord, application.clone());
        let (ours, newest_us, underway) = (RwLock::new(ours), AtomicI64::new(0), Mutex::default());
        Self { entrance, application, talk, suggestions, ours, newest_us, underway }
    }

    /// What is known of whose application this is.
    #[must_use]
    pub fn ours(&self) -> Ours {
        self.ours.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it is in no server yet, as far as is known.
    pub(super) fn wants_a_guild(&self) -> bool {
        let ours = self.ours();
        ours.guild.is_none() && !ours.several
    }

    /// Discord says who the application is and where. What the configuration says comes first.
    pub fn introduce(&self, bot_user: String, guilds: &[String]) {
        let mut ours = self.ours.write().unwrap_or_else(PoisonError::into_inner);
        ours.bot_user = Some(bot_user);
        match (&ours.guild, guilds) {
            (Some(_), _) => {}
            (None, [only]) => ours.guild = Some(only.clone()),
            (None, []) => warn!("the application is in no server: invite it, as docs/discord.md says"),
            (None, _) => {
                ours.several = true;
                error!("the application is in several servers: set guild_id under [discord] to the one that is meant");
            }
        }
    }

    /// The vote that a reaction stands for.
    pub(super) fn stance(&self, reaction: &str) -> Option<Stance> {
        self.entrance.stance(&reaction_kind(reaction))
    }

    /// When something comes that does so now: later than all that came before.
    pub(super) fn comes_us(&self) -> i64 {
        let now_us = self.entrance.clock.now().as_microsecond();
        let next = |last_us: i64| now_us.max(last_us + 1);
        let last_us = self.newest_us.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last_us| Some(next(last_us)));
        last_us.map_or(now_us, next)
    }

    /// What has come over the gateway and is not durable yet.
    pub(super) fn underway(&self) -> MutexGuard<'_, Underway> {
        self.underway.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers what wants an answer and `came` then, once all is durable that had happened when this was called: an approval
    /// must not begin the run that an earlier veto was to stop. What cannot wait so long is not taken in, and is told so.
    /// `None`: it is not ours. `told_again`: it comes after a while in which nobody listened.
    pub fn asked(
        self: &Arc<Self>,
        asked: Asked,
        told_again: bool,
        came: Instant,
    ) -> impl Future<Output = Option<Value>> + Send + use<> {
        let (intake, earlier) = (self.clone(), self.underway().earlier());
        async move {
            let changes_nothing = matches!(asked.what, What::Ping | What::Suggest { .. });
            if !changes_nothing && intake.entrance.within(came, earlier).await.is_none() {
                warn!(id = asked.id, "something was asked, and what happened before it is not durable yet");
                return Some(callback::say(NOT_CONFIRMED));
            }
            intake.answer(asked, told_again, came).await
        }
    }

    async fn answer(self: &Arc<Self>, asked: Asked, told_again: bool, came: Instant) -> Option<Value> {
        if let What::Ping = asked.what {
            return Some(callback::pong());
        }
        if asked.application != self.application {
            warn!(application = asked.application, "what was asked of another application is refused");
            return None;
        }
        if let Some(why) = self.refusal(&asked, told_again) {
            let is_suggestion = matches!(asked.what, What::Suggest { .. });
            return Some(if is_suggestion { callback::choices(&[]) } else { callback::say(&why) });
        }
        let answered = match asked.what.clone() {
            What::Command(typed) => self.command(&asked, &typed, came).await,
            What::Suggest { typed, option } => Ok(self.suggest(&asked, &typed, &option).await),
            What::Press { verb, key, plan } => self.press(&asked, &verb, (&key, plan), came).await,
            What::Submission(submission) => self.submission(&asked, &submission, came).await,
            What::Ping | What::Unknown => {
                info!("something was asked that this version does not know");
                Ok(callback::say(UNKNOWN))
            }
        };
        Some(answered.unwrap_or_else(|error| {
            error!(%error, "what was asked in Discord could not be stored");
            callback::say(NOT_CONFIRMED)
        }))
    }

    /// Why nothing is done, in words for whoever asked.
    fn refusal(&self, asked: &Asked, told_again: bool) -> Option<String> {
        let ours = self.ours();
        match (&ours.guild, &asked.guild) {
            (_, None) => {}
            (None, Some(_)) if ours.several => {
                return Some("Slipway is in several servers and was not told which one is meant.".to_owned());
            }
            (None, Some(_)) => return Some(NOT_READY.to_owned()),
            (Some(ours), Some(theirs)) if ours != theirs => {
                warn!(guild = theirs, "what was asked in another server is refused");
                return Some("This Slipway works for another server. Nothing was started.".to_owned());
            }
            (Some(_), Some(_)) => {}
        }
        let is_suggestion = matches!(asked.what, What::Suggest { .. });
        let age_ms = created_at(&asked.id).map_or(0, |at| self.entrance.clock.now_ms() - at.as_millisecond());
        let late_ms = if told_again { LATE_AGAIN_MS } else { LATE_MS };
        (age_ms > late_ms && !is_suggestion)
            .then(|| "This reached Slipway too late. Nothing was started: ask again.".to_owned())
    }

    async fn command(&self, asked: &Asked, typed: &Typed, came: Instant) -> Result<Value, StoreError> {
        if let Some(why) = self.entrance.flood(&asked.user) {
            return Ok(callback::say(&why));
        }
        let text = match line_of(&typed.command, typed.sub.as_deref(), &typed.values) {
            Ok(text) => text,
            Err(why) => return Ok(callback::answer(&why.message())),
        };
        let channel = place_of(asked);
        if let Some(form) = forms::for_line(&text, &channel, &self.entrance.setup) {
            return Ok(modal(&form));
        }
        let typed = Incoming::Typed { who: Identity::Discord(asked.user.clone()), channel, text };
        self.promise(asked, &typed, came).await
    }

    async fn submission(&self, asked: &Asked, submission: &Submission, came: Instant) -> Result<Value, StoreError> {
        // What the form carries is not signed: it was sent where it was opened.
        let Some((_, text)) = forms::line(submission) else {
            warn!(form = submission.form, "a form that this version does not know was sent");
            return Ok(callback::say(UNKNOWN));
        };
        let channel = place_of(asked);
        let typed = Incoming::Typed { who: Identity::Discord(asked.user.clone()), channel, text };
        self.promise(asked, &typed, came).await
    }

    /// Takes it in, and promises an answer.
    async fn promise(&self, asked: &Asked, incoming: &Incoming, came: Instant) -> Result<Value, StoreError> {
        let durable = self.entrance.deliver(&key_of(asked), incoming, &self.reply(asked, true), came).await?;
        Ok(if durable { callback::later() } else { callback::say(NOT_CONFIRMED) })
    }

    async fn suggest(&self, asked: &Asked, typed: &Typed, option: &str) -> Value {
        let who = Identity::Discord(asked.user.clone());
        let known = self.entrance.people().await.is_ok_and(|people| people.by_identity(&who).is_some());
        // Names of branches and environments are for those who work with them.
        let choices = if known { self.suggestions.of(&self.entrance, typed, option).await } else { vec![] };
        callback::choices(&choices)
    }

    async fn press(
        self: &Arc<Self>,
        asked: &Asked,
        verb: &str,
        (key, plan): (&str, Option<String>),
        came: Instant,
    ) -> Result<Value, StoreError> {
        if let Some(why) = self.entrance.flood(&asked.user) {
            return Ok(callback::say(&why));
        }
        let is_sure = verb == SURE;
        let verb = if is_sure { "cancel" } else { verb };
        let Ok(verb) = serde_json::from_value::<Verb>(Value::String(verb.to_owned())) else {
            info!(verb, "a button that this version does not know was pressed");
            return Ok(callback::seen());
        };
        let channel = place_of(asked);
        match verb {
            Verb::Cancel if !is_sure => return Ok(callback::are_you_sure(key, plan.as_deref())),
            Verb::Lock => {
                let environment = self.entrance.environment_of(key).await?;
                let form = forms::lock(environment.as_ref(), &channel, &self.entrance.setup);
                return Ok(modal(&form));
            }
            _ => {}
        }
        let who = Identity::Discord(asked.user.clone());
        let pressed = Incoming::Pressed { who, channel, message: key.to_owned(), verb, plan };
        let durable = self.entrance.deliver(&key_of(asked), &pressed, &self.reply(asked, false), came).await?;
        Ok(match (durable, is_sure) {
            (false, _) => callback::say(NOT_CONFIRMED),
            (true, true) => callback::cancelling(),
            (true, false) => callback::seen(),
        })
    }

    fn reply(&self, asked: &Asked, promised: bool) -> Reply {
        let until_ms = self.entrance.clock.now_ms() + ANSWERS_MS;
        let (application, token) = (self.application.clone(), asked.token.clone());
        Reply { interaction: Some(Interaction { application, token, until_ms, promised }), ..Reply::default() }
    }

    /// Whether something that happened may be for this app. Most of what is said in a server is not.
    pub(super) fn concerns(&self, happened: &Happened) -> bool {
        let ours = self.ours();
        let is_own = |user: &String| ours.bot_user.as_ref().is_some_and(|bot| bot == user);
        match happened {
            Happened::Nothing => false,
            Happened::Asked(_) => true,
            Happened::Said(said) => {
                !is_own(&said.user)
                    && (said.guild.is_none() || self.is_named_in(&said.text))
                    && !self.is_elsewhere(said.guild.as_deref())
            }
            Happened::Reaction(reaction) => {
                self.stance(&reaction.name).is_some()
                    && !is_own(&reaction.user)
                    && !self.is_elsewhere(reaction.guild.as_deref())
            }
            // In a conversation with one person nobody else can clear.
            Happened::Cleared { guild, .. } => guild.is_some() && !self.is_elsewhere(guild.as_deref()),
        }
    }

    /// Whoever replies to the app's message mentions it without a word of it.
    fn is_named_in(&self, text: &str) -> bool {
        let names = |bot: String| ["<@", "<@!"].iter().any(|begins| text.contains(&format!("{begins}{bot}>")));
        self.ours().bot_user.is_some_and(names)
    }

    /// Takes in what happened and [concerns](Self::concerns) this app. False: it is not known to be durable, and must come
    /// again.
    pub(super) async fn happened(self: &Arc<Self>, happened: Happened, place: Place<'_>) -> bool {
        let taken = match happened {
            Happened::Asked(_) | Happened::Nothing => Ok(true),
            Happened::Said(said) => self.said(said, place).await,
            Happened::Reaction(reaction) => self.reaction(reaction, place).await,
            Happened::Cleared { channel, message, name, .. } => {
                self.cleared(&channel, &message, name.as_deref(), place).await
            }
        };
        taken.unwrap_or_else(|error| {
            error!(%error, "what happened in Discord could not be stored");
            false
        })
    }

    fn is_elsewhere(&self, guild: Option<&str>) -> bool {
        guild.is_some_and(|theirs| self.ours().guild.is_none_or(|ours| ours != theirs))
    }

    async fn said(self: &Arc<Self>, said: Said, place: Place<'_>) -> Result<bool, StoreError> {
        let direct = said.guild.is_none();
        let asked = match after_mention(&said.text, self.ours().bot_user.as_deref()) {
            Some(asked) if self.is_named_in(&said.text) => asked,
            _ if direct => said.text.trim(),
            _ => {
                self.talk.whisper_later(&said.user, "Begin the message with @slipway. Nothing was started.");
                return Ok(true);
            }
        };
        if !place.again
            && let Some(why) = self.entrance.flood(&said.user)
        {
            self.talk.whisper_later(&said.user, &why);
            return Ok(true);
        }
        let at = match direct {
            true => said.channel.clone(),
            false => self.talk.channel_of(&said.channel).await,
        };
        let channel = channel(said.guild.as_deref(), &at, &said.user);
        let (who, text) = (Identity::Discord(said.user.clone()), self.entrance.spelt_out(asked));
        let key = format!("discord/message/{}/{}", said.channel, said.id);
        self.entrance.deliver(&key, &Incoming::Typed { who, channel, text }, &Reply::default(), Instant::now()).await
    }

    async fn reaction(&self, reaction: Reaction, place: Place<'_>) -> Result<bool, StoreError> {
        let Some(stance) = self.stance(&reaction.name) else { return Ok(true) };
        if place.replayed && reaction.added && stance == Stance::Approve {
            // Nobody knows how old it is: the message says what is there.
            self.entrance.look_again.notify_one();
            return Ok(true);
        }
        let Reaction { guild, user, channel: id, message, name, added } = reaction;
        let who = Identity::Discord(user.clone());
        // Whoever is not known is answered, but not as often as they like.
        let is_known = self.entrance.people().await?.by_identity(&who).is_some();
        if !is_known && (!added || (!place.again && self.entrance.flood(&user).is_some())) {
            return Ok(true);
        }
        let channel = channel(guild.as_deref(), &id, &user);
        let message = if guild.is_none() { format!("{id}/{message}") } else { message };
        let at_us = Some(place.came_us);
        let reacted = Incoming::Reacted { who, channel, message, stance, added, at_us, name, found: false };
        self.entrance.deliver(&key_at(place), &reacted, &Reply::default(), Instant::now()).await
    }

    /// Reactions were taken away all at once: each is gone that was seen.
    async fn cleared(&self, id: &str, message: &str, name: Option<&str>, place: Place<'_>) -> Result<bool, StoreError> {
        let channel = format!("{}:{id}", Platform::Discord.key());
        let at_us = Some(place.came_us);
        let seen = self.entrance.store.reactions_of(&channel, message).await?;
        for (who, stance, seen_name) in seen.into_iter().filter(|(.., seen)| name.is_none_or(|name| name == seen)) {
            let key = format!("{}/{}/{seen_name}", key_at(place), who.id());
            let (channel, message) = (channel.clone(), message.to_owned());
            let (added, name, found) = (false, seen_name, false);
            let reacted = Incoming::Reacted { who, channel, message, stance, added, at_us, name, found };
            if !self.entrance.deliver(&key, &reacted, &Reply::default(), Instant::now()).await? {
                return Ok(false);
            }
        }
        // Those that were never seen are looked for.
        self.entrance.look_again.notify_one();
        Ok(true)
    }
}

fn place_of(asked: &Asked) -> String {
    channel(asked.guild.as_deref(), &asked.channel, &asked.user)
}

fn key_of(asked: &Asked) -> String {
    format!("discord/interaction/{}", asked.id)
}

fn key_at(place: Place<'_>) -> String {
    format!("discord/gateway/{}/{}", place.session, place.seq)
}

/// Where something was said, as Slipway names channels: a conversation with the app is its user's.
fn channel(guild: Option<&str>, id: &str, user: &str) -> String {
    match guild {
        Some(_) => format!("{}:{id}", Platform::Discord.key()),
        None => direct::conversation(Platform::Discord, user),
    }
}
