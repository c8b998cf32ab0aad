//! Policies in a repository: read by commit, in force by themselves, and of no use to whoever loosened them.

use crate::support::{Player, is_card, text};
use slipway::store::TerminalMessage;
use slipway_core::release::Phase;
use slipway_sandbox::world::{API_TOKEN, Options, Pace, World};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The branch of the policies, in the very repository of the service.
const BRANCH: &str = "rules";

/// A checkout in which people edit the policies.
struct Rules(TempDir);

impl Rules {
    /// The policies of the world's bot, as Bob's commit on a branch of their own.
    fn of(world: &World) -> Self {
        let rules = Self(TempDir::new().unwrap());
        let _ = world.git(&["worktree", "add", "--quiet", "-b", BRANCH, rules.path("").to_str().unwrap()]);
        std::fs::create_dir(rules.path("policies")).unwrap();
        for file in std::fs::read_dir(world.config.with_file_name("policies")).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                std::fs::copy(file.path(), rules.path("policies").join(file.file_name())).unwrap();
            }
        }
        rules.commit("bob");
        rules
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn commit(&self, author: &str) {
        let author = format!("{author} <{author}@acme.dev>");
        let identity = ["-c", "user.name=merge", "-c", "user.email=merge@acme.dev"];
        for arguments in [&["add", "."][..], &["commit", "--quiet", "--message", "Policies", "--author", &author]] {
            let git = Command::new("git").arg("-C").arg(self.0.path()).args(identity).args(arguments).status();
            assert!(git.unwrap().success());
        }
    }

    /// Writes something else into the rules for production.
    fn edit(&self, from: &str, to: &str) {
        let file = self.path("policies/production.cedar");
        let text = std::fs::read_to_string(&file).unwrap();
        let edited = text.replace(from, to);
        assert_ne!(edited, text);
        std::fs::write(file, edited).unwrap();
    }
}

fn keep_them_in_the_repository(config: &Path) {
    let text = std::fs::read_to_string(config).unwrap();
    let there = format!("[policies]\nrepository = \"acme/goals\"\nbranch = \"{BRANCH}\"\ndir = \"policies\"\n");
    let edited =
        text.replace("[policies]\ndir = \"policies\"\n", &there).replace("[pace]\n", "[pace]\npolicies_s = 1\n");
    assert!(edited.contains(&there) && edited.contains("policies_s"));
    std::fs::write(config, edited).unwrap();
}

/// The rules in force, as the API names them.
async fn in_force(world: &World) -> String {
    let asked = reqwest::Client::new().get(format!("{}/api/v1/policies", world.url)).bearer_auth(API_TOKEN);
    asked.send().await.unwrap().text().await.unwrap()
}

fn says(words: &'static str) -> impl Fn(&TerminalMessage) -> bool {
    move |message| text(message).contains(words)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_puts_them_in_force_and_its_author_does_not_profit() {
    let mut world = World::new(Options { pace: Pace::Fast, ..Options::default() }).await.unwrap();
    world.bot.kill().unwrap();
    keep_them_in_the_repository(&world.config);
    let rules = Rules::of(&world);
    world.bot.start().await.unwrap();
    let mut player = Player::new(&world, "rules");
    while !in_force(&world).await.contains("production-approval") {
        player.glance().await;
    }
    player.say("ana", "/deploy staging").await;
    let staging = player.until_end().await;
    assert_eq!(player.release(&world, &staging).await.phase, Phase::Succeeded, "{}", text(&staging));

    rules.edit(">= 1 ||", ">= one ||");
    rules.commit("eve");
    let log = || world.bot.log();
    while !log().contains("those in force stay") {
        player.glance().await;
    }
    rules.edit(">= one ||", ">= 0 ||");
    rules.commit("ana");
    let told = player.until("the change", says("by ana, eve")).await;
    assert!(text(&told).contains("dba-approval, production-approval"), "{}", text(&told));

    player.say("ana", "/deploy production").await;
    let waits = |m: &TerminalMessage| is_card(m) && text(m).contains("ana changed the policies since");
    let card = player.until("a card that waits although the rules let it go", waits).await;
    assert_eq!(world.aws.deployment_operations(&world.production_arn).len(), 0);
    player.react("bob", &card, "✅").await;
    player.react("dora", &card, "✅").await;
    let ended = player.until_end_of_another(&[&staging]).await;
    assert_eq!(player.release(&world, &ended).await.phase, Phase::Succeeded, "{}\n{}", text(&ended), log());
}
