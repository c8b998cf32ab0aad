//! How a connection ends, and what comes after it.

use std::time::Duration;

/// How much of Discord's own words is told.
const WORDS_LIMIT_CHARS: usize = 200;

/// What to do after a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Connect again and go on with the session, if there is one.
    Resume,
    /// The session is over: begin another one.
    Identify,
    /// The same again, seldom: somebody has to mend something first.
    Mend,
}

/// Why a connection is over, or did not come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) then: Then,
    /// For the log, without secrets.
    pub(super) reason: String,
    /// Rest for so long at least.
    pub(super) wait: Option<Duration>,
    /// Whether something that was said could not be used, so that saying it again may be of no use.
    pub(super) is_unusable: bool,
}

impl Ending {
    fn new(then: Then, reason: impl Into<String>) -> Self {
        Self { then, reason: reason.into(), wait: None, is_unusable: false }
    }

    /// The connection is of no more use.
    pub(super) fn lost(reason: impl Into<String>) -> Self {
        Self::new(Then::Resume, reason)
    }

    /// Something is missing, or cannot be read.
    pub(super) fn unusable(reason: impl Into<String>) -> Self {
        Self { is_unusable: true, ..Self::new(Then::Resume, reason) }
    }

    /// The session is over.
    pub(super) fn invalid(reason: impl Into<String>) -> Self {
        Self::new(Then::Identify, reason)
    }

    /// It stays like this until somebody does something.
    pub(super) fn mend(reason: impl Into<String>) -> Self {
        Self::new(Then::Mend, reason)
    }

    pub(super) fn after(mut self, wait: Option<Duration>) -> Self {
        self.wait = wait;
        self
    }

    /// Discord closed the connection with this code.
    pub(super) fn closed(code: Option<u16>, said: &str) -> Self {
        let said: String = said.chars().filter(|c| !c.is_control()).take(WORDS_LIMIT_CHARS).collect();
        let Some(code) = code else { return Self::lost("Discord closed the connection") };
        let told = format!("Discord closed the connection ({code} {said})");
        match code {
            4004 => Self::mend(format!("{told}: it does not accept the token. Set DISCORD_TOKEN to the bot's token.")),
            4007 | 4009 => Self::invalid(told),
            4010 | 4011 => Self::mend(format!(
                "{told}: the app is in too many guilds for one connection. Take it out of those that do not use it."
            )),
            4012 => Self::mend(format!("{told}: this version of Slipway is too old for Discord. Upgrade it.")),
            4013 => Self::mend(format!("{told}: it does not know what Slipway asks to hear. Upgrade Slipway.")),
            4014 => Self::mend(format!(
                "{told}: the app may not hear what it asks for. Switch the intents on at \
                 discord.com/developers/applications, under Bot, Privileged Gateway Intents."
            )),
            _ => Self::lost(told),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_after_a_close_depends_on_its_code() {
        let then = |code| Ending::closed(Some(code), "x").then;
        for code in [1000, 1001, 1006, 4000, 4001, 4002, 4003, 4005, 4008, 4999] {
            assert_eq!(then(code), Then::Resume, "{code}");
        }
        assert_eq!([4007, 4009].map(then), [Then::Identify; 2]);
        assert_eq!([4004, 4010, 4011, 4012, 4013, 4014].map(then), [Then::Mend; 6]);
        assert_eq!(Ending::closed(None, "").then, Then::Resume);
    }

    #[test]
    fn discords_words_are_told_in_one_short_line() {
        let told = Ending::closed(Some(4000), &format!("a\nb{}", "c".repeat(1_000))).reason;
        assert!(told.starts_with("Discord closed the connection (4000 abccc"), "{told}");
        assert!(told.len() < 300 && !told.contains('\n'));
    }
}
