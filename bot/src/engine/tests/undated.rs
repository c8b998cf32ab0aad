//! Approvals by reaction just after the one message of a group has come to be about another of them. Where the chat does not
//! say when somebody reacted, it may have been about the one before.

use super::together::{Group, of, three};
use crate::engine::Incoming;
use slipway_core::ids::ReleaseId;
use slipway_core::message::Verb;
use slipway_core::person::Identity;
use slipway_core::plan::Plan;
use slipway_core::policy::Stance;

const TERMINAL: &str = "terminal:releases";
const DISCORD: &str = "discord:1032011029";
const BOB_IN_DISCORD: &str = "80351110224678912";

const NOT_CEM: &str = "@id(\"not-cem\")\n@why(\"Not cem.\")\nforbid (principal == Person::\"cem\", action == Action::\"approve\", resource);";

fn in_discord_too() -> String {
    three()
        .replace("[terminal]\n", "[discord]\napplication_id = \"845027738276462632\"\n[terminal]\n")
        .replace("channels = [\"terminal:releases\"]", &format!("channels = [\"{TERMINAL}\", \"{DISCORD}\"]"))
        .replace("terminal = \"bob\"\n", &format!("terminal = \"bob\"\ndiscord = \"{BOB_IN_DISCORD}\"\n"))
}

/// Eve wrote what api ships.
fn of_eve(plan: Plan) -> Plan {
    let commits = plan.commits.into_iter();
    let commits = commits.map(|commit| slipway_core::plan::Commit { author: Some("eve".into()), ..commit });
    Plan { commits: commits.collect(), ..plan }
}

/// Cem has approved all of them, and no longer counts once api is live. From this moment on the message asks about web, whose
/// plan has been the same all the time.
async fn asks_about_web() -> Group {
    let mut group = Group::asked_with(&in_discord_too(), "/deploy production all").await;
    for (n, service) in ["api", "web", "jobs"].into_iter().enumerate().rev() {
        group.plans(n, &of_eve(of(service, "production", 1, 3))).await;
    }
    let (lead, web) = (group.all[0].clone(), group.all[1].clone());
    group.chat.publishes().await;
    shows(&group, &lead).await;
    assert_eq!(group.chat.presses("cem", &lead, Verb::Approve).await, "");
    group.chat.writes_rule(NOT_CEM);
    let folder = group.chat.config_with_folder();
    group.chat.configure(&format!("{}[policies]{}", in_discord_too(), folder.split_once("[policies]").unwrap().1));
    group.runs(0).await;
    assert_eq!(group.phases().await[..2], ["succeeded", "awaiting_approval"]);
    assert!(group.chat.release(&web).await.voided.is_none(), "no plan has changed");
    group.chat.publishes().await;
    shows(&group, &web).await;
    group
}

/// Discord's message shows the plan of one of them from now on, as the terminal's does.
async fn shows(group: &Group, release: &ReleaseId) {
    let digest = group.chat.release(release).await.digest().unwrap();
    let (now_ms, lead) = (group.chat.now().as_millisecond(), &group.all[0]);
    let shown = format!("external_id = '2', shown_plan = '{digest}', shown_at = {now_ms}");
    let which = format!("channel = '{DISCORD}' AND key = 'release/{lead}'");
    group.chat.execute(format!("UPDATE messages SET {shown} WHERE {which}")).await;
}

impl Group {
    async fn bob_approves(&mut self, channel: &str, by_ms: i64) -> String {
        self.bob_reacts(channel, (by_ms, true)).await
    }

    /// Bob approves under the message, or takes that away; when, in milliseconds after the bot heard of it.
    async fn bob_reacts(&mut self, channel: &str, (by_ms, added): (i64, bool)) -> String {
        let (who, message) = match channel {
            DISCORD => (Identity::Discord(BOB_IN_DISCORD.into()), "2".to_owned()),
            _ => (Identity::Terminal("bob".into()), format!("release/{}", self.all[0])),
        };
        let at_us = Some(self.chat.now().as_microsecond() + by_ms * 1_000);
        let (channel, stance, name) = (channel.to_owned(), Stance::Approve, "x".to_owned());
        let reacted = Incoming::Reacted { who, channel, message, stance, added, at_us, name, found: false };
        let delivery = self.chat.deliver(&reacted).await;
        self.chat.answer(delivery).await
    }

    async fn web_stands(&self) -> (String, usize) {
        let web = self.chat.release(&self.all[1]).await;
        (self.chat.phase(&self.all[1]).await, web.votes.len())
    }
}

#[tokio::test]
async fn one_without_a_date_is_asked_for_again_within_three_seconds_of_another_question() {
    for (after_s, counts) in [(0, false), (2, false), (3, true)] {
        let mut group = asks_about_web().await;
        group.chat.wait_s(after_s);
        let answer = group.bob_approves(DISCORD, 0).await;
        let expected = if counts { ("running(ci)".to_owned(), 1) } else { ("awaiting_approval".to_owned(), 0) };
        assert_eq!(group.web_stands().await, expected, "after {after_s} s: {answer}");
        assert_eq!(answer.contains("the plan has just changed. Look again, then vote"), !counts, "{answer}");
        if !counts {
            // Taken away and put there once more, nothing stands in its way.
            group.chat.wait_s(3);
            group.bob_reacts(DISCORD, (1, false)).await;
            let answer = group.bob_approves(DISCORD, 2).await;
            assert_eq!(group.web_stands().await, ("running(ci)".to_owned(), 1), "{answer}");
        }
    }
}

#[tokio::test]
async fn one_with_a_date_is_judged_by_that_however_soon_it_comes() {
    for (by_ms, counts) in [(0, true), (-900, true), (-1_100, false)] {
        let mut group = asks_about_web().await;
        let answer = group.bob_approves(TERMINAL, by_ms).await;
        let expected = if counts { ("running(ci)".to_owned(), 1) } else { ("awaiting_approval".to_owned(), 0) };
        assert_eq!(group.web_stands().await, expected, "{by_ms} ms: {answer}");
    }
}

#[tokio::test]
async fn the_first_question_that_a_message_asks_can_be_about_nothing_else() {
    let mut group = Group::asked_with(&in_discord_too(), "/deploy production all").await;
    for (n, service) in ["api", "web", "jobs"].into_iter().enumerate().rev() {
        group.plans(n, &of(service, "production", 1, 3)).await;
    }
    group.chat.publishes().await;
    shows(&group, &group.all[0].clone()).await;
    group.bob_approves(DISCORD, 0).await;
    assert_eq!(group.phases().await[0], "running(ci)");
}
