//! What is said while two accounts become one person's: each message is for one account alone, and only the first has
//! the code.

use super::super::{Line, Message};
use super::words;
use crate::ids::PersonId;
use crate::link::{CODE_VALID_S, Code, Refusal, TRIES_WINDOW_S};
use crate::person::{Identity, Person, Platform};

/// How much of an account's id is shown, in characters.
const ID_SHOWN_CHARS: usize = 80;

fn minutes(seconds: i64) -> String {
    words::rough(seconds.unsigned_abs())
}

/// `Discord account 845027738276462632`.
fn account(line: Line, identity: &Identity) -> Line {
    let id: String = identity.id().chars().take(ID_SHOWN_CHARS).collect();
    line.text(format!("{} account ", identity.platform().name())).code(id)
}

/// The code, what to do with it, and the accounts that the person has.
#[must_use]
pub fn code(code: &Code, person: &Person) -> Message {
    let headline = Line::plain("Your code is ").code(code.shown());
    let headline = headline.text(format!(". It is good for {} and for one account.", minutes(CODE_VALID_S)));
    let way = Line::plain("From the account that Slipway does not know yet, in the other chat, type ");
    let way = way.code(format!("/release link {}", code.shown()));
    let lines = [
        way.text(". Then confirm here."),
        Line::plain("Nobody else may have it: whoever types it asks to be you. An earlier code is void."),
    ];
    Message::answer(headline, lines.into_iter().chain([accounts(person)]))
}

/// `You are Slack account U012AB3CD, GitHub account ana-dev.`
fn accounts(person: &Person) -> Line {
    let mut line = Line::plain("You are ");
    for (i, identity) in person.identities.iter().enumerate() {
        line = account(if i > 0 { line.text(", ") } else { line }, identity);
    }
    line.text(".")
}

/// To the account that typed the code. Whose it will be is said, so that nobody is talked into typing another's code.
#[must_use]
pub fn claimed(person: &PersonId) -> Message {
    let line = Line::plain("The code is ").person(person).text("'s. This account becomes theirs when they confirm it ");
    let way = Line::plain("There they type ").code("/release link confirm").text(". If you are not them, tell them.");
    Message::answer(line.text("where they got the code."), [way])
}

/// To the person who asked for the code.
#[must_use]
pub fn to_confirm(claimant: &Identity) -> Message {
    let line = account(Line::default(), claimant).text(" has typed your code.");
    let yours =
        Line::plain("If it is yours: ").code("/release link confirm").text(". From then on it can do what you can.");
    let not = Line::plain("If it is not: ").code("/release link refuse").text(". Somebody has seen your code.");
    Message::answer(line, [yours, not])
}

/// To the person: it is done.
#[must_use]
pub fn linked(identity: &Identity) -> Message {
    let line = account(Line::default(), identity).text(" is yours now. Votes and requests from there count as yours.");
    Message::answer(line, [undo(identity.platform())])
}

fn undo(platform: Platform) -> Line {
    Line::plain("To undo it: ").code(format!("/release link remove {}", platform.key()))
}

/// To the account: it is done.
#[must_use]
pub fn linked_here(person: &Person) -> Message {
    let line = Line::plain("This account belongs to ").person(&person.id).text(" now.");
    Message::answer(line, [])
}

/// To the person: nothing is linked.
#[must_use]
pub fn refused(identity: &Identity) -> Message {
    let line = account(Line::default(), identity).text(" is not linked, and the code is void.");
    Message::answer(line, [Line::plain("For another code: ").code("/release link")])
}

/// To the account: nothing is linked.
#[must_use]
pub fn refused_here() -> Message {
    Message::answer(Line::plain("The link was refused. This account belongs to nobody."), [])
}

/// To the person: a link is gone.
#[must_use]
pub fn removed(identity: &Identity) -> Message {
    let line =
        account(Line::default(), identity).text(" is not yours any more. Votes that you gave from there stay yours.");
    Message::answer(line, [])
}

/// To the person: there is no link to take away. `configured` is their account there by the configuration.
#[must_use]
pub fn not_linked(platform: Platform, configured: Option<&Identity>) -> Message {
    let line = match configured {
        Some(identity) => {
            let line = account(Line::default(), identity).text(" is yours by slipway.toml, not by a link.");
            line.text(" Whoever runs Slipway can change that.")
        }
        None => Line::plain(format!("No {} account is linked to you.", platform.name())),
    };
    Message::answer(line.text(" Nothing was changed."), [])
}

/// To whoever asked for what cannot be.
#[must_use]
pub fn not_done(refusal: &Refusal) -> Message {
    let again = || Line::plain("For a code: ").code("/release link").text(" where Slipway knows you.");
    let (line, way) = match refusal {
        Refusal::NotValid => ("This code is not valid: mistyped, used, or too old.".to_owned(), Some(again())),
        Refusal::TooManyTries => {
            (format!("Too many wrong codes. Try again in {}.", minutes(TRIES_WINDOW_S)), Some(again()))
        }
        Refusal::Taken => {
            let way = Line::plain("A code is typed from the account that Slipway does not know yet.");
            ("This account belongs to somebody already.".to_owned(), Some(way))
        }
        Refusal::OnePerChat(platform) => {
            let name = platform.name();
            (format!("A person has one {name} account, and whoever asked for this code has theirs."), None)
        }
        Refusal::NothingToConfirm => {
            ("No account waits to be confirmed, or it has waited too long.".to_owned(), Some(again()))
        }
    };
    Message::answer(Line::plain(line).text(" Nothing was linked."), way)
}
