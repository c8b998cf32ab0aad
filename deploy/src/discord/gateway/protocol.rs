//! What a connection does with what comes and with time. It does no I/O and reads no clock.

use super::ending::Ending;
use super::frame::{DISPATCH, Frame, HEARTBEAT, HEARTBEAT_ACK, HELLO, INVALID_SESSION, RECONNECT, read};
use super::pace::GatewayPace;
use serde_json::Value;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Discord takes 120 frames in so long.
const SENDS_WINDOW_S: u64 = 60;
/// So many of ours are enough: a heartbeat more that Discord asks for is left out.
const SENDS_LIMIT: usize = 100;
/// The bounds of the time between two heartbeats.
const HEARTBEAT_LIMITS_MS: (u64, u64) = (1, 600_000);

/// What to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Say {
    Identify,
    Resume,
    Heartbeat,
}

/// What was said.
#[derive(Debug, PartialEq)]
pub(super) enum Heard {
    Nothing,
    /// Something is to be answered.
    Ask(Say),
    Started {
        seq: u64,
        ready: Value,
    },
    Resumed {
        seq: u64,
    },
    Dispatch {
        seq: u64,
        kind: String,
        data: Value,
        replayed: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Discord has not greeted yet.
    Greeting,
    /// A session is to begin.
    Beginning,
    /// A session is to go on, and what was missed comes.
    Replaying,
    Live,
}

#[derive(Debug)]
struct Beat {
    every: Duration,
    due: Instant,
    /// Whether the last one was acknowledged.
    answered: bool,
}

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Protocol {
    phase: Phase,
    /// The newest event that was given out. None: there is no session yet.
    given: Option<u64>,
    answer_within: Duration,
    /// Until when the phase must have got on.
    until: Instant,
    beat: Option<Beat>,
    sends: VecDeque<Instant>,
}

impl Protocol {
    /// A connection that was just made, for a session of which everything up to `given` was given out.
    pub(super) fn new(now: Instant, given: Option<u64>, pace: &GatewayPace) -> Self {
        Self {
            phase: Phase::Greeting,
            given,
            answer_within: pace.answer_within,
            until: now + pace.hello_within,
            beat: None,
            sends: VecDeque::new(),
        }
    }

    pub(super) fn given(&self) -> Option<u64> {
        self.given
    }

    /// When [`Protocol::tick`] has something to do.
    pub(super) fn due(&self) -> Instant {
        let until = (self.phase != Phase::Live).then_some(self.until);
        let beat = self.beat.as_ref().map(|beat| beat.due);
        beat.into_iter().chain(until).min().unwrap_or(self.until)
    }

    /// Time has passed. `listening` is false while nobody takes what Discord says, so that nothing can be missing.
    pub(super) fn tick(&mut self, now: Instant, listening: bool) -> Result<Option<Say>, Ending> {
        if !listening {
            self.until = now + self.answer_within;
        } else if self.phase != Phase::Live && now >= self.until {
            return Err(match self.phase {
                Phase::Greeting => Ending::lost("Discord did not greet"),
                _ => Ending::lost("Discord said nothing of the session in time"),
            });
        }
        let Some(beat) = self.beat.as_mut().filter(|beat| now >= beat.due) else { return Ok(None) };
        if listening && !beat.answered {
            return Err(Ending::lost("Discord did not acknowledge a heartbeat"));
        }
        beat.answered = false;
        beat.due = now + beat.every;
        self.sent(now);
        Ok(Some(Say::Heartbeat))
    }

    /// Discord said something. `chance` is below 1 and places the first heartbeat.
    pub(super) fn heard(&mut self, text: &str, now: Instant, chance: f64) -> Result<Heard, Ending> {
        let frame = read(text).ok_or_else(|| Ending::unusable("Discord said something that cannot be read"))?;
        match frame.op {
            DISPATCH => self.dispatch(frame, now),
            HEARTBEAT => Ok(self.asked(now)),
            RECONNECT => Err(Ending::lost("Discord asks for another connection")),
            INVALID_SESSION if frame.d == Value::Bool(true) => {
                Err(Ending::unusable("Discord does not go on with the session now"))
            }
            INVALID_SESSION => Err(Ending::invalid("Discord does not know the session any more")),
            HELLO => self.hello(&frame.d, now, chance),
            HEARTBEAT_ACK => {
                if let Some(beat) = &mut self.beat {
                    beat.answered = true;
                }
                Ok(Heard::Nothing)
            }
            // Of a later version: it can mean nothing to this one.
            _ => Ok(Heard::Nothing),
        }
    }

    fn sent(&mut self, now: Instant) {
        let window = Duration::from_secs(SENDS_WINDOW_S);
        while self.sends.front().is_some_and(|sent| now.duration_since(*sent) >= window) {
            self.sends.pop_front();
        }
        self.sends.push_back(now);
    }

    /// Discord asks for a heartbeat.
    fn asked(&mut self, now: Instant) -> Heard {
        self.sent(now);
        if self.sends.len() > SENDS_LIMIT {
            self.sends.pop_back();
            return Heard::Nothing;
        }
        Heard::Ask(Say::Heartbeat)
    }

    fn hello(&mut self, said: &Value, now: Instant, chance: f64) -> Result<Heard, Ending> {
        let every_ms = said["heartbeat_interval"].as_u64().filter(|every_ms| *every_ms > 0);
        let every_ms = every_ms.ok_or_else(|| Ending::lost("Discord's greeting cannot be read"))?;
        if self.phase != Phase::Greeting {
            return Ok(Heard::Nothing);
        }
        let (least_ms, most_ms) = HEARTBEAT_LIMITS_MS;
        let every = Duration::from_millis(every_ms.clamp(least_ms, most_ms));
        // Not all connections of the world beat at once.
        self.beat = Some(Beat { every, due: now + every.mul_f64(chance), answered: true });
        self.until = now + self.answer_within;
        self.sent(now);
        let (phase, say) = match self.given {
            None => (Phase::Beginning, Say::Identify),
            Some(_) => (Phase::Replaying, Say::Resume),
        };
        self.phase = phase;
        Ok(Heard::Ask(say))
    }

    fn dispatch(&mut self, frame: Frame, now: Instant) -> Result<Heard, Ending> {
        let (Some(seq), Some(kind)) = (frame.s, frame.t) else {
            return Err(Ending::unusable("Discord told an event without its number or name"));
        };
        self.until = now + self.answer_within;
        let given = match (self.phase, self.given) {
            (Phase::Beginning, _) if kind == "READY" => {
                (self.phase, self.given) = (Phase::Live, Some(seq));
                return Ok(Heard::Started { seq, ready: frame.d });
            }
            (Phase::Replaying | Phase::Live, Some(given)) => given,
            _ => return Err(Ending::unusable(format!("Discord told an event ({seq}) before the session began"))),
        };
        if seq > given.saturating_add(1) {
            return Err(Ending::unusable(format!("an event is missing: {seq} came after {given}")));
        }
        let new = seq > given;
        self.given = Some(given.max(seq));
        if kind == "RESUMED" && self.phase == Phase::Replaying && seq >= given {
            self.phase = Phase::Live;
            return Ok(Heard::Resumed { seq });
        }
        // RESUMED has a number too, and is said again like the others.
        if !new {
            return Ok(Heard::Nothing);
        }
        if kind == "RESUMED" {
            return Ok(Heard::Resumed { seq });
        }
        Ok(Heard::Dispatch { seq, kind, data: frame.d, replayed: self.phase == Phase::Replaying })
    }
}
