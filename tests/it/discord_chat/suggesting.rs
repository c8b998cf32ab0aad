//! What Discord offers while somebody types.

use super::{ANA, BOB, BOTH, RELEASES, Server};
use serde_json::Value;
use slipway_sandbox::discord::DiscordUser;

const ZOE: &str = "210000000000000099";

impl Server {
    /// What somebody is offered for an option: as it is read, and as it is sent when they take it.
    async fn choices(&self, user: &str, command: &str, option: &str, typed: &str) -> Vec<(String, String)> {
        let choices = self.discord.autocomplete(user, RELEASES, command, option, typed).await.unwrap();
        let sent = |sent: &Value| sent.as_str().unwrap().to_owned();
        choices.iter().map(|(shown, value)| (shown.clone(), sent(value))).collect()
    }

    /// The same where what is read is what is sent.
    async fn offered(&self, user: &str, command: &str, option: &str, typed: &str) -> Vec<String> {
        let choices = self.choices(user, command, option, typed).await;
        assert!(choices.iter().all(|(shown, sent)| shown == sent), "{choices:?}");
        choices.into_iter().map(|(shown, _)| shown).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_are_known_are_offered_what_there_is() {
    for chat in BOTH {
        let there = Server::new(chat).await;
        assert_eq!(there.offered(ANA, "/deploy", "environment", "").await, ["production", "staging"]);
        assert_eq!(there.offered(ANA, "/deploy", "environment", "STAG").await, ["staging"]);
        assert_eq!(there.offered(ANA, "/deploy", "environment", "elsewhere").await, [""; 0]);
        assert_eq!(there.offered(ANA, "/release lock", "environment", "prod").await, ["production"]);
        assert_eq!(
            there.offered(ANA, "/deploy staging", "service", "g").await,
            std::slice::from_ref(&there.world.service)
        );
        assert_eq!(there.offered(ANA, "/release show", "release", "").await, [""; 0], "none was asked for yet");
        let branches = there.offered(ANA, "/deploy staging", "reference", "").await;
        let there_are = there.world.git(&["for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags"]);
        let mut there_are: Vec<_> = there_are.lines().map(str::to_owned).collect();
        there_are.sort();
        assert!(there_are.contains(&"main".to_owned()), "{there_are:?}");
        let mut sorted = branches.clone();
        sorted.sort();
        assert_eq!(sorted, there_are);
        assert_eq!(there.offered(ANA, "/deploy staging", "reference", "mai").await, ["main"]);
        // A reason is nobody's but theirs.
        let refused = there.discord.autocomplete(ANA, RELEASES, "/deploy staging", "reason", "x").await.unwrap_err();
        assert_eq!(refused.error, "no_autocomplete");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_releases_are_offered_newest_first() {
    let there = Server::http().await;
    let waiting = there.production_waits().await;
    let live = there.until_card("is live").await;
    let released = [&waiting, &live].map(super::people::release_of);
    let choices = there.choices(ANA, "/release show", "release", "").await;
    assert_eq!([&choices[0].1, &choices[1].1], [&released[0], &released[1]], "{choices:?}");
    assert!(choices[1].0.contains("goals → staging · ") && choices[1].0.ends_with(" · live"), "{choices:?}");
    // What is offered can be taken.
    there.says(ANA, &format!("/release show {}", choices[1].1)).await;
    there.until_told(ANA, "goals → staging · ● live").await;
    // Only what a command can be about.
    let ids = async |command: &str| {
        let choices = there.choices(ANA, command, "release", "").await;
        choices.into_iter().map(|(_, id)| id).collect::<Vec<_>>()
    };
    assert_eq!(ids("/release approve").await, released[..1]);
    assert_eq!(ids("/rollback staging").await, released[1..]);
    assert_eq!(ids("/release override").await, released[..1]);
    assert_eq!(ids("/release retry").await, [""; 0], "nothing has failed");
    assert_eq!(ids("/release bad").await, ["production", "staging", &released[1]], "or what is live there");
    assert_eq!(ids("/release bad undo:True").await, [""; 0], "nothing is marked");
    let bumped = there.choices(ANA, "/release queue", "bump", "").await;
    assert_eq!(bumped.into_iter().map(|(_, id)| id).collect::<Vec<_>>(), released[..1]);
    // What is deferred can be cancelled as well.
    there.says(ANA, "/deploy staging when:\"tomorrow 9:00\"").await;
    there.until_told(ANA, "Deploys goals to staging at 9:00 (").await;
    let stoppable = there.choices(ANA, "/release cancel", "release", "").await;
    assert_eq!((stoppable.len(), &stoppable[0].1), (2, &released[0]), "{stoppable:?}");
    assert!(stoppable[1].0.contains("goals → staging · waits for 9:00 ("), "{stoppable:?}");
    there.says(ANA, &format!("/release cancel {}", stoppable[1].1)).await;
    there.until("its end", RELEASES, |_, text| text.contains("deferred deployment cancelled by ana")).await;
    // What is marked is offered no more for that, and the other way round.
    there.says(BOB, &format!("/release bad {} reason:loses sessions", released[1])).await;
    there.until("what everybody reads", RELEASES, |_, text| text.contains("loses sessions")).await;
    assert_eq!(ids("/release bad undo:True").await, released[1..]);
    assert_eq!(ids("/release bad").await, ["production", "staging"]);
}

/// Each repository has its tags beside its branches, however many of either there are.
#[tokio::test(flavor = "multi_thread")]
async fn tags_have_places_beside_branches() {
    let there = Server::http().await;
    for n in 0..40 {
        let _ = there.world.git(&["branch", &format!("feature/{n:02}"), "main"]);
        let _ = there.world.git(&["tag", &format!("v2.{n}.0"), "main"]);
    }
    let offered = there.offered(ANA, "/deploy staging", "reference", "").await;
    assert_eq!(offered.len(), 25, "{offered:?}");
    assert!(offered.contains(&"v2.39.0".to_owned()), "the newest tag: {offered:?}");
    let tags = offered.iter().filter(|name| name.starts_with("v2.")).count();
    assert!((12..=13).contains(&tags), "{offered:?}");
    assert_eq!(there.offered(ANA, "/deploy staging", "reference", "v2.0").await, ["v2.0.0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_offered_nothing() {
    let there = Server::http().await;
    there.discord.set_user(DiscordUser::new(ZOE, "zoe"));
    there.says(ANA, "/deploy staging").await;
    there.until_card("is live").await;
    let asked = [
        ("/deploy", "environment"),
        ("/deploy staging", "reference"),
        ("/deploy staging", "service"),
        ("/release show", "release"),
    ];
    for (command, option) in asked {
        assert_ne!(there.choices(ANA, command, option, "").await, [], "{command} {option}");
        assert_eq!(there.choices(ZOE, command, option, "").await, [], "{command} {option}");
    }
}
