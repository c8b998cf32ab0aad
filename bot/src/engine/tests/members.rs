//! Teams whose members are kept in a GitHub team or in a Slack user group.

use super::chat::CONFIG;
use super::*;
use crate::engine::Incoming;
use expect_test::expect;
use slipway_core::ids::ReleaseId;
use slipway_core::membership::Source;
use slipway_core::message::Verb;
use slipway_core::plan::Plan;

/// The release team has members on GitHub too.
pub(super) const TEAM: &str = "[team.release]\ngithub = \"acme/release-managers\"\n";

const HOUR_S: i64 = 3_600;

pub(super) fn release_managers() -> Source {
    Source::GithubTeam { organisation: "acme".into(), slug: "release-managers".into() }
}

pub(super) fn developers() -> Source {
    Source::SlackGroup { id: "S0614TZR7".into() }
}

fn edited(config: &str, from: &str, to: &str) -> String {
    assert_eq!(config.matches(from).count(), 1, "{from:?}");
    config.replace(from, to)
}

/// Of those who could approve what Ana asks for, only Bob is left, and he is in the team on GitHub alone.
pub(super) fn bob_on_github() -> String {
    let bob = "terminal = \"bob\"\nteams = [\"developers\", \"release\"]";
    edited(CONFIG, bob, "terminal = \"bob\"\ngithub = \"bob-dev\"\nteams = [\"developers\"]") + TEAM
}

/// Eve is a developer by a Slack user group alone.
pub(super) fn eve_on_slack() -> String {
    let eve = "terminal = \"eve\"\nteams = [\"developers\"]";
    let config = edited(CONFIG, eve, "terminal = \"eve\"\nslack = \"U0EVE1234\"");
    format!("{config}[slack]\n[team.developers]\nslack = \"S0614TZR7\"\n")
}

fn production() -> Plan {
    plan("production", 1, 3)
}

/// Ana has asked for production, ten minutes ago.
async fn asked(chat: &mut Chat) -> ReleaseId {
    let release = chat.planned("ana", &production()).await;
    assert_eq!(chat.refused_by(&release).await, ["production-approval"]);
    chat.wait_s(600);
    release
}

/// What the executor does when plan and facts are too old, while the team can be read.
async fn gathers_all(chat: &mut Chat, release: &ReleaseId, members: &[&str]) {
    chat.sees_members(&release_managers(), members).await;
    chat.gathers(release, &production()).await;
}

