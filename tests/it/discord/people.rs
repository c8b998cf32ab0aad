//! What people do, and what everybody sees of it.

use super::rig::{ANA, BOB, BOT, RELEASES, rig};
use serde_json::{Value, json};

const SHIP: &str = "\u{1f6a2}";
/// The same as it stands in an address.
const SHIP_ENCODED: &str = "%F0%9F%9A%A2";

#[tokio::test]
async fn emojis_are_counted_and_listed_in_pages() {
    let rig = rig().await;
    let id = rig.post(RELEASES, json!({ "content": "ship it?" })).await;
    for user in [BOB, ANA] {
        rig.discord.react(user, RELEASES, &id, SHIP, true).unwrap();
    }
    assert_eq!(rig.discord.react(ANA, RELEASES, &id, SHIP, true).unwrap_err().error, "already_reacted");
    assert_eq!(rig.discord.react(ANA, RELEASES, &id, ":ship:", true).unwrap_err().error, "unknown_emoji");
    rig.discord.react(ANA, RELEASES, &id, "shipit:123", true).unwrap();
    let path = format!("channels/{RELEASES}/messages/{id}");
    let shown = rig.ok("GET", &path, Value::Null).await;
    assert_eq!((&shown["reactions"][0]["emoji"]["name"], &shown["reactions"][0]["count"]), (&json!(SHIP), &json!(2)));
    assert_eq!(shown["reactions"][1]["emoji"], json!({ "id": "123", "name": "shipit" }));
    let users = async |query: &str| {
        let users = rig.ok("GET", &format!("{path}/reactions/{query}"), Value::Null).await;
        users.as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(users(&format!("{SHIP_ENCODED}?limit=1")).await, [ANA]);
    assert_eq!(users(&format!("{SHIP_ENCODED}?limit=1&after={ANA}")).await, [BOB]);
    assert_eq!(users("x:123").await, [ANA], "only the id counts");
    assert_eq!(rig.refusal("GET", &format!("{path}/reactions/123"), Value::Null).await, (404, 10_014));
    assert_eq!(rig.discord.transcript(RELEASES), ["slipway: ship it?", "    \u{1f6a2}: bob, ana  :shipit:: ana"]);
    rig.discord.remove_emoji(RELEASES, &id, SHIP).unwrap();
    assert_eq!(users(SHIP_ENCODED).await, [""; 0]);
    rig.discord.remove_all_reactions(RELEASES, &id).unwrap();
    assert_eq!(rig.ok("GET", &path, Value::Null).await.get("reactions"), None);
}

#[tokio::test]
async fn people_see_only_what_is_theirs() {
    let rig = rig().await;
    rig.register().await;
    rig.discord.type_text(ANA, RELEASES, "hey @bob and @slipway").await.unwrap();
    let said = &rig.discord.messages(RELEASES)[0];
    assert_eq!(said["content"], format!("hey <@{BOB}> and <@{BOT}>"));
    assert_eq!(rig.discord.transcript(RELEASES), ["ana: hey @bob and @slipway"]);
    rig.deploy(&json!({ "type": 4, "data": { "content": "for you", "flags": 64, "components": [
        { "type": 1, "components": [{ "type": 2, "style": 1, "label": "Go", "custom_id": "go" }] }] } }))
        .await;
    let only = rig.discord.only_for(ANA)[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(rig.discord.press(BOB, RELEASES, &only, "Go").await.unwrap_err().error, "unknown_message");
    rig.discord.press(ANA, RELEASES, &only, "Go").await.unwrap();
    rig.discord.hide(RELEASES, BOB);
    assert_eq!(rig.discord.type_text(BOB, RELEASES, "me too").await.unwrap_err().error, "unknown_channel");
    let mine = rig.discord.messages(RELEASES)[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(rig.discord.edit_text(BOB, RELEASES, &mine, "x").unwrap_err().error, "unknown_channel");
    rig.discord.edit_text(ANA, RELEASES, &mine, "hey").unwrap();
    rig.discord.delete(RELEASES, &mine).unwrap();
    assert_eq!(rig.refusal("GET", &format!("channels/{RELEASES}/messages/{mine}"), Value::Null).await, (404, 10_008));
}

#[tokio::test]
async fn the_state_has_what_changed() {
    let rig = rig().await;
    let first = rig.discord.state(0)["seq"].as_u64().unwrap();
    rig.post(RELEASES, json!({ "content": "one" })).await;
    rig.discord.changed(first).await;
    let seq = rig.discord.state(0)["seq"].as_u64().unwrap();
    assert_eq!(rig.discord.state(seq)["messages"], json!([]));
    rig.discord.type_text(ANA, BOT, "hello").await.unwrap();
    let state = rig.discord.state(seq);
    assert_eq!(state["messages"][0]["content"], "hello");
    let direct = state["channels"].as_array().unwrap().iter().find(|channel| channel["is_dm"] == true).unwrap();
    assert_eq!((&direct["user"], &direct["name"]), (&json!(ANA), &json!("ana")));
    assert_eq!(rig.discord.wait_for(RELEASES, "one").await, rig.discord.last_message(RELEASES));
}
