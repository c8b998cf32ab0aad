//! What is done with a delivery of Slack's, however it came: whether it is ours, whose it is, and into the inbox. Nothing
//! is answered before it is durable; the opening of a form changes nothing and is done at once.

use super::heard::{Command, Delivery, Heard, Mention, Press, Reaction, Sender};
use super::words;
use crate::chat::entrance::{Entrance, NOT_CONFIRMED, PLAN_SEPARATOR};
use crate::chat::forms::{self, Submission};
use crate::chat::words::after_mention;
use crate::chat::{Reply, direct};
use crate::config;
use crate::engine::Incoming;
use crate::store::StoreError;
use serde_json::{Value, json};
use slipway_core::message::form::Form;
use slipway_core::message::{Line, Message, Verb};
use slipway_core::person::{Identity, Platform};
use slipway_core::policy::Stance;
use slipway_deploy::slack::{Rendered, Slack, modal, render};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::time::Instant;
use tracing::{error, info, warn};

/// A reaction that is told later than this may be gone.
const LATE_US: i64 = 30_000_000;

/// What the sender is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// It is durable, or there is nothing to do.
    Done,
    /// The same, with an answer in Slack's own form.
    Answer(Value),
    /// Nothing was done; the person is to read why.
    Say(String),
    /// It is not known to be durable.
    NotConfirmed,
    /// It is for another app or workspace.
    NotOurs,
    /// Whose app this is, is not known yet.
    NotReady,
}

/// Whose app this is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ours {
    /// The app.
    pub app: Option<String>,
    /// The workspace.
    pub team: Option<String>,
    /// The app's user there.
    pub bot_user: Option<String>,
}

/// Takes deliveries in.
#[derive(Debug)]
pub struct Intake {
    pub(super) entrance: Entrance,
    slack: Slack,
    ours: RwLock<Ours>,
}

impl Intake {
    /// An intake for a configuration.
    #[must_use]
    pub fn new(entrance: Entrance, slack: Slack, config: &config::Slack) -> Self {
        let ours = Ours { app: config.app_id.clone(), team: config.team_id.clone(), bot_user: None };
        Self { entrance, slack, ours: RwLock::new(ours) }
    }