#[tokio::test]
async fn who_is_in_the_team_on_github_may_vote() {
    let mut chat = Chat::with(&bob_on_github()).await;
    chat.sees_members(&release_managers(), &["zoe", "BOB-dev"]).await;
    let release = chat.planned("ana", &production()).await;
    assert_eq!(chat.told(&release).await, ["bob: goals → production waits for your approval."]);
    assert!(chat.card(&release).await.contains("release: bob"));
    assert_eq!(chat.presses("bob", &release, Verb::Approve).await, "");
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn who_joins_the_team_may_vote_from_then_on() {
    let mut chat = Chat::with(&bob_on_github()).await;
    chat.sees_members(&release_managers(), &[]).await;
    let release = chat.planned("ana", &production()).await;
    let answer = chat.presses("bob", &release, Verb::Approve).await;
    assert!(answer.contains("No rule lets bob approve this release."), "{answer}");
    assert!(!answer.contains("GitHub team"), "the team could be read: {answer}");
    chat.wait_s(30);
    chat.sees_members(&release_managers(), &["bob-dev"]).await;
    assert!(chat.card(&release).await.contains("release: bob"), "what waits was judged again");
    chat.presses("bob", &release, Verb::Approve).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn who_is_taken_out_of_the_team_after_voting_has_voted_for_nothing() {
    let mut chat = Chat::with(&bob_on_github()).await;
    chat.sees_members(&release_managers(), &["bob-dev"]).await;
    let release = asked(&mut chat).await;
    chat.presses("bob", &release, Verb::Approve).await;
    assert_eq!(chat.phase(&release).await, "awaiting_approval");
    // By the look that comes before the start.
    gathers_all(&mut chat, &release, &[]).await;
    assert_eq!(chat.refused_by(&release).await, ["production-approval"]);
    assert_eq!(chat.environment("production").await.running, None);
    // He is back, and so is his vote.
    chat.wait_s(10);
    chat.sees_members(&release_managers(), &["bob-dev"]).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn a_vote_is_void_as_soon_as_the_team_is_seen_without_its_voter() {
    let mut chat = Chat::with(&bob_on_github()).await;
    chat.sees_members(&release_managers(), &["bob-dev"]).await;
    chat.says("eve", "/release lock production \"incident\"").await;
    let release = chat.planned("ana", &production()).await;
    chat.presses("bob", &release, Verb::Approve).await;
    assert_eq!(chat.refused_by(&release).await, ["locked"]);
    chat.wait_s(300);
    chat.sees_members(&release_managers(), &[]).await;
    assert_eq!(chat.refused_by(&release).await, ["locked", "production-approval"]);
    chat.says("eve", "/release unlock production").await;
    assert_eq!(chat.phase(&release).await, "awaiting_approval");
}

#[tokio::test]
async fn while_the_team_cannot_be_read_one_may_ask_and_nothing_starts() {
    let mut chat = Chat::with(&bob_on_github()).await;
    chat.sees_members(&release_managers(), &["bob-dev"]).await;
    chat.wait_s(2 * HOUR_S);
    chat.cannot_see_members(&release_managers(), 60).await;
    // Ana asks and Bob votes, by what was last seen.
    let release = chat.planned("ana", &production()).await;
    assert_eq!(chat.refused_by(&release).await, ["production-approval"]);
    assert_eq!(chat.presses("bob", &release, Verb::Approve).await, "");
    assert_eq!(chat.refused_by(&release).await, ["members"]);
    assert_eq!(chat.environment("production").await.running, None);
    let why = chat.says("ana", &format!("/release why {}", release.short())).await;
    expect![[r#"
        Release RELEASE of goals → production would be refused for 1 reason:
        1. members  Who is in release cannot be read from GitHub team acme/release-managers since 2026-01-05 10:00 UTC: It does not answer. · looked at again by itself
        Everything else is fine: CI green 3 of 3, not locked, no other release before it, ana may ask."#]]
    .assert_eq(&why.replace(release.short(), "RELEASE"));
    assert!(chat.card(&release).await.contains("GitHub team acme/release-managers"));
    // The next try fails too.
    chat.wait_s(60);
    let judge = Incoming::Judge { release: release.clone() };
    chat.deliver(&judge).await;
    assert!(chat.release(&release).await.gathering);
    chat.cannot_see_members(&release_managers(), 60).await;
    chat.gathers(&release, &production()).await;
    assert_eq!(chat.refused_by(&release).await, ["members"]);
    // And the one after that does not.
    chat.wait_s(30);
    chat.sees_members(&release_managers(), &["bob-dev"]).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn staging_too_starts_only_when_the_teams_can_be_read() {
    let mut chat = Chat::with(&bob_on_github()).await;
    let release = chat.planned("ana", &plan("staging", 1, 3)).await;
    // It was never read: that is done first.
    assert!(chat.release(&release).await.gathering);
    chat.cannot_see_members(&release_managers(), 60).await;
    chat.gathers(&release, &plan("staging", 1, 3)).await;
    assert_eq!(chat.refused_by(&release).await, ["members"]);
    assert_eq!(chat.phase(&release).await, "queued");
    chat.sees_members(&release_managers(), &[]).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
}

#[tokio::test]
async fn what_was_seen_too_long_ago_makes_nobody_a_member() {
    let mut chat = Chat::with(&eve_on_slack()).await;
    chat.sees_members(&developers(), &["U0EVE1234"]).await;
    chat.wait_s(HOUR_S);
    chat.cannot_see_members(&developers(), 60).await;
    chat.wait_s(23 * HOUR_S);
    assert_eq!(chat.says("eve", "/release lock staging \"load test\"").await.lines().count(), 2);
    chat.says("eve", "/release unlock staging").await;
    chat.wait_s(1);
    let refused = chat.says("eve", "/deploy staging").await;
    expect![[r#"
        Not allowed: No rule lets eve ask for a release to staging. Nothing was changed.
        Nobody counts as a member of developers by Slack user group S0614TZR7, which was last read at 2026-01-05 08:00 and cannot be read since 2026-01-05 09:00: It does not answer. Whoever runs Slipway finds
        out more with slipway check."#]]
    .assert_eq(&refused);
    let locking = chat.says("eve", "/release lock staging \"load test\"").await;
    assert!(locking.contains("Nobody counts as a member of developers"), "{locking}");
    let why = chat.says("eve", "/release why deploy staging").await;
    assert!(why.contains("Nobody counts as a member of developers"), "{why}");
    assert_eq!(chat.audit_of("request_refused").await[0].body["request"]["requester"], "eve");
    // Who is in the team by the configuration is not concerned.
    let release = chat.planned("ana", &production()).await;
    assert_eq!(chat.refused_by(&release).await, ["production-approval"]);
    let vote = chat.presses("eve", &release, Verb::Approve).await;
    assert!(!vote.contains("Nobody counts"), "as a developer she could not approve either: {vote}");
    assert_eq!(chat.audit_of("voted").await, []);
}

#[tokio::test]
async fn who_asked_is_not_denied_because_nobody_can_look_them_up() {
    let mut chat = Chat::with(&eve_on_slack()).await;
    chat.sees_members(&developers(), &["U0EVE1234"]).await;
    let release = chat.planned("eve", &production()).await;
    // The bot was off for two days.
    chat.wait_s(48 * HOUR_S);
    chat.starts().await;
    assert!(chat.release(&release).await.gathering);
    chat.cannot_see_members(&developers(), 60).await;
    chat.gathers(&release, &production()).await;
    assert_eq!(chat.refused_by(&release).await, ["members"]);
    chat.sees_members(&developers(), &["U0EVE1234"]).await;
    assert_eq!(chat.refused_by(&release).await, ["production-approval"]);
    // When it is known that she has left, that is another thing.
    chat.wait_s(1);
    chat.sees_members(&developers(), &[]).await;
    assert_eq!(chat.phase(&release).await, "denied");
}

#[tokio::test]
async fn a_vote_counts_again_when_its_voter_is_seen_in_the_team_after_a_long_pause() {
    let mut chat = Chat::with(&bob_on_github()).await;
    chat.sees_members(&release_managers(), &["bob-dev"]).await;
    chat.says("eve", "/release lock production \"incident\" --for 100h").await;
    let release = chat.planned("ana", &production()).await;
    chat.presses("bob", &release, Verb::Approve).await;
    // The bot was off for two days.
    chat.wait_s(48 * HOUR_S);
    chat.starts().await;
    assert_eq!(chat.refused_by(&release).await, ["locked", "production-approval"]);
    chat.sees_members(&release_managers(), &["bob-dev"]).await;
    assert_eq!(chat.refused_by(&release).await, ["locked"]);
}

#[tokio::test]
async fn who_came_and_who_went_is_on_record_by_person() {
    let mut chat = Chat::with(&bob_on_github()).await;
    chat.sees_members(&release_managers(), &["bob-dev", "slipway[bot]", "bob"]).await;
    chat.wait_s(300);
    // Strangers come and go: that is nobody.
    chat.sees_members(&release_managers(), &["BOB-dev"]).await;
    chat.wait_s(300);
    chat.sees_members(&release_managers(), &["zoe"]).await;
    let changed = chat.audit_of("membership_changed").await;
    let said: Vec<_> =
        changed.iter().map(|record| format!("+{} -{}", record.body["came"], record.body["went"])).collect();
    assert_eq!(said, [r#"+["bob"] -[]"#, r#"+[] -["bob"]"#]);
    assert_eq!(changed[0].body["source"]["slug"], "release-managers");
}

#[tokio::test]
async fn an_older_look_that_comes_later_changes_nothing() {
    let mut chat = Chat::with(&bob_on_github()).await;
    let before = chat.now();
    chat.wait_s(10);
    chat.sees_members(&release_managers(), &[]).await;
    let older = Incoming::MembersSeen { source: release_managers(), members: ["bob-dev".into()].into(), at: before };
    chat.deliver(&older).await;
    let roll = chat.store.membership(&release_managers()).await.unwrap().unwrap();
    assert_eq!(roll.seen.unwrap().value, [].into());
    assert_eq!(chat.audit_of("membership_changed").await, []);
}
