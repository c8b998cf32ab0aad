//! A session: its numbered events, and the connection it has at the moment.

use super::faults::GatewayFaults;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::VecDeque;
use tokio::sync::mpsc;

/// Events that can be said again.
const KEPT_LIMIT: usize = 2_000;
/// Frames that wait for a slow connection.
pub(super) const FRAMES_LIMIT: usize = 10_000;
/// How long a session can go on after its connection is over, in seconds.
const LIFE_S: i64 = 300;

/// What a connection is told to do.
#[derive(Clone, Debug)]
pub(super) enum Frame {
    Text(String),
    /// It ends: with a code, or without a word.
    End(Option<u16>),
}

/// A session's connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) id: u64,
    pub(super) out: mpsc::Sender<Frame>,
    /// How many events it was to bring.
    brought: u64,
}

impl Link {
    pub(super) fn new(id: u64, out: mpsc::Sender<Frame>) -> Self {
        Self { id, out, brought: 0 }
    }

    /// Brings an event, unless it is to be lost.
    fn bring(&mut self, text: String, faults: &GatewayFaults) -> bool {
        self.brought += 1;
        let is_lost = faults.now().drop_every.is_some_and(|every| self.brought.checked_rem(every) == Some(0));
        is_lost || self.out.try_send(Frame::Text(text)).is_ok()
    }
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) intents: u64,
    /// The number of the newest event.
    pub(super) seq: u64,
    kept: VecDeque<(u64, String)>,
    /// The number of the newest RESUMED.
    resumed: u64,
    link: Option<Link>,
    /// Since when it has no connection.
    left: Option<Timestamp>,
}

impl Session {
    pub(super) fn begin(id: String, intents: u64, link: Link) -> Self {
        Self { id, intents, seq: 0, kept: VecDeque::new(), resumed: 0, link: Some(link), left: None }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.link.is_some()
    }

    /// Whether it is this connection's.
    pub(super) fn is_linked(&self, link: u64) -> bool {
        self.link.as_ref().is_some_and(|own| own.id == link)
    }

    /// Whether it can go on.
    pub(super) fn is_alive(&self, now: Timestamp) -> bool {
        self.left.is_none_or(|left| now.as_second() - left.as_second() <= LIFE_S)
    }

    pub(super) fn leave(&mut self, now: Timestamp) {
        self.link = None;
        self.left = Some(now);
    }

    /// Numbers an event, keeps it, and sends it.
    pub(super) fn dispatch(&mut self, kind: &str, data: Value, faults: &GatewayFaults) {
        self.seq += 1;
        let text = json!({ "op": 0, "t": kind, "s": self.seq, "d": data }).to_string();
        if self.kept.len() >= KEPT_LIMIT {
            self.kept.pop_front();
        }
        self.kept.push_back((self.seq, text.clone()));
        if let Some(link) = &mut self.link
            && !link.bring(text, faults)
        {
            // It takes nothing any more.
            self.link = None;
        }
    }

    /// Whether everything after `seq` can be said again.
    pub(super) fn keeps_after(&self, seq: u64) -> bool {
        self.kept.front().map_or(self.seq, |(first, _)| first - 1) <= seq
    }

    /// Goes on over another connection: says again what came after `seq`, and that this was it.
    pub(super) fn resume(&mut self, mut link: Link, seq: u64, faults: &GatewayFaults) {
        for (_, text) in self.kept.iter().filter(|(number, _)| *number > seq) {
            link.bring(text.clone(), faults);
        }
        self.link = Some(link);
        self.left = None;
        // Where nothing has happened since it was said last, and that did not arrive, it was said again just now.
        if self.resumed <= seq || self.resumed < self.seq {
            self.resumed = self.seq + 1;
            self.dispatch("RESUMED", json!({ "_trace": ["gateway-sandbox"] }), faults);
        }
    }

    /// Says something that is no event.
    pub(super) fn tell(&mut self, frame: Frame) {
        if let Some(link) = &self.link {
            // A connection that takes nothing any more is about to be given up.
            let _ = link.out.try_send(frame);
        }
    }
}
