//! What deliveries say, in Slack's own shapes.

use super::options::SlackOptions;
use super::world::{Conversation, Kind, World};
use serde_json::{Value, json};

/// The old way to know that something comes from Slack; still sent.
const VERIFICATION_TOKEN: &str = "sandbox-verification-token";

/// What Slack asks an address for commands now and then.
pub(super) fn ssl_check() -> Value {
    json!({ "ssl_check": "1", "token": VERIFICATION_TOKEN })
}

/// What a command says. Everything is text, as in a form.
pub(super) fn command(
    world: &mut World,
    options: &SlackOptions,
    user: &str,
    place: &Conversation,
    typed: (&str, &str),
    response_url: &str,
) -> Value {
    json!({
        "token": VERIFICATION_TOKEN, "team_id": options.team_id, "team_domain": "acme", "channel_id": place.id,
        "channel_name": place.shown_name(), "user_id": user, "user_name": world.name(user), "command": typed.0,
        "text": typed.1, "api_app_id": options.app_id, "is_enterprise_install": "false",
        "response_url": response_url, "trigger_id": world.trigger(user),
    })
}

/// What every interaction says of who, where and which app.
fn interaction(world: &mut World, options: &SlackOptions, kind: &str, user: &str) -> Value {
    let name = world.name(user).to_owned();
    let team = world.user(user).and_then(|user| user.team.clone()).unwrap_or_else(|| options.team_id.clone());
    json!({
        "type": kind, "user": { "id": user, "username": name, "name": name, "team_id": team },
        "api_app_id": options.app_id, "token": VERIFICATION_TOKEN, "trigger_id": world.trigger(user),
        "team": { "id": options.team_id, "domain": "acme" }, "enterprise": null, "is_enterprise_install": false,
    })
}

/// A press on an element of a block. `container` says where the element is.
pub(super) fn press(
    world: &mut World,
    options: &SlackOptions,
    user: &str,
    container: Value,
    (block_id, element): (&str, &Value),
) -> Value {
    let mut action = json!({ "action_id": element["action_id"], "block_id": block_id });
    for field in ["text", "value", "style", "type"] {
        if let Some(value) = element.get(field) {
            action[field] = value.clone();
        }
    }
    action["action_ts"] = json!(world.ts());
    let mut payload = interaction(world, options, "block_actions", user);
    payload["container"] = container;
    payload["state"] = json!({ "values": {} });
    payload["actions"] = json!([action]);
    payload
}

/// A form that was sent or closed.
pub(super) fn form(world: &mut World, options: &SlackOptions, kind: &str, user: &str, view: &Value) -> Value {
    let mut payload = interaction(world, options, kind, user);
    payload["view"] = view.clone();
    match kind {
        "view_submission" => payload["response_urls"] = json!([]),
        _ => payload["is_cleared"] = json!(false),
    }
    payload
}

/// An event in its wrapping. What happens in a channel of another organisation is of that one's workspace; for whom it
/// is delivered stands in `authorizations` and `context_team_id`.
pub(super) fn event(world: &mut World, options: &SlackOptions, inner: &Value, place: Option<&Conversation>) -> Value {
    let id = world.fresh_id();
    let team = &options.team_id;
    let origin = place.and_then(|place| place.origin_team.as_ref()).unwrap_or(team);
    let outside = place.is_some_and(|place| place.shared_outside);
    let authorization = json!({
        "enterprise_id": null, "team_id": team, "user_id": options.bot_user, "is_bot": true,
        "is_enterprise_install": false,
    });
    json!({
        "token": VERIFICATION_TOKEN, "team_id": origin, "context_team_id": team, "context_enterprise_id": null,
        "api_app_id": options.app_id, "event": inner, "type": "event_callback", "event_id": format!("Ev{id}"),
        "event_time": world.now().as_second(), "authorizations": [authorization],
        "is_ext_shared_channel": outside, "event_context": format!("4-{id}"),
    })
}

/// The app is told of an event: the scope is there, and the bot is in the conversation.
pub(super) fn is_told(world: &World, place: &Conversation, scope: &str) -> bool {
    place.bot_is_member && world.need_scope(scope).is_ok()
}

/// What a person typed as Slack keeps it: escaped, with `@name` made a reference.
pub(super) fn typed(world: &World, bot_user: &str, text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut kept = String::new();
    let mut rest = escaped.as_str();
    while let Some(at) = rest.find('@') {
        kept.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || "_-".contains(*c)).collect();
        let found = world.users.iter().find(|user| user.name == name).map(|user| user.id.as_str());
        let id = if name == "slipway" { Some(bot_user) } else { found };
        // Written out by hand: `<@U…>`.
        let by_hand = kept.ends_with("&lt;") && rest[name.len()..].starts_with("&gt;");
        let known = name == bot_user || world.user(&name).is_some();
        match id {
            Some(id) => kept.push_str(&format!("<@{id}>")),
            None if by_hand && known => {
                kept.truncate(kept.len() - "&lt;".len());
                kept.push_str(&format!("<@{name}>"));
                rest = &rest[name.len() + "&gt;".len()..];
                continue;
            }
            None => kept.push_str(&format!("@{name}")),
        }
        rest = &rest[name.len()..];
    }
    kept.push_str(rest);
    kept
}

/// The blocks that Slack makes of what somebody typed.
pub(super) fn typed_blocks(text: &str) -> Value {
    let plain = |text: &str| text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let mut elements = Vec::new();
    let mut pieces = text.split("<@");
    let words = |elements: &mut Vec<Value>, text: &str| {
        if !text.is_empty() {
            elements.push(json!({ "type": "text", "text": plain(text) }));
        }
    };
    words(&mut elements, pieces.next().unwrap_or_default());
    for piece in pieces {
        let (user, rest) = piece.split_once('>').unwrap_or((piece, ""));
        elements.push(json!({ "type": "user", "user_id": user }));
        words(&mut elements, rest);
    }
    json!([{ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": elements }] }])
}

/// `channel` of a press's payload.
pub(super) fn place(conversation: &Conversation) -> Value {
    json!({ "id": conversation.id, "name": conversation.shown_name() })
}

/// The conversation with the app: no place for mentions.
pub(super) fn is_im(conversation: &Conversation) -> bool {
    matches!(conversation.kind, Kind::Im(_))
}
