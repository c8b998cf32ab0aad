//! Makes connection after connection, and keeps each one going.

use super::address::{GatewayAddress, socket_url};
use super::ending::{Ending, Then};
use super::event::{GatewayEvent, Resume};
use super::frame;
use super::pace::{GatewayPace, chance};
use super::protocol::{Heard, Protocol, Say};
use super::wire::{Connector, Wire};
use reqwest::Url;
use secrecy::SecretString;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{error, info, warn};

/// After so many connections in a row at which the same thing could not be used, the session is given up.
const STALLS_LIMIT: u32 = 5;

/// An event on its way to whoever listens.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) event: GatewayEvent,
    /// Its place in the session's order, for those that need no acknowledgement.
    pub(super) silent: Option<u64>,
}

/// A session that begun, or was begun by an earlier run.
#[derive(Clone, Debug)]
struct Session {
    id: String,
    resume_url: String,
    /// Where this run came in: acknowledged by itself.
    first: u64,
    /// The newest that was given out.
    given: u64,
}

impl Session {
    fn begun(seq: u64, ready: &Value) -> Option<(Self, GatewayEvent)> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let (id, resume_url) = (text(&ready["session_id"])?, text(&ready["resume_gateway_url"])?);
        let guilds = ready["guilds"].as_array()?.iter().filter_map(|guild| text(&guild["id"])).collect();
        let event = GatewayEvent::Ready {
            session_id: id.clone(),
            resume_url: resume_url.clone(),
            user_id: text(&ready["user"]["id"])?,
            guilds,
            application_id: text(&ready["application"]["id"])?,
        };
        Some((Self { id, resume_url, first: seq, given: seq }, event))
    }
}

/// What to connect to, as whom, and for what.
pub(super) struct Wanted {
    pub(super) addresses: Box<dyn GatewayAddress>,
    pub(super) token: SecretString,
    pub(super) intents: u64,
    pub(super) pace: GatewayPace,
}

/// What joins a driver to whoever listens.
pub(super) struct Ends {
    pub(super) events: mpsc::Sender<Given>,
    /// The newest that was acknowledged, and of which session.
    pub(super) acknowledged: watch::Receiver<Option<Resume>>,
    pub(super) ready: Arc<AtomicBool>,
}

/// What runs behind a [`super::Gateway`].
pub(super) struct Driver {
    wanted: Wanted,
    ends: Ends,
    connector: Connector,
    session: Option<Session>,
    /// When a session was begun last.
    identified: Option<Instant>,
    /// Connections in a row that brought nothing.
    failures: u32,
    /// Connections in a row that brought nothing that can be used.
    stalls: u32,
}

impl Driver {
    pub(super) fn new(wanted: Wanted, ends: Ends, resume: Option<Resume>) -> Self {
        let session = resume.map(|Resume { session_id, seq, resume_url }| Session {
            id: session_id,
            resume_url,
            first: seq,
            given: seq,
        });
        let connector = Connector::default();
        Self { wanted, ends, connector, session, identified: None, failures: 0, stalls: 0 }
    }

    /// Keeps a connection open for as long as somebody listens.
    pub(super) async fn run(mut self) {
        while !self.ends.events.is_closed() {
            let (opened, before) = (Instant::now(), self.place());
            let ending = self.connection().await;
            self.ends.ready.store(false, Ordering::Release);
            let is_new = self.place() != before;
            let good = is_new || opened.elapsed() >= self.wanted.pace.good_after;
            self.failures = if good { 0 } else { self.failures.saturating_add(1) };
            self.stalls = if is_new { 0 } else { self.stalls + u32::from(ending.is_unusable) };
            self.rest(ending).await;
        }
    }

    /// How far it has come.
    fn place(&self) -> Option<(String, u64)> {
        self.session.as_ref().map(|session| (session.id.clone(), session.given))
    }

    /// Says how a connection ended, does what follows from it, and rests.
    async fn rest(&mut self, mut ending: Ending) {
        let reason = &ending.reason;
        match ending.then {
            Then::Mend => error!(reason, "Discord's gateway cannot be used"),
            Then::Resume if self.failures > 0 => warn!(reason, failures = self.failures, "no use of Discord's gateway"),
            Then::Resume | Then::Identify => info!(reason, "a connection to Discord's gateway is over"),
        }
        if self.stalls >= STALLS_LIMIT {
            warn!("the session with Discord is given up: what comes next in it cannot be used");
            ending.then = Then::Identify;
        }
        if ending.then == Then::Identify && self.session.take().is_some() {
            self.stalls = 0;
            // Nobody listens any more: the loop ends.
            let _ = self.ends.events.send(Given { event: GatewayEvent::InvalidSession, silent: None }).await;
        }
        let pace = &self.wanted.pace;
        let mut rest = pace.rest(&ending, self.failures, chance());
        if let (None, Some(identified)) = (&self.session, self.identified) {
            rest = rest.max(pace.identify_every.saturating_sub(identified.elapsed()));
        }
        sleep(rest).await;
        if ending.is_unusable {
            self.settled().await;
        }
    }

    /// Waits, but not for ever, until all that was given out is acknowledged. The next connection then begins with what
    /// is missing, and gets that much further even where little gets through.
    async fn settled(&mut self) {
        let begun = self.session.clone().filter(|session| session.given > session.first);
        let Some(Session { id, given, .. }) = begun else { return };
        let is_settled = |newest: &Option<Resume>| {
            newest.as_ref().is_some_and(|newest| newest.session_id == id && newest.seq >= given)
        };
        let all = self.ends.acknowledged.wait_for(is_settled);
        // Without it the connection brings the same again, and that is counted.
        let _ = timeout(self.wanted.pace.longest_rest, all).await;
    }

