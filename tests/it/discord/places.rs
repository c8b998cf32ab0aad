//! Channels, threads, the guild, and what the app may do there.

use super::rig::{ANA, BOB, BOT, GUILD, RELEASES, rig, rig_with};
use serde_json::{Value, json};
use slipway_sandbox::discord::{DiscordRole, DiscordUser, permission};

#[tokio::test]
async fn what_a_channel_forbids_is_refused() {
    let rig = rig().await;
    let path = format!("channels/{RELEASES}/messages");
    let (text, embed) = (json!({ "content": "x" }), json!({ "embeds": [{ "title": "x" }] }));
    let id = rig.post(RELEASES, text.clone()).await;
    rig.discord.deny(RELEASES, permission::EMBED_LINKS);
    assert_eq!(rig.refusal("POST", &path, embed).await, (403, 50_013));
    rig.discord.deny(RELEASES, permission::SEND_MESSAGES);
    assert_eq!(rig.refusal("POST", &path, text.clone()).await, (403, 50_013));
    rig.ok("PATCH", &format!("{path}/{id}"), text.clone()).await;
    rig.discord.deny(RELEASES, permission::READ_MESSAGE_HISTORY);
    assert_eq!(rig.ok("GET", &path, Value::Null).await, json!([]));
    assert_eq!(rig.refusal("GET", &format!("{path}/{id}"), Value::Null).await, (403, 50_001));
    rig.discord.deny(RELEASES, permission::VIEW_CHANNEL);
    assert_eq!(rig.refusal("POST", &path, text).await, (403, 50_001));
    assert_eq!(rig.refusal("GET", &format!("channels/{RELEASES}"), Value::Null).await, (403, 50_001));
    rig.discord.deny(RELEASES, permission::SEND_MESSAGES);
    let shown = rig.ok("GET", &format!("channels/{RELEASES}"), Value::Null).await;
    let overwrite = json!({ "id": BOT, "type": 1, "allow": "0", "deny": permission::SEND_MESSAGES.to_string() });
    assert_eq!((&shown["type"], &shown["permission_overwrites"]), (&json!(0), &json!([overwrite])));
}

#[tokio::test]
async fn a_thread_begins_once_and_can_be_opened_again() {
    let rig = rig().await;
    let id = rig.post(RELEASES, json!({ "content": "card" })).await;
    let path = format!("channels/{RELEASES}/messages/{id}/threads");
    assert_eq!(rig.wrong("POST", &path, json!({ "name": "" })).await, ["name BASE_TYPE_BAD_LENGTH"]);
    let (status, thread) = rig.call("POST", &path, json!({ "name": "release 7" })).await;
    assert_eq!(
        (status, &thread["id"], &thread["type"], &thread["parent_id"]),
        (201, &json!(id), &json!(11), &json!(RELEASES))
    );
    assert_eq!(rig.refusal("POST", &path, json!({ "name": "x" })).await, (400, 160_004));
    let inside = rig.post(&id, json!({ "content": "detail" })).await;
    assert_eq!(rig.discord.transcript(RELEASES), ["slipway: card", "    slipway: detail"]);
    rig.discord.archive(&id, true);
    let edit = format!("channels/{id}/messages/{inside}");
    assert_eq!(rig.refusal("PATCH", &edit, json!({ "content": "x" })).await, (400, 50_083));
    let opened = rig.ok("PATCH", &format!("channels/{id}"), json!({ "archived": false })).await;
    assert_eq!(opened["thread_metadata"]["archived"], false);
    rig.ok("PATCH", &edit, json!({ "content": "x" })).await;
    // Who writes opens it too.
    rig.discord.archive(&id, true);
    rig.post(&id, json!({ "content": "more" })).await;
    rig.ok("PATCH", &edit, json!({ "content": "y" })).await;
    rig.discord.deny(RELEASES, permission::CREATE_PUBLIC_THREADS);
    let other = rig.post(RELEASES, json!({ "content": "card" })).await;
    let path = format!("channels/{RELEASES}/messages/{other}/threads");
    assert_eq!(rig.refusal("POST", &path, json!({ "name": "x" })).await, (403, 50_013));
}

