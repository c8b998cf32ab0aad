//! What Slack's deliveries say, in the shapes that it documents. Fields that are not needed are not looked at, and
//! what this version does not know is left aside: Slack adds to its payloads without notice.

use crate::chat::ResponseUrl;
use crate::chat::forms::Submission;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What is said by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A slash command.
    Command(Command),
    /// Somebody mentioned the app in a message.
    Mention(Mention),
    /// A reaction was added to a message or taken away.
    Reaction(Reaction),
    /// A button was pressed.
    Press(Press),
    /// A form was sent.
    Submission(Submission),
    /// Somebody looks at the app's page.
    HomeOpened {
        /// Who.
        user: String,
    },
    /// Slack asks whether this address is the app's.
    Challenge(String),
    /// Nothing for this app.
    Nothing,
}

impl Heard {
    /// What is to be taken one after the other. Reactions are ordered by Slack's own time, and hold up no command.
    pub(super) fn lane(&self) -> String {
        match self {
            Self::Command(Command { user, .. })
            | Self::Mention(Mention { user, .. })
            | Self::Press(Press { user, .. })
            | Self::Submission(Submission { user, .. }) => user.clone(),
            Self::Reaction(Reaction { user, .. }) => format!("{user}/reactions"),
            Self::HomeOpened { user } => format!("{user}/home"),
            Self::Challenge(_) | Self::Nothing => String::new(),
        }
    }
}

/// Whose delivery it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// The app that it is for.
    pub app: Option<String>,
    /// The workspace of the app.
    pub team: Option<String>,
    /// The workspace of whoever did it, where it is told.
    pub user_team: Option<String>,
    /// Whether the channel is shared with other organisations.
    pub shared_outside: bool,
}

/// A delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Whose.
    pub sender: Sender,
    /// What it says.
    pub heard: Heard,
}

impl Delivery {
    /// One that says nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self { sender: Sender::default(), heard: Heard::Nothing }
    }
}

/// A slash command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Who.
    pub user: String,
    /// Where.
    pub channel: String,
    /// The whole line: `/deploy staging`.
    pub line: String,
    /// Unique for each command; opens a form for three seconds.
    pub trigger: String,
    /// Where an answer goes for half an hour.
    pub response_url: Option<ResponseUrl>,
}

/// A message that mentions the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The message's time, unique in its channel: one that is edited keeps it.
    pub ts: String,
    /// Who.
    pub user: String,
    /// Where.
    pub channel: String,
    /// Said to the app alone, so that it need not be mentioned.
    pub direct: bool,
    /// The message, in Slack's markup.
    pub text: String,
    /// In whose thread it is.
    pub thread: Option<String>,
}

/// A reaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// Unique for each event.
    pub event: String,
    /// Who.
    pub user: String,
    /// Where the message is.
    pub channel: String,
    /// The message.
    pub message: String,
    /// The reaction's name.
    pub name: String,
    /// Added, or taken away.
    pub added: bool,
    /// When, in microseconds since 1970.
    pub at_us: i64,
}

/// A pressed button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Press {
    /// Who.
    pub user: String,
    /// Where; none on the app's page.
    pub channel: Option<String>,
    /// The button's action.
    pub action: String,
    /// The key that the button carries.
    pub value: String,
    /// Unique for each press; opens a form for three seconds.
    pub trigger: String,
    /// Where an answer goes for half an hour.
    pub response_url: Option<ResponseUrl>,
    /// In whose thread the message is.
    pub thread: Option<String>,
}

/// Why a delivery cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

#[derive(Deserialize)]
struct CommandForm {
    user_id: String,
    channel_id: String,
    command: String,
    #[serde(default)]
    text: String,
    trigger_id: String,
    response_url: Option<ResponseUrl>,
    team_id: Option<String>,
    api_app_id: Option<String>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
    team_id: Option<String>,
}

#[derive(Deserialize)]
struct InteractionForm {
    #[serde(rename = "type")]
    kind: String,
    user: Option<Id>,
    team: Option<Id>,
    api_app_id: Option<String>,
    channel: Option<Id>,
    trigger_id: Option<String>,
    response_url: Option<ResponseUrl>,
    #[serde(default)]
    actions: Vec<ActionForm>,
    view: Option<ViewForm>,
    container: Option<Container>,
}

#[derive(Deserialize)]
struct ActionForm {
    action_id: String,
    value: Option<String>,
}

#[derive(Deserialize)]
struct Container {
    thread_ts: Option<String>,
}

#[derive(Deserialize)]
struct ViewForm {
    #[serde(default)]
    callback_id: String,
    #[serde(default)]
    private_metadata: String,
    state: Option<ViewState>,
}

#[derive(Deserialize)]
struct ViewState {
    #[serde(default)]
    values: BTreeMap<String, BTreeMap<String, InputState>>,
}

