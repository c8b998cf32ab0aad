//! Linking an account in another chat to a person: a one-time code that the person asks for where Slipway knows them,
//! types where it does not, and then confirms where they asked. Ids only: a display name is nobody's.

use crate::ids::PersonId;
use crate::person::{Directory, Identity, Person, Platform};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use thiserror::Error;

/// How long a code can be typed after it was asked for, and confirmed after it was typed, in seconds.
pub const CODE_VALID_S: i64 = 10 * 60;
/// How many wrong codes an account may type within [`TRIES_WINDOW_S`].
pub const TRIES_LIMIT: usize = 5;
/// How long a wrong code counts, in seconds.
pub const TRIES_WINDOW_S: i64 = 10 * 60;

/// How much chance is in a code, in bytes: 40 bits, of which [`TRIES_LIMIT`] tries find next to nothing.
pub const CODE_CHANCE_BYTES: usize = 5;
/// Five bits each; without I, L, O and U, which are read as something else.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// How many symbols that makes.
const CODE_LENGTH_SYMBOLS: usize = 8;

/// A one-time code such as `K7QF-2M9X`. It is shown to the person who asked for it and to nobody else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(String);

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

impl Code {
    /// From chance.
    #[must_use]
    pub fn new(chance: [u8; CODE_CHANCE_BYTES]) -> Self {
        let bits = chance.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        let symbol = |place: usize| {
            let five = (bits >> (5 * (CODE_LENGTH_SYMBOLS - 1 - place))) & 31;
            char::from(SYMBOLS[usize::try_from(five).unwrap_or_default()])
        };
        Self((0..CODE_LENGTH_SYMBOLS).map(symbol).collect())
    }

    /// As it is typed: in any case, with or without its hyphen, in pieces, with the letters that look like digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let symbol = |c: char| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let code: String = text.chars().filter(|c| *c != '-' && !c.is_whitespace()).map(symbol).collect();
        let is_symbol = |c: char| u8::try_from(c).is_ok_and(|byte| SYMBOLS.contains(&byte));
        (code.chars().count() == CODE_LENGTH_SYMBOLS && code.chars().all(is_symbol)).then_some(Self(code))
    }

    /// As it is shown.
    #[must_use]
    pub fn shown(&self) -> String {
        let (first, last) = self.0.split_at(CODE_LENGTH_SYMBOLS / 2);
        format!("{first}-{last}")
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> CodeHash {
        CodeHash(hex::encode(Sha256::digest(self.0.as_bytes())))
    }
}

/// The SHA-256 of a code, in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CodeHash(String);

impl CodeHash {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a person has asked for: a code, and later the account that used it. One per person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Who asked.
    pub person: PersonId,
    /// Where they are told what becomes of it.
    pub channel: String,
    /// The code.
    pub code: CodeHash,
    /// Until when the code can be typed, or after that be confirmed.
    pub until: Timestamp,
    /// Who typed it.
    pub claim: Option<Claim>,
}

/// An account that typed a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Which.
    pub by: Identity,
    /// Where it is told what becomes of it.
    pub channel: String,
}

/// An account that belongs to a person because both said so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The account.
    pub identity: Identity,
    /// Whose it is.
    pub person: PersonId,
    /// Since when.
    pub linked_at: Timestamp,
    /// From which account the person confirmed it.
    pub confirmed_by: Identity,
}

/// Why an account is not linked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No such code, or one that was used, or has expired. Whoever guesses is not told which.
    #[error("the code is not valid")]
    NotValid,
    /// Too many wrong ones came from this account.
    #[error("{TRIES_LIMIT} wrong codes within {} minutes", TRIES_WINDOW_S / 60)]
    TooManyTries,
    /// The account belongs to somebody.
    #[error("the account belongs to somebody already")]
    Taken,
    /// The person has an account there.
    #[error("the person has an account on {} already", .0.name())]
    OnePerChat(Platform),
    /// No account waits to be confirmed.
    #[error("no account waits to be confirmed")]
    NothingToConfirm,
}

impl Pending {
    /// What a person asks for now.
    #[must_use]
    pub fn new(person: PersonId, channel: String, code: CodeHash, now: Timestamp) -> Self {
        Self { person, channel, code, until: valid_until(now), claim: None }
    }

    /// The same with the account that typed its code, which has then to be confirmed.
    ///
    /// # Errors
    /// When the code was used or has expired, or the account cannot be this person's.
    pub fn claimed(&self, claim: Claim, people: &Directory, now: Timestamp) -> Result<Self, Refusal> {
        if self.claim.is_some() || self.until <= now {
            return Err(Refusal::NotValid);
        }
        self.may_have(&claim.by, people)?;
        Ok(Self { until: valid_until(now), claim: Some(claim), ..self.clone() })
    }

    /// The account that waits to be confirmed or refused.
    ///
    /// # Errors
    /// When there is none, or it has waited too long.
    pub fn waiting(&self, now: Timestamp) -> Result<&Claim, Refusal> {
        self.claim.as_ref().filter(|_| self.until > now).ok_or(Refusal::NothingToConfirm)
    }

    /// The link that comes of it when the person says so from an account that is theirs.
    ///
    /// # Errors
    /// When no account waits, or it cannot be this person's any more.
    pub fn confirmed(&self, by: &Identity, people: &Directory, now: Timestamp) -> Result<Link, Refusal> {
        let claim = self.waiting(now)?;
        if *by == claim.by || people.by_identity(by).is_none_or(|person| person.id != self.person) {
            return Err(Refusal::NothingToConfirm);
        }
        self.may_have(&claim.by, people)?;
        let (identity, person) = (claim.by.clone(), self.person.clone());
        Ok(Link { identity, person, linked_at: now, confirmed_by: by.clone() })
    }

