//! What may come in, and what may not.

use super::{ANA, BOB, BOT, BOTH, DORA, EVE, RELEASES, Server, unlimited};
use serde_json::{Value, json};
use slipway_sandbox::discord::{Delivery, DeliveryAnswer, DiscordLimits, Fault, FaultKind, Mischief};
use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};

const OTHER_SERVER: &str = "This Slipway works for another server. Nothing was started.";
/// Longer than a command may be, and than anybody can type: only a program sends it.
const TOO_LONG_CHARS: usize = 5_000;

impl Server {
    /// The newest command that was delivered.
    fn last_command(&self) -> Delivery {
        self.discord.deliveries().into_iter().rfind(|d| d.payload["type"] == 2).unwrap()
    }

    async fn database(&self) -> SqliteConnection {
        let file = SqliteConnectOptions::new().filename(self.world.folder().join("slipway.db"));
        SqliteConnection::connect_with(&file).await.unwrap()
    }

    /// How much was ever written down of what came in.
    async fn written_down(&self) -> i64 {
        let mut database = self.database().await;
        sqlx::query_scalar("SELECT count(*) FROM inbox").fetch_one(&mut database).await.unwrap()
    }

    /// All calls by which something is changed.
    fn changes(&self) -> Vec<String> {
        self.discord.calls().into_iter().filter(|call| !call.starts_with("GET ")).collect()
    }