#[derive(Deserialize)]
struct InputState {
    value: Option<String>,
    selected_option: Option<SelectedOption>,
}

#[derive(Deserialize)]
struct SelectedOption {
    value: String,
}

#[derive(Deserialize)]
struct Outer {
    #[serde(rename = "type")]
    kind: String,
    challenge: Option<String>,
    team_id: Option<String>,
    api_app_id: Option<String>,
    event_id: Option<String>,
    event: Option<Value>,
    is_ext_shared_channel: Option<bool>,
    context_team_id: Option<String>,
    authorizations: Option<Vec<Authorization>>,
}

#[derive(Deserialize)]
struct Authorization {
    team_id: Option<String>,
}

#[derive(Deserialize)]
struct MentionForm {
    user: Option<String>,
    bot_id: Option<String>,
    subtype: Option<String>,
    edited: Option<Value>,
    #[serde(default)]
    text: String,
    channel: String,
    ts: String,
    thread_ts: Option<String>,
}

#[derive(Deserialize)]
struct ReactionForm {
    user: String,
    reaction: String,
    item: Item,
    event_ts: String,
}

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "type")]
    kind: String,
    channel: Option<String>,
    ts: Option<String>,
}

#[derive(Deserialize)]
struct HomeForm {
    user: String,
    tab: Option<String>,
}

/// A slash command, from the fields of its form.
///
/// # Errors
/// When a field that it cannot do without is missing.
pub fn command(fields: Value) -> Result<Delivery, Unreadable> {
    let form: CommandForm = serde_json::from_value(fields)?;
    let sender = Sender { app: form.api_app_id, team: form.team_id, ..Sender::default() };
    let line = format!("{} {}", form.command, form.text).trim().to_owned();
    let (user, channel, trigger) = (form.user_id, form.channel_id, form.trigger_id);
    let heard = Heard::Command(Command { user, channel, line, trigger, response_url: form.response_url });
    Ok(Delivery { sender, heard })
}

/// A button or a form.
///
/// # Errors
/// When a field that it cannot do without is missing.
pub fn interaction(payload: Value) -> Result<Delivery, Unreadable> {
    let form: InteractionForm = serde_json::from_value(payload)?;
    let team = form.team.as_ref().map(|team| team.id.clone());
    let user_team = form.user.as_ref().and_then(|user| user.team_id.clone());
    let sender = Sender { app: form.api_app_id.clone(), team, user_team, shared_outside: false };
    let heard = match form.kind.as_str() {
        "block_actions" => press(form)?,
        "view_submission" => submission(form)?,
        _ => Heard::Nothing,
    };
    Ok(Delivery { sender, heard })
}

fn press(form: InteractionForm) -> Result<Heard, Unreadable> {
    let user = form.user.ok_or_else(|| Unreadable("a press without a user".to_owned()))?.id;
    let trigger = form.trigger_id.ok_or_else(|| Unreadable("a press without a trigger".to_owned()))?;
    let Some(action) = form.actions.into_iter().next() else { return Ok(Heard::Nothing) };
    let in_container = form.container.and_then(|container| container.thread_ts);
    Ok(Heard::Press(Press {
        user,
        channel: form.channel.map(|channel| channel.id),
        action: action.action_id,
        value: action.value.unwrap_or_default(),
        trigger,
        response_url: form.response_url,
        thread: in_container,
    }))
}

fn submission(form: InteractionForm) -> Result<Heard, Unreadable> {
    let user = form.user.ok_or_else(|| Unreadable("a form without a user".to_owned()))?.id;
    let trigger = form.trigger_id.ok_or_else(|| Unreadable("a form without a trigger".to_owned()))?;
    let view = form.view.ok_or_else(|| Unreadable("a form without a view".to_owned()))?;
    let values = view.state.map(|state| state.values).unwrap_or_default();
    let filled_in = |input: InputState| input.value.or(input.selected_option.map(|option| option.value));
    let values = values.into_values().flatten().filter_map(|(name, input)| Some((name, filled_in(input)?))).collect();
    let (form, private) = (view.callback_id, view.private_metadata);
    Ok(Heard::Submission(Submission { user, form, private, values, trigger }))
}

/// An event, or the question whether this address is the app's.
///
/// # Errors
/// When a field that it cannot do without is missing.
pub fn event(payload: Value) -> Result<Delivery, Unreadable> {
    let outer: Outer = serde_json::from_value(payload)?;
    let of_event = |field: &str| outer.event.as_ref().and_then(|event| event[field].as_str()).map(str::to_owned);
    let user_team = of_event("user_team").or_else(|| of_event("team"));
    let shared_outside = outer.is_ext_shared_channel.unwrap_or(false);
    // In a channel that began elsewhere `team_id` is that workspace; the app is installed in the authorisation's.
    let installed = outer.authorizations.into_iter().flatten().find_map(|authorization| authorization.team_id);
    let team = installed.or(outer.context_team_id).or(outer.team_id);
    let sender = Sender { app: outer.api_app_id, team, user_team, shared_outside };
    let heard = match (outer.kind.as_str(), outer.challenge, outer.event_id, outer.event) {
        ("url_verification", Some(challenge), ..) => Heard::Challenge(challenge),
        ("event_callback", _, Some(id), Some(event)) => inner(id, event)?,
        _ => Heard::Nothing,
    };
    Ok(Delivery { sender, heard })
}

