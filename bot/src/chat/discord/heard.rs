//! What Discord says, in the shapes that it documents. Fields that are not needed are not looked at, and what this version
//! does not know is left aside: Discord adds to its payloads without notice.

use crate::chat::ResponseUrl;
use crate::chat::forms::Submission;
use serde::Deserialize;
use serde_json::Value;
use slipway_deploy::discord::{form_of, pressed};
use std::collections::BTreeMap;

/// Kinds of channels that are threads: of announcements, public, private.
pub(super) const THREADS: [u8; 3] = [10, 11, 12];
/// The options of a command of these kinds hold others.
const NESTING: [u8; 2] = [1, 2];
/// How deep options are looked into: a group, its command, its options.
const DEPTH_LIMIT: usize = 3;

/// Something that Discord wants an answer to within three seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Unique.
    pub id: String,
    /// The application that is asked.
    pub application: String,
    /// The server; none in a conversation with one person.
    pub guild: Option<String>,
    /// Where; of a thread the channel that it belongs to.
    pub channel: String,
    /// Who.
    pub user: String,
    /// What answers are taken with.
    pub token: ResponseUrl,
    /// What is asked.
    pub what: What,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Whether anybody is there.
    Ping,
    /// A command.
    Command(Typed),
    /// What could stand in one option of a command that is being typed.
    Suggest {
        /// As far as it is typed.
        typed: Typed,
        /// The option.
        option: String,
    },
    /// A button was pressed.
    Press {
        /// What the button does.
        verb: String,
        /// The key that it carries.
        key: String,
        /// How the digest of the plan begins that was shown beside it.
        plan: Option<String>,
    },
    /// A form was sent.
    Submission(Submission),
    /// Something that this version does not know.
    Unknown,
}

/// A command with its options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// `release`.
    pub command: String,
    /// `lock`.
    pub sub: Option<String>,
    /// What is given, by option.
    pub values: BTreeMap<String, String>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// Something that wants an answer.
    Asked(Box<Asked>),
    /// Somebody said something to the app or about it.
    Said(Said),
    /// A reaction was added to a message or taken away.
    Reaction(Reaction),
    /// All reactions under a message were taken away, or all of one kind.
    Cleared {
        /// Whose server; none in a conversation with one person.
        guild: Option<String>,
        /// Where the message is.
        channel: String,
        /// The message.
        message: String,
        /// Which kind; none: all.
        name: Option<String>,
    },
    /// Nothing for this app.
    Nothing,
}

/// A message of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its id.
    pub id: String,
    /// The server; none in a conversation with one person.
    pub guild: Option<String>,
    /// Where.
    pub channel: String,
    /// Who.
    pub user: String,
    /// What.
    pub text: String,
}

/// A reaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// The server; none in a conversation with one person.
    pub guild: Option<String>,
    /// Who.
    pub user: String,
    /// Where the message is.
    pub channel: String,
    /// The message.
    pub message: String,
    /// Its name.
    pub name: String,
    /// Added, or taken away.
    pub added: bool,
}

#[derive(Deserialize)]
struct AskedForm {
    id: String,
    application_id: String,
    #[serde(rename = "type")]
    kind: u8,
    data: Option<DataForm>,
    guild_id: Option<String>,
    channel_id: Option<String>,
    channel: Option<ChannelForm>,
    member: Option<MemberForm>,
    user: Option<UserForm>,
    token: ResponseUrl,
}

#[derive(Deserialize)]
struct ChannelForm {
    #[serde(rename = "type")]
    kind: u8,
    parent_id: Option<String>,
}

#[derive(Deserialize)]
struct MemberForm {
    user: Option<UserForm>,
}

#[derive(Deserialize)]
struct UserForm {
    id: String,
    #[serde(default)]
    bot: bool,
}

#[derive(Default, Deserialize)]
struct DataForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    options: Vec<OptionForm>,
    #[serde(default)]
    custom_id: String,
    #[serde(default)]
    components: Vec<RowForm>,
}

#[derive(Deserialize)]
struct OptionForm {
    name: String,
    #[serde(rename = "type")]
    kind: u8,
    value: Option<Value>,
    #[serde(default)]
    options: Vec<OptionForm>,
    #[serde(default)]
    focused: bool,
}

#[derive(Deserialize)]
struct RowForm {
    #[serde(default)]
    components: Vec<InputForm>,
}

