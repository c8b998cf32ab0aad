//! The page of the sandbox's Discord: what a browser sends and gets.

use serde_json::{Value, json};
use slipway_sandbox::discord::{DiscordOptions, DiscordSandbox};

const RELEASES: &str = "310000000000000001";
const ANA: &str = "210000000000000001";

async fn sandbox() -> DiscordSandbox {
    slipway_deploy::install_crypto_provider();
    DiscordSandbox::start(DiscordOptions::default()).await.unwrap()
}

async fn get(discord: &DiscordSandbox, path: &str) -> String {
    reqwest::get(format!("{}{path}", discord.page_url())).await.unwrap().text().await.unwrap()
}

async fn post(discord: &DiscordSandbox, what: &str, body: Value) -> Value {
    let url = format!("{}/sandbox/{what}", discord.page_url());
    reqwest::Client::new().post(url).json(&body).send().await.unwrap().json().await.unwrap()
}

async fn messages(discord: &DiscordSandbox) -> Vec<Value> {
    let state: Value = serde_json::from_str(&get(discord, "/sandbox/state").await).unwrap();
    state["messages"].as_array().unwrap().iter().filter(|m| m["deleted"] == false).cloned().collect()
}

#[tokio::test]
async fn pages_take_nothing_from_elsewhere_and_put_no_text_in_as_markup() {
    let discord = sandbox().await;
    for (path, words) in [("/", "Slipway sandbox: Discord"), ("/both?slack=x", "Slack and Discord")] {
        let page = get(&discord, path).await;
        assert!(page.contains(words), "{path}");
        assert!(page.contains("default-src 'none'"), "{path} says what it may load");
        for dangerous in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "srcdoc"] {
            assert!(!page.contains(dangerous), "{path} has {dangerous}");
        }
    }
}

#[tokio::test]
async fn a_browser_types_reacts_and_deletes() {
    let discord = sandbox().await;
    let text = "<script>alert(1)</script> <@210000000000000002>";
    let typed = post(&discord, "type", json!({ "user": ANA, "channel": RELEASES, "text": text })).await;
    assert_eq!(typed, json!({ "ok": true }));
    let message = messages(&discord).await.remove(0);
    assert_eq!((&message["content"], &message["author"]), (&json!(text), &json!(ANA)));
    let spot = |more: Value| {
        let mut wish = json!({ "user": ANA, "channel": RELEASES, "message": message["id"] });
        wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        wish
    };
    assert_eq!(post(&discord, "react", spot(json!({ "emoji": "✅", "added": true }))).await, json!({ "ok": true }));
    assert_eq!(messages(&discord).await[0]["reactions"][0]["users"], json!([ANA]));
    let again = post(&discord, "react", spot(json!({ "emoji": "✅", "added": true }))).await;
    assert_eq!(again, json!({ "ok": false, "error": "already_reacted" }));
    let pressed = post(&discord, "press", spot(json!({ "button": "approve|" }))).await;
    assert_eq!(pressed, json!({ "ok": false, "error": "no_such_button" }));
    let hidden = post(&discord, "dismiss", spot(json!({}))).await;
    assert_eq!(hidden, json!({ "ok": false, "error": "unknown_message" }), "everybody sees it");
    assert_eq!(post(&discord, "delete", spot(json!({}))).await, json!({ "ok": true }));
    assert_eq!(messages(&discord).await, [Value::Null; 0]);
}

#[tokio::test]
async fn what_is_refused_is_told_in_words() {
    let discord = sandbox().await;
    let unknown = post(&discord, "type", json!({ "user": ANA, "channel": RELEASES, "text": "/deploy staging" })).await;
    assert_eq!(unknown["shown"], "/deploy is not a command here.");
    let no_form = post(&discord, "submit", json!({ "user": ANA, "values": { "reason": "x" } })).await;
    assert_eq!(no_form, json!({ "ok": false, "error": "no_form" }));
    assert_eq!(post(&discord, "dismiss", json!({ "user": ANA })).await["error"], "no_form");
    let typing =
        json!({ "user": ANA, "channel": RELEASES, "command": "/deploy", "option": "environment", "typed": "s" });
    assert_eq!(post(&discord, "autocomplete", typing).await["error"], "unknown_command");
}
