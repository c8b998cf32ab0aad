//! The whole bot, as its users see it: the real binary, real databases, strict stand-ins. The scenarios are played in
//! every chat; what is below is the same whatever the chat.

mod around;
mod backwards;
mod by_hand;
mod deferred;
mod delivery;
mod flow;
mod goes_on;
mod later;
mod line;
mod may_ship;
mod play;
mod promotion;
mod scenarios;
mod ship_waits;
mod shipping;
mod together;

use crate::support::{Player, history_versions, is_card, text};
use slipway_core::migration::Rehearsal;
use slipway_core::release::Phase;
use slipway_sandbox::demo::Fail;
use slipway_sandbox::world::{Options, Pace, World};

/// Each scenario as a test in one chat. All are named once, so that no chat has fewer than another.
macro_rules! scenarios_in {
    ($chat:ident) => {
        scenarios_in! { $chat:
            from_staging_to_the_announcement
            red_ci_names_the_job_and_shows_its_log
            a_green_build_without_image_is_told
            a_failed_migration_leaves_the_old_version_running
            a_rollback_of_aws_reads_as_a_failure
            an_unhealthy_version_is_live_and_told_so
            the_gate_is_the_same_for_command_and_reaction
            buttons_do_what_they_say
            mistakes_start_nothing
            a_rollback_brings_back_what_ran_before
            one_release_at_a_time_and_the_second_goes_on_by_itself
            cancelling_before_anything_began_starts_nothing
            migrations_by_themselves
            migrations_of_production_need_the_approvals_of_a_release
            after_a_rollback_migrations_are_taken_back_with_the_files_that_applied_them
            a_rollback_past_a_migration_takes_it_back_only_where_that_is_asked_for
            what_is_known_to_be_bad_goes_nowhere
            what_is_not_verified_is_rolled_back_where_it_is_set_so
            what_is_deployed_past_slipway_is_told_and_gone_back_from
            a_pull_request_is_merged_when_it_is_green_and_goes_live_in_one_message
            what_cannot_be_shipped_says_why_and_merges_nothing
            what_is_deferred_waits_for_its_moment
            what_is_to_be_green_is_asked_for_once_it_is
            one_that_waits_is_put_before_another
            what_has_soaked_is_suggested_asked_for_approved_and_announced
            what_is_declined_or_known_bad_stays_where_it_is
            by_setting_production_begins_by_itself_and_waits_for_people
            a_merge_to_main_goes_to_staging_by_itself
            a_lock_holds_what_would_begin_and_says_so_once
            a_failure_stops_it_until_somebody_resumes_it
            several_services_go_to_production_with_one_approval_in_their_order
            several_services_stop_at_the_first_failure_and_say_what_ran
            a_newer_green_commit_takes_the_place_of_one_that_waits_and_its_card_says_so
            one_release_brings_so_many_commits_and_lost_webhooks_are_made_up_for
            a_freeze_holds_it_with_one_message_and_ends_by_itself
            a_release_that_somebody_asks_for_and_that_succeeds_resumes_it
            what_may_not_go_on_yet_is_not_suggested_and_whoever_asks_reads_why
            what_is_marked_afterwards_does_not_go_on_and_is_not_gone_back_to
            the_queue_says_who_waits_for_what_and_who_has_left_it
            what_is_deferred_goes_by_the_askers_clock_expires_and_is_judged_then
            a_pull_request_that_waits_says_for_what_until_it_is_merged
            a_pull_request_with_conflicts_is_not_merged_and_says_so
            a_tag_that_somebody_pushes_is_told_and_moved_by_the_next_release
            a_secret_that_is_edited_in_the_middle_is_named_and_in_the_next_plan
            a_migration_that_is_applied_in_the_middle_is_found_and_not_run_again
            a_service_that_no_change_concerns_stays_as_it_is_unless_somebody_names_it
            what_may_not_go_on_any_more_says_so_and_comes_back_in_the_same_message
            a_first_release_that_is_not_well_is_left_for_what_ran_before
            a_commit_of_another_branch_says_what_it_takes_out
            a_mark_is_on_every_release_of_its_commit
            what_staging_has_passed_is_not_waited_for
        }
    };
    ($chat:ident: $($scenario:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $scenario() {
            super::all::$scenario(slipway_sandbox::world::ChatOption::$chat).await;
        }
    )*};
}

/// The scenarios of all files.
mod all {
    pub(super) use super::backwards::*;
    pub(super) use super::by_hand::*;
    pub(super) use super::deferred::*;
    pub(super) use super::delivery::*;
    pub(super) use super::flow::*;
    pub(super) use super::goes_on::*;
    pub(super) use super::later::*;
    pub(super) use super::line::*;
    pub(super) use super::may_ship::*;
    pub(super) use super::promotion::*;
    pub(super) use super::scenarios::*;
    pub(super) use super::ship_waits::*;
    pub(super) use super::shipping::*;
    pub(super) use super::together::*;
}

mod on_the_terminal {
    scenarios_in!(Terminal);
}

mod in_slack {
    scenarios_in!(SlackSocket);
}

mod in_discord {
    scenarios_in!(Discord);
}

