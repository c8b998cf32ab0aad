//! What can be said, and what cannot.

use super::rig::{ANA, BOB, BOT, RELEASES, TOKEN, card, rig};
use serde_json::{Value, json};

const POST: &str = "channels/310000000000000001/messages";

/// An embed with so many characters in each of so many fields.
fn fields(count: usize, chars: usize) -> Value {
    json!({ "fields": vec![json!({ "name": "n", "value": "v".repeat(chars) }); count] })
}

#[tokio::test]
async fn a_message_is_posted_read_changed_and_deleted() {
    let rig = rig().await;
    let posted = rig.ok("POST", POST, card()).await;
    assert_eq!(posted["author"]["id"], BOT);
    assert_eq!(posted["embeds"][0]["type"], "rich");
    assert_eq!(posted["mentions"], json!([]), "nobody is called by an embed");
    let path = format!("{POST}/{}", posted["id"].as_str().unwrap());
    assert_eq!(rig.ok("GET", &path, Value::Null).await["content"], "**goals** → staging");
    let lines = rig.discord.lines(&rig.discord.messages(RELEASES)[0]);
    let shown = [
        "goals → staging",
        "release 7",
        "asked by @ana *now*",
        "Checks",
        "• build passed",
        "• test passed",
        "State  waits since 2026-09-21 14:13 UTC",
        "slipway *1*",
        "[Approve] [Why] [Done] [Log]",
    ];
    assert_eq!(lines, shown);
    // What is not given stays.
    rig.ok("PATCH", &path, json!({ "content": "live" })).await;
    let changed = rig.ok("GET", &path, Value::Null).await;
    assert_eq!((&changed["content"], changed["embeds"].as_array().unwrap().len()), (&json!("live"), 1));
    assert!(changed["edited_timestamp"].is_string());
    assert_eq!(
        rig.refusal("PATCH", &path, json!({ "content": "", "embeds": [], "components": [] })).await,
        (400, 50_006)
    );
    assert_eq!(rig.discord.versions(RELEASES, posted["id"].as_str().unwrap()).len(), 2);
    assert_eq!(rig.call("DELETE", &path, Value::Null).await, (204, Value::Null));
    assert_eq!(rig.refusal("GET", &path, Value::Null).await, (404, 10_008));
    assert_eq!(rig.refusal("PATCH", &path, json!({ "content": "x" })).await, (404, 10_008));
}

#[tokio::test]
async fn the_limits_of_texts_hold() {
    let rig = rig().await;
    let embed = |embed: Value| json!({ "embeds": [embed] });
    let cases = [
        (json!({ "content": "x".repeat(2_001) }), "content BASE_TYPE_MAX_LENGTH"),
        (embed(json!({ "title": "x".repeat(257) })), "embeds.0.title BASE_TYPE_MAX_LENGTH"),
        (embed(json!({ "description": "x".repeat(4_097) })), "embeds.0.description BASE_TYPE_MAX_LENGTH"),
        (embed(json!({ "footer": { "text": "x".repeat(2_049) } })), "embeds.0.footer.text BASE_TYPE_MAX_LENGTH"),
        (embed(fields(26, 1)), "embeds.0.fields BASE_TYPE_MAX_LENGTH"),
        (embed(fields(1, 1_025)), "embeds.0.fields.0.value BASE_TYPE_MAX_LENGTH"),
        (embed(json!({ "fields": [{ "name": " ", "value": "v" }] })), "embeds.0.fields.0.name BASE_TYPE_REQUIRED"),
        (embed(json!({ "title": "x", "color": 16_777_216 })), "embeds.0.color NUMBER_TYPE_MAX"),
        (embed(json!({ "title": "x", "url": "javascript:alert(1)" })), "embeds.0.url URL_TYPE_INVALID_URL"),
        (embed(json!({ "title": "x", "titel": "y" })), "embeds.0.titel UNKNOWN_FIELD"),
        (json!({ "embeds": [fields(6, 1_000), { "title": "x" }] }), "embeds MAX_EMBED_SIZE_EXCEEDED"),
        (json!({ "embeds": vec![json!({ "title": "x" }); 11] }), "embeds BASE_TYPE_MAX_LENGTH"),
        (json!({ "content": "x", "nonce": "x".repeat(26) }), "nonce NONCE_TYPE_TOO_LONG"),
        (json!({ "content": "x", "flags": 64 }), "flags MESSAGE_FLAGS_INVALID"),
        (json!({ "content": 5 }), "content BASE_TYPE_WRONG"),
        (json!({ "content": "x", "text": "y" }), "text UNKNOWN_FIELD"),
    ];
    for (body, wrong) in cases {
        assert_eq!(rig.wrong("POST", POST, body).await, [wrong]);
    }
    for empty in [json!({}), json!({ "content": "  " }), embed(json!({ "url": "https://slipway.invalid/m/1" }))] {
        assert_eq!(rig.refusal("POST", POST, empty).await, (400, 50_006));
    }
    rig.post(RELEASES, json!({ "content": "x", "attachments": [], "poll": null })).await;
    // As much as is allowed is taken.
    rig.post(RELEASES, json!({ "content": "x".repeat(2_000), "embeds": [fields(5, 1_024)] })).await;
    assert_eq!(rig.discord.messages(RELEASES).len(), 2);
}