    /// Posts a body as it is, rightly signed.
    async fn post(&self, body: &[u8]) -> (u16, String) {
        let at = jiff::Timestamp::now().as_second().to_string();
        let request = reqwest::Client::new()
            .post(format!("{}/discord/interactions", self.world.url))
            .header("content-type", "application/json")
            .header("x-signature-ed25519", self.discord.signature(&at, body))
            .header("x-signature-timestamp", at)
            .body(body.to_vec());
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

/// The same again, as something new.
fn another(delivered: &Value) -> Value {
    let id: u64 = delivered["id"].as_str().unwrap().parse().unwrap();
    let mut another = delivered.clone();
    another["id"] = json!((id + 1).to_string());
    another
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_discords_or_not_ours_leaves_nothing() {
    let there = Server::http().await;
    there.caught_up(ANA).await;
    let before = (there.written_down().await, there.changes(), there.messages(RELEASES));
    let refused = [
        (Mischief::OtherKey, 401),
        (Mischief::Unsigned, 401),
        (Mischief::Tampered, 401),
        (Mischief::Stale, 401),
        (Mischief::OtherApp, 403),
    ];
    for (mischief, status) in refused {
        there.discord.spoil_next(mischief);
        // The person reads that the app failed.
        let failed = there.discord.type_text(ANA, RELEASES, "/deploy staging").await.unwrap_err();
        assert_eq!(failed.error, "no_answer", "{mischief:?}");
        assert_eq!(there.last_command().answer, DeliveryAnswer::Status(status), "{mischief:?}");
    }
    let by_discord = |m: &Value| m["author"] == "discord";
    let after: Vec<_> = there.messages(RELEASES).into_iter().filter(|m| !by_discord(m)).collect();
    assert_eq!((there.written_down().await, there.changes(), after), before);
    for mischief in [Mischief::OtherKey, Mischief::Unsigned, Mischief::Tampered, Mischief::Stale] {
        let (answer, said) = there.discord.ping(Some(mischief)).await;
        assert_eq!((answer, said), (DeliveryAnswer::Status(401), Value::Null), "{mischief:?}");
    }
    assert_eq!(there.discord.ping(None).await, (DeliveryAnswer::Status(200), json!({ "type": 1 })));
    there.caught_up(ANA).await;
    assert_eq!(there.cards().len(), 0, "{:?}", there.discord.transcript(RELEASES));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_in_another_server_is_refused_in_words() {
    for chat in BOTH {
        let there = Server::new(chat).await;
        there.caught_up(ANA).await;
        let before = there.written_down().await;
        there.discord.spoil_next(Mischief::OtherGuild);
        there.says(ANA, "/deploy staging").await;
        there.until_told(ANA, OTHER_SERVER).await;
        assert_eq!(there.written_down().await, before);
        there.caught_up(ANA).await;
        assert_eq!(there.cards().len(), 0);
    }
}

/// What the gateway tells of a card and of people, in some server.
fn events_of(server: &str, card: &Value) -> [(u64, &'static str, Value); 5] {
    let under = json!({ "channel_id": RELEASES, "message_id": card["id"], "guild_id": server });
    let with = |more: &Value| {
        let mut data = under.clone();
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        data
    };
    let tick = json!({ "id": null, "name": "✅" });
    let reacted = |user: &str| with(&json!({ "user_id": user, "emoji": tick, "burst": false, "type": 0 }));
    let mention = json!({
        "id": "1532011029000000077", "channel_id": RELEASES, "guild_id": server, "type": 0,
        "author": { "id": EVE, "username": "eve" }, "content": format!("<@{BOT}> deploy staging"),
    });
    [
        (1 << 10, "MESSAGE_REACTION_REMOVE", reacted(BOB)),
        (1 << 10, "MESSAGE_REACTION_ADD", reacted(DORA)),
        (1 << 10, "MESSAGE_REACTION_REMOVE_EMOJI", with(&json!({ "emoji": tick }))),
        (1 << 10, "MESSAGE_REACTION_REMOVE_ALL", under.clone()),
        (1 << 9, "MESSAGE_CREATE", mention),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_another_server_mean_nothing() {
    for chat in BOTH {
        let there = Server::new(chat).await;
        let card = there.production_waits().await;
        there.react(BOB, &card, "✅", true);
        there.until_shows(&card, "✔ bob (release)").await;
        there.caught_up(ANA).await;
        let before = there.written_down().await;
        let tell = |server: &str| {
            for (intent, kind, data) in events_of(server, &card) {
                there.discord.gateway().dispatch(intent, kind, data);
            }
        };
        tell("490000000000000001");
        // What the gateway tells after them has been done when they have.
        there.says(BOB, "let us see what @slipway makes of it").await;
        there.until_written_to(BOB, "Begin the message with @slipway").await;
        assert_eq!(there.written_down().await, before, "nothing of it is even written down");
        let shown = there.until_shows(&card, "waiting for approval: 1 of dba").await;
        let text = there.text(&shown);
        assert!(text.contains("✔ bob (release)") && !text.contains("✔ dora"), "{text}");
        assert_eq!(there.cards().len(), 2);
        // In our own server each of them means something.
        tell("410000000000000001");
        there.until("what eve asked for", RELEASES, |m, text| super::is_card(m) && text.contains("asked by eve")).await;
        // What is under the card is read again afterwards, so that nothing else of it stays to be seen.
        let mut looks = 0;
        while there.written_down().await < before + 5 + looks {
            looks += 1;
            assert!(looks < 8, "each of the five is written down");
            there.caught_up(ANA).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_gateway_brings_for_another_application_leaves_nothing() {
    let there = Server::gateway().await;
    there.caught_up(ANA).await;
    let before = (there.written_down().await, there.changes());
    // Nobody is to answer, so it is waited only as long as Discord does.
    there.discord.set_limits(DiscordLimits::default());
    there.discord.spoil_next(Mischief::OtherApp);
    let failed = there.discord.type_text(ANA, RELEASES, "/deploy staging").await.unwrap_err();
    assert_eq!(failed.error, "no_answer");
    assert_eq!((there.written_down().await, there.changes()), before);
    there.discord.set_limits(unlimited());
    there.caught_up(ANA).await;
    assert_eq!(there.cards().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_twice_is_done_once() {
    for chat in BOTH {
        let there = Server::new(chat).await;
        there.discord.spoil_next(Mischief::Twice);
        there.says(ANA, "/deploy staging").await;
        let card = there.until_card("is live").await;
        let number = there.last_command().number;
        assert!(there.discord.resend(number).await.unwrap().is_taken(), "Discord is content");
        there.caught_up(ANA).await;
        assert_eq!(there.cards().iter().map(|m| &m["id"]).collect::<Vec<_>>(), [&card["id"]]);
        // The same words again are another command.
        there.says(ANA, "/deploy staging").await;
        there.until_card("nothing to do").await;
        assert_eq!(there.cards().len(), 2);
        there.until_nobody_waits().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strange_bodies_are_refused_and_new_things_are_not() {
    let there = Server::http().await;
    there.says(ANA, "/release queue").await;
    let command = there.last_command().payload;
    let with = |change: fn(&mut Value)| {
        let mut payload = another(&command);
        change(&mut payload);
        payload.to_string().into_bytes()
    };
    let huge = vec![b'x'; 300 * 1024];
    for (body, status) in [
        (br#"{"type":1,"id":"1","application_id":"110000000000000001","token":"t"}"#.to_vec(), 200),
        (with(|payload| payload["type"] = json!(9)), 200),
        (with(|payload| payload["new_field"] = json!({ "a": 1 })), 200),
        (with(|payload| payload["data"]["options"] = json!("what")), 400),
        (with(|payload| drop(payload.as_object_mut().unwrap().remove("token"))), 400),
        (b"{\"type\":2".to_vec(), 400),
        (b"\xff\xfe".to_vec(), 400),
        (Vec::new(), 400),
        (b"[]".to_vec(), 400),
        (huge, 413),
    ] {
        let (answered, said) = there.post(&body).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(answered, status, "{shown}: {said}");
    }
    there.caught_up(ANA).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_nobody_knows_starts_nothing() {
    let there = Server::http().await;
    // What Discord itself does not know never comes.
    for (typed, error) in [
        ("/undeploy staging", "unknown_command"),
        ("/release deploy", "unknown_subcommand"),
        ("/deploy", "missing_option"),
        ("/deploy staging dry-run:perhaps", "invalid_option"),
    ] {
        let refused = there.discord.type_text(ANA, RELEASES, typed).await.unwrap_err();
        assert_eq!(refused.error, error, "{typed}");
    }
    there.says(ANA, "/deploy stagin").await;
    let told = there.until_told(ANA, "There is no environment").await;
    assert!(there.text(&told).contains("Did you mean"), "{}", there.text(&told));
    // What an earlier version registered still comes.
    let mut earlier = another(&there.last_command().payload);
    earlier["data"]["name"] = json!("deplyo");
    let (answer, said) = there.discord.send(earlier).await;
    assert_eq!((answer, &said["type"], &said["data"]["flags"]), (DeliveryAnswer::Status(200), &json!(4), &json!(64)));
    assert!(said["data"]["content"].as_str().unwrap().contains("deplyo"), "{said}");
    there.caught_up(ANA).await;
    assert_eq!(there.cards().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_calls_anybody_or_changes_how_a_message_looks() {
    let there = Server::http().await;
    let long = "x".repeat(1_900);
    let hostile = [
        "@everyone",
        "<@&410000000000000001>",
        "<@210000000000000002>",
        "*_~`||bold||`~_*",
        "a\u{202e}b",
        "[x](https://evil.example)",
        "</deploy:1>",
        "<t:0:R>",
        ":tada:",
        &long,
    ];
    for (user, references) in [(ANA, &hostile[..5]), (BOB, &hostile[5..])] {
        for reference in references {
            there.says(user, &format!("/deploy staging {reference}")).await;
        }
    }
    there.says(ANA, "/release lock staging reason:\"@everyone *now*\" for:1h").await;
    there.until_told(ANA, "staging").await;
    there.says(ANA, "/release status").await;
    let status = there.until_told(ANA, "locked by").await;
    assert!(there.text(&status).contains("@everyone *now*"), "as it was typed: {}", there.text(&status));
    for reference in ["@everyone", "*_~`||bold||`~_*", "[x](https://evil.example)", "<t:0:R>", ":tada:"] {
        let shown = |m: &Value, text: &str| {
            super::is_card(m) && text.contains("no branch, tag or commit") && text.contains(reference)
        };
        there.until(&format!("a card that shows {reference}"), RELEASES, shown).await;
    }
    assert_eq!(there.discord.all_notified(), []);
}

/// Nobody can type so much, and the person who gave a program leave to do it reads it all the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_long_is_refused_and_what_cannot_be_answered_there_is_written() {
    let there = Server::http().await;
    there.says(ANA, "/deploy staging nothing").await;
    let mut longer = another(&there.last_command().payload);
    longer["data"]["options"][1]["value"] = json!("y".repeat(TOO_LONG_CHARS));
    let (answer, said) = there.discord.send(longer).await;
    assert_eq!(answer, DeliveryAnswer::Status(200));
    assert!(said.to_string().contains("longer than 2000 characters"), "{said}");
    // Discord knows nothing of this one.
    there.says(ANA, "/release queue").await;
    let mut unknown = another(&there.last_command().payload);
    unknown["token"] = json!("of-another-day");
    let (answer, said) = there.discord.send(unknown).await;
    assert_eq!((answer, said), (DeliveryAnswer::Status(200), json!({ "type": 5, "data": { "flags": 64 } })));
    there.until_written_to(ANA, "nothing waits").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_too_much_is_told_politely() {
    let there = Server::http().await;
    for _ in 0..14 {
        there.says(ANA, "/release queue").await;
    }
    let told = there.until_told(ANA, "requests of yours at once").await;
    assert!(there.text(&told).contains("Nothing was started. Try again in"), "{}", there.text(&told));
    // It is counted by person.
    there.says(BOB, "/release status").await;
    there.until_told(BOB, "2 environments").await;
    there.until_nobody_waits().await;
}

/// Nothing of the person's waits for what is done with it.
#[tokio::test(flavor = "multi_thread")]
async fn discord_is_answered_while_discord_itself_is_slow() {
    for chat in BOTH {
        let there = Server::new(chat).await;
        there.discord.inject(Fault::once("POST /channels/{channel}/messages", FaultKind::Timeout));
        there.says(ANA, "/deploy staging").await;
        assert!(there.last_command().answer.is_taken());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_written_down_is_said_not_to_be_confirmed() {
    for chat in BOTH {
        let there = Server::new(chat).await;
        let mut database = there.database().await;
        database.execute("BEGIN IMMEDIATE").await.unwrap();
        there.says(ANA, "/deploy staging").await;
        there.until_told(ANA, "Not confirmed").await;
        there.until_nobody_waits().await;
        database.execute("ROLLBACK").await.unwrap();
        there.caught_up(ANA).await;
    }
}
