//! What the app answers, and how long it can.

use super::rig::{ANA, APP, BOB, RELEASES, Rig, card, rig};
use serde_json::{Value, json};

const LIFE_MS: i64 = 15 * 60 * 1_000;

fn token(interaction: &Value) -> &str {
    interaction["token"].as_str().unwrap()
}

fn original(interaction: &Value) -> String {
    format!("webhooks/{APP}/{}/messages/@original", token(interaction))
}

fn code(answer: &(u16, Value)) -> (u16, u64) {
    (answer.0, answer.1["code"].as_u64().unwrap_or_default())
}

/// A registered rig in which ana's command is answered so.
async fn answered(answer: Value) -> (Rig, Value) {
    let rig = rig().await;
    rig.register().await;
    let interaction = rig.deploy(&answer).await;
    (rig, interaction)
}

#[tokio::test]
async fn an_answer_takes_the_place_of_thinking() {
    let (rig, interaction) = answered(json!({ "type": 5, "data": { "flags": 64 } })).await;
    assert_eq!(rig.discord.transcript(RELEASES), ["→ ana only: slipway: thinking…"]);
    let (status, _) = rig.open("PATCH", &original(&interaction), json!({ "content": "**done**" })).await;
    assert_eq!(status, 200);
    assert_eq!(rig.discord.transcript(RELEASES), ["→ ana only: slipway: done"]);
    assert_eq!((rig.discord.only_for(ANA).len(), rig.discord.only_for(BOB).len()), (1, 0));
    let id = rig.discord.only_for(ANA)[0]["id"].as_str().unwrap().to_owned();
    let seen = rig.refusal("GET", &format!("channels/{RELEASES}/messages/{id}"), Value::Null).await;
    assert_eq!(seen, (404, 10_008), "nobody else sees it, also not by the API");
    rig.open("DELETE", &original(&interaction), Value::Null).await;
    assert_eq!(rig.discord.only_for(ANA).len(), 0);
    assert_eq!(code(&rig.open("PATCH", &original(&interaction), json!({ "content": "x" })).await), (404, 10_008));
}

#[tokio::test]
async fn more_can_be_said_for_a_quarter_of_an_hour() {
    let (rig, interaction) = answered(json!({ "type": 5 })).await;
    let path = format!("webhooks/{APP}/{}", token(&interaction));
    // The first one takes the place of the promise and is seen by all as that was.
    rig.open("POST", &path, json!({ "content": "first", "flags": 64 })).await;
    rig.open("POST", &path, json!({ "content": "second", "flags": 64 })).await;
    rig.open("POST", &path, json!({ "content": "third" })).await;
    let shown = ["slipway: first", "→ ana only: slipway: second", "slipway: third"];
    assert_eq!(rig.discord.transcript(RELEASES), shown);
    assert_eq!(code(&rig.open("POST", &path, json!({ "content": "x".repeat(2_001) })).await), (400, 50_035));
    assert_eq!(
        code(&rig.open("POST", &format!("webhooks/{APP}/other"), json!({ "content": "x" })).await),
        (404, 10_015)
    );
    assert_eq!(code(&rig.open("POST", &format!("webhooks/5/{}", token(&interaction)), json!({})).await), (404, 10_015));
    rig.pass_ms(LIFE_MS + 1);
    assert_eq!(code(&rig.open("POST", &path, json!({ "content": "late" })).await), (401, 50_027));
    assert_eq!(code(&rig.open("PATCH", &original(&interaction), json!({ "content": "late" })).await), (401, 50_027));
}

#[tokio::test]
async fn the_first_answer_is_given_once_and_fits() {
    let (rig, interaction) = answered(json!({ "type": 4, "data": { "content": "here" } })).await;
    assert_eq!(rig.discord.transcript(RELEASES), ["slipway: here"]);
    let id = interaction["id"].as_str().unwrap();
    let path = format!("interactions/{id}/{}/callback", token(&interaction));
    assert_eq!(code(&rig.open("POST", &path, json!({ "type": 5 })).await), (400, 40_060));
    let wrong = format!("interactions/{id}/other/callback");
    assert_eq!(code(&rig.open("POST", &wrong, json!({ "type": 5 })).await), (404, 10_062));
    // A command cannot be answered by changing a message, and an empty answer is none.
    rig.waits_ms(500);
    for answer in
        [json!({ "type": 7, "data": { "content": "x" } }), json!({ "type": 4, "data": {} }), json!({ "type": 8 })]
    {
        rig.app.will_say(&answer);
        assert!(rig.discord.type_text(ANA, RELEASES, "/deploy staging").await.is_err(), "{answer}");
    }
}