#[tokio::test]
async fn the_rules_of_buttons_hold() {
    let rig = rig().await;
    let button = |more: Value| {
        let mut button = json!({ "type": 2, "style": 1, "label": "x", "custom_id": "x" });
        button.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        button
    };
    let row = |buttons: Vec<Value>| json!({ "content": "x", "components": [{ "type": 1, "components": buttons }] });
    let named = |number: usize| button(json!({ "custom_id": number.to_string() }));
    let first = "components.0.components.0";
    let cases = [
        (row(vec![]), "components.0.components BASE_TYPE_BAD_LENGTH".to_owned()),
        (row((0..6).map(named).collect()), "components.0.components BASE_TYPE_BAD_LENGTH".to_owned()),
        (row(vec![button(json!({ "label": "x".repeat(81) }))]), format!("{first}.label BASE_TYPE_MAX_LENGTH")),
        (row(vec![button(json!({ "custom_id": "x".repeat(101) }))]), format!("{first}.custom_id BASE_TYPE_BAD_LENGTH")),
        (row(vec![button(json!({ "custom_id": null }))]), format!("{first}.custom_id BASE_TYPE_REQUIRED")),
        (row(vec![button(json!({ "style": 7 }))]), format!("{first}.style BASE_TYPE_CHOICES")),
        (row(vec![button(json!({ "label": null }))]), format!("{first} BUTTON_COMPONENT_INVALID_FORM")),
        (row(vec![button(json!({ "url": "https://a.b" }))]), format!("{first} BUTTON_COMPONENT_CUSTOM_ID_AND_URL")),
        (
            row(vec![named(1), named(1)]),
            "components.0.components.1.custom_id COMPONENT_CUSTOM_ID_DUPLICATED".to_owned(),
        ),
        (json!({ "content": "x", "components": [named(1)] }), "components.0.type BASE_TYPE_CHOICES".to_owned()),
    ];
    for (body, wrong) in cases {
        assert_eq!(rig.wrong("POST", POST, body).await, [wrong]);
    }
    let rows: Vec<_> = (0..6).map(|n| json!({ "type": 1, "components": [named(n)] })).collect();
    let wrong = rig.wrong("POST", POST, json!({ "content": "x", "components": rows })).await;
    assert_eq!(wrong, ["components BASE_TYPE_BAD_LENGTH"]);
}

#[tokio::test]
async fn only_who_is_meant_is_called() {
    let rig = rig().await;
    let text = format!("<@{ANA}> <@{BOB}> @everyone");
    let say = |allowed: Value| json!({ "content": text, "allowed_mentions": allowed });
    rig.post(RELEASES, say(json!({ "parse": [] }))).await;
    assert_eq!(rig.discord.all_notified(), []);
    rig.post(RELEASES, say(json!({ "parse": [], "users": [BOB] }))).await;
    assert_eq!((rig.discord.notified(ANA).len(), rig.discord.notified(BOB).len()), (0, 1));
    rig.post(RELEASES, json!({ "content": text })).await;
    assert_eq!(rig.discord.notified(ANA).len(), 2, "by name and with everybody");
    let both = say(json!({ "parse": ["users"], "users": [BOB] }));
    assert_eq!(rig.wrong("POST", POST, both).await, ["allowed_mentions MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"]);
    let unknown = rig.wrong("POST", POST, say(json!({ "parse": ["all"] }))).await;
    assert_eq!(unknown, ["allowed_mentions.parse.0 BASE_TYPE_CHOICES"]);
    let no_id = rig.wrong("POST", POST, say(json!({ "users": ["ana"] }))).await;
    assert_eq!(no_id, ["allowed_mentions.users.0 NUMBER_TYPE_COERCE"]);
}

