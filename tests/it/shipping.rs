//! What goes wrong between "nothing is missing" and the merge commit: it is merged once, or not at all and said so.

use crate::support::{Player, is_card, text as lines};
use slipway_core::release::{Phase, Release};
use slipway_sandbox::github::{Fault, FaultKind, NewPull, NewReview, Permission, Role, sample};
use slipway_sandbox::world::{Options, Pace, World};
use std::time::Duration;
use tokio::time::Instant;

const BRANCH: &str = "feature/comment-threads";
const MERGE: &str = "PUT /repos/acme/goals/pulls/123/merge";

/// A world with a pull request of Eve's whose checks are green.
async fn world() -> World {
    let world = World::new(Options { pace: Pace::Fast, sqlite: true, ..Options::default() }).await.unwrap();
    let (title, author) = ("Comment threads".to_owned(), "eve-dev".to_owned());
    world.github.open_pull(NewPull { number: 123, title, author, branch: BRANCH.to_owned() });
    world.github.mark_green(&world.git(&["rev-parse", BRANCH]));
    world
}

async fn approve(world: &World) {
    let review = NewReview { who: "bob-dev", state: "APPROVED", association: "MEMBER" };
    world.github.review(123, review).await.unwrap();
}

fn inject(world: &World, kind: FaultKind, times: u32) {
    world.github.inject(Fault { route: MERGE.into(), kind, times });
}

fn merges(world: &World) -> usize {
    world.github.requests().iter().filter(|line| line.as_str() == MERGE).count()
}

