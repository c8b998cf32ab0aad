//! What the app is told over the gateway.

use super::rig::{ANA, APP, BOB, BOT, GUILD, RELEASES, Rig, TOKEN, card, rig_with};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use slipway_sandbox::discord::{DiscordMode, permission};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// What should come comes in so long, on a machine that is busy with other things too.
const PATIENCE: Duration = Duration::from_secs(30);
/// Guilds, messages and reactions in guilds and conversations.
const INTENTS: u64 = 1 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 13;
const SHIP: &str = "\u{1f6a2}";

struct App(WebSocketStream<TcpStream>);

impl App {
    /// A session that has begun.
    async fn begun(rig: &Rig) -> Self {
        let host = rig.discord.gateway_url.trim_start_matches("ws://").split('/').next().unwrap().to_owned();
        let url = format!("{}/?v=10&encoding=json", rig.discord.gateway_url);
        let stream = TcpStream::connect(host).await.unwrap();
        let mut app = Self(tokio_tungstenite::client_async(url, stream).await.unwrap().0);
        assert_eq!(app.frame().await["op"], 10);
        let properties = json!({ "os": "linux", "browser": "slipway", "device": "slipway" });
        let identify = json!({ "op": 2, "d": { "token": TOKEN, "intents": INTENTS, "properties": properties } });
        app.0.send(Message::text(identify.to_string())).await.unwrap();
        let ready = app.event("READY").await;
        assert_eq!((&ready["application"]["id"], &ready["user"]["id"]), (&json!(APP), &json!(BOT)));
        assert!(ready["resume_gateway_url"].as_str().unwrap().starts_with(&rig.discord.gateway_url));
        app
    }

    async fn frame(&mut self) -> Value {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("nothing came");
            if let Message::Text(text) = frame.unwrap().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// What the next event says, which must be of this kind.
    async fn event(&mut self, kind: &str) -> Value {
        let frame = self.frame().await;
        assert_eq!((&frame["op"], &frame["t"]), (&json!(0), &json!(kind)), "{frame}");
        frame["d"].clone()
    }
}

async fn rig() -> (Rig, App) {
    let rig = rig_with(|options| options.mode = DiscordMode::Gateway).await;
    let mut app = App::begun(&rig).await;
    let guild = app.event("GUILD_CREATE").await;
    assert_eq!((&guild["id"], &guild["channels"][0]["id"]), (&json!(GUILD), &json!(RELEASES)));
    (rig, app)
}

#[tokio::test]
async fn what_people_write_is_told_only_where_the_app_is_meant() {
    let (rig, mut app) = rig().await;
    rig.discord.type_text(ANA, RELEASES, "a secret").await.unwrap();
    let told = app.event("MESSAGE_CREATE").await;
    assert_eq!((&told["content"], &told["author"]["id"], &told["guild_id"]), (&json!(""), &json!(ANA), &json!(GUILD)));
    assert_eq!(told["member"].get("user"), None);
    rig.discord.type_text(ANA, RELEASES, "@slipway status").await.unwrap();
    let told = app.event("MESSAGE_CREATE").await;
    assert_eq!((&told["content"], &told["mentions"][0]["id"]), (&json!(format!("<@{BOT}> status")), &json!(BOT)));
    rig.discord.type_text(ANA, BOT, "status").await.unwrap();
    let told = app.event("MESSAGE_CREATE").await;
    assert_eq!((&told["content"], told.get("guild_id"), told.get("member")), (&json!("status"), None, None));
    rig.post(RELEASES, json!({ "content": "mine" })).await;
    assert_eq!(app.event("MESSAGE_CREATE").await["content"], "mine");
    // Where the app sees nothing it hears nothing.
    rig.discord.deny(RELEASES, permission::VIEW_CHANNEL);
    rig.discord.type_text(ANA, RELEASES, "@slipway status").await.unwrap();
    rig.discord.type_text(ANA, BOT, "next").await.unwrap();
    assert_eq!(app.event("MESSAGE_CREATE").await["content"], "next");
}

#[tokio::test]
async fn emojis_come_and_go() {
    let (rig, mut app) = rig().await;
    let id = rig.post(RELEASES, json!({ "content": "ship it?" })).await;
    app.event("MESSAGE_CREATE").await;
    rig.discord.react(BOB, RELEASES, &id, SHIP, true).unwrap();
    let added = app.event("MESSAGE_REACTION_ADD").await;
    let emoji = json!({ "id": null, "name": SHIP });
    assert_eq!((&added["user_id"], &added["emoji"], &added["message_id"]), (&json!(BOB), &emoji, &json!(id)));
    assert_eq!((&added["member"]["user"]["id"], &added["message_author_id"]), (&json!(BOB), &json!(BOT)));
    rig.discord.react(BOB, RELEASES, &id, SHIP, false).unwrap();
    let removed = app.event("MESSAGE_REACTION_REMOVE").await;
    assert_eq!((&removed["user_id"], removed.get("member")), (&json!(BOB), None));
    rig.discord.react(BOB, RELEASES, &id, SHIP, true).unwrap();
    app.event("MESSAGE_REACTION_ADD").await;
    rig.discord.remove_emoji(RELEASES, &id, SHIP).unwrap();
    let gone = app.event("MESSAGE_REACTION_REMOVE_EMOJI").await;
    assert_eq!((&gone["emoji"], gone.get("user_id")), (&emoji, None));
    rig.discord.remove_all_reactions(RELEASES, &id).unwrap();
    let gone = app.event("MESSAGE_REACTION_REMOVE_ALL").await;
    let all = json!({ "channel_id": RELEASES, "message_id": id, "guild_id": GUILD });
    assert_eq!(gone, all);
    rig.discord.delete(RELEASES, &id).unwrap();
    assert_eq!(app.event("MESSAGE_DELETE").await["id"], id.as_str());
}

#[tokio::test]
async fn interactions_come_over_the_gateway() {
    let (rig, mut app) = rig().await;
    rig.register().await;
    let answer = async |app: &mut App, with: Value| {
        let got = app.event("INTERACTION_CREATE").await;
        let path = format!("interactions/{}/{}/callback", got["id"].as_str().unwrap(), got["token"].as_str().unwrap());
        let (status, _) = rig.open("POST", &path, with).await;
        (status, got)
    };
    let private = json!({ "type": 4, "data": { "content": "for you", "flags": 64 } });
    let typed = rig.discord.type_text(ANA, RELEASES, "/deploy staging");
    let (typed, (status, got)) = tokio::join!(typed, answer(&mut app, private));
    assert_eq!((typed, status, &got["data"]["name"]), (Ok(()), 204, &json!("deploy")));
    assert_eq!(rig.discord.transcript(RELEASES), ["→ ana only: slipway: for you"]);
    let id = rig.post(RELEASES, card()).await;
    app.event("MESSAGE_CREATE").await;
    let change = json!({ "type": 7, "data": { "content": "approved", "embeds": [], "components": [] } });
    let pressed = rig.discord.press(BOB, RELEASES, &id, "approve|");
    let (pressed, (status, got)) = tokio::join!(pressed, answer(&mut app, change));
    assert_eq!((pressed, status, &got["member"]["user"]["id"]), (Ok(()), 204, &json!(BOB)));
    assert_eq!(app.event("MESSAGE_UPDATE").await["content"], "approved");
    // Without an answer the person reads so.
    rig.waits_ms(500);
    let refused = rig.discord.type_text(ANA, RELEASES, "/deploy staging").await.unwrap_err();
    assert_eq!(refused.shown.as_deref(), Some("The application did not respond"));
    app.event("INTERACTION_CREATE").await;
}