    /// An account of nobody's, on a platform where the person has none.
    fn may_have(&self, account: &Identity, people: &Directory) -> Result<(), Refusal> {
        let platform = account.platform();
        if platform == Platform::Github {
            return Err(Refusal::NotValid);
        }
        if people.claimants(account).next().is_some() {
            return Err(Refusal::Taken);
        }
        match people.get(&self.person) {
            None => Err(Refusal::NotValid),
            Some(person) if person.on(platform).is_some() => Err(Refusal::OnePerChat(platform)),
            Some(_) => Ok(()),
        }
    }
}

/// Those who claim an account of a link beside the person it is linked to: it then belongs to none of them.
pub fn disputed_by<'a>(link: &'a Link, configured: &'a Directory) -> impl Iterator<Item = &'a Person> {
    let person = configured.get(&link.person);
    let in_force = person.is_some_and(|person| person.on(link.identity.platform()).is_none());
    configured.claimants(&link.identity).filter(move |person| in_force && person.id != link.person)
}

fn valid_until(now: Timestamp) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(CODE_VALID_S)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_767_600_000 + seconds).unwrap()
    }

    fn discord(id: &str) -> Identity {
        Identity::Discord(id.into())
    }

    fn slack(id: &str) -> Identity {
        Identity::Slack(id.into())
    }

    fn people() -> Directory {
        let person = |id: &str, identities: &[Identity]| Person {
            id: id.into(),
            teams: [].into(),
            identities: identities.to_vec(),
        };
        Directory::new([person("ana", &[slack("U1")]), person("bob", &[slack("U2"), discord("2")])])
    }

    fn pending(person: &str) -> Pending {
        Pending::new(person.into(), "slack:C1".into(), Code::new([7; CODE_CHANCE_BYTES]).hash(), at(0))
    }

    fn claim(by: Identity) -> Claim {
        Claim { by, channel: "discord:1".into() }
    }

    proptest! {
        #[test]
        fn a_code_is_read_as_it_is_shown(chance: [u8; CODE_CHANCE_BYTES], other: [u8; CODE_CHANCE_BYTES]) {
            let code = Code::new(chance);
            let shown = code.shown();
            for typed in [shown.clone(), shown.to_lowercase(), shown.replace('-', ""), shown.replace('1', "l").replace('0', "o")] {
                prop_assert_eq!(Code::parse(&typed), Some(code.clone()));
            }
            prop_assert_eq!(chance == other, Code::new(other).hash() == code.hash());
            prop_assert_eq!(format!("{:?}", code), "Code(…)");
        }

        #[test]
        fn what_is_no_code_is_none(text in ".{0,12}") {
            let letters = text.chars().filter(|c| *c != '-' && !c.is_whitespace()).count();
            prop_assert!(letters == CODE_LENGTH_SYMBOLS || Code::parse(&text).is_none());
        }
    }

    #[test]
    fn a_code_typed_and_confirmed_in_time_links() {
        let claimed = pending("ana").claimed(claim(discord("1")), &people(), at(599)).unwrap();
        assert_eq!(claimed.waiting(at(600 + 598)).unwrap().by, discord("1"));
        let link = claimed.confirmed(&slack("U1"), &people(), at(700)).unwrap();
        assert_eq!((link.identity, link.person, link.confirmed_by), (discord("1"), "ana".into(), slack("U1")));
    }

    #[test]
    fn whatever_does_not_fit_links_nothing() {
        let typed = |person: &str, by: Identity, seconds: i64| {
            pending(person).claimed(claim(by), &people(), at(seconds)).unwrap_err()
        };
        for (name, refusal, expected) in [
            ("too late", typed("ana", discord("1"), 600), Refusal::NotValid),
            ("somebody's account", typed("ana", discord("2"), 1), Refusal::Taken),
            ("one's own account", typed("ana", slack("U1"), 1), Refusal::Taken),
            ("a second one in a chat", typed("ana", slack("U9"), 1), Refusal::OnePerChat(Platform::Slack)),
            ("a forge", typed("ana", Identity::Github("ana".into()), 1), Refusal::NotValid),
            ("somebody who has left", typed("zoe", discord("1"), 1), Refusal::NotValid),
        ] {
            assert_eq!(refusal, expected, "{name}");
        }
        let claimed = pending("ana").claimed(claim(discord("1")), &people(), at(1)).unwrap();
        assert_eq!(claimed.claimed(claim(discord("3")), &people(), at(2)), Err(Refusal::NotValid), "used twice");
        for (name, by, seconds) in [
            ("by the account itself", discord("1"), 2),
            ("by somebody else", slack("U2"), 2),
            ("by nobody", slack("U9"), 2),
            ("too late", slack("U1"), 601),
        ] {
            assert_eq!(claimed.confirmed(&by, &people(), at(seconds)), Err(Refusal::NothingToConfirm), "{name}");
        }
        assert_eq!(pending("ana").confirmed(&slack("U1"), &people(), at(1)), Err(Refusal::NothingToConfirm));
        let meanwhile = people().with_links([(&discord("1"), &"bob".into())]);
        assert!(claimed.confirmed(&slack("U1"), &meanwhile, at(2)).is_ok(), "bob has another one there");
        let meanwhile = people().with_links([(&discord("8"), &"ana".into())]);
        let again = claimed.confirmed(&slack("U1"), &meanwhile, at(2));
        assert_eq!(again, Err(Refusal::OnePerChat(Platform::Discord)));
    }
}