/// A message without its line ends: where a line breaks depends on its width.
fn text(message: &slipway::store::TerminalMessage) -> String {
    lines(message).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Ships it to its end, and gives the card and the state.
async fn ship(world: &World) -> (String, Release) {
    let mut player = Player::new(world, "ships");
    player.say("ana", "/release ship 123").await;
    let card = player.until_end().await;
    let release = player.release(world, &card).await;
    (text(&card), release)
}

fn shipped(world: &World, (card, release): &(String, Release)) {
    assert_eq!(release.phase, Phase::Succeeded, "{card}\n{}", world.bot.log());
    assert_eq!(release.commit.as_ref().map(|commit| commit.as_str().to_owned()), world.github.merge_of(123), "{card}");
    assert_eq!(world.aws.deployment_operations(&world.staging_arn).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_no_second_merge() {
    let world = world().await;
    approve(&world).await;
    inject(&world, FaultKind::LostAnswerAfterAct, 1);
    let done = ship(&world).await;
    shipped(&world, &done);
    assert_eq!(merges(&world), 1, "it was found, not repeated");
    assert!(done.0.contains("by slipway-bot on GitHub"), "as GitHub says it:\n{}", done.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_merged_is_merged_later() {
    for kind in [FaultKind::Status(502), FaultKind::RateLimited { retry_after: 1 }, FaultKind::Garbled] {
        let world = world().await;
        approve(&world).await;
        inject(&world, kind, 1);
        shipped(&world, &ship(&world).await);
        assert_eq!(merges(&world), 2, "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_missing_is_named() {
    for permission in [Permission::Refused, Permission::Hidden] {
        let world = world().await;
        approve(&world).await;
        world.github.set_merge_access(permission);
        let (card, release) = ship(&world).await;
        assert_eq!((release.phase, merges(&world)), (Phase::Failed, 1), "{card}");
        for part in ["Contents: write and Pull requests: write", "nothing was merged"] {
            assert!(card.contains(part), "{part} is missing:\n{card}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_without_squash_is_told_apart_before_anything_is_merged() {
    let world = world().await;
    approve(&world).await;
    world.github.set_merge_methods(&["merge", "rebase"]);
    let (card, release) = ship(&world).await;
    assert_eq!((release.phase, merges(&world)), (Phase::Failed, 0), "{card}");
    assert!(card.contains("does not allow squash merges: it allows merge and rebase."), "{card}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_the_branch_are_waited_for_and_never_gone_around() {
    let world = world().await;
    approve(&world).await;
    world.github.protect(Some(&[("scan", None)]), &[]);
    world.github.set_merge_rules(2, false);
    let mut player = Player::new(&world, "rules");
    player.say("ana", "/release ship 123").await;
    let waits = |words: &'static str| move |m: &slipway::store::TerminalMessage| is_card(m) && text(m).contains(words);
    player.until("the second approval", waits("1 approval of ")).await;
    let review = NewReview { who: "chen-dev", state: "APPROVED", association: "MEMBER" };
    world.github.review(123, review).await.unwrap();
    player.until("GitHub's own rules", waits("waits for #123: GitHub's rules for main are not met yet")).await;
    assert_eq!(merges(&world), 0);
    // The newest commit of the pull request; its branch is behind main, which this protection does not allow either.
    let head = world.git(&["rev-parse", BRANCH]);
    world.github.set_status(&head, "scan", "success");
    player.until("an update of the branch", waits("it is behind main: update its branch")).await;
    assert_eq!(merges(&world), 0);
    world.github.protect(None, &[]);
    let card = player.until_end().await;
    let release = player.release(&world, &card).await;
    shipped(&world, &(text(&card), release));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_at_that_moment_is_looked_at_anew() {
    let world = world().await;
    approve(&world).await;
    inject(&world, FaultKind::Status(409), 1);
    let done = ship(&world).await;
    shipped(&world, &done);
    assert_eq!(merges(&world), 2);
    assert_eq!(done.1.ships.unwrap().refusals, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_merged_goes_on_with_that_commit() {
    let world = world().await;
    let mut player = Player::new(&world, "faster");
    player.say("ana", "/release ship 123").await;
    player.until("a card that waits", |m| is_card(m) && text(m).contains("waits for #123")).await;
    world.github.merge_as(123, "chen-dev").await.unwrap();
    let card = player.until_end().await;
    let release = player.release(&world, &card).await;
    assert!(text(&card).contains("by chen-dev on GitHub"), "{}", text(&card));
    shipped(&world, &(text(&card), release));
    assert_eq!(merges(&world), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_after_the_merge_finds_it_and_goes_on() {
    let mut world = world().await;
    approve(&world).await;
    // The answer never comes, so whatever the process knows when it is killed, it is not that.
    inject(&world, FaultKind::LostAnswerAfterAct, 1);
    let mut player = Player::new(&world, "killed");
    player.say("ana", "/release ship 123").await;
    let deadline = Instant::now() + Duration::from_secs(60);
    while world.github.merge_of(123).is_none() {
        assert!(Instant::now() < deadline, "{}", world.bot.log());
        player.glance().await;
    }
    world.bot.kill().unwrap();
    world.bot.start().await.unwrap();
    let card = player.until_end().await;
    let release = player.release(&world, &card).await;
    shipped(&world, &(text(&card), release));
    assert_eq!(merges(&world), 1);
    assert_eq!(player.keys(slipway_sandbox::world::CHANNEL, "release/").len(), 1, "one message");
}

#[tokio::test(flavor = "multi_thread")]
async fn red_ci_after_the_merge_says_that_it_is_merged() {
    let world = world().await;
    approve(&world).await;
    world.github.set_ci(slipway_sandbox::github::CiMode::RedTest);
    let (card, release) = ship(&world).await;
    assert_eq!(release.phase, Phase::Failed, "{card}");
    assert!(card.contains("#123 is merged, not deployed") && card.contains("it is on main"), "{card}");
}

const PERMISSION: &str = "GET /collaborators/{}/permission";

async fn approves(world: &World, who: &str, association: &str) {
    world.github.review(123, NewReview { who, state: "APPROVED", association }).await.unwrap();
}

/// Ships it, and looks until the card that waits says something.
async fn waits(world: &World, player: &mut Player, words: &str) {
    player.until(words, |m| is_card(m) && text(m).contains("waits for #123") && text(m).contains(words)).await;
    assert_eq!((world.github.merge_of(123), merges(world)), (None, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_counts_of_whoever_can_push_and_of_nobodys_own_commit() {
    let world = world().await;
    // Dora belongs to the company and reads the repository; of somebody from elsewhere there is no account here.
    approves(&world, "dora-dev", "MEMBER").await;
    approves(&world, "stranger", "NONE").await;
    let mut player = Player::new(&world, "counts");
    player.say("ana", "/release ship 123").await;
    waits(&world, &mut player, "dora-dev's approval does not count: dora-dev cannot push to acme/goals").await;
    waits(&world, &mut player, "it is not known whether stranger can push to acme/goals").await;
    // Bob pushes to Eve's branch, and approves of that.
    let who = format!("Bob Stone <bob@acme.dev> {} +0000", jiff::Timestamp::now().as_second());
    let stream = format!(
        "commit refs/heads/{BRANCH}\nauthor {who}\ncommitter {who}\ndata 4\nMend\nfrom refs/heads/{BRANCH}^0\n\
         M 100644 inline docs/mend.md\ndata 5\nmend\n\n"
    );
    sample::import(&world.repository, &stream).unwrap();
    let head = world.git(&["rev-parse", BRANCH]);
    world.github.mark_green(&head);
    approves(&world, "bob-dev", "MEMBER").await;
    let own = format!("bob-dev's approval does not count: {} is bob-dev's own commit", &head[..7]);
    waits(&world, &mut player, &own).await;
    // GitHub does not say of Chen that he belongs to the company, and lets him push.
    approves(&world, "chen-dev", "CONTRIBUTOR").await;
    let card = player.until_end().await;
    assert!(text(&card).contains("#123"), "{}", text(&card));
    let release = player.release(&world, &card).await;
    shipped(&world, &(text(&card), release));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_push_is_asked_again_where_it_was_not_answered() {
    let world = world().await;
    approve(&world).await;
    for kind in
        [FaultKind::Status(502), FaultKind::RateLimited { retry_after: 1 }, FaultKind::CutOff, FaultKind::Hollow]
    {
        world.github.inject(Fault { route: PERMISSION.into(), kind, times: 1 });
    }
    shipped(&world, &ship(&world).await);
    assert_eq!((world.github.heal(), merges(&world)), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_of_whom_github_tells_nothing_does_not_count() {
    let world = world().await;
    approve(&world).await;
    world.github.inject(Fault { route: PERMISSION.into(), kind: FaultKind::Denied, times: 1_000 });
    let mut player = Player::new(&world, "untold");
    player.say("ana", "/release ship 123").await;
    let unknown = "bob-dev's approval does not count: it is not known whether bob-dev can push to acme/goals";
    waits(&world, &mut player, unknown).await;
    // The same to a token whose owner cannot push.
    world.github.set_role("slipway-bot", Role::Read);
    world.github.heal();
    player.watch_for(Duration::from_secs(1)).await;
    waits(&world, &mut player, unknown).await;
    world.github.set_role("slipway-bot", Role::Write);
    let card = player.until_end().await;
    let release = player.release(&world, &card).await;
    shipped(&world, &(text(&card), release));
}