    /// One connection, from its beginning to its end.
    async fn connection(&mut self) -> Ending {
        let url = match self.address().await {
            Ok(url) => url,
            Err(ending) => return ending,
        };
        let mut wire = match self.connector.connect(url, self.wanted.pace.connect_within).await {
            Ok(wire) => wire,
            Err(ending) => return ending,
        };
        let given = self.session.as_ref().map(|session| session.given);
        let mut protocol = Protocol::new(Instant::now(), given, &self.wanted.pace);
        let ending = self.converse(&mut wire, &mut protocol).await;
        if let (Some(session), Some(given)) = (&mut self.session, protocol.given()) {
            session.given = given;
        }
        wire.close().await;
        ending
    }

    /// Where to connect to: where the session goes on, unless that failed just before.
    async fn address(&self) -> Result<Url, Ending> {
        let local = self.wanted.addresses.is_local();
        if let Some(session) = self.session.as_ref().filter(|_| self.failures.is_multiple_of(2))
            && let Some(url) = socket_url(&session.resume_url, local)
        {
            return Ok(url);
        }
        let found = self.wanted.addresses.gateway().await.map_err(|error| {
            let ending = if error.is_passing { Ending::lost(error.reason) } else { Ending::mend(error.reason) };
            ending.after(error.retry_after)
        })?;
        if self.session.is_none() && found.remaining == 0 {
            return Err(Ending::lost("Discord lets no more sessions begin for now").after(Some(found.reset_after)));
        }
        socket_url(&found.url, local).ok_or_else(|| Ending::mend("The gateway's address is not one of Discord's."))
    }

    async fn converse(&mut self, wire: &mut Wire, protocol: &mut Protocol) -> Ending {
        loop {
            let due = protocol.due();
            let done = tokio::select! {
                text = wire.next() => match text {
                    Ok(text) => self.heard(&text, wire, protocol).await,
                    Err(ending) => Err(ending),
                },
                () = sleep_until(due) => self.tick(wire, protocol, true).await,
            };
            if let Err(ending) = done {
                return ending;
            }
        }
    }

    async fn tick(&mut self, wire: &mut Wire, protocol: &mut Protocol, listening: bool) -> Result<(), Ending> {
        match protocol.tick(Instant::now(), listening)? {
            Some(say) => self.say(say, wire).await,
            None => Ok(()),
        }
    }

    async fn say(&mut self, say: Say, wire: &mut Wire) -> Result<(), Ending> {
        let text = match (say, &self.session) {
            (Say::Heartbeat, session) => frame::heartbeat(session.as_ref().map(|session| self.acknowledged(session))),
            (Say::Resume, Some(session)) => frame::resume(&self.wanted.token, &session.id, self.acknowledged(session)),
            (Say::Identify | Say::Resume, _) => {
                self.identified = Some(Instant::now());
                frame::identify(&self.wanted.token, self.wanted.intents)
            }
        };
        wire.send(text).await
    }

    /// The newest event of the session that was acknowledged.
    fn acknowledged(&self, session: &Session) -> u64 {
        let newest = self.ends.acknowledged.borrow();
        newest.as_ref().filter(|newest| newest.session_id == session.id).map_or(session.first, |newest| newest.seq)
    }

    async fn heard(&mut self, text: &str, wire: &mut Wire, protocol: &mut Protocol) -> Result<(), Ending> {
        let given = match protocol.heard(text, Instant::now(), chance())? {
            Heard::Nothing => return Ok(()),
            Heard::Ask(say) => return self.say(say, wire).await,
            Heard::Started { seq, ready } => {
                let (session, event) = Session::begun(seq, &ready)
                    .ok_or_else(|| Ending::lost("Discord's word that a session begins cannot be read"))?;
                self.session = Some(session);
                self.ends.ready.store(true, Ordering::Release);
                Given { event, silent: Some(seq) }
            }
            Heard::Resumed { seq } => {
                self.ends.ready.store(true, Ordering::Release);
                Given { event: GatewayEvent::Resumed, silent: Some(seq) }
            }
            Heard::Dispatch { seq, kind, data, replayed } => {
                let came = Instant::now();
                Given { event: GatewayEvent::Dispatch { seq, kind, data, replayed, came }, silent: None }
            }
        };
        self.give(given, wire, protocol).await
    }

    /// Hands an event over. While nobody takes it the connection is kept alive, and nothing more is read.
    async fn give(&mut self, given: Given, wire: &mut Wire, protocol: &mut Protocol) -> Result<(), Ending> {
        let given = match self.ends.events.try_send(given) {
            Ok(()) | Err(TrySendError::Closed(_)) => return Ok(()),
            Err(TrySendError::Full(given)) => given,
        };
        let events = self.ends.events.clone();
        let handed = events.send(given);
        tokio::pin!(handed);
        loop {
            let due = protocol.due();
            tokio::select! {
                // When nobody listens any more the loop ends.
                _ = &mut handed => {
                    protocol.listens_again();
                    return Ok(());
                }
                () = sleep_until(due) => self.tick(wire, protocol, false).await?,
            }
        }
    }
}