fn inner(event: String, payload: Value) -> Result<Heard, Unreadable> {
    let kind = payload["type"].as_str().unwrap_or_default().to_owned();
    Ok(match kind.as_str() {
        "app_mention" => mention(serde_json::from_value(payload)?, false),
        "message" if payload["channel_type"] == "im" => mention(serde_json::from_value(payload)?, true),
        "reaction_added" | "reaction_removed" => {
            let form: ReactionForm = serde_json::from_value(payload)?;
            let (Some(channel), Some(message), "message") = (form.item.channel, form.item.ts, form.item.kind.as_str())
            else {
                return Ok(Heard::Nothing);
            };
            let at_us = micros(&form.event_ts).ok_or_else(|| Unreadable("a reaction without a time".to_owned()))?;
            let (user, name, added) = (form.user, form.reaction, kind == "reaction_added");
            Heard::Reaction(Reaction { event, user, channel, message, name, added, at_us })
        }
        "app_home_opened" => {
            let form: HomeForm = serde_json::from_value(payload)?;
            match form.tab.as_deref() {
                None | Some("home") => Heard::HomeOpened { user: form.user },
                Some(_) => Heard::Nothing,
            }
        }
        _ => Heard::Nothing,
    })
}

/// Bots ask for nothing, and who corrects an old message asks for nothing again.
fn mention(form: MentionForm, direct: bool) -> Heard {
    let MentionForm { user, bot_id, subtype, edited, text, channel, ts, thread_ts } = form;
    match (user, bot_id, subtype, edited) {
        (Some(user), None, None, None) => {
            Heard::Mention(Mention { ts, user, channel, direct, text, thread: thread_ts })
        }
        _ => Heard::Nothing,
    }
}

/// `1360782804.083113` in microseconds.
fn micros(ts: &str) -> Option<i64> {
    let (seconds, fraction) = ts.split_once('.').unwrap_or((ts, "0"));
    let fraction = format!("{fraction:0<6}");
    let fraction: i64 = fraction.get(..6)?.parse().ok()?;
    seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_read_to_the_microsecond() {
        assert_eq!(micros("1360782804.083113"), Some(1_360_782_804_083_113));
        assert_eq!(micros("1360782804"), Some(1_360_782_804_000_000));
        assert_eq!(micros("1360782804.5"), Some(1_360_782_804_500_000));
        for bad in ["", "now", "1.x", "99999999999999999999.1"] {
            assert_eq!(micros(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_new_is_left_aside() {
        let team = json!({ "id": "T1", "new_field": [1, 2] });
        let shortcut = json!({ "type": "message_action", "team": team, "user": { "id": "U1" }, "trigger_id": "1.2" });
        assert_eq!(interaction(shortcut).unwrap().heard, Heard::Nothing);
        let event_of = |inner: Value| event(json!({ "type": "event_callback", "event_id": "Ev1", "event": inner }));
        assert_eq!(event_of(json!({ "type": "huddle_started", "who": 7 })).unwrap().heard, Heard::Nothing);
        let file = json!({ "type": "reaction_added", "user": "U1", "reaction": "x", "event_ts": "1.0",
                           "item": { "type": "file", "file": "F1" } });
        assert_eq!(event_of(file).unwrap().heard, Heard::Nothing);
        let of_a_bot = json!({ "type": "app_mention", "bot_id": "B1", "user": "U9", "text": "<@U1> x", "channel": "C1", "ts": "1.2" });
        let edited = json!({ "type": "app_mention", "user": "U9", "text": "<@U1> x", "channel": "C1", "ts": "1.2",
                             "edited": { "user": "U9", "ts": "3.4" } });
        assert_eq!(event_of(edited).unwrap().heard, Heard::Nothing);
        assert_eq!(event_of(of_a_bot).unwrap().heard, Heard::Nothing);
        assert_eq!(event(json!({ "type": "app_rate_limited", "team_id": "T1" })).unwrap().heard, Heard::Nothing);
        let nothing_of_it = json!({ "type": "event_callback", "event_id": "Ev1", "team_id": "T1", "authorizations": null,
                                    "is_ext_shared_channel": null, "event": { "type": "x" } });
        assert_eq!(event(nothing_of_it).unwrap().sender.team.as_deref(), Some("T1"));
        assert!(command(json!({ "user_id": "U1" })).is_err());
    }
}
