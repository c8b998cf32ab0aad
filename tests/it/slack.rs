//! The Slack client against the stand-in, and how strict that is.

mod blocks;
mod closer;
mod deliveries;
mod methods;
mod payloads;
mod people;
mod rig;
mod socket;

use serde_json::{Value, json};
use slipway_deploy::slack::{Slack, SlackError};
use slipway_sandbox::slack::{Fault, FaultKind, SlackOptions, SlackSandbox};
use std::time::Duration;

const TOKEN: &str = "xoxb-sandbox";
const GROUP: &str = "S0614TZR7";
const METHOD: &str = "usergroups.users.list";

async fn sandbox() -> SlackSandbox {
    slipway_deploy::install_crypto_provider();
    let sandbox = SlackSandbox::start(SlackOptions::new(TOKEN)).await.unwrap();
    sandbox.set_group(GROUP, &["U012AB3CD", "W0BOB1234"]);
    sandbox
}

fn client(sandbox: &SlackSandbox, token: &str) -> Slack {
    Slack::new(&sandbox.api_url, &token.into()).unwrap()
}

fn fault(kind: FaultKind) -> Fault {
    Fault { method: METHOD.into(), kind, times: 1 }
}

#[tokio::test]
async fn a_user_group_is_read_by_ids() {
    let sandbox = sandbox().await;
    let slack = client(&sandbox, &format!("{TOKEN}\n"));
    let members = slack.group_members(GROUP).await.unwrap();
    assert_eq!(members.into_iter().collect::<Vec<_>>(), ["U012AB3CD", "W0BOB1234"]);
    assert_eq!(sandbox.calls(), [format!("GET {METHOD}?usergroup={GROUP}")]);
    sandbox.set_group(GROUP, &[]);
    assert!(slack.group_members(GROUP).await.unwrap().is_empty());
    sandbox.set_group(GROUP, &["@ana"]);
    let error = slack.group_members(GROUP).await.unwrap_err();
    assert!(matches!(error, SlackError::Unreadable { .. }), "a name is no id: {error}");
    let many: Vec<_> = (0..1_001).map(|n| format!("U{n:08}")).collect();
    sandbox.set_group(GROUP, &many.iter().map(String::as_str).collect::<Vec<_>>());
    let error = slack.group_members(GROUP).await.unwrap_err();
    assert!(matches!(error, SlackError::TooBig { .. }), "{error}");
}

#[tokio::test]
async fn why_a_user_group_cannot_be_read_is_said() {
    let sandbox = sandbox().await;
    let slack = client(&sandbox, TOKEN);
    let asked = async || slack.group_members(GROUP).await.unwrap_err().to_string();
    let mut said = vec![client(&sandbox, "xoxb-wrong").group_members(GROUP).await.unwrap_err().to_string()];
    for kind in [FaultKind::Status(503), FaultKind::Garbled, FaultKind::Huge(2 * 1024 * 1024)] {
        sandbox.inject(fault(kind));
        said.push(asked().await);
    }
    sandbox.set_scopes(&["chat:write"]);
    said.push(asked().await);
    sandbox.set_scopes(&["usergroups:read"]);
    sandbox.disable_group(GROUP);
    said.push(asked().await);
    sandbox.revoke_token();
    said.push(asked().await);
    expect_test::expect![[r#"
        Slack does not accept the token (invalid_auth). Set SLACK_BOT_TOKEN to the bot token of the installed app.
        Slack has trouble of its own (503). Try again, or look at status.slack.com.
        Slack's answer cannot be used: expected value at line 1 column 1.
        Slack's answer is too big: over 1048576 bytes.
        Slack does not allow this: the app lacks the scope usergroups:read. Add it under OAuth & Permissions and install the app again.
        Slack has no user group S0614TZR7 in this workspace, or it is disabled. Copy the id again.
        Slack does not accept the token (token_revoked). Set SLACK_BOT_TOKEN to the bot token of the installed app."#]].assert_eq(&said.join("\n"));
    assert!(!said.join("").contains("xoxb-"));
    assert!(Slack::new(&sandbox.api_url, &"two words".into()).is_err());
}

#[tokio::test]
async fn nothing_is_asked_twice_and_nobody_waits_for_ever() {
    let sandbox = sandbox().await;
    sandbox.inject(fault(FaultKind::RateLimited { retry_after_s: 30 }));
    let limited = client(&sandbox, TOKEN).group_members(GROUP).await.unwrap_err();
    assert!(matches!(limited, SlackError::RateLimited { until: Some(_) }), "{limited}");
    assert_eq!(sandbox.calls().len(), 1);
    sandbox.inject(fault(FaultKind::Timeout));
    let hasty = Slack::with_request_timeout(&sandbox.api_url, &TOKEN.into(), Duration::from_millis(100)).unwrap();
    let slow = hasty.group_members(GROUP).await.unwrap_err();
    assert!(matches!(slow, SlackError::Slow { limit_ms: 100 }), "{slow}");
    let nowhere = Slack::new("http://127.0.0.1:1/api", &TOKEN.into()).unwrap();
    let unreachable = nowhere.group_members(GROUP).await.unwrap_err();
    assert!(matches!(unreachable, SlackError::Unreachable { .. }), "{unreachable}");
}

#[tokio::test]
async fn the_stand_in_is_as_strict_as_slack() {
    let sandbox = sandbox().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = async |name: &str, token: Option<&str>, body: Value| {
        let request = http.post(format!("{}/{name}", sandbox.api_url)).json(&body);
        let request = token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "a refusal is a 200 too");
        answer.text().await.unwrap()
    };
    let group = json!({ "usergroup": GROUP });
    let said = [
        post("chat.shout", Some(TOKEN), json!({})).await,
        post(METHOD, None, group.clone()).await,
        post(METHOD, Some("xoxb-wrong"), group.clone()).await,
        post(METHOD, Some(TOKEN), json!({})).await,
        post(METHOD, Some(TOKEN), json!([])).await,
        post(METHOD, Some(TOKEN), json!({ "usergroup": GROUP, "include_disabled": "perhaps" })).await,
        post(METHOD, Some(TOKEN), json!({ "usergroup": "S0NOBODY0" })).await,
        post(METHOD, Some(TOKEN), group).await,
        post("auth.test", Some(TOKEN), json!({})).await,
    ];
    expect_test::expect![[r#"
        {"req_method":"chat.shout","error":"unknown_method","ok":false}
        {"error":"not_authed","ok":false}
        {"error":"invalid_auth","ok":false}
        {"response_metadata":{"messages":["[ERROR] missing required field: usergroup"]},"error":"invalid_arguments","ok":false}
        {"error":"json_not_object","ok":false}
        {"response_metadata":{"messages":["[ERROR] must be a boolean: include_disabled"]},"error":"invalid_arguments","ok":false}
        {"error":"no_such_subteam","ok":false}
        {"users":["U012AB3CD","W0BOB1234"],"ok":true}
        {"url":"https://acme.slack.com/","team":"Acme","user":"slipway","team_id":"T9TK3CUKW","user_id":"U0SLIPWAY","bot_id":"B0SLIPWAY","app_id":"A0KRD7HC3","is_enterprise_install":false,"ok":true}"#]].assert_eq(&said.join("\n"));
}
