//! Who is notified by the app's messages, so that tests can say that nobody is.

use super::message::Message;
use super::world::World;
use serde_json::Value;

/// As many are kept.
const NOTIFIED_LIMIT: usize = 10_000;
/// How deep blocks are looked into.
const DEPTH_LIMIT: usize = 32;

/// Somebody whom a message of the app called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notified {
    /// Where.
    pub channel: String,
    /// By which message.
    pub ts: String,
    /// `U0ANA0001`, `!channel`, `!here`, `!everyone` or `!subteam^S0614TZR7`.
    pub who: String,
    /// The message was changed to it, which rings nowhere.
    pub by_edit: bool,
}

impl World {
    pub(super) fn note_notified(&mut self, message: &Message, by_edit: bool) {
        let mut who = Vec::new();
        of_mrkdwn(&message.text, &mut who);
        if let Some(blocks) = &message.blocks {
            of_blocks(blocks, 0, &mut who);
        }
        who.sort();
        who.dedup();
        let (channel, ts) = (&message.channel, &message.ts);
        let new = who.into_iter().map(|who| Notified { channel: channel.clone(), ts: ts.clone(), who, by_edit });
        self.notified.extend(new);
        self.notified.truncate(NOTIFIED_LIMIT);
    }
}

/// `<!channel>`, `<@U…>`, `<!subteam^S…>`, each perhaps with `|label`.
fn of_mrkdwn(text: &str, who: &mut Vec<String>) {
    for piece in text.split('<').skip(1) {
        let Some((inside, _)) = piece.split_once('>') else { continue };
        let target = inside.split('|').next().unwrap_or_default();
        if let Some(user) = target.strip_prefix('@').filter(|user| user.starts_with(['U', 'W'])) {
            who.push(user.to_owned());
        } else if matches!(target, "!channel" | "!here" | "!everyone" | "!group") || target.starts_with("!subteam^") {
            who.push(target.to_owned());
        }
    }
}

/// `@channel` and its like, where Slack looks for them in plain words.
pub(super) fn of_words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_alphanumeric() || "@_.-".contains(c)));
    words.filter_map(|word| word.strip_prefix('@')).map(|word| word.trim_end_matches(['.', '-']))
}

fn of_blocks(value: &Value, depth: usize, who: &mut Vec<String>) {
    if depth > DEPTH_LIMIT {
        return;
    }
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "mrkdwn" => {
            of_mrkdwn(text("text"), who);
            if value.get("verbatim") != Some(&Value::Bool(true)) {
                let all = of_words(text("text")).filter(|word| matches!(*word, "channel" | "here" | "everyone"));
                who.extend(all.map(|word| format!("!{word}")));
            }
        }
        "user" => who.push(text("user_id").to_owned()),
        "usergroup" => who.push(format!("!subteam^{}", text("usergroup_id"))),
        "broadcast" => who.push(format!("!{}", text("range"))),
        _ => {}
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| of_blocks(item, depth + 1, who)),
        Value::Object(members) => members.values().for_each(|member| of_blocks(member, depth + 1, who)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn called(text: &str, blocks: &Value) -> Vec<String> {
        let mut who = Vec::new();
        of_mrkdwn(text, &mut who);
        of_blocks(blocks, 0, &mut who);
        who
    }

    #[test]
    fn what_calls_and_what_does_not() {
        let all = "<!channel> <!here|here> <@U0ANA0001> <@W1|x> <!subteam^S1> <https://a.b|c> <#C1> a < b > c";
        assert_eq!(called(all, &json!([])), ["!channel", "!here", "U0ANA0001", "W1", "!subteam^S1"]);
        assert_eq!(called("&lt;!channel&gt; @channel", &json!([])), [""; 0]);
        let literal = json!([{ "type": "rich_text", "elements": [
            { "type": "rich_text_section", "elements": [{ "type": "text", "text": "<!channel> @here <@U1>" }] }] }]);
        assert_eq!(called("", &literal), [""; 0]);
        let calls = json!([{ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [
            { "type": "user", "user_id": "U1" }, { "type": "broadcast", "range": "here" }] }] },
            { "type": "section", "text": { "type": "mrkdwn", "text": "for @everyone. <!here>" } },
            { "type": "section", "text": { "type": "plain_text", "text": "<!channel>" } }]);
        assert_eq!(called("", &calls), ["U1", "!here", "!here", "!everyone"]);
    }
}