async fn world() -> World {
    World::new(Options { pace: Pace::Fast, ..Options::default() }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_unknown_votes_for_nothing() {
    let world = world().await;
    let mut player = Player::new(&world, "stranger");
    player.say("ana", "/deploy staging").await;
    player.until_end().await;
    player.say("ana", "/deploy production").await;
    let card = player.until_asked_for_approval().await;
    player.say("mallory", "/release approve").await;
    player.until("an answer to somebody unknown", |m| m.only_for.as_deref() == Some("mallory")).await;
    player.react("mallory", &card, "✅").await;
    // What came before this answer has been done then.
    player.say("bob", "/release status").await;
    player.until_told("bob", "2 environments").await;
    assert_eq!(player.release(&world, &card).await.votes, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgresql_it_plays_on_sqlite() {
    let options = Options { pace: Pace::Fast, sqlite: true, ..Options::default() };
    let world = World::new(options).await.unwrap();
    assert!(world.remarks.iter().any(|remark| remark.contains("SQLite")), "{:?}", world.remarks);
    let mut player = Player::new(&world, "sqlite");
    player.say("ana", "/deploy staging --reason \"it is time\"").await;
    let card = player.until_end().await;
    let release = player.release(&world, &card).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&card), world.bot.log());
    assert!(text(&card).contains("it is time"), "{}", text(&card));
    let plan = release.plan.unwrap();
    let rehearsal = plan.rehearsal.as_ref();
    assert!(matches!(rehearsal, Some(Rehearsal::Done { trials }) if !trials.is_empty()), "{rehearsal:?}");
    let planned = plan.migrations;
    assert!(planned.iter().all(|m| m.not_run.is_none()) && !planned.is_empty(), "{planned:?}");
    assert!(history_versions(&world.staging_database).await.contains(&planned[0].version));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_in_rehearsal_is_offered_to_nobody() {
    let options = Options { pace: Pace::Fast, sqlite: true, fail: Some(Fail::Migrate), ..Options::default() };
    let world = World::new(options).await.unwrap();
    let mut player = Player::new(&world, "rehearsal");
    player.say("ana", "/deploy staging").await;
    let card = player.until_end().await;
    let release = player.release(&world, &card).await;
    assert!(release.plan.is_none(), "{}", text(&card));
    assert!(text(&card).contains("failed in rehearsal") && text(&card).contains("already exists"), "{}", text(&card));
    assert!(text(&card).contains("mend the migration"), "{}", text(&card));
}

#[tokio::test(flavor = "multi_thread")]
async fn check_and_readiness_say_what_can_be_reached() {
    let world = world().await;
    let checked = world.bot.run(&["check"]).unwrap();
    let says = String::from_utf8_lossy(&checked.stdout).into_owned() + &String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{says}");
    for part in ["policies", "GitHub acme/goals", "ECR", "app-runner goals staging", "secret goals/production"] {
        assert!(says.contains(part), "{part} is missing:\n{says}");
    }
    let get = async |path: &str| {
        let answer = reqwest::get(format!("{}{path}", world.url)).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(get("/healthz").await, (200, "ok\n".to_owned()));
    let (status, body) = get("/readyz").await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(get("/api/v1/terminal/messages").await.0, 401, "the API needs its token");
    world.aws.inject(slipway_sandbox::aws::Fault {
        action: "AppRunner.DescribeService".into(),
        kind: slipway_sandbox::aws::FaultKind::Status503,
        times: 100,
    });
    let checked = world.bot.run(&["check"]).unwrap();
    assert_eq!(checked.status.code(), Some(1), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_are_read_again_without_a_restart() {
    let world = world().await;
    let mut player = Player::new(&world, "policies");
    let reload = || {
        let output = world.bot.run(&["policy", "reload"]).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, _) = reload();
    assert_eq!(code, Some(0));
    assert!(out.starts_with("Nothing has changed"), "{out}");
    let more = world.config.with_file_name("policies").join("more.cedar");
    std::fs::write(
        &more,
        "@id(\"closed\")\n@why(\"The shop is closed.\")\nforbid (principal, action == Action::\"exekute\", resource);",
    )
    .unwrap();
    let (code, _, said) = reload();
    assert_eq!(code, Some(1));
    assert!(said.contains("more.cedar:3:") && said.contains("Those in force stay in force."), "{said}");
    let rule = std::fs::read_to_string(&more).unwrap().replace("exekute", "execute");
    std::fs::write(&more, rule).unwrap();
    let (code, out, said) = reload();
    assert_eq!(code, Some(0), "{said}");
    assert!(out.contains("What waits is judged again."), "{out}");
    player.say("ana", "/deploy staging").await;
    let closed = |m: &slipway::store::TerminalMessage| is_card(m) && text(m).contains("The shop is closed.");
    player.until("a card that names the new rule", closed).await;
    assert_eq!(world.aws.deployment_operations(&world.staging_arn).len(), 0);
    std::fs::remove_file(&more).unwrap();
    reload();
    let ended = player.until_end().await;
    assert_eq!(player.release(&world, &ended).await.phase, Phase::Succeeded, "{}", text(&ended));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_without_credentials_and_says_what_is_missing() {
    let mut world = world().await;
    world.bot.kill().unwrap();
    world.bot.unset("GITHUB_TOKEN");
    world.bot.unset("SLIPWAY_API_TOKEN");
    world.bot.start().await.unwrap();
    let answer = reqwest::get(format!("{}/readyz", world.url)).await.unwrap();
    assert_eq!(answer.status().as_u16(), 503);
    let body = answer.text().await.unwrap();
    assert!(body.contains("GitHub acme/goals") && body.contains("GITHUB_TOKEN"), "{body}");
    let closed = reqwest::get(format!("{}/api/v1/terminal/messages", world.url)).await.unwrap();
    assert_eq!(closed.status().as_u16(), 403, "without a token the API is closed, not open");
}