#[derive(Deserialize)]
struct InputForm {
    custom_id: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
struct MessageForm {
    id: String,
    channel_id: String,
    guild_id: Option<String>,
    author: UserForm,
    #[serde(default)]
    content: String,
    webhook_id: Option<Value>,
    /// 0: said, 19: said in reply to a message.
    #[serde(rename = "type", default)]
    kind: u8,
}

#[derive(Deserialize)]
struct ReactionForm {
    user_id: String,
    channel_id: String,
    message_id: String,
    guild_id: Option<String>,
    emoji: EmojiForm,
    member: Option<MemberForm>,
}

#[derive(Deserialize)]
struct ClearedForm {
    channel_id: String,
    message_id: String,
    guild_id: Option<String>,
    emoji: Option<EmojiForm>,
}

#[derive(Deserialize)]
struct EmojiForm {
    id: Option<String>,
    name: Option<String>,
}

/// The name of a reaction: the id of one of a server's own, else the character without the mark that says that it is a
/// picture. Each tone of a skin is a reaction of its own: somebody may take one away and leave the other.
pub(super) fn reaction_name(emoji: &str) -> String {
    emoji.replace('\u{fe0f}', "")
}

/// The name that a reaction has in the configuration: the same, whatever the tone of the skin.
#[must_use]
pub fn reaction_kind(emoji: &str) -> String {
    reaction_name(emoji).chars().filter(|c| !matches!(c, '\u{1f3fb}'..='\u{1f3ff}')).collect()
}

impl EmojiForm {
    fn name(self) -> String {
        self.id.unwrap_or_else(|| reaction_name(&self.name.unwrap_or_default()))
    }
}

/// Something that wants an answer.
///
/// # Errors
/// When a field that it cannot do without is missing.
pub fn asked(payload: Value) -> Result<Asked, serde_json::Error> {
    let form: AskedForm = serde_json::from_value(payload)?;
    let user = form.member.and_then(|member| member.user).or(form.user);
    let user = user.map(|user| user.id).unwrap_or_default();
    let parent = form.channel.filter(|channel| THREADS.contains(&channel.kind)).and_then(|channel| channel.parent_id);
    let channel = parent.or(form.channel_id).unwrap_or_default();
    let data = form.data.unwrap_or_default();
    let what = match form.kind {
        1 => What::Ping,
        _ if user.is_empty() => What::Unknown,
        2 => What::Command(typed(data).0),
        3 => press(&data.custom_id),
        4 => match typed(data) {
            (typed, Some(option)) => What::Suggest { typed, option },
            (_, None) => What::Unknown,
        },
        5 => submission(&form.id, &user, data),
        _ => What::Unknown,
    };
    let (id, application, guild, token) = (form.id, form.application_id, form.guild_id, form.token);
    Ok(Asked { id, application, guild, channel, user, token, what })
}

/// The command, and which of its options is being typed.
fn typed(data: DataForm) -> (Typed, Option<String>) {
    let mut typed = Typed { command: data.name, ..Typed::default() };
    let (mut options, mut focused) = (data.options, None);
    for _ in 0..DEPTH_LIMIT {
        let mut inner = None;
        for option in options.drain(..) {
            if NESTING.contains(&option.kind) {
                typed.sub = Some(option.name);
                inner = Some(option.options);
                continue;
            }
            if option.focused {
                focused = Some(option.name.clone());
            }
            if let Some(value) = option.value {
                typed.values.insert(option.name, word(&value));
            }
        }
        let Some(inner) = inner else { break };
        options = inner;
    }
    (typed, focused)
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn press(custom_id: &str) -> What {
    match pressed(custom_id) {
        Some(button) => What::Press { verb: button.verb, key: button.key, plan: button.plan },
        None => What::Unknown,
    }
}

fn submission(id: &str, user: &str, data: DataForm) -> What {
    let Some((form, private)) = form_of(&data.custom_id) else { return What::Unknown };
    let inputs = data.components.into_iter().flat_map(|row| row.components);
    let values = inputs.map(|input| (input.custom_id, input.value)).collect();
    What::Submission(Submission { user: user.to_owned(), form, private, values, trigger: id.to_owned() })
}

/// An event of the gateway.
///
/// # Errors
/// When a field that it cannot do without is missing.
pub fn happened(kind: &str, payload: Value) -> Result<Happened, serde_json::Error> {
    Ok(match kind {
        "INTERACTION_CREATE" => Happened::Asked(Box::new(asked(payload)?)),
        "MESSAGE_CREATE" => said(serde_json::from_value(payload)?),
        "MESSAGE_REACTION_ADD" | "MESSAGE_REACTION_REMOVE" => {
            reaction(serde_json::from_value(payload)?, kind == "MESSAGE_REACTION_ADD")
        }
        "MESSAGE_REACTION_REMOVE_ALL" | "MESSAGE_REACTION_REMOVE_EMOJI" => {
            let ClearedForm { channel_id: channel, message_id: message, guild_id: guild, emoji } =
                serde_json::from_value(payload)?;
            Happened::Cleared { guild, channel, message, name: emoji.map(EmojiForm::name) }
        }
        _ => Happened::Nothing,
    })
}

/// Bots ask for nothing.
fn said(form: MessageForm) -> Happened {
    if form.author.bot || form.webhook_id.is_some() || !matches!(form.kind, 0 | 19) {
        return Happened::Nothing;
    }
    let MessageForm { id, channel_id: channel, guild_id: guild, author, content: text, .. } = form;
    Happened::Said(Said { id, guild, channel, user: author.id, text })
}

fn reaction(form: ReactionForm, added: bool) -> Happened {
    if form.member.and_then(|member| member.user).is_some_and(|user| user.bot) {
        return Happened::Nothing;
    }
    let ReactionForm { user_id: user, channel_id: channel, message_id: message, guild_id: guild, emoji, .. } = form;
    Happened::Reaction(Reaction { guild, user, channel, message, name: emoji.name(), added })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn interaction(kind: u8, data: Value) -> Value {
        json!({ "id": "1", "application_id": "2", "type": kind, "token": "t", "guild_id": "3", "channel_id": "4",
                "member": { "user": { "id": "5" } }, "data": data, "new_field": {} })
    }

    #[test]
    fn a_command_is_read_with_what_is_in_its_sub_command() {
        let data = json!({ "name": "release", "options": [{ "name": "lock", "type": 1, "options": [
            { "name": "environment", "type": 3, "value": "production" },
            { "name": "to", "type": 6, "value": "80351110224678912" },
            { "name": "force", "type": 5, "value": true } ] }] });
        let What::Command(typed) = asked(interaction(2, data)).unwrap().what else { panic!() };
        assert_eq!((&*typed.command, typed.sub.as_deref()), ("release", Some("lock")));
        assert_eq!(typed.values["environment"], "production");
        assert_eq!(typed.values["to"], "80351110224678912");
        assert_eq!(typed.values["force"], "true");
    }

    #[test]
    fn what_is_asked_in_a_thread_is_asked_in_its_channel() {
        let mut payload = interaction(2, json!({ "name": "deploy" }));
        payload["channel"] = json!({ "id": "4", "type": 11, "parent_id": "9" });
        assert_eq!(asked(payload.clone()).unwrap().channel, "9");
        payload["channel"] = json!({ "id": "4", "type": 0, "parent_id": "9" });
        assert_eq!(asked(payload).unwrap().channel, "4");
    }

    #[test]
    fn what_is_new_is_left_aside() {
        assert_eq!(asked(interaction(9, json!({}))).unwrap().what, What::Unknown);
        assert_eq!(asked(interaction(3, json!({ "custom_id": "what" }))).unwrap().what, What::Unknown);
        assert_eq!(happened("GUILD_PARTY", json!({ "who": 7 })).unwrap(), Happened::Nothing);
        let message =
            |author: Value| json!({ "id": "1", "channel_id": "4", "author": author, "content": "x", "type": 0 });
        assert_eq!(happened("MESSAGE_CREATE", message(json!({ "id": "6", "bot": true }))).unwrap(), Happened::Nothing);
        assert!(matches!(happened("MESSAGE_CREATE", message(json!({ "id": "6" }))).unwrap(), Happened::Said(_)));
        assert!(happened("MESSAGE_REACTION_ADD", json!({ "user_id": "1" })).is_err());
        let tinted =
            json!({ "user_id": "1", "channel_id": "4", "message_id": "7", "emoji": { "id": null, "name": "👍🏽" } });
        let Happened::Reaction(reaction) = happened("MESSAGE_REACTION_ADD", tinted).unwrap() else { panic!() };
        assert_eq!((&*reaction.name, &*reaction_kind(&reaction.name)), ("👍🏽", "👍"));
    }
}
