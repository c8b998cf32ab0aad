//! What comes over the gateway. Each event is taken in beside the others, so that none that is slow holds up another one's
//! answer. An event is acknowledged when it and all before it are durable; the session is kept, so that the next start goes
//! on where this one stopped.

use super::heard::{self, Asked, Happened, What};
use super::intake::{Intake, Place};
use super::session::SessionKeeper;
use super::show::DiscordChat;
use super::underway::Number;
use super::{callback, heard::Said};
use crate::chat::entrance::NOT_CONFIRMED;
use crate::chat::lanes::{Lanes, caught, caught_at_once};
use crate::chat::reread::Reread;
use crate::rest;
use crate::store::GatewaySession;
use secrecy::SecretString;
use serde_json::Value;
use slipway_deploy::discord::{
    DIRECT_MESSAGE_REACTIONS, DIRECT_MESSAGES, Discord, GUILD_MESSAGE_REACTIONS, GUILD_MESSAGES, GUILDS, Gateway,
    GatewayEvent, Resume,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::{error, info, warn};

/// What Slipway wants to hear of. None of it is privileged: of other people's messages only those that mention it have words.
const INTENTS: u64 = GUILDS | GUILD_MESSAGES | GUILD_MESSAGE_REACTIONS | DIRECT_MESSAGES | DIRECT_MESSAGE_REACTIONS;
/// How often the session is kept while nothing of importance happens.
const KEEP_EVERY: Duration = Duration::from_secs(5);
/// How many answers are under way at once. Each takes a few seconds at most.
const ANSWERS_LIMIT: usize = 64;
/// How many suggestions are.
const SUGGESTIONS_LIMIT: usize = 16;
/// How many reactions and mentions wait until the store takes them. After that nothing more is taken from Discord.
const HAPPENED_LIMIT: usize = 1_000;
/// How often what only ever meets a fault of ours is tried.
const FAULTS_LIMIT: u32 = 3;
/// The event that tells that the app is in a server.
const JOINED: &str = "GUILD_CREATE";
/// The lane of all reactions: when all are taken away at once, it matters what was there before.
const REACTIONS: &str = "reactions";

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

/// What is under way.
struct Listening {
    /// The session that it is about, as Discord names it.
    session: Arc<str>,
    /// What wants an answer, in order for each person.
    asked: Lanes<Number, ()>,
    /// What happened: reactions in one order, what people say in one for each.
    happened: Lanes<Number, ()>,
    suggestions: Arc<Semaphore>,
    introducing: Option<JoinHandle<()>>,
}

/// An event, as it came.
struct Came {
    seq: u64,
    kind: String,
    data: Value,
    replayed: bool,
    at: Instant,
}

impl GatewayListener {
    /// Listens for ever. It returns when nothing more will ever be heard.
    pub async fn run(self) {
        // Who the application is, is not said again when a session is taken up.
        super::introduce(&self.discord, &self.intake).await;
        let kept = self.kept().await;
        let mut now = Listening::new(kept.as_ref());
        let mut gateway = self.discord.open_gateway(&self.token, INTENTS, kept);
        let keeper = SessionKeeper::start(self.intake.entrance.store.clone(), self.intake.application.clone());
        let mut kept_at = Instant::now();
        loop {
            let has_room = now.asked.has_room() && now.happened.has_room();
            let matters = tokio::select! {
                event = gateway.next(), if has_room => match event {
                    Some(GatewayEvent::Dispatch { seq, kind, data, replayed, came: at }) => {
                        self.dispatch(Came { seq, kind, data, replayed, at }, &mut now);
                        false
                    }
                    Some(event) => {
                        self.session(event, &gateway, &keeper, &mut now);
                        continue;
                    }
                    None => return,
                },
                (number, _) = now.asked.next() => self.done(number),
                (number, _) = now.happened.next() => self.done(number),
            };
            gateway.acknowledge(self.intake.underway().durable());
            if matters || kept_at.elapsed() >= KEEP_EVERY {
                kept_at = Instant::now();
                keeper.keep(&gateway);
            }
        }
    }

    /// A session begins, goes on or is over.
    fn session(&self, event: GatewayEvent, gateway: &Gateway, keeper: &SessionKeeper, now: &mut Listening) {
        match event {
            GatewayEvent::Ready { session_id, user_id, guilds, .. } => {
                info!(user = user_id, "Discord is listened to");
                now.session = session_id.into();
                self.intake.underway().anew();
                self.intake.introduce(user_id, &guilds);
                keeper.keep(gateway);
            }
            GatewayEvent::Resumed => info!("Discord is listened to again, and nothing was missed"),
            GatewayEvent::InvalidSession => {
                warn!("Discord has forgotten what was missed: the reactions are read again");
                self.intake.underway().anew();
                keeper.over();
            }
            GatewayEvent::Dispatch { .. } => return,
        }
        self.reread.soon();
    }

    /// Has an event taken in beside the others.
    fn dispatch(&self, came: Came, now: &mut Listening) {
        let Came { seq, kind, data, replayed, at } = came;
        let number = self.intake.underway().came(seq);
        match caught_at_once(|| heard::happened(&kind, data)) {
            Some(Ok(Happened::Asked(asked))) => {
                if matches!(asked.what, What::Suggest { .. }) {
                    self.suggest(*asked, at, now);
                    self.done(number);
                } else {
                    now.asked.take(asked.user.clone(), number, self.answer(*asked, replayed, at));
                }
            }
            Some(Ok(happened)) if self.intake.concerns(&happened) => {
                let key = match &happened {
                    Happened::Said(Said { user, .. }) => user,
                    _ => REACTIONS,
                };
                let place = Place { session: "", seq, replayed, again: false, came_us: self.intake.comes_us() };
                let taken = taken_in(self.intake.clone(), happened.clone(), now.session.clone(), place);
                self.intake.underway().happened(number);
                now.happened.take(key.to_owned(), number, taken);
            }
            Some(Ok(_)) => {
                if kind == JOINED && self.intake.wants_a_guild() {
                    self.introduce(now);
                }
                self.done(number);
            }
            // Told again it would be the same.
            Some(Err(error)) => {
                error!(kind, %error, "an event of Discord's cannot be read");
                self.done(number);
            }
            None => {
                self.done(number);
            }
        }
    }

    /// Something is durable. Gives that it was for this app.
    fn done(&self, number: Number) -> bool {
        self.intake.underway().done(number);
        true
    }

    /// Asks who the application is and where, once at a time.
    fn introduce(&self, now: &mut Listening) {
        if now.introducing.as_ref().is_some_and(|asks| !asks.is_finished()) {
            return;
        }
        let (discord, intake) = (self.discord.clone(), self.intake.clone());
        now.introducing = Some(tokio::spawn(async move { super::introduce(&discord, &intake).await }));
    }

    /// What changes nothing may take longer and be lost: when there are too many, some have no answer.
    fn suggest(&self, asked: Asked, at: Instant, now: &Listening) {
        let Ok(permit) = now.suggestions.clone().try_acquire_owned() else { return };
        let answer = self.answer(asked, false, at);
        tokio::spawn(async move {
            let _permit = permit;
            answer.await;
        });
    }

    /// Takes in what wants an answer, and answers.
    fn answer(&self, asked: Asked, told_again: bool, at: Instant) -> impl Future<Output = ()> + Send + 'static {
        let (discord, id, token) = (self.discord.clone(), asked.id.clone(), asked.token.clone());
        let answer = self.intake.asked(asked, told_again, at);
        async move {
            let answer = caught(answer).await;
            let Some(answer) = answer.unwrap_or_else(|| Some(callback::say(NOT_CONFIRMED))) else { return };
            respond(&discord, &id, token.expose(), &answer).await;
        }
    }

    async fn kept(&self) -> Option<Resume> {
        let kept = self.intake.entrance.store.gateway_session(DiscordChat::PLATFORM, &self.intake.application).await;
        let GatewaySession { session: session_id, seq, resume_url } =
            kept.inspect_err(|error| error!(%error, "the session with Discord could not be read")).ok().flatten()?;
        Some(Resume { session_id, seq: u64::try_from(seq).ok()?, resume_url })
    }
}

