//! What the app wants to say, read from a body.

use super::check::mentions::{self, Allowed};
use super::check::{components, embeds};
use super::findings::{Findings, flag, text_within};
use super::message::{EPHEMERAL, Said};
use super::refusal::Refusal;
use super::snowflake;
use serde_json::Value;

const CONTENT_LIMIT_CHARS: usize = 2_000;
const NONCE_LIMIT_CHARS: usize = 25;
const SUPPRESS_EMBEDS: u64 = 1 << 2;
const SUPPRESS_NOTIFICATIONS: u64 = 1 << 12;
/// The body's members by which a message is said.
const SAID: [&str; 6] = ["content", "embeds", "components", "allowed_mentions", "flags", "tts"];

/// Where a body comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A new message in a channel.
    Post,
    /// Another content of a message.
    Edit,
    /// An answer, which can be for one person only.
    Answer,
}

/// A message to be, or what changes in one.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    content: Option<String>,
    embeds: Option<Vec<Value>>,
    components: Option<Vec<Value>>,
    pub(super) allowed: Allowed,
    pub(super) flags: u64,
    pub(super) nonce: Option<Value>,
    /// The same nonce gives the same message.
    pub(super) enforce_nonce: bool,
    /// Which message it answers, and whether there has to be one.
    pub(super) reply_to: Option<(String, bool)>,
}

impl Draft {
    pub(super) fn read(body: &Value, way: Way) -> Result<Self, Refusal> {
        let mut findings = Findings::default();
        let draft = Self::look(body, way, &mut findings);
        findings.done()?;
        Ok(draft)
    }

    fn look(body: &Value, way: Way, findings: &mut Findings) -> Self {
        if !body.is_object() {
            findings.wrong_type("", "an object");
        }
        let own: &[&str] = match way {
            Way::Post => &["nonce", "enforce_nonce", "message_reference"],
            Way::Edit | Way::Answer => &[],
        };
        let known: Vec<&str> = SAID.iter().chain(own).copied().collect();
        findings.unknown_members("", body, &known);
        text_within(body, "content", CONTENT_LIMIT_CHARS, "", findings);
        flag(body, "tts", "", findings);
        let given = |name: &str| body.get(name).is_some();
        Self {
            content: given("content").then(|| body["content"].as_str().unwrap_or_default().trim().to_owned()),
            embeds: given("embeds").then(|| embeds::read(body, findings)),
            components: given("components").then(|| components::read(body, findings)),
            allowed: mentions::read(body, findings),
            flags: flags(body, way, findings),
            nonce: nonce(body, findings),
            enforce_nonce: flag(body, "enforce_nonce", "", findings),
            reply_to: reference(body, findings),
        }
    }

    /// It is for the one only who did something.
    pub(super) fn is_ephemeral(&self) -> bool {
        self.flags & EPHEMERAL != 0
    }

    pub(super) fn has_embeds(&self) -> bool {
        self.embeds.as_ref().is_some_and(|embeds| !embeds.is_empty())
    }

    /// What the message says that has said something before: what is not given stays.
    pub(super) fn over(&self, before: &Said) -> Result<Said, Refusal> {
        let said = Said {
            content: self.content.clone().unwrap_or_else(|| before.content.clone()),
            embeds: self.embeds.clone().unwrap_or_else(|| before.embeds.clone()),
            components: self.components.clone().unwrap_or_else(|| before.components.clone()),
        };
        if said.is_empty() { Err(Refusal::empty()) } else { Ok(said) }
    }

    /// What a new message says.
    pub(super) fn said(&self) -> Result<Said, Refusal> {
        self.over(&Said::default())
    }
}

fn flags(body: &Value, way: Way, findings: &mut Findings) -> u64 {
    let allowed = match way {
        Way::Post => SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS,
        Way::Edit => SUPPRESS_EMBEDS,
        Way::Answer => SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | EPHEMERAL,
    };
    match &body["flags"] {
        Value::Null => 0,
        given => match given.as_u64() {
            Some(flags) if flags & !allowed == 0 => flags,
            _ => {
                findings.add("flags", "MESSAGE_FLAGS_INVALID", "These flags cannot be set here.");
                0
            }
        },
    }
}

fn nonce(body: &Value, findings: &mut Findings) -> Option<Value> {
    let nonce = body.get("nonce").filter(|nonce| !nonce.is_null())?;
    match nonce {
        Value::String(text) if text.chars().count() > NONCE_LIMIT_CHARS => {
            findings.add("nonce", "NONCE_TYPE_TOO_LONG", "Must be 25 or fewer in length.");
        }
        Value::String(_) => {}
        number if number.is_i64() => {}
        _ => findings.wrong_type("nonce", "a string or an integer"),
    }
    Some(nonce.clone())
}

fn reference(body: &Value, findings: &mut Findings) -> Option<(String, bool)> {
    let given = body.get("message_reference").filter(|given| !given.is_null())?;
    let path = "message_reference";
    findings.unknown_members(path, given, &["type", "message_id", "channel_id", "guild_id", "fail_if_not_exists"]);
    if !matches!(given["type"].as_u64(), None | Some(0)) {
        findings.no_choice("message_reference.type", "(0,)");
    }
    let Some(id) = given["message_id"].as_str().filter(|id| snowflake::number(id).is_some()) else {
        findings.missing("message_reference.message_id");
        return None;
    };
    flag(given, "fail_if_not_exists", path, findings);
    Some((id.to_owned(), given["fail_if_not_exists"] != false))
}
