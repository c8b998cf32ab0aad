//! How long everything may take, and how long to rest between.

use super::ending::{Ending, Then};
use aws_lc_rs::rand;
use std::time::Duration;

/// How often a rest doubles at most.
const DOUBLINGS_LIMIT: u32 = 16;

/// The times that a [`super::Gateway`] keeps to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayPace {
    /// How long a connection may take to come about.
    pub connect_within: Duration,
    /// How long Discord may take to greet.
    pub hello_within: Duration,
    /// How long it may say nothing of a session that is to begin or to go on.
    pub answer_within: Duration,
    /// The rest after a connection that brought something new.
    pub short_rest: Duration,
    /// The rest after the first connection that brought nothing; it doubles with each.
    pub first_rest: Duration,
    /// The longest of them.
    pub longest_rest: Duration,
    /// The rest when somebody has to mend something first.
    pub mend_rest: Duration,
    /// The rests before a new session, after Discord ended one: something between, by chance.
    pub new_session_rest: (Duration, Duration),
    /// How far apart the beginnings of sessions are.
    pub identify_every: Duration,
    /// After so long a connection is taken for a good one.
    pub good_after: Duration,
}

impl Default for GatewayPace {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connect_within: seconds(10),
            hello_within: seconds(20),
            answer_within: seconds(60),
            short_rest: Duration::from_millis(100),
            first_rest: Duration::from_millis(500),
            longest_rest: seconds(60),
            mend_rest: seconds(300),
            new_session_rest: (seconds(1), seconds(5)),
            identify_every: seconds(5),
            good_after: seconds(30),
        }
    }
}

impl GatewayPace {
    /// How long to rest after `ending`, when so many connections in a row brought nothing. `chance` is below 1.
    pub(super) fn rest(&self, ending: &Ending, failures: u32, chance: f64) -> Duration {
        let doubled = |failures: u32| self.first_rest.saturating_mul(1 << failures.min(DOUBLINGS_LIMIT));
        let backoff = match failures {
            0 => self.short_rest,
            // Half of it by chance, so that not all apps of the world come back at once.
            more => doubled(more - 1).min(self.longest_rest).mul_f64(0.5 + chance / 2.0),
        };
        let rest = match ending.then {
            Then::Resume => backoff,
            Then::Identify => {
                let (least, most) = self.new_session_rest;
                backoff.max(least + most.saturating_sub(least).mul_f64(chance))
            }
            Then::Mend => self.mend_rest,
        };
        rest.max(ending.wait.unwrap_or_default())
    }
}

/// Something from 0 up to 1.
pub(super) fn chance() -> f64 {
    let mut bytes = [0; 4];
    // Without chance the middle is as good.
    rand::fill(&mut bytes).map_or(0.5, |()| f64::from(u32::from_le_bytes(bytes)) / 4_294_967_296.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_short_while_there_is_progress_and_doubles_without() {
        let pace = GatewayPace::default();
        let rests = [0, 1, 2, 3, 8, 99].map(|failures| pace.rest(&Ending::lost(""), failures, 1.0).as_millis());
        assert_eq!(rests, [100, 500, 1_000, 2_000, 60_000, 60_000]);
        assert_eq!(pace.rest(&Ending::lost(""), 1, 0.0).as_millis(), 250);
    }

    #[test]
    fn a_new_session_waits_and_so_does_what_nobody_has_mended() {
        let pace = GatewayPace::default();
        let rest = |ending: Ending, failures, chance| pace.rest(&ending, failures, chance).as_millis();
        assert_eq!([0.0, 0.5].map(|chance| rest(Ending::invalid(""), 0, chance)), [1_000, 3_000]);
        assert_eq!(rest(Ending::invalid(""), 8, 0.0), 30_000);
        assert_eq!(rest(Ending::mend(""), 0, 0.5), 300_000);
        assert_eq!(rest(Ending::lost("").after(Some(Duration::from_secs(90))), 0, 0.5), 90_000);
    }

    #[test]
    fn chance_is_from_0_up_to_1() {
        let drawn: Vec<_> = (0..100).map(|_| chance()).collect();
        assert!(drawn.iter().all(|drawn| (0.0..1.0).contains(drawn)));
        assert!(drawn.iter().any(|other| *other != drawn[0]));
    }
}
