//! Setting the app up: what is printed, and what is checked.

use super::{RELEASES, Workspace};
use serde_json::{Value, json};
use slipway_sandbox::slack::SlackChannel;
use slipway_sandbox::world::ChatOption;

/// What `slipway check` says, and whether all is well.
fn check(there: &Workspace) -> (bool, String) {
    let checked = there.world.bot.run(&["check"]).unwrap();
    (checked.status.success(), String::from_utf8_lossy(&checked.stdout).into_owned())
}

fn line<'a>(said: &'a str, words: &str) -> &'a str {
    said.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("\"{words}\" is missing:\n{said}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_that_the_manifest_makes_is_the_app_that_the_check_wants() {
    let mut there = Workspace::new(ChatOption::SlackSocket).await;
    let printed = there.world.bot.run(&["slack", "manifest"]).unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let manifest: Value = serde_json::from_slice(&printed.stdout).unwrap();
    there.slack.set_manifest(manifest.clone());
    let scopes: Vec<_> = manifest["oauth_config"]["scopes"]["bot"].as_array().unwrap().iter().collect();
    there.slack.set_scopes(&scopes.iter().map(|scope| scope.as_str().unwrap()).collect::<Vec<_>>());
    there.world.bot.set("SLACK_CONFIG_TOKEN", "xoxe.xoxp-1-sandbox");
    let (well, said) = check(&there);
    assert!(well, "{said}");
    assert!(line(&said, "workspace Acme").starts_with("ok"), "{said}");
    assert!(line(&said, "slack:C0RELEASES").contains("the app is in it"), "{said}");

    let mut less = manifest.clone();
    let events = less["settings"]["event_subscriptions"]["bot_events"].as_array_mut().unwrap();
    events.retain(|event| event != "reaction_removed");
    there.slack.set_manifest(less);
    there.slack.set_scopes(&["chat:write", "commands", "app_mentions:read"]);
    let mut channel = SlackChannel::new(RELEASES, "releases");
    channel.archived = true;
    there.slack.set_channel(channel);
    let (well, said) = check(&there);
    assert!(!well);
    assert!(line(&said, "reaction_removed").starts_with("FAIL"), "{said}");
    assert!(line(&said, "Slack reactions:read").starts_with("FAIL"), "{said}");
    there.slack.set_scopes(&scopes.iter().map(|scope| scope.as_str().unwrap()).collect::<Vec<_>>());
    let (_, said) = check(&there);
    assert!(line(&said, "slack:C0RELEASES").starts_with("FAIL"), "archived: {said}");
    there.slack.revoke_token();
    let (_, said) = check(&there);
    assert!(said.contains("token_revoked"), "{said}");
    assert!(!said.contains("xoxb-") && !said.contains("xapp-1"), "no token is shown: {said}");
    assert_eq!(json!(there.slack.strange_acks()), 0);
}
