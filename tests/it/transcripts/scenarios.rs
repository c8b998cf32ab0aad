//! What is played in every chat: the same lines typed, the same words read.

use super::play::Play;
use crate::support::history_versions;
use slipway_core::message::Verb;
use slipway_core::migration::Rehearsal;
use slipway_core::release::{Outcome, Phase, Release, Step, StepState};
use slipway_sandbox::demo::Fail;
use slipway_sandbox::front::Seen;
use slipway_sandbox::world::{ChatOption, World};

/// Where successes are announced, in every chat.
const ANNOUNCEMENTS: &str = "#announcements";

/// Plays a release to staging that must end in a failure, and gives its card and state.
async fn failing(chat: ChatOption, fail: Fail) -> (String, Release, World) {
    let mut play = Play::new(chat, Some(fail)).await;
    play.say("ana", "/deploy staging").await;
    let card = play.until_end().await;
    let release = play.release(&card).await;
    (card.text(), release, play.world)
}

pub(super) async fn from_staging_to_the_announcement(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    play.say("ana", "/deploy staging").await;
    let staging = play.until_end().await;
    let release = play.release(&staging).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", staging.text(), play.world.bot.log());
    let rehearsal = release.plan.as_ref().and_then(|plan| plan.rehearsal.as_ref());
    assert!(matches!(rehearsal, Some(Rehearsal::Done { .. })), "{rehearsal:?}");
    let short = &play.world.head[..7];
    assert!(staging.text().starts_with(&format!("● goals → staging · {short} is live")), "{}", staging.text());
    assert_eq!(play.world.github.dispatches().len(), 1, "nothing else would have built it");
    assert_eq!(play.world.github.temporary_tags(), [""; 0], "the commit is the head of main");

    play.say("ana", "/deploy production").await;
    let card = play.until_asked_for_approval().await;
    assert!(card.text().contains("bob"), "who can approve is named:\n{}", card.text());
    play.react("ana", &card, "✅").await;
    play.until_told("ana", "Your vote does not count here").await;
    play.react("bob", &card, "✅").await;
    play.react("dora", &card, "✅").await;
    let production = play.until_end_of_another(&[&staging]).await;
    let release = play.release(&production).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", production.text(), play.world.bot.log());
    assert_eq!(production.key, card.key, "the same message to the end");
    let announced = play.until("the announcement", |m| m.channel == ANNOUNCEMENTS).await;
    let announced = announced.text();
    for part in ["in production", "approved by ", "Likes on updates", "#41"] {
        assert!(announced.contains(part), "{part} is missing:\n{announced}");
    }
    let either = ["approved by bob, dora", "approved by dora, bob"];
    assert!(either.iter().any(|both| announced.contains(both)), "two reactions may overtake each other:\n{announced}");
    for (arn, database) in [
        (&play.world.staging_arn, &play.world.staging_database),
        (&play.world.production_arn, &play.world.production_database),
    ] {
        assert_eq!(play.world.aws.deployment_operations(arn).len(), 1);
        let image = play.world.aws.running_image(arn).unwrap();
        assert_eq!(image, release.plan.as_ref().unwrap().image.pinned(), "what was approved is what runs");
        let history = history_versions(database).await;
        assert!(release.plan.as_ref().unwrap().migrations.iter().all(|m| history.contains(&m.version)));
    }
    assert_eq!(play.cards().len(), 2, "one message a release");
    let verified = play.world.bot.run(&["audit", "verify"]).unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

pub(super) async fn red_ci_names_the_job_and_shows_its_log(chat: ChatOption) {
    let (card, release, world) = failing(chat, Fail::Ci).await;
    assert!(matches!(release.outcome, Some(Outcome::Failed { step: Some(Step::Ci), .. })), "{card}");
    assert!(card.starts_with("✖") && card.contains("job \"test\" failed"), "{card}");
    assert!(card.contains("likes of update 7: got 2, want 1"), "the log's tail is shown:\n{card}");
    assert_eq!(world.aws.deployment_operations(&world.staging_arn).len(), 0);
}

pub(super) async fn a_green_build_without_image_is_told(chat: ChatOption) {
    let (card, release, world) = failing(chat, Fail::Image).await;
    assert!(matches!(release.outcome, Some(Outcome::Failed { step: Some(Step::Image), .. })), "{card}");
    assert!(card.contains("has no image tagged"), "{card}");
    assert_eq!(world.github.dispatches().len(), 1, "one build a release");
}

pub(super) async fn a_failed_migration_leaves_the_old_version_running(chat: ChatOption) {
    let (card, release, world) = failing(chat, Fail::Migrate).await;
    assert!(matches!(release.outcome, Some(Outcome::Failed { step: Some(Step::Migrate), .. })), "{card}");
    assert!(card.contains("likes") && card.contains("already exists"), "the database's own words:\n{card}");
    assert_eq!(release.steps.get(Step::Deploy).state, StepState::Pending);
    assert_eq!(world.aws.deployment_operations(&world.staging_arn).len(), 0);
}

pub(super) async fn a_rollback_of_aws_reads_as_a_failure(chat: ChatOption) {
    let (card, release, world) = failing(chat, Fail::Deploy).await;
    assert_eq!(release.phase, Phase::RolledBack, "{card}");
    let first = card.lines().next().unwrap();
    assert!(first.starts_with("✖") && first.contains("AWS rolled the deployment back"), "{first}");
    assert!(card.contains("ROLLBACK_SUCCEEDED") && card.contains("RUNNING"), "{card}");
    assert_eq!(world.aws.deployment_operations(&world.staging_arn).len(), 1, "no second try by itself");
    let running = world.aws.running_image(&world.staging_arn).unwrap();
    assert_ne!(running, release.plan.unwrap().image.pinned(), "the old version keeps serving");
}

pub(super) async fn an_unhealthy_version_is_live_and_told_so(chat: ChatOption) {
    let (card, release, _world) = failing(chat, Fail::Health).await;
    assert!(matches!(release.outcome, Some(Outcome::Failed { step: Some(Step::Verify), .. })), "{card}");
    assert!(card.contains("not healthy") && card.contains("/rollback staging"), "{card}");
}

pub(super) async fn the_gate_is_the_same_for_command_and_reaction(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    play.say("ana", "/deploy staging").await;
    play.until_end().await;
    play.say("ana", "/deploy production").await;
    let card = play.until_asked_for_approval().await;
    play.say("ana", "/release approve").await;
    play.until_told("ana", "Your vote does not count here").await;
    play.say("eve", "/release approve").await;
    play.until_told("eve", "Your vote does not count here").await;
    play.say("bob", "/release lock production \"load test\"").await;
    play.until_told("bob", "locked").await;
    play.say("chen", "/release approve").await;
    play.say("dora", "/release approve").await;
    let locked = |m: &Seen| m.is_card() && m.text().contains("load test");
    play.until("a card that names the lock", locked).await;
    assert_eq!(play.world.aws.deployment_operations(&play.world.production_arn).len(), 0);
    play.say("bob", "/release unlock production").await;
    let ended = play.until("the end", |m| m.key == card.key && m.has_ended()).await;
    let release = play.release(&ended).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", ended.text(), play.world.bot.log());
    let voters: Vec<_> = release.votes.iter().map(|vote| vote.person.as_str()).collect();
    assert_eq!(voters, ["chen", "dora"]);
}

pub(super) async fn mistakes_start_nothing(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    play.say("ana", "/deploy stagin").await;
    play.until_told("ana", "Did you mean /deploy staging? Nothing was started.").await;
    play.say("ana", "/deploy staging no-such-branch").await;
    let card = play.until_end().await;
    assert!(card.text().contains("has no branch, tag or commit \"no-such-branch\""), "{}", card.text());
    play.say("ana", "/deploy staging v1.7.3").await;
    let older = play.until_end_of_another(&[&card]).await;
    assert!(older.text().contains("only goes forward"), "an older commit is no deployment:\n{}", older.text());
    play.say("ana", "/release help").await;
    play.until_told("ana", "/release lock").await;
    assert_eq!(play.world.aws.deployment_operations(&play.world.staging_arn).len(), 0);
}

pub(super) async fn a_rollback_brings_back_what_ran_before(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    play.say("ana", "/rollback staging").await;
    play.until_told("ana", "There is nothing to go back to").await;
    play.say("ana", "/deploy staging v1.8.0~0").await;
    let unknown = play.until_end().await;
    play.say("ana", "/deploy staging feature/comment-threads").await;
    let first = play.until_end_of_another(&[&unknown]).await;
    play.say("ana", "/deploy staging").await;
    let second = play.until_end_of_another(&[&unknown, &first]).await;
    let (one, two) = (play.release(&first).await, play.release(&second).await);
    assert_eq!((&one.phase, &two.phase), (&Phase::Succeeded, &Phase::Succeeded), "{}\n{}", first.text(), second.text());
    play.say("ana", "/rollback staging --reason \"login is broken\"").await;
    let back = play.until_end_of_another(&[&unknown, &first, &second]).await;
    let release = play.release(&back).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", back.text(), play.world.bot.log());
    assert_eq!(release.commit, one.commit);
    let running = play.world.aws.running_image(&play.world.staging_arn).unwrap();
    let plan = one.plan.unwrap();
    assert_eq!(running, plan.image.pinned(), "the image of the first release runs again");
    play.say("ana", "/rollback staging --reason \"again\"").await;
    let further = play.until_end_of_another(&[&unknown, &first, &second, &back]).await;
    let release = play.release(&further).await;
    assert_eq!((release.phase, release.commit), (Phase::Succeeded, plan.base), "{}", further.text());
    play.say("ana", "/rollback staging --reason \"once more\"").await;
    play.until_told_times(2, "ana", "There is nothing to go back to").await;
    assert_eq!(play.cards().len(), 5, "going back never goes forward again");
}

pub(super) async fn one_release_at_a_time_and_the_second_goes_on_by_itself(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    play.say("ana", "/deploy staging feature/comment-threads").await;
    play.say("eve", "/deploy staging").await;
    let first = play.until_end().await;
    let second = play.until_end_of_another(&[&first]).await;
    let mut releases = [play.release(&first).await, play.release(&second).await];
    // Which of the two is planned first, and so runs first, is chance.
    releases.sort_by_key(|release| release.started_at);
    let [one, two] = releases;
    let shown = format!("{}\n{}\n{}", first.text(), second.text(), play.world.bot.log());
    assert_eq!((&one.phase, &two.phase), (&Phase::Succeeded, &Phase::Succeeded), "{shown}");
    assert!(two.started_at.unwrap() >= one.ended_at.unwrap(), "the second waited for the first: {shown}");
    assert_eq!(two.plan.unwrap().base, one.commit, "its plan was made again from what the first left: {shown}");
    assert_eq!(play.world.aws.deployment_operations(&play.world.staging_arn).len(), 2);
}

pub(super) async fn cancelling_before_anything_began_starts_nothing(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    play.say("ana", "/deploy production").await;
    let card = play.until_asked_for_approval().await;
    play.say("eve", "/release cancel").await;
    play.until_told("eve", "Not allowed").await;
    play.say("ana", "/release cancel").await;
    let ended = play.until("the end", |m| m.key == card.key && m.has_ended()).await;
    assert!(ended.text().contains("cancelled"), "{}", ended.text());
    let id = ended.key.trim_start_matches("release/");
    play.say("bob", &format!("/release approve {id}")).await;
    play.until_told("bob", "Your vote was not taken").await;
    assert_eq!(play.release(&ended).await.phase, Phase::Cancelled);
    assert_eq!(play.world.aws.deployment_operations(&play.world.production_arn).len(), 0);
}

pub(super) async fn buttons_do_what_they_say(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    play.say("ana", "/deploy staging").await;
    play.until_end().await;
    play.say("ana", "/deploy production").await;
    let card = play.until_asked_for_approval().await;
    play.press("dora", &card, Verb::Why).await;
    play.until_told("dora", "production-approval").await;
    play.press("eve", &card, Verb::Approve).await;
    play.until_told("eve", "Your vote does not count here").await;
    play.press("bob", &card, Verb::Approve).await;
    play.press("dora", &card, Verb::Approve).await;
    let ended = play.until("the end", |m| m.key == card.key && m.has_ended()).await;
    let release = play.release(&ended).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", ended.text(), play.world.bot.log());
    let voters: Vec<_> = release.votes.iter().map(|vote| vote.person.as_str()).collect();
    assert_eq!(voters, ["bob", "dora"]);
}

/// What the channel shows of a card after its first line is for those who look closer.
fn first_line(card: &Seen) -> String {
    card.text().lines().next().unwrap_or_default().to_owned()
}

pub(super) async fn migrations_by_themselves(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    let image = play.world.aws.running_image(&play.world.staging_arn).unwrap();
    play.say("ana", "/migrate staging plan").await;
    let plan = play.until_told("ana", "To apply them: ").await;
    assert!(plan.text().contains("likes") && plan.text().contains("/migrate staging up"), "{}", plan.text());
    assert_eq!(play.cards().len(), 0, "looking is no release");

    play.say("ana", "/migrate staging up --reason \"before the release\"").await;
    let up = play.until_end().await;
    let release = play.release(&up).await;
    assert_eq!(release.outcome, Some(Outcome::Migrated), "{}\n{}", up.text(), play.world.bot.log());
    let planned = release.plan.as_ref().unwrap().migrations.clone();
    assert!(first_line(&up).starts_with("● goals → staging · 1 migration applied"), "{}", up.text());
    assert!(!up.text().contains("is live") && up.text().contains("Nothing was deployed"), "{}", up.text());
    assert!(history_versions(&play.world.staging_database).await.contains(&planned[0].version));
    assert_eq!(play.world.aws.deployment_operations(&play.world.staging_arn).len(), 0);
    assert_eq!(play.world.aws.running_image(&play.world.staging_arn).unwrap(), image);
    play.say("ana", "/migrate staging").await;
    let status = play.until_told("ana", "migrations applied").await;
    assert!(status.text().contains("none pending") && status.text().contains("likes"), "{}", status.text());

    play.say("ana", "/migrate staging up").await;
    let nothing = play.until_end_of_another(&[&up]).await;
    assert!(first_line(&nothing).contains("nothing to do: no migration is pending"), "{}", nothing.text());

    play.say("ana", "/migrate staging down 1").await;
    let down = play.until_end_of_another(&[&up, &nothing]).await;
    assert!(first_line(&down).starts_with("● goals → staging · 1 migration taken back"), "{}", down.text());
    assert!(down.text().contains(release.id.short()), "whose files they are:\n{}", down.text());
    assert!(!history_versions(&play.world.staging_database).await.contains(&planned[0].version));
    play.say("ana", "/rollback staging").await;
    play.until_told("ana", "There is nothing to go back to").await;
    assert_eq!(play.cards().len(), 3, "migrations alone bring no version that one could go back to");
}

pub(super) async fn migrations_of_production_need_the_approvals_of_a_release(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    play.say("dora", "/migrate production up").await;
    play.until_told("dora", "Not allowed: No rule lets dora ask for migrations of production.").await;
    play.say("ana", "/migrate prodution up").await;
    play.until_told("ana", "Did you mean /migrate production?").await;
    play.say("ana", "/migrate production down 99").await;
    let too_many = play.until_end().await;
    assert!(too_many.text().contains("can be taken back: no more are applied."), "{}", too_many.text());
    play.say("ana", "/migrate production up").await;
    let card = play.until_asked_for_approval().await;
    assert_eq!(play.release(&card).await.steps.get(Step::Migrate).state, StepState::Pending);
    play.react("ana", &card, "✅").await;
    play.until_told("ana", "Your vote does not count here").await;
    play.react("bob", &card, "✅").await;
    play.react("dora", &card, "✅").await;
    let ended = play.until_end_of_another(&[&too_many]).await;
    let release = play.release(&ended).await;
    assert_eq!(release.outcome, Some(Outcome::Migrated), "{}\n{}", ended.text(), play.world.bot.log());
    let applied = history_versions(&play.world.production_database).await;
    assert!(release.plan.unwrap().migrations.iter().all(|m| applied.contains(&m.version)));
    assert_eq!(play.world.aws.deployment_operations(&play.world.production_arn).len(), 0);
    let announced = play.until("the announcement", |m| m.channel == ANNOUNCEMENTS).await.text();
    assert!(announced.contains("applied") && announced.contains("Nothing was deployed"), "{announced}");
    assert!(!announced.contains("is in production"), "{announced}");
}

pub(super) async fn after_a_rollback_migrations_are_taken_back_with_the_files_that_applied_them(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    play.say("ana", "/deploy staging feature/comment-threads").await;
    let older = play.until_end().await;
    play.say("ana", "/deploy staging").await;
    let newer = play.until_end_of_another(&[&older]).await;
    let applied_by = play.release(&newer).await;
    let applied = applied_by.plan.clone().unwrap().migrations;
    assert_eq!(applied.len(), 1, "{}", newer.text());
    play.say("ana", "/rollback staging").await;
    let back = play.until_end_of_another(&[&older, &newer]).await;
    assert_eq!(play.release(&back).await.phase, Phase::Succeeded, "{}", back.text());
    assert!(history_versions(&play.world.staging_database).await.contains(&applied[0].version), "it stays");
    play.say("ana", "/migrate staging down 1").await;
    let down = play.until_end_of_another(&[&older, &newer, &back]).await;
    let release = play.release(&down).await;
    assert_eq!(release.outcome, Some(Outcome::Migrated), "{}\n{}", down.text(), play.world.bot.log());
    assert_eq!(release.commit, applied_by.commit, "the commit that runs has no such file");
    assert!(down.text().contains(applied_by.id.short()), "{}", down.text());
    assert!(!history_versions(&play.world.staging_database).await.contains(&applied[0].version));
}
