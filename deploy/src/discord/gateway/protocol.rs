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

    /// What Discord says is taken again: the acknowledgement of the last heartbeat may wait behind the rest.
    pub(super) fn listens_again(&mut self) {
        if let Some(beat) = &mut self.beat {
            beat.answered = true;
        }
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

#[cfg(test)]
mod tests {
    use super::super::ending::Then;
    use super::*;
    use serde_json::json;

    /// A connection in a time that a test moves.
    struct Rig {
        protocol: Protocol,
        now: Instant,
    }

    impl Rig {
        fn new(given: Option<u64>) -> Self {
            let now = Instant::now();
            Self { protocol: Protocol::new(now, given, &GatewayPace::default()), now }
        }

        fn greeted(given: Option<u64>) -> Self {
            let mut rig = Self::new(given);
            rig.hear(json!({ "op": 10, "d": { "heartbeat_interval": 40_000 } })).unwrap();
            rig
        }

        fn live() -> Self {
            let mut rig = Self::greeted(None);
            rig.event(1, "READY").unwrap();
            rig
        }

        fn hear(&mut self, frame: Value) -> Result<Heard, Ending> {
            self.protocol.heard(&frame.to_string(), self.now, 0.5)
        }

        fn event(&mut self, seq: u64, kind: &str) -> Result<Heard, Ending> {
            self.hear(json!({ "op": 0, "s": seq, "t": kind, "d": { "n": seq } }))
        }

        fn pass(&mut self, seconds: u64) -> Result<Option<Say>, Ending> {
            self.now += Duration::from_secs(seconds);
            self.protocol.tick(self.now, true)
        }

        fn due_s(&self) -> u64 {
            self.protocol.due().duration_since(self.now).as_secs()
        }
    }

    fn dispatch(seq: u64, replayed: bool) -> Result<Heard, Ending> {
        Ok(Heard::Dispatch { seq, kind: "X".into(), data: json!({ "n": seq }), replayed })
    }

    #[test]
    fn a_session_begins_or_goes_on_after_the_greeting() {
        let hello = json!({ "op": 10, "d": { "heartbeat_interval": 40_000 } });
        assert_eq!(Rig::new(None).hear(hello.clone()), Ok(Heard::Ask(Say::Identify)));
        assert_eq!(Rig::new(Some(0)).hear(hello.clone()), Ok(Heard::Ask(Say::Resume)));
        let mut rig = Rig::greeted(None);
        assert_eq!(rig.event(1, "READY"), Ok(Heard::Started { seq: 1, ready: json!({ "n": 1 }) }));
        assert_eq!(rig.event(2, "X"), dispatch(2, false));
        // A second greeting changes nothing.
        assert_eq!(rig.hear(hello), Ok(Heard::Nothing));
        assert_eq!(rig.protocol.given(), Some(2));
        for wrong in [json!({}), json!({ "heartbeat_interval": 0 }), json!({ "heartbeat_interval": "1" })] {
            assert_eq!(Rig::new(None).hear(json!({ "op": 10, "d": wrong })).unwrap_err().then, Then::Resume);
        }
    }

    #[test]
    fn no_greeting_and_no_answer_are_noticed() {
        let mut rig = Rig::new(None);
        assert_eq!(rig.due_s(), 20);
        assert_eq!(rig.pass(19), Ok(None));
        assert_eq!(rig.pass(1).unwrap_err().reason, "Discord did not greet");
        let mut rig = Rig::greeted(Some(3));
        assert_eq!(rig.pass(20), Ok(Some(Say::Heartbeat)));
        rig.hear(json!({ "op": 11 })).unwrap();
        // While what was missed comes there is no hurry.
        assert_eq!(rig.event(4, "X"), dispatch(4, true));
        assert_eq!(rig.pass(40), Ok(Some(Say::Heartbeat)));
        assert_eq!(rig.due_s(), 20);
        assert_eq!(rig.pass(20).unwrap_err().reason, "Discord said nothing of the session in time");
    }

    #[test]
    fn hearts_beat_and_each_beat_is_to_be_acknowledged() {
        let mut rig = Rig::live();
        // The first one by chance, half of the time here.
        assert_eq!(rig.due_s(), 20);
        assert_eq!(rig.pass(20), Ok(Some(Say::Heartbeat)));
        assert_eq!(rig.pass(39), Ok(None));
        assert_eq!(rig.hear(json!({ "op": 11 })), Ok(Heard::Nothing));
        assert_eq!(rig.pass(1), Ok(Some(Say::Heartbeat)));
        let ending = rig.pass(40).unwrap_err();
        assert_eq!((ending.then, ending.reason.as_str()), (Then::Resume, "Discord did not acknowledge a heartbeat"));
    }

    #[test]
    fn what_nobody_reads_cannot_be_missing() {
        let mut rig = Rig::greeted(Some(1));
        for _ in 0..5 {
            rig.now += Duration::from_secs(100);
            assert_eq!(rig.protocol.tick(rig.now, false), Ok(Some(Say::Heartbeat)));
        }
        rig.protocol.listens_again();
        assert_eq!(rig.pass(40), Ok(Some(Say::Heartbeat)));
    }

    #[test]
    fn a_heartbeat_that_is_asked_for_leaves_at_once_but_not_for_ever() {
        let mut rig = Rig::live();
        let ask = json!({ "op": 1, "d": null });
        let answered = |rig: &mut Rig| (0..150).filter(|_| rig.hear(ask.clone()) != Ok(Heard::Nothing)).count();
        // One frame began the session.
        assert_eq!(answered(&mut rig), SENDS_LIMIT - 1);
        rig.now += Duration::from_secs(SENDS_WINDOW_S);
        assert_eq!(answered(&mut rig), SENDS_LIMIT);
    }

    #[test]
    fn nothing_is_given_twice_and_nothing_with_a_hole_before_it() {
        let mut rig = Rig::greeted(Some(5));
        for seq in [3, 4, 5] {
            assert_eq!(rig.event(seq, "X"), Ok(Heard::Nothing));
        }
        assert_eq!(rig.event(6, "X"), dispatch(6, true));
        let ending = rig.event(8, "X").unwrap_err();
        assert_eq!((ending.then, ending.is_unusable), (Then::Resume, true));
        assert_eq!(ending.reason, "an event is missing: 8 came after 6");
        assert_eq!(rig.protocol.given(), Some(6));
    }

    #[test]
    fn what_was_missed_is_told_from_what_is_new() {
        let mut rig = Rig::greeted(Some(5));
        // Of an earlier connection, said again.
        assert_eq!(rig.event(4, "RESUMED"), Ok(Heard::Nothing));
        assert_eq!(rig.event(6, "X"), dispatch(6, true));
        assert_eq!(rig.event(7, "RESUMED"), Ok(Heard::Resumed { seq: 7 }));
        assert_eq!(rig.event(8, "X"), dispatch(8, false));
        // One without a number of its own is as good.
        let mut rig = Rig::greeted(Some(5));
        assert_eq!(rig.event(5, "RESUMED"), Ok(Heard::Resumed { seq: 5 }));
        assert_eq!(rig.event(6, "X"), dispatch(6, false));
    }

    #[test]
    fn what_cannot_be_read_ends_the_connection_and_what_is_unknown_does_not() {
        for wrong in ["", "{", "[]", "{}", r#"{"op":"0"}"#, r#"{"op":0,"d":{},"s":2}"#, r#"{"op":0,"d":{},"t":"X"}"#] {
            let mut rig = Rig::live();
            let ending = rig.protocol.heard(wrong, rig.now, 0.5).unwrap_err();
            assert_eq!((ending.then, ending.is_unusable), (Then::Resume, true), "{wrong}");
        }
        let mut rig = Rig::live();
        assert_eq!(rig.hear(json!({ "op": 99, "d": 1 })), Ok(Heard::Nothing));
        assert!(rig.event(2, "SOMETHING_NEW").is_ok());
        // Before a session begins nothing can happen in it.
        assert!(Rig::greeted(None).event(1, "X").unwrap_err().is_unusable);
        assert!(Rig::new(Some(1)).event(2, "X").unwrap_err().is_unusable);
    }

    #[test]
    fn discord_may_end_a_connection_or_a_session() {
        let then = |frame: Value| Rig::live().hear(frame).unwrap_err().then;
        assert_eq!(then(json!({ "op": 7, "d": null })), Then::Resume);
        assert_eq!(then(json!({ "op": 9, "d": true })), Then::Resume);
        assert_eq!(then(json!({ "op": 9, "d": false })), Then::Identify);
        assert_eq!(then(json!({ "op": 9 })), Then::Identify);
    }
}