#[tokio::test]
async fn an_answer_can_come_by_rest_while_the_delivery_is_open() {
    let rig = rig().await;
    rig.register().await;
    rig.app.will(super::rig::Reply::Body(202, String::new()));
    let typed = rig.discord.type_text(ANA, RELEASES, "/deploy staging");
    let answers = async {
        // The delivery is noted before it is sent.
        let mut seen = 0;
        let got = loop {
            if let Some(got) = rig.app.got().first() {
                break got.json();
            }
            seen += 1;
            assert!(seen < 10_000, "nothing came");
            tokio::task::yield_now().await;
        };
        let path = format!("interactions/{}/{}/callback", got["id"].as_str().unwrap(), token(&got));
        rig.open("POST", &path, json!({ "type": 4, "data": { "content": "by REST", "flags": 64 } })).await.0
    };
    let (typed, status) = tokio::join!(typed, answers);
    assert_eq!((typed, status), (Ok(()), 204));
    assert_eq!(rig.discord.transcript(RELEASES), ["→ ana only: slipway: by REST"]);
}

#[tokio::test]
async fn a_press_changes_its_message_or_opens_a_form() {
    let rig = rig().await;
    let id = rig.post(RELEASES, card()).await;
    rig.app.will_say(&json!({ "type": 7, "data": { "content": "approved", "embeds": [], "components": [] } }));
    rig.discord.press(BOB, RELEASES, &id, "Approve").await.unwrap();
    let got = rig.app.last();
    assert_eq!(
        (&got["type"], &got["data"]["custom_id"], &got["message"]["id"]),
        (&json!(3), &json!("approve|release/1"), &json!(id))
    );
    assert_eq!(got["data"]["component_type"], 2);
    assert_eq!(rig.discord.transcript(RELEASES), ["slipway (edited 1): approved"]);
    assert_eq!(rig.discord.press(BOB, RELEASES, &id, "Why").await.unwrap_err().error, "no_such_button");
    let id = rig.post(RELEASES, card()).await;
    for (button, error) in [("Done", "not_to_press"), ("Log", "not_to_press"), ("Veto", "no_such_button")] {
        assert_eq!(rig.discord.press(BOB, RELEASES, &id, button).await.unwrap_err().error, error);
    }
    let input = json!({ "type": 4, "custom_id": "reason", "style": 2, "label": "Reason", "max_length": 10 });
    let form = json!({ "custom_id": "lock", "title": "Lock", "components": [{ "type": 1, "components": [input] }] });
    rig.app.will_say(&json!({ "type": 9, "data": form }));
    rig.discord.press(BOB, RELEASES, &id, "why|").await.unwrap();
    let seen = rig.discord.modal_of(BOB).unwrap();
    assert_eq!((&seen["title"], &seen["inputs"][0]["label"]), (&json!("Lock"), &json!("Reason")));
    let wrong = rig.discord.submit(BOB, &json!({ "reason": "x".repeat(11) })).await.unwrap_err();
    assert_eq!(wrong.errors.keys().collect::<Vec<_>>(), ["reason"]);
    assert!(rig.discord.submit(BOB, &json!({})).await.is_err(), "it is required");
    rig.discord.submit(BOB, &json!({ "reason": "test" })).await.unwrap();
    let got = rig.app.last();
    let sent =
        json!([{ "type": 1, "id": 1, "components": [{ "type": 4, "id": 2, "custom_id": "reason", "value": "test" }] }]);
    assert_eq!((&got["type"], &got["data"]["components"], &got["message"]["id"]), (&json!(5), &sent, &json!(id)));
    assert_eq!(rig.discord.modal_of(BOB), None);
}

#[tokio::test]
async fn a_form_that_is_wrong_does_not_open() {
    let rig = rig().await;
    let id = rig.post(RELEASES, card()).await;
    let input = |more: Value| {
        let mut input = json!({ "type": 4, "custom_id": "a", "style": 1, "label": "A" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "type": 1, "components": [input] })
    };
    let form = |title: &str, rows: Vec<Value>| json!({ "custom_id": "x", "title": title, "components": rows });
    let forms = [
        form(&"x".repeat(46), vec![input(json!({}))]),
        form("x", vec![]),
        form("x", (0..6).map(|n| input(json!({ "custom_id": n.to_string() }))).collect()),
        form("x", vec![input(json!({})), input(json!({}))]),
        form("x", vec![input(json!({ "label": "x".repeat(46) }))]),
        form("x", vec![input(json!({ "style": 3 }))]),
        form("x", vec![input(json!({ "value": "abc", "max_length": 2 }))]),
    ];
    rig.waits_ms(500);
    for form in forms {
        rig.app.will_say(&json!({ "type": 9, "data": form }));
        let refused = rig.discord.press(BOB, RELEASES, &id, "Why").await.unwrap_err();
        assert_eq!(refused.shown.as_deref(), Some("This interaction failed"), "{form}");
        assert_eq!(rig.discord.modal_of(BOB), None);
    }
}
