//! How often something may be called.

use super::rig::{APP, RELEASES, rig_with};
use serde_json::{Value, json};
use slipway_sandbox::discord::{DiscordLimits, Window};

const OTHER: &str = "310000000000000002";
const HOUR_MS: i64 = 60 * 60 * 1_000;

#[tokio::test]
async fn the_headers_say_what_is_left_and_then_it_is_refused() {
    let post = Window { calls: 2, per_ms: 5_000 };
    let rig = rig_with(|options| options.limits.post = post).await;
    let path = format!("channels/{RELEASES}/messages");
    let body = json!({ "content": "x" });
    let (_, headers, _) = rig.raw("POST", &path, body.clone()).await;
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!([header("x-ratelimit-limit"), header("x-ratelimit-remaining")], ["2", "1"]);
    assert_eq!([header("x-ratelimit-reset"), header("x-ratelimit-reset-after")], ["1790000005.000", "5.000"]);
    let bucket = header("x-ratelimit-bucket");
    rig.pass_ms(1_250);
    rig.ok("POST", &path, body.clone()).await;
    let (status, headers, refused) = rig.raw("POST", &path, body.clone()).await;
    assert_eq!((status, &refused["retry_after"], &refused["global"]), (429, &json!(3.75), &json!(false)));
    assert_eq!(
        (headers["retry-after"].to_str().unwrap(), headers["x-ratelimit-scope"].to_str().unwrap()),
        ("4", "user")
    );
    assert_eq!(headers["x-ratelimit-remaining"], "0");
    // Another channel is counted by itself, and so is another route.
    let (_, headers, _) = rig.raw("POST", &format!("channels/{OTHER}/messages"), body.clone()).await;
    assert_eq!(
        (headers["x-ratelimit-remaining"].to_str().unwrap(), headers["x-ratelimit-bucket"].to_str().unwrap()),
        ("1", bucket.as_str())
    );
    rig.ok("GET", &path, Value::Null).await;
    rig.pass_ms(3_750);
    rig.ok("POST", &path, body).await;
    assert_eq!(rig.discord.messages(RELEASES).len(), 3);
}

#[tokio::test]
async fn all_calls_together_are_limited_but_those_of_interactions() {
    let rig = rig_with(|options| options.limits.global_per_s = 2).await;
    for _ in 0..2 {
        rig.ok("GET", "users/@me", Value::Null).await;
    }
    let (status, headers, body) = rig.raw("GET", "gateway/bot", Value::Null).await;
    assert_eq!((status, &body["global"], &body["retry_after"]), (429, &json!(true), &json!(1.0)));
    assert_eq!(headers["x-ratelimit-scope"], "global");
    let (status, _) = rig.open("POST", &format!("webhooks/{APP}/none"), json!({ "content": "x" })).await;
    assert_eq!(status, 404, "only unknown, not too often");
    rig.pass_ms(1_000);
    rig.ok("GET", "users/@me", Value::Null).await;
}

#[tokio::test]
async fn old_messages_take_few_changes() {
    let rig = rig_with(|options| options.limits.old_edits_per_hour = Some(2)).await;
    let path = format!("channels/{RELEASES}/messages/{}", rig.post(RELEASES, json!({ "content": "x" })).await);
    let change = json!({ "content": "y" });
    for _ in 0..5 {
        rig.ok("PATCH", &path, change.clone()).await;
    }
    rig.pass_ms(HOUR_MS + 1);
    for _ in 0..2 {
        rig.ok("PATCH", &path, change.clone()).await;
    }
    assert_eq!(rig.refusal("PATCH", &path, change.clone()).await, (429, 30_046));
    rig.pass_ms(HOUR_MS);
    rig.ok("PATCH", &path, change).await;
}

#[tokio::test]
async fn the_usual_limits_are_discords() {
    let limits = DiscordLimits::default();
    assert_eq!((limits.post, limits.global_per_s), (Window { calls: 5, per_ms: 5_000 }, 50));
}
