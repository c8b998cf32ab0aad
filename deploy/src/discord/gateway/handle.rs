//! What others hold of the gateway.

use super::address::GatewayAddress;
use super::driver::{Driver, Ends, Given, Wanted};
use super::event::{GatewayEvent, Resume};
use super::pace::GatewayPace;
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tracing::error;

/// How many events may wait to be taken.
const EVENTS_LIMIT: usize = 1_000;

/// A connection to the gateway that is made again and again, for as long as this is held.
pub struct Gateway {
    events: mpsc::Receiver<Given>,
    place: Place,
    acknowledged: watch::Sender<Option<Resume>>,
    ready: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Gateway {
    /// Connects, and goes on with `resume` if there is one. Must be called inside of a Tokio runtime.
    #[must_use]
    pub fn open(
        addresses: impl GatewayAddress + 'static,
        token: &SecretString,
        intents: u64,
        resume: Option<Resume>,
    ) -> Self {
        Self::open_at_pace(addresses, token, intents, resume, GatewayPace::default())
    }

    /// As [`Gateway::open`], with other times than the usual ones.
    #[must_use]
    pub fn open_at_pace(
        addresses: impl GatewayAddress + 'static,
        token: &SecretString,
        intents: u64,
        resume: Option<Resume>,
        pace: GatewayPace,
    ) -> Self {
        let (sender, events) = mpsc::channel(EVENTS_LIMIT);
        let (acknowledged, newest) = watch::channel(resume.clone());
        let ready = Arc::new(AtomicBool::new(false));
        let wanted = Wanted { addresses: Box::new(addresses), token: token.clone(), intents, pace };
        let ends = Ends { events: sender, acknowledged: newest, ready: Arc::clone(&ready) };
        let task = tokio::spawn(Driver::new(wanted, ends, resume.clone()).run());
        Self { events, place: Place::at(resume), acknowledged, ready, task }
    }

    /// The next thing that the gateway says. Connections come and go behind it. None: what makes them has failed, and
    /// nothing more will ever be heard. May be given up at any moment without losing anything.
    pub async fn next(&mut self) -> Option<GatewayEvent> {
        let Some(given) = self.events.recv().await else {
            error!("the loop of Discord's gateway has failed: nothing more is heard");
            return None;
        };
        if self.place.passed(&given) {
            self.publish();
        }
        Some(given.event)
    }

    /// Everything up to `seq` is durable now, and need not be said again.
    pub fn acknowledge(&mut self, seq: u64) {
        if self.place.acknowledged(seq) {
            self.publish();
        }
    }

    /// How to go on after a restart, as far as events were taken and acknowledged. None: there is no session.
    #[must_use]
    pub fn session(&self) -> Option<Resume> {
        self.place.session.clone()
    }

    /// Whether a session is connected and nothing that was missed is still to come.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    fn publish(&self) {
        self.acknowledged.send_replace(self.place.session.clone());
    }
}

/// Where whoever listens is: behind the connection, by what waits to be taken.
#[derive(Debug, Default)]
struct Place {
    session: Option<Resume>,
    /// The newest that was taken.
    taken: u64,
    /// What was taken and needs no acknowledgement, but comes after something that does.
    silent: BTreeSet<u64>,
}

impl Place {
    fn at(session: Option<Resume>) -> Self {
        let taken = session.as_ref().map_or(0, |session| session.seq);
        Self { session, taken, silent: BTreeSet::new() }
    }

    /// An event is taken. True: what is acknowledged has changed.
    fn passed(&mut self, given: &Given) -> bool {
        match (&given.event, given.silent) {
            (GatewayEvent::Ready { session_id, resume_url, .. }, Some(seq)) => {
                let (session_id, resume_url) = (session_id.clone(), resume_url.clone());
                *self = Self::at(Some(Resume { session_id, seq, resume_url }));
                return true;
            }
            (GatewayEvent::InvalidSession, _) => *self = Self::default(),
            (GatewayEvent::Dispatch { seq, .. }, _) => self.taken = *seq,
            (_, Some(seq)) => {
                self.taken = self.taken.max(seq);
                self.silent.insert(seq);
                return self.acknowledged(0);
            }
            (_, None) => {}
        }
        false
    }

    /// True: what is acknowledged has changed.
    fn acknowledged(&mut self, seq: u64) -> bool {
        let Some(session) = &mut self.session else { return false };
        let before = session.seq;
        session.seq = before.max(seq.min(self.taken));
        while self.silent.remove(&(session.seq + 1)) {
            session.seq += 1;
        }
        self.silent = self.silent.split_off(&session.seq);
        session.seq != before
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::{GatewayBot, NoAddress};
    use super::*;
    use async_trait::async_trait;
    use serde_json::Value;
    use tokio::time::Instant;

    /// Where asking for the address is a bug of ours.
    struct Broken;

    #[async_trait]
    impl GatewayAddress for Broken {
        async fn gateway(&self) -> Result<GatewayBot, NoAddress> {
            panic!("as a test wants it")
        }
    }

    #[tokio::test]
    async fn whoever_listens_hears_that_nothing_more_comes() {
        let mut gateway = Gateway::open(Broken, &"token".into(), 0, None);
        assert_eq!(gateway.next().await, None);
        assert_eq!(gateway.next().await, None);
    }

    fn event(seq: u64) -> Given {
        let event =
            GatewayEvent::Dispatch { seq, kind: "X".into(), data: Value::Null, replayed: false, came: Instant::now() };
        Given { event, silent: None }
    }

    fn resumed(seq: u64) -> Given {
        Given { event: GatewayEvent::Resumed, silent: Some(seq) }
    }

    fn place(session_id: &str, seq: u64) -> Place {
        let (session_id, resume_url) = (session_id.to_owned(), String::new());
        Place::at(Some(Resume { session_id, seq, resume_url }))
    }

    fn seq(place: &Place) -> Option<u64> {
        place.session.as_ref().map(|session| session.seq)
    }

    #[test]
    fn what_needs_no_acknowledgement_waits_for_what_does() {
        let mut place = place("a", 1);
        for given in [event(2), event(3), resumed(4), event(5), resumed(6)] {
            assert!(!place.passed(&given));
        }
        assert!(place.acknowledged(2));
        assert_eq!(seq(&place), Some(2));
        assert!(place.acknowledged(3));
        assert_eq!(seq(&place), Some(4));
        assert!(place.acknowledged(5) && !place.acknowledged(5));
        assert_eq!(seq(&place), Some(6));
        assert!(place.passed(&resumed(7)));
        assert_eq!(seq(&place), Some(7));
    }

    #[test]
    fn only_what_was_taken_can_be_acknowledged_and_nothing_goes_back() {
        let mut place = place("a", 5);
        assert!(!place.acknowledged(9) && !place.acknowledged(2));
        place.passed(&event(6));
        assert!(place.acknowledged(9));
        assert_eq!(seq(&place), Some(6));
    }

    #[test]
    fn a_new_session_begins_anew() {
        let mut place = place("a", 5);
        place.passed(&Given { event: GatewayEvent::InvalidSession, silent: None });
        assert!(!place.acknowledged(5));
        assert_eq!(seq(&place), None);
        let event = GatewayEvent::Ready {
            session_id: "b".into(),
            resume_url: String::new(),
            user_id: String::new(),
            guilds: vec![],
            application_id: String::new(),
        };
        assert!(place.passed(&Given { event, silent: Some(1) }));
        assert_eq!(seq(&place), Some(1));
    }
}
