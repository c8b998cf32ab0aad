//! One request: where it goes, and whose limits it counts against.

use super::buckets::Kind;
use super::rendered::key_hash;
use super::{DiscordError, snowflake};
use reqwest::{Method, Url};
use serde_json::Value;

/// Longest token of an interaction that is taken.
const TOKEN_LIMIT_BYTES: usize = 1_024;
/// Longest emoji that is taken.
const EMOJI_LIMIT_BYTES: usize = 100;
/// How much of an interaction token's hash its buckets are called by.
const TOKEN_HASH_BYTES: usize = 8;

/// A part of an address that comes from outside.
#[derive(Clone, Copy)]
pub(super) enum Part<'a> {
    Id(&'a str),
    /// The token of an interaction: a secret.
    Token(&'a str),
    Emoji(&'a str),
}

/// One request.
pub(super) struct Call<'a> {
    method: Method,
    /// The address, with `{}` for each part.
    template: &'static str,
    parts: &'a [Part<'a>],
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    place: String,
}

impl<'a> Call<'a> {
    pub(super) fn new(method: Method, template: &'static str, parts: &'a [Part<'a>]) -> Self {
        Self { method, template, parts, query: Vec::new(), body: None, place: "this".to_owned() }
    }

    pub(super) fn get(template: &'static str, parts: &'a [Part<'a>]) -> Self {
        Self::new(Method::GET, template, parts)
    }

    pub(super) fn post(template: &'static str, parts: &'a [Part<'a>], body: impl Into<Value>) -> Self {
        Self::new(Method::POST, template, parts).with(body)
    }

    pub(super) fn patch(template: &'static str, parts: &'a [Part<'a>], body: impl Into<Value>) -> Self {
        Self::new(Method::PATCH, template, parts).with(body)
    }

    pub(super) fn with(self, body: impl Into<Value>) -> Self {
        Self { body: Some(body.into()), ..self }
    }

    pub(super) fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// What errors name. Never with a secret.
    pub(super) fn about(self, place: impl Into<String>) -> Self {
        Self { place: place.into(), ..self }
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    pub(super) fn body(&self) -> Option<&Value> {
        self.body.as_ref()
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Whether it answers an interaction, whose token says who asks.
    pub(super) fn is_answer(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Token(_)))
    }

    pub(super) fn url(&self, api: &Url) -> Result<Url, DiscordError> {
        let mut url = api.clone();
        let mut parts = self.parts.iter();
        let mut segments = Vec::new();
        for literal in self.template.split('/').skip(1) {
            segments.push(if literal == "{}" { parts.next().map_or(Ok(""), Part::checked)? } else { literal });
        }
        url.path_segments_mut().map_err(|()| DiscordError::NotDiscords { what: "The address" })?.extend(segments);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }

    /// Whose limits it counts against.
    pub(super) fn kind(&self) -> Kind {
        let with_major = ["/channels/{}", "/guilds/{}", "/webhooks/{}", "/interactions/{}"];
        let has_major = with_major.iter().any(|start| self.template.starts_with(start));
        let mut major = String::new();
        if let (true, Some(Part::Id(id))) = (has_major, self.parts.first()) {
            major.push_str(id);
        }
        for part in self.parts {
            if let Part::Token(token) = part {
                major.push('/');
                major.push_str(&key_hash(token, TOKEN_HASH_BYTES));
            }
        }
        Kind { call: format!("{} {}", self.method, self.template), major, is_answer: self.is_answer() }
    }
}

impl<'a> Part<'a> {
    /// The part, if it can be what it should be: nothing else gets into an address.
    fn checked(&self) -> Result<&'a str, DiscordError> {
        match *self {
            Self::Id(id) => snowflake::id(id),
            Self::Token(token) => {
                let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'=');
                let possible = (1..=TOKEN_LIMIT_BYTES).contains(&token.len()) && token.bytes().all(plain);
                // Dots alone would be a way up.
                let some = token.bytes().any(|b| b.is_ascii_alphanumeric());
                let refused = DiscordError::NotDiscords { what: "The token of this interaction" };
                if possible && some { Ok(token) } else { Err(refused) }
            }
            Self::Emoji(emoji) => {
                let possible = (1..=EMOJI_LIMIT_BYTES).contains(&emoji.len()) && !emoji.starts_with('.');
                let plain = !emoji.chars().any(|c| c.is_control() || matches!(c, '/' | '\\'));
                let refused = DiscordError::NotDiscords { what: "This emoji" };
                if possible && plain { Ok(emoji) } else { Err(refused) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discord::Route;

    fn url(template: &'static str, parts: &[Part<'_>]) -> Result<String, DiscordError> {
        let api = Url::parse("https://discord.com/api/v10").unwrap();
        Call::get(template, parts).query("limit", 5).url(&api).map(String::from)
    }

    #[test]
    fn parts_stand_where_they_belong_and_cannot_leave_it() {
        let parts = [Part::Id("41"), Part::Id("42"), Part::Emoji("1\u{fe0f}\u{20e3}")];
        assert_eq!(
            url("/channels/{}/messages/{}/reactions/{}", &parts).as_deref(),
            Ok("https://discord.com/api/v10/channels/41/messages/42/reactions/1%EF%B8%8F%E2%83%A3?limit=5")
        );
        let emoji = |emoji| url("/x/{}", &[Part::Emoji(emoji)]);
        assert_eq!(emoji("#%2F?").as_deref(), Ok("https://discord.com/api/v10/x/%23%252F%3F?limit=5"));
        assert_eq!(
            emoji("x:41771983429993937").as_deref(),
            Ok("https://discord.com/api/v10/x/x:41771983429993937?limit=5")
        );
        let long = "1".repeat(21);
        for id in ["", "..", ".", "4/1", "4%2f1", "@me", "+41", "-41", " 41", "41\n", "٤١", "0x41", "41?a=b", &long] {
            let error = url("/channels/{}", &[Part::Id(id)]).unwrap_err();
            assert_eq!(error, DiscordError::NotDiscords { what: "This id" }, "{id}");
        }
        let long = "x".repeat(TOKEN_LIMIT_BYTES + 1);
        for token in ["", ".", "..", "a/b", "a%2fb", "a?b", "a#b", "a b", "ä", "a\\b", "=", &long] {
            let error = url("/webhooks/{}/{}", &[Part::Id("41"), Part::Token(token)]).unwrap_err();
            assert_eq!(error, DiscordError::NotDiscords { what: "The token of this interaction" }, "{token}");
        }
        for emoji in ["", ".", "..", "a/b", "a\\b", "\u{0}", &"x".repeat(EMOJI_LIMIT_BYTES + 1)] {
            let error = url("/x/{}", &[Part::Emoji(emoji)]).unwrap_err();
            assert_eq!(error, DiscordError::NotDiscords { what: "This emoji" }, "{emoji}");
        }
    }

    #[test]
    fn limits_are_kept_by_kind_of_call_and_by_what_it_concerns() {
        let kind = |template, parts: &[Part<'_>]| Call::get(template, parts).kind();
        let message = kind("/channels/{}/messages/{}", &[Part::Id("41"), Part::Id("42")]);
        assert_eq!((message.call.as_str(), message.major.as_str()), ("GET /channels/{}/messages/{}", "41"));
        assert!(message == kind("/channels/{}/messages/{}", &[Part::Id("41"), Part::Id("43")]));
        assert!(message != kind("/channels/{}/messages/{}", &[Part::Id("44"), Part::Id("42")]));
        let app = kind("/applications/{}/commands", &[Part::Id("41")]);
        assert_eq!((app.major.as_str(), app.is_answer), ("", false));
        let token = "aW50ZXJhY3Rpb246hunter2";
        let answer = kind("/webhooks/{}/{}", &[Part::Id("41"), Part::Token(token)]);
        assert!(answer.is_answer && answer.major.starts_with("41/") && !answer.major.contains(token));
        assert!(answer != kind("/webhooks/{}/{}", &[Part::Id("41"), Part::Token("another")]));
    }

    #[test]
    fn callers_can_ask_for_the_pace_of_what_they_will_call() {
        let post = Call::post("/channels/{}/messages", &[Part::Id("41")], Value::Null).kind();
        assert!(post == Route::Post("41").kind());
        let edit = Call::patch("/channels/{}/messages/{}", &[Part::Id("41"), Part::Id("42")], Value::Null).kind();
        assert!(edit == Route::Edit("41").kind());
    }
}