#[tokio::test]
async fn a_conversation_can_be_closed_to_the_app() {
    let rig = rig().await;
    let open = async |user: &str| rig.call("POST", "users/@me/channels", json!({ "recipient_id": user })).await;
    let (_, direct) = open(ANA).await;
    assert_eq!((&direct["type"], &direct["recipients"][0]["username"]), (&json!(1), &json!("ana")));
    assert_eq!(open(ANA).await.1["id"], direct["id"]);
    let path = format!("channels/{}/messages", direct["id"].as_str().unwrap());
    rig.ok("POST", &path, json!({ "content": "x" })).await;
    rig.discord.close_direct(ANA);
    assert_eq!(rig.refusal("POST", &path, json!({ "content": "x" })).await, (403, 50_007));
    assert_eq!(open("1").await.1["code"], 10_013);
    let told = rig.discord.direct_of(ANA).unwrap();
    assert_eq!((rig.discord.messages(&told).len(), rig.discord.direct_of(BOB)), (1, None));
}

#[tokio::test]
async fn members_are_listed_only_with_the_privileged_intent() {
    let role = "510000000000000001";
    let rig = rig_with(|options| {
        options.users = vec![DiscordUser::new(ANA, "ana").with_role(role), DiscordUser::new(BOB, "bob")];
        options.roles = vec![DiscordRole::new(role, "releasers")];
    })
    .await;
    let path = format!("guilds/{GUILD}/members");
    assert_eq!(rig.refusal("GET", &path, Value::Null).await, (403, 50_001));
    assert_eq!(rig.ok("GET", "applications/@me", Value::Null).await["flags"], 0);
    rig.discord.set_members_intent(true);
    let page = async |query: &str| {
        let members = rig.ok("GET", &format!("{path}?{query}"), Value::Null).await;
        let id = |member: &Value| member["user"]["id"].as_str().unwrap().to_owned();
        members.as_array().unwrap().iter().map(id).collect::<Vec<_>>()
    };
    assert_eq!(page("limit=2").await, [BOT, ANA]);
    assert_eq!(page(&format!("limit=2&after={ANA}")).await, [BOB]);
    assert_eq!(rig.wrong("GET", &format!("{path}?limit=1001"), Value::Null).await, ["limit NUMBER_TYPE_MAX"]);
    assert_eq!(rig.ok("GET", &format!("{path}/{ANA}"), Value::Null).await["roles"], json!([role]));
    assert_eq!(rig.refusal("GET", &format!("{path}/1"), Value::Null).await, (404, 10_007));
    let guild = rig.ok("GET", &format!("guilds/{GUILD}"), Value::Null).await;
    let names: Vec<_> = guild["roles"].as_array().unwrap().iter().map(|role| role["name"].clone()).collect();
    assert_eq!(
        (names, &guild["roles"][0]["id"]),
        (vec![json!("@everyone"), json!("slipway"), json!("releasers")], &json!(GUILD))
    );
    assert_eq!(rig.ok("GET", "users/@me/guilds", Value::Null).await[0]["id"], GUILD);
}

#[tokio::test]
async fn the_gateway_is_told_of() {
    let rig = rig().await;
    let told = rig.ok("GET", "gateway/bot", Value::Null).await;
    assert_eq!((&told["url"], &told["shards"]), (&json!(rig.discord.gateway_url), &json!(1)));
    assert_eq!(told["session_start_limit"]["remaining"], 1_000);
    let me = rig.ok("GET", "applications/@me", Value::Null).await;
    assert_eq!(me["verify_key"], rig.discord.public_key());
    assert_eq!(me["interactions_endpoint_url"], rig.app_url.as_str());
}
