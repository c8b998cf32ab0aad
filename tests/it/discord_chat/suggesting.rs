//! What Discord offers while somebody types.

use super::{ANA, BOTH, RELEASES, Server};
use serde_json::Value;
use slipway_sandbox::discord::DiscordUser;

const ZOE: &str = "210000000000000099";

impl Server {
    /// What somebody is offered for an option, as it is sent when they take it.
    async fn offered(&self, user: &str, command: &str, option: &str, typed: &str) -> Vec<String> {
        let choices = self.discord.autocomplete(user, RELEASES, command, option, typed).await.unwrap();
        let same = |(shown, sent): (String, Value)| {
            assert_eq!(sent, shown, "what is read is what is sent");
            shown
        };
        choices.into_iter().map(same).collect()
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
        let there_are = there.world.git(&["for-each-ref", "--format=%(refname:short)", "refs/heads"]);
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
    let offered = there.offered(ANA, "/release show", "release", "").await;
    assert_eq!(offered, released);
    // What is offered can be taken.
    there.says(ANA, &format!("/release show {}", offered[1])).await;
    there.until_told(ANA, "goals → staging · ● live").await;
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
        assert_ne!(there.offered(ANA, command, option, "").await, [""; 0], "{command} {option}");
        assert_eq!(there.offered(ZOE, command, option, "").await, [""; 0], "{command} {option}");
    }
}