#[tokio::test]
async fn the_same_nonce_gives_the_same_message_for_a_while() {
    let rig = rig().await;
    let body = json!({ "content": "x", "nonce": "abc", "enforce_nonce": true });
    let first = rig.ok("POST", POST, body.clone()).await;
    assert_eq!(first["nonce"], "abc");
    let again = rig.ok("POST", POST, body.clone()).await;
    assert_eq!((&again["id"], rig.discord.messages(RELEASES).len()), (&first["id"], 1));
    let read = rig.ok("GET", &format!("{POST}/{}", first["id"].as_str().unwrap()), Value::Null).await;
    assert_eq!(read.get("nonce"), None, "only who has posted is told");
    rig.ok("POST", POST, json!({ "content": "x", "nonce": "abc" })).await;
    assert_eq!(rig.discord.messages(RELEASES).len(), 2, "without being asked Discord does not look");
    rig.pass_ms(10 * 60 * 1_000);
    rig.ok("POST", POST, body).await;
    assert_eq!(rig.discord.messages(RELEASES).len(), 3);
}

#[tokio::test]
async fn answers_in_a_channel() {
    let rig = rig().await;
    rig.discord.type_text(ANA, RELEASES, "hello").await.unwrap();
    let asked = rig.discord.messages(RELEASES)[0]["id"].as_str().unwrap().to_owned();
    let reply = |id: &str, fail: bool| {
        json!({ "content": "yes", "message_reference": { "message_id": id, "fail_if_not_exists": fail },
                "allowed_mentions": { "parse": [] } })
    };
    let answer = rig.ok("POST", POST, reply(&asked, false)).await;
    assert_eq!(answer["referenced_message"]["id"], asked.as_str());
    assert_eq!(rig.discord.notified(ANA), []);
    let gone = "999999999999999999";
    assert_eq!(rig.ok("POST", POST, reply(gone, false)).await.get("message_reference"), None);
    assert_eq!(rig.wrong("POST", POST, reply(gone, true)).await, ["message_reference REPLIES_UNKNOWN_MESSAGE"]);
    assert_eq!(rig.refusal("PATCH", &format!("{POST}/{asked}"), json!({ "content": "x" })).await, (403, 50_005));
}

#[tokio::test]
async fn messages_are_listed_in_pages_newest_first() {
    let rig = rig().await;
    for number in 0..5 {
        rig.post(RELEASES, json!({ "content": number.to_string() })).await;
    }
    let listed = async |query: &str| {
        let all = rig.ok("GET", &format!("{POST}?{query}"), Value::Null).await;
        let one = |m: &Value| (m["id"].as_str().unwrap().to_owned(), m["content"].as_str().unwrap().to_owned());
        all.as_array().unwrap().iter().map(one).collect::<Vec<_>>()
    };
    let texts = |page: &[(String, String)]| page.iter().map(|(_, text)| text.clone()).collect::<String>();
    let all = listed("limit=100").await;
    assert_eq!(texts(&all), "43210");
    let second = &all[3].0;
    assert_eq!(texts(&listed(&format!("after={second}&limit=2")).await), "32", "those right after it");
    assert_eq!(texts(&listed(&format!("before={second}")).await), "0");
    assert_eq!(texts(&listed(&format!("around={}&limit=3", all[2].0)).await), "321");
    assert_eq!(texts(&listed("after=0&limit=1").await), "0");
    assert_eq!(rig.wrong("GET", &format!("{POST}?limit=101"), Value::Null).await, ["limit NUMBER_TYPE_MAX"]);
    assert_eq!(rig.wrong("GET", &format!("{POST}?after=x"), Value::Null).await, ["after NUMBER_TYPE_COERCE"]);
    assert!(!format!("{:?}", rig.discord).contains(TOKEN));
}