    /// What is known of whose app this is.
    #[must_use]
    pub fn ours(&self) -> Ours {
        self.ours.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Slack says whose app this is. What the configuration says comes first.
    pub fn introduce(&self, app: Option<String>, team: String, bot_user: String) {
        let mut ours = self.ours.write().unwrap_or_else(PoisonError::into_inner);
        ours.app = ours.app.take().or(app);
        ours.team = ours.team.take().or(Some(team));
        ours.bot_user = Some(bot_user);
    }

    /// The vote that a reaction stands for.
    #[must_use]
    pub fn stance(&self, reaction: &str) -> Option<Stance> {
        // Slack appends the tone of a skin.
        self.entrance.stance(reaction.split("::").next().unwrap_or(reaction))
    }

    /// Takes one delivery in that `came` then.
    pub async fn take(self: &Arc<Self>, delivery: Delivery, came: Instant) -> Taken {
        let Delivery { sender, heard } = delivery;
        if let Heard::Challenge(challenge) = heard {
            return Taken::Answer(json!({ "challenge": challenge }));
        }
        if let Some(refused) = self.refusal(&sender) {
            return refused;
        }
        let taken = match heard {
            Heard::Command(command) => self.command(command, came).await,
            Heard::Mention(mention) => self.mention(mention, &sender, came).await,
            Heard::Reaction(reaction) => self.reaction(reaction, &sender, came).await,
            Heard::Press(press) => self.press(press, &sender, came).await,
            Heard::Submission(submission) => self.submission(submission, came).await,
            Heard::HomeOpened { user } => self.home_opened(&user, came).await,
            Heard::Challenge(_) | Heard::Nothing => Ok(Taken::Done),
        };
        taken.unwrap_or_else(|error| {
            error!(%error, "a delivery of Slack's could not be stored");
            Taken::NotConfirmed
        })
    }

    fn refusal(&self, sender: &Sender) -> Option<Taken> {
        let ours = self.ours();
        let Some(team) = ours.team else { return Some(Taken::NotReady) };
        let other_app = matches!((&ours.app, &sender.app), (Some(ours), Some(theirs)) if ours != theirs);
        if other_app || sender.team.as_ref() != Some(&team) {
            warn!(app = ?sender.app, team = ?sender.team, "a delivery for another app or workspace is refused");
            return Some(Taken::NotOurs);
        }
        None
    }

    async fn command(self: &Arc<Self>, command: Command, came: Instant) -> Result<Taken, StoreError> {
        if let Some(why) = self.entrance.flood(&command.user) {
            return Ok(Taken::Say(why));
        }
        let channel = channel(Some(&command.channel), &command.user);
        let text = words::typed(&command.line);
        let reply = Reply { response_url: command.response_url, ..Reply::default() };
        if let Some(form) = forms::for_line(&text, &channel, &self.entrance.setup) {
            self.open(command.trigger, form, reply);
            return Ok(Taken::Done);
        }
        let typed = Incoming::Typed { who: Identity::Slack(command.user), channel, text };
        self.deliver(&format!("slack/command/{}", command.trigger), &typed, &reply, came).await
    }

    async fn mention(self: &Arc<Self>, mention: Mention, sender: &Sender, came: Instant) -> Result<Taken, StoreError> {
        let who = Identity::Slack(mention.user.clone());
        if self.is_outsider(&who, sender).await? {
            return Ok(Taken::Done);
        }
        let asked = match after_mention(&mention.text, self.ours().bot_user.as_deref()) {
            Some(asked) => asked,
            None if mention.direct => mention.text.trim(),
            None => {
                self.whisper_later(&mention, "Begin the message with @slipway. Nothing was started.".to_owned());
                return Ok(Taken::Done);
            }
        };
        if let Some(why) = self.entrance.flood(&mention.user) {
            self.whisper_later(&mention, why);
            return Ok(Taken::Done);
        }
        let text = self.entrance.spelt_out(&words::typed(asked));
        let channel = channel(Some(&mention.channel), &mention.user);
        let reply = Reply { thread: mention.thread, ..Reply::default() };
        let key = format!("slack/message/{}/{}", mention.channel, mention.ts);
        self.deliver(&key, &Incoming::Typed { who, channel, text }, &reply, came).await
    }

    async fn reaction(&self, reaction: Reaction, sender: &Sender, came: Instant) -> Result<Taken, StoreError> {
        let Some(stance) = self.stance(&reaction.name) else { return Ok(Taken::Done) };
        let who = Identity::Slack(reaction.user.clone());
        if self.is_outsider(&who, sender).await? {
            return Ok(Taken::Done);
        }
        let place = channel(Some(&reaction.channel), &reaction.user);
        let Reaction { event, channel: id, message, name, added, at_us, .. } = reaction;
        // In a conversation with one person a message's id holds the conversation's.
        let message = if id.starts_with('D') { format!("{id}/{message}") } else { message };
        if self.entrance.clock.now().as_microsecond() - at_us > LATE_US {
            // It may be gone since: the message says what is there.
            self.entrance.look_again.notify_one();
        }
        let at_us = Some(at_us);
        let reacted = Incoming::Reacted { who, channel: place, message, stance, added, at_us, name, found: false };
        self.deliver(&format!("slack/event/{event}"), &reacted, &Reply::default(), came).await
    }

    async fn press(self: &Arc<Self>, press: Press, sender: &Sender, came: Instant) -> Result<Taken, StoreError> {
        let who = Identity::Slack(press.user.clone());
        if self.is_outsider(&who, sender).await? {
            return Ok(Taken::Done);
        }
        let Ok(verb) = serde_json::from_value::<Verb>(Value::String(press.action.clone())) else {
            info!(action = press.action, "a button that this version does not know was pressed");
            return Ok(Taken::Done);
        };
        let reply = Reply { response_url: press.response_url, thread: press.thread, interaction: None };
        if let Some(why) = self.entrance.flood(&press.user) {
            self.say_later(reply, why);
            return Ok(Taken::Done);
        }
        let channel = channel(press.channel.as_deref(), &press.user);
        if verb == Verb::Lock {
            let button = press.value.split(PLAN_SEPARATOR).next().unwrap_or_default();
            let environment = self.entrance.environment_of(button).await?;
            self.open(press.trigger, forms::lock(environment.as_ref(), &channel, &self.entrance.setup), reply);
            return Ok(Taken::Done);
        }
        let (message, plan) = match press.value.split_once(PLAN_SEPARATOR) {
            Some((message, plan)) => (message.to_owned(), Some(plan.to_owned())),
            None => (press.value, None),
        };
        let pressed = Incoming::Pressed { who, channel, message, verb, plan };
        let taken = self.deliver(&format!("slack/press/{}", press.trigger), &pressed, &reply, came).await?;
        if taken == Taken::NotConfirmed {
            self.say_later(reply, NOT_CONFIRMED.to_owned());
        }
        Ok(taken)
    }

    async fn submission(&self, submission: Submission, came: Instant) -> Result<Taken, StoreError> {
        let Some((channel, text)) = forms::line(&submission) else {
            warn!(form = submission.form, "a form that this version does not know was sent");
            return Ok(Taken::Done);
        };
        let typed = Incoming::Typed { who: Identity::Slack(submission.user), channel, text };
        self.deliver(&format!("slack/form/{}", submission.trigger), &typed, &Reply::default(), came).await
    }

    /// The page is drawn anew. That changes nothing, so it may be lost.
    async fn home_opened(&self, user: &str, came: Instant) -> Result<Taken, StoreError> {
        let home = direct::home(Platform::Slack, user);
        if self.entrance.flood(&home).is_some() {
            return Ok(Taken::Done);
        }
        let wanted = self.entrance.store.home_wanted(&home, direct::HOME_KEY);
        if self.entrance.within(came, wanted).await.transpose()?.is_some() {
            self.entrance.signals.messages.notify_one();
        }
        Ok(Taken::Done)
    }

    async fn deliver(&self, key: &str, incoming: &Incoming, reply: &Reply, came: Instant) -> Result<Taken, StoreError> {
        let durable = self.entrance.deliver(key, incoming, reply, came).await?;
        Ok(if durable { Taken::Done } else { Taken::NotConfirmed })
    }

    /// Whether somebody is of another organisation: they are not answered, unless they are a known person.
    async fn is_outsider(&self, who: &Identity, sender: &Sender) -> Result<bool, StoreError> {
        let elsewhere = matches!((&sender.user_team, self.ours().team), (Some(theirs), Some(ours)) if *theirs != ours);
        if !elsewhere && !sender.shared_outside {
            return Ok(false);
        }
        Ok(self.entrance.people().await?.by_identity(who).is_none())
    }

    /// Opens a form, beside the answer to Slack: that is due at once.
    fn open(self: &Arc<Self>, trigger: String, form: Form, reply: Reply) {
        let intake = self.clone();
        tokio::spawn(async move {
            if let Err(error) = intake.slack.open_form(&trigger, modal(&form)).await {
                warn!(%error, "a form could not be opened");
                let why = format!("The form could not be opened. {}", forms::instead(&form));
                intake.say_later(reply, why);
            }
        });
    }

    /// Tells somebody alone, where they have spoken of the app, why nothing came of it. It may be lost.
    fn whisper_later(self: &Arc<Self>, mention: &Mention, why: String) {
        let (intake, mention) = (self.clone(), mention.clone());
        tokio::spawn(async move {
            let Mention { channel, user, thread, .. } = mention;
            let what = said(&why);
            if let Err(error) = intake.slack.post_ephemeral(&channel, &user, thread.as_deref(), &what).await {
                warn!(%error, "an answer could not be given");
            }
        });
    }

    /// Says something to whoever pressed, where Slack takes that. It may be lost.
    fn say_later(self: &Arc<Self>, reply: Reply, what: String) {
        let Some(url) = reply.response_url else { return };
        let intake = self.clone();
        tokio::spawn(async move {
            if let Err(error) = intake.slack.respond(&url.expose().into(), &said(&what)).await {
                warn!(%error, "an answer could not be given");
            }
        });
    }
}

fn said(what: &str) -> Rendered {
    render(&Message::answer(Line::plain(what), []), &BTreeMap::new(), "")
}

/// Where something was said, as Slipway names channels: a conversation with the app is its user's.
fn channel(id: Option<&str>, user: &str) -> String {
    match id {
        Some(id) if !id.starts_with('D') => format!("{}:{id}", Platform::Slack.key()),
        _ => direct::conversation(Platform::Slack, user),
    }
}