impl Listening {
    fn new(kept: Option<&Resume>) -> Self {
        Self {
            session: kept.map(|resume| resume.session_id.as_str()).unwrap_or_default().into(),
            asked: Lanes::new(ANSWERS_LIMIT),
            happened: Lanes::new(HAPPENED_LIMIT),
            suggestions: Arc::new(Semaphore::new(SUGGESTIONS_LIMIT)),
            introducing: None,
        }
    }
}

async fn respond(discord: &Discord, id: &str, token: &str, answer: &Value) {
    if let Err(error) = discord.respond(id, token, answer).await {
        warn!(%error, "an answer did not reach Discord in time");
    }
}

/// Takes in what happened, and does not end before that is durable. What only ever meets a fault of ours is given up.
async fn taken_in(intake: Arc<Intake>, happened: Happened, session: Arc<str>, place: Place<'static>) {
    let tries = |again| intake.happened(happened.clone(), Place { session: &session, again, ..place });
    if !until_taken(tries, rest::AFTER_FAILURE).await {
        error!(seq = place.seq, "an event of Discord's is given up");
    }
}

/// Tries until something is durable; a try is told whether it was tried before. False: it is given up after some faults.
async fn until_taken<T: Future<Output = bool>>(tries: impl Fn(bool) -> T, rests: Duration) -> bool {
    let (mut again, mut faults) = (false, 0);
    loop {
        match caught(tries(again)).await {
            Some(true) => return true,
            Some(false) => {}
            None => faults += 1,
        }
        if faults >= FAULTS_LIMIT {
            return false;
        }
        again = true;
        tokio::time::sleep(rests).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::discord::{DiscordReactions, Suggestions};
    use crate::chat::entrance::Entrance;
    use crate::clock::Clock;
    use crate::config::Config;
    use crate::engine::Signals;
    use crate::store::Store;
    use serde_json::json;
    use slipway_deploy::discord::created_at;
    use slipway_deploy::github::{Auth, GitHub};
    use std::cell::Cell;
    use std::path::Path;
    use std::sync::Mutex;
    use tempfile::TempDir;

    /// Nobody listens here.
    const NOWHERE: &str = "http://127.0.0.1:9";
    const CONFIG: &str = r#"
[store]
url = "sqlite://slipway.db"
[discord]
application_id = "845027738276462632"
guild_id = "845027738276462633"
[person.ana]
discord = "80351110224678915"
[person.bob]
discord = "80351110224678916"
"#;

    /// A listener whose answers reach nobody, and its store.
    async fn listener() -> (GatewayListener, Store, TempDir) {
        slipway_deploy::install_crypto_provider();
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("slipway.db")).await.unwrap();
        let (config, _) = Config::check(CONFIG.as_bytes(), Path::new("slipway.toml")).unwrap();
        let setup = Arc::new(crate::assemble::setup(&config).unwrap());
        let reactions = (["✅".to_owned()], ["❌".to_owned()]);
        // Ids as small as the tests' are as old as Discord.
        let clock = Clock::Manual(Arc::new(Mutex::new(created_at("1").unwrap())));
        let (signals, reactions) = (Signals::default(), (&reactions.0[..], &reactions.1[..]));
        let entrance = Entrance::new(store.clone(), setup, clock, signals, reactions, 100);
        let token = SecretString::from("none");
        let discord = Discord::new(NOWHERE, &token).unwrap();
        let suggestions = Suggestions::new(GitHub::new(NOWHERE, Auth::Token(token.clone())).unwrap());
        let intake = Intake::new(entrance, discord.clone(), suggestions, config.discord.as_ref().unwrap());
        let intake = Arc::new(intake);
        let reread = Arc::new(Reread::new(Arc::new(DiscordReactions::new(discord.clone(), intake.clone()))));
        (GatewayListener { discord, token, intake, reread }, store, folder)
    }

    fn comes(seq: u64, kind: &str, data: Value) -> Came {
        Came { seq, kind: kind.to_owned(), data, replayed: false, at: Instant::now() }
    }

    /// Bob approves with a button.
    fn pressed(id: u64) -> Value {
        json!({
            "id": id.to_string(), "application_id": "845027738276462632", "type": 3, "token": "t", "channel_id": "4",
            "guild_id": "845027738276462633",
            "member": { "user": { "id": "80351110224678916" } }, "data": { "custom_id": "approve|release/01K" },
        })
    }

    fn press(seq: u64) -> Came {
        comes(seq, "INTERACTION_CREATE", pressed(seq))
    }

    /// Ana vetoes with a reaction.
    fn veto(seq: u64) -> Came {
        let data = json!({ "user_id": "80351110224678915", "channel_id": "4", "message_id": "7", "guild_id": "845027738276462633",
                           "emoji": { "id": null, "name": "❌" } });
        comes(seq, "MESSAGE_REACTION_ADD", data)
    }

    /// The store takes everything but reactions.
    const FULL: &str = "CREATE TRIGGER full BEFORE INSERT ON inbox WHEN NEW.delivery_key LIKE 'discord/gateway/%' \
                        BEGIN SELECT raise(ABORT, 'disk full'); END";

    async fn keys(store: &Store) -> Vec<String> {
        let mut tx = store.begin().await.unwrap();
        sqlx::query_scalar("SELECT delivery_key FROM inbox ORDER BY id").fetch_all(&mut *tx).await.unwrap()
    }

    async fn does(store: &Store, statement: &'static str) {
        let mut tx = store.begin().await.unwrap();
        sqlx::query(statement).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    #[tokio::test]
    async fn an_approval_does_not_become_durable_before_a_veto_that_came_earlier() {
        let (listener, store, _folder) = listener().await;
        let mut now = Listening::new(None);
        does(&store, FULL).await;
        listener.dispatch(veto(1), &mut now);
        listener.dispatch(press(2), &mut now);
        now.asked.next().await;
        assert_eq!(keys(&store).await, [""; 0], "the veto is not there yet");
        listener.dispatch(press(3), &mut now);
        does(&store, "DROP TRIGGER full").await;
        let (number, _) = now.happened.next().await;
        listener.done(number);
        now.asked.next().await;
        listener.dispatch(press(4), &mut now);
        now.asked.next().await;
        assert_eq!(keys(&store).await, ["discord/gateway//1", "discord/interaction/4"]);
    }

    #[tokio::test]
    async fn what_is_asked_over_http_waits_for_what_came_over_the_gateway() {
        let (listener, store, _folder) = listener().await;
        let mut now = Listening::new(None);
        let intake = listener.intake.clone();
        let asks = |payload| intake.asked(heard::asked(payload).unwrap(), false, Instant::now());
        does(&store, FULL).await;
        listener.dispatch(veto(1), &mut now);
        assert_eq!(asks(pressed(2)).await, Some(callback::say(NOT_CONFIRMED)));
        assert_eq!(keys(&store).await, [""; 0], "the veto is not there yet");
        let mut ping = pressed(3);
        ping["type"] = json!(1);
        assert_eq!(asks(ping).await, Some(callback::pong()), "what changes nothing waits for nothing");
        does(&store, "DROP TRIGGER full").await;
        let (number, _) = now.happened.next().await;
        let waits = asks(pressed(4));
        listener.done(number);
        assert_eq!(waits.await, Some(callback::seen()));
        assert_eq!(keys(&store).await, ["discord/gateway//1", "discord/interaction/4"]);
    }

    #[tokio::test]
    async fn what_cannot_be_stored_yet_is_tried_on_and_a_fault_is_not() {
        let tried = Cell::new(0);
        let stored_at_last = |again| {
            assert_eq!(again, tried.get() > 0);
            tried.set(tried.get() + 1);
            let tried = tried.get();
            async move { tried == 10 }
        };
        assert!(until_taken(stored_at_last, Duration::ZERO).await);
        assert_eq!(tried.replace(0), 10);
        let fails = |_| {
            tried.set(tried.get() + 1);
            async { panic!("as a test wants it") }
        };
        assert!(!until_taken(fails, Duration::ZERO).await);
        assert_eq!(tried.get(), FAULTS_LIMIT);
    }
}
