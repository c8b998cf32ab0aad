//! Who is turned away, and failures that a test asks for.

use super::rig::{RELEASES, TOKEN, rig};
use serde_json::{Value, json};
use slipway_sandbox::discord::{Fault, FaultKind};

const AGENT: &str = "DiscordBot (https://slipway.invalid, 0)";

#[tokio::test]
async fn only_the_bot_is_let_in() {
    let rig = rig().await;
    let right = format!("Bot {TOKEN}");
    assert_eq!(rig.as_other(Some(&right), AGENT).await, 200);
    for wrong in [None, Some(TOKEN), Some("Bot other"), Some("Bearer MTA.sandbox")] {
        assert_eq!(rig.as_other(wrong, AGENT).await, 401, "{wrong:?}");
    }
    assert_eq!(rig.as_other(Some(&right), "reqwest").await, 403, "one has to say who one is");
    rig.discord.revoke_token();
    assert_eq!(rig.as_other(Some(&right), AGENT).await, 401);
    assert_eq!(rig.discord.invalid_calls(), 6);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let rig = rig().await;
    assert_eq!(rig.refusal("GET", "users/@you", Value::Null).await, (404, 0));
    assert_eq!(rig.refusal("GET", "channels/1", Value::Null).await, (404, 10_003));
    assert_eq!(rig.refusal("GET", "guilds/1", Value::Null).await, (404, 10_004));
    assert_eq!(rig.refusal("GET", &format!("channels/{RELEASES}/messages/1"), Value::Null).await, (404, 10_008));
    assert_eq!(rig.wrong("GET", "channels/releases", Value::Null).await, ["channel_id NUMBER_TYPE_COERCE"]);
}

#[tokio::test]
async fn failures_come_when_they_are_asked_for() {
    let rig = rig().await;
    let route = "POST /channels/{channel}/messages";
    let path = format!("channels/{RELEASES}/messages");
    let body = json!({ "content": "x" });
    rig.discord.inject(Fault::once(route, FaultKind::Status(502)));
    assert_eq!(rig.call("POST", &path, body.clone()).await.0, 502);
    let kind = FaultKind::RateLimited { retry_after_ms: 1_500, global: true };
    rig.discord.inject(Fault::once(route, kind));
    let (status, headers, limited) = rig.raw("POST", &path, body.clone()).await;
    assert_eq!(
        (status, &headers["retry-after"], &headers["x-ratelimit-global"]),
        (429, &"2".parse().unwrap(), &"true".parse().unwrap())
    );
    assert_eq!((&limited["retry_after"], &limited["global"]), (&json!(1.5), &json!(true)));
    rig.discord.inject(Fault::once(route, FaultKind::Garbled));
    assert_eq!(rig.call("POST", &path, body.clone()).await, (200, Value::Null));
    assert_eq!(rig.discord.messages(RELEASES).len(), 0, "nothing was done");
    rig.ok("POST", &path, body).await;
    assert_eq!(rig.discord.calls().len(), 4);
}
