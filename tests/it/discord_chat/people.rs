//! What people do in Discord: mentions, threads, forms, conversations with the bot.

use super::{ANA, BOB, BOT, DORA, RELEASES, Server};
use serde_json::{Value, json};
use slipway_sandbox::discord::{DiscordRole, DiscordUser};

const ZOE: &str = "210000000000000099";
const MANAGERS: &str = "510000000000000077";

impl Server {
    /// Waits for the thread of a card. Gives its id.
    pub(super) async fn until_thread(&self, card: &Value) -> String {
        let thread = card["id"].as_str().unwrap();
        self.until("the details in the thread", thread, |_, text| text.contains("Commits")).await;
        thread.to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mention_is_a_command_also_in_a_thread() {
    let there = Server::http().await;
    there.says(ANA, "@slipway deploy staging").await;
    let card = there.until_card("is live").await;
    let thread = there.until_thread(&card).await;
    // Commands work in threads too, and are answered there.
    there.discord.type_text(BOB, &thread, "/release status").await.unwrap();
    let answered = |m: &Value, text: &str| m["ephemeral_for"] == BOB && text.contains("2 environments");
    there.until("the answer in the thread", &thread, answered).await;
    // Nobody else could not see an answer to a message.
    there.discord.type_text(BOB, &thread, "<@110000000000000002> status").await.unwrap();
    there.until_written_to(BOB, "2 environments").await;
    there.says(DORA, "hey @slipway").await;
    there.until_written_to(DORA, "/deploy").await;
    // A release that is asked for in a thread is shown where its channel is.
    there.discord.type_text(BOB, &thread, "/deploy staging").await.unwrap();
    there.until_card("nothing to do").await;
    there.until_nobody_waits().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_asks_for_its_reason() {
    let mut there = Server::http().await;
    let labels = |opened: &Value| {
        let inputs = opened["inputs"].as_array().unwrap().iter();
        inputs.map(|input| input["label"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // Forms have no choices here: each label says what can be typed.
    let for_how_long = "For (30m, 1h, 2h, 4h, 8h, until unlocked)";
    there.says(ANA, "/release lock staging").await;
    let opened = there.until_modal(ANA).await;
    assert_eq!(labels(&opened), ["Environment (production goals, staging goals)", "Reason", for_how_long]);
    assert_eq!(opened["inputs"][0]["value"], "staging goals");
    there.discord.dismiss(ANA).unwrap();
    // More than there is room for beside the field.
    let more = ["canary", "load"].map(|name| {
        format!("\n[service.goals.environment.{name}]\ntarget = {{ kind = \"dry\", name = \"goals-{name}\" }}\n")
    });
    there.configured(|text| text.to_owned() + &more.concat()).await;
    there.says(ANA, "/deploy staging").await;
    let card = there.until_card("is live").await;
    there.press(BOB, &card, "lock").await;
    let opened = there.until_modal(BOB).await;
    assert_eq!(labels(&opened), ["Environment", "Reason", for_how_long]);
    let shown = "canary goals, load goals, production goals, staging goals";
    assert_eq!(
        (&opened["inputs"][0]["value"], &opened["inputs"][0]["placeholder"]),
        (&json!("staging goals"), &json!(shown))
    );
    let refused = there.discord.submit(BOB, &json!({ "environment": "staging goals" })).await.unwrap_err();
    assert_eq!(refused.errors.keys().collect::<Vec<_>>(), ["reason"]);
    // Nobody knows the environment that is typed here: that is said, and the form is gone.
    let wrong = json!({ "environment": "stagin", "for": "1h", "reason": "load test" });
    there.discord.submit(BOB, &wrong).await.unwrap();
    there.until_told(BOB, "There is no environment").await;
    there.press(BOB, &card, "lock").await;
    let opened = there.until_modal(BOB).await;
    assert_eq!(opened["inputs"][0]["value"], "staging goals", "that of the button");
    there.discord.submit(BOB, &json!({ "for": "1h", "reason": "load \"test\" @everyone" })).await.unwrap();
    assert_eq!(there.discord.modal_of(BOB), None, "it closes");
    there.says(ANA, "/release status").await;
    let status = there.until_told(ANA, "locked by bob").await;
    assert!(there.text(&status).contains("load 'test' @everyone"), "{}", there.text(&status));
    // A command without a reason opens it too.
    there.says(ANA, "/release lock production").await;
    let opened = there.until_modal(ANA).await;
    assert_eq!(opened["inputs"][0]["value"], "production goals");
    assert_eq!(there.discord.all_notified(), []);
    there.until_nobody_waits().await;
}

/// Who has the role is in the team, whoever the file may name for others.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_of_the_server_is_a_team() {
    let mut there = Server::http().await;
    there.discord.set_role(DiscordRole::new(MANAGERS, "release managers"));
    there.discord.set_user(DiscordUser::new(BOB, "bob").with_role(MANAGERS));
    there.discord.set_user(DiscordUser::new(ZOE, "zoe").with_role(MANAGERS));
    let section = format!("\n[team.release]\ndiscord = \"{MANAGERS}\"\n");
    there.configured(|text| text.replace(", \"release\"", "") + &section).await;
    // Discord lets the application read who has a role only where that is switched on.
    let checked = there.world.bot.run(&["check"]).unwrap();
    assert_eq!(checked.status.code(), Some(1), "{}", String::from_utf8_lossy(&checked.stdout));
    there.discord.set_members_intent(true);
    let card = there.production_waits().await;
    let shown = there.until_shows(&card, "release: bob").await;
    assert!(!there.text(&shown).contains("chen"), "the file names him no more: {}", there.text(&shown));
    there.react(BOB, &card, "✅", true);
    there.until_shows(&card, "✔ bob (release)").await;
    there.react(DORA, &card, "✅", true);
    there.until_shows(&card, "is live").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_can_talk_to_the_bot_alone() {
    let there = Server::http().await;
    let card = there.production_waits().await;
    let told = there.until_written_to(BOB, "waits for your approval").await;
    let link = format!("https://discord.com/channels/410000000000000001/{RELEASES}/{}", card["id"].as_str().unwrap());
    assert!(told.to_string().contains(&format!("[Open the card](<{link}>)")), "{told}");
    there.press(BOB, &told, "why").await;
    there.until_written_to(BOB, "production-approval").await;
    // The commands were registered in the server; here one just says it.
    let refused = there.discord.type_text(BOB, BOT, "/release status").await.unwrap_err();
    assert_eq!(refused.error, "unknown_command");
    there.discord.type_text(BOB, BOT, "status").await.unwrap();
    there.until_written_to(BOB, "2 environments").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_known_reads_what_to_do() {
    let there = Server::http().await;
    there.discord.set_user(DiscordUser::new(ZOE, "zoe"));
    there.says(ZOE, "/deploy staging").await;
    let told = there.until_told(ZOE, "Slipway does not know you").await;
    assert!(there.text(&told).contains(ZOE), "{}", there.text(&told));
    there.says(ZOE, "@slipway deploy staging").await;
    there.until_written_to(ZOE, "Slipway does not know you").await;
    let card = there.production_waits().await;
    there.press(ZOE, &card, "approve").await;
    let pressed = |m: &Value, text: &str| {
        m["ephemeral_for"] == ZOE && m["id"] != told["id"] && text.contains("Slipway does not know you")
    };
    there.until("an answer to the press", RELEASES, pressed).await;
    there.react(ZOE, &card, "✅", true);
    there.caught_up(ANA).await;
    assert!(!there.text(&there.until_card("waiting for approval").await).contains("zoe"));
    assert_eq!(there.cards().len(), 2);
    there.until_nobody_waits().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_button_is_answered_and_does_nothing() {
    let there = Server::http().await;
    let card = there.production_waits().await;
    there.press(DORA, &card, "why").await;
    there.until_told(DORA, "production-approval").await;
    let pressed = there.discord.deliveries().into_iter().rfind(|d| d.payload["type"] == 3).unwrap();
    there.says(ANA, &format!("/release cancel {}", release_of(&card))).await;
    there.until_card("cancelled by ana").await;
    // A client that has not seen the change still has the button.
    let mut payload = pressed.payload.clone();
    let why = payload["data"]["custom_id"].as_str().unwrap().to_owned();
    payload["data"]["custom_id"] = json!(why.replacen("why", "approve", 1));
    payload["id"] = json!((payload["id"].as_str().unwrap().parse::<u64>().unwrap() + 1).to_string());
    let (_, answer) = there.discord.send(payload).await;
    assert_eq!(answer, json!({ "type": 6 }));
    there.until_told(DORA, "cancelled").await;
    there.react(BOB, &card, "✅", true);
    there.caught_up(DORA).await;
    // Under what is over a reaction is applause.
    assert_eq!(there.told(BOB), [""; 0]);
    assert!(!there.written_to(BOB).iter().any(|text| text.contains("cancelled")), "{:?}", there.written_to(BOB));
    assert_eq!(there.world.aws.deployment_operations(&there.world.production_arn).len(), 0);
}

/// The id of a card's release.
pub(super) fn release_of(card: &Value) -> String {
    let (_, key) = super::buttons(card).remove(0);
    key.trim_start_matches("release/").to_owned()
}
