//! What was suggested and may not go on for now: the same message says why, without a button, and has it again afterwards.

use super::chat::{key, migrating};
use super::promoting::{SOAK_S, config, first_line, looks, on_staging, presses, runs_on_production, said, suggested};
use super::*;
use slipway_core::environment::{Look, TargetRuns};
use slipway_core::message::Verb;

/// How often the message was said, in the one channel, and how many there are.
async fn edits(chat: &Chat) -> (i64, i64) {
    let query = "SELECT coalesce(sum(wanted), 0) FROM messages WHERE key LIKE 'promotion/%' AND channel = $1";
    let messages = "SELECT count(*) FROM messages WHERE key LIKE 'promotion/%' AND channel = $1";
    (chat.count(query, "terminal:releases").await, chat.count(messages, "terminal:releases").await)
}

/// The timekeeper looks often, and later than it keeps what it has seen apart.
async fn looks_often(chat: &Chat) {
    for _ in 0..5 {
        looks(chat).await;
        chat.wait_s(61);
    }
}

const LOCKED: &str = "○ goals → production · 0000000 not now: locked by bob \"schema work\"";

#[tokio::test]
async fn a_lock_takes_the_button_away_and_its_end_brings_it_back() {
    let (mut chat, _) = suggested().await;
    let (before, _) = edits(&chat).await;
    looks_often(&chat).await;
    assert_eq!(edits(&chat).await, (before, 1), "nothing has changed");
    chat.says("bob", "/release lock production \"schema work\"").await;
    looks_often(&chat).await;
    let now = said(&chat).await;
    assert_eq!(now.lines().next(), Some(LOCKED));
    assert!(now.contains("by itself, when it is unlocked: /release unlock production goals"), "{now}");
    assert!(!now.contains('['), "there is no button:\n{now}");
    assert_eq!(edits(&chat).await, (before + 1, 1), "said once");
    // Whoever has the old one before them starts nothing, and reads why.
    for verb in [Verb::Promote, Verb::NotNow] {
        let answer = presses(&mut chat, "ana", verb).await;
        assert_eq!(answer.lines().take(2).collect::<Vec<_>>(), [&LOCKED[4..], "Nothing was started."]);
    }
    assert_eq!(chat.count("SELECT count(*) FROM releases WHERE environment = $1", "production").await, 0);
    chat.says("bob", "/release unlock production").await;
    looks_often(&chat).await;
    let again = said(&chat).await;
    assert!(again.starts_with("○ goals → production · 0000000 is ready to deploy · "), "{again}");
    assert!(again.ends_with("[Deploy to production] [Not now]"), "{again}");
    assert_eq!(edits(&chat).await, (before + 2, 1));
    assert_eq!(presses(&mut chat, "ana", Verb::Promote).await, "");
    assert!(first_line(&chat).await.contains("asked for by ana: release "), "{}", said(&chat).await);
    let stood: Vec<_> = chat.audit_of("promotion").await.iter().map(standing).collect();
    assert_eq!(stood, ["suggested", "closed", "suggested", "taken"]);
}

fn standing(record: &slipway_core::audit::Record) -> String {
    record.body["promotion"]["standing"]["standing"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn somebody_who_locks_again_and_again_makes_two_edits_a_minute_at_most() {
    let (mut chat, _) = suggested().await;
    let (before, _) = edits(&chat).await;
    chat.wait_s(60 - chat.now().as_second().rem_euclid(60));
    for _ in 0..10 {
        for line in ["/release lock production \"schema work\"", "/release unlock production"] {
            chat.says("bob", line).await;
            chat.wait_s(2);
            looks(&chat).await;
        }
    }
    assert_eq!(edits(&chat).await, (before + 2, 1));
    chat.wait_s(60);
    looks(&chat).await;
    assert!(first_line(&chat).await.contains("is ready to deploy"), "{}", said(&chat).await);
}

#[tokio::test]
async fn another_reason_is_said_in_its_place() {
    let (mut chat, _) = suggested().await;
    chat.says("bob", "/release lock production \"schema work\"").await;
    looks(&chat).await;
    // Friday evening.
    chat.wait_s(4 * 86_400 + 12 * 3_600);
    chat.says("bob", "/release unlock production").await;
    looks(&chat).await;
    let frozen = said(&chat).await;
    assert!(
        frozen.starts_with("○ goals → production · 0000000 not now: policy allows it from ")
            || frozen.starts_with("○ goals → production · 0000000 not now: Production is frozen from Friday 15:00"),
        "{frozen}"
    );
    assert!(frozen.contains("Production is frozen from Friday 15:00 to Monday 8:00"), "{frozen}");
    let (said_before, _) = edits(&chat).await;
    looks_often(&chat).await;
    assert_eq!(edits(&chat).await, (said_before, 1), "the moment at which it ends stays the same");
    chat.wait_s(3 * 86_400);
    looks(&chat).await;
    assert!(first_line(&chat).await.contains("is ready to deploy"), "{}", said(&chat).await);
}

#[tokio::test]
async fn rules_that_deny_close_it_too() {
    let forbid = |action: &str| {
        format!(
            "@id(\"shop-closed\") @why(\"The shop is closed.\") forbid (principal, action == Action::\"{action}\", resource);"
        )
    };
    for (action, back) in [("execute", "when policy allows it."), ("request", "when somebody may ask for it.")] {
        let (mut chat, _) = suggested().await;
        chat.writes_rule(&forbid(action));
        let folder = chat.config_with_folder();
        let policies = format!("[policies]{}", folder.split_once("[policies]").unwrap().1);
        // The default rules name these teams.
        let teams = "[person.zoe]\nterminal = \"zoe\"\nteams = [\"sre\", \"dba\"]\n";
        chat.configure(&format!("{}{teams}{policies}", config("")));
        looks(&chat).await;
        let closed = said(&chat).await;
        assert!(closed.starts_with("○ goals → production · 0000000 not now: The shop is closed\n"), "{closed}");
        assert!(closed.contains(back) && !closed.contains('['), "{closed}");
        chat.configure(&config(""));
        chat.wait_s(61);
        looks(&chat).await;
        assert!(first_line(&chat).await.contains("is ready to deploy"), "{}", said(&chat).await);
    }
}

#[tokio::test]
async fn switched_off_it_says_so() {
    let (mut chat, _) = suggested().await;
    chat.configure(&config("suggest = false\n"));
    looks_often(&chat).await;
    assert_eq!(
        said(&chat).await,
        "○ goals → production · 0000000 not now: suggestions are switched off\n  \
         Suggested again here, by itself, when suggest of production in slipway.toml is true."
    );
    chat.configure(&config(""));
    looks(&chat).await;
    assert!(first_line(&chat).await.contains("is ready to deploy"), "{}", said(&chat).await);
}

#[tokio::test]
async fn what_runs_on_production_only_closes_it_where_that_is_newer() {
    let (mut chat, _) = suggested().await;
    let (before, _) = edits(&chat).await;
    // Somebody brings a later commit, which contains it.
    let plan = migrating(plan("production", 1, 5));
    chat.says("eve", &format!("/deploy production {}", sha(5))).await;
    let release = chat.newest().await;
    chat.outcome(&release, "resolve", Event::Resolved { commit: sha(5), branch: None }).await;
    chat.outcome(&release, "await_build", Event::BuildReady).await;
    chat.gathers(&release, &plan).await;
    // It has not been on staging at all.
    let line = format!("/release override {} --incident INC-7 --reason \"down\"", release.short());
    chat.says("bob", &line).await;
    assert_eq!(chat.phase(&release).await, "running(ci)");
    looks_often(&chat).await;
    assert_eq!(edits(&chat).await, (before, 1), "behind it there is a place in the queue");
    chat.succeeds(&release, "observe_ci", Step::Ci).await;
    chat.succeeds(&release, "observe_image", Step::Image).await;
    chat.succeeds(&release, "migrate", Step::Migrate).await;
    chat.deploys(&release).await;
    looks_often(&chat).await;
    assert_eq!(
        said(&chat).await,
        "○ goals → production · 0000000 not now: 0000000 on production is newer\n  \
         Suggested again here, by itself, if production goes back."
    );
    assert_eq!(edits(&chat).await, (before + 1, 1));
}

#[tokio::test]
async fn what_is_deployed_past_slipway_closes_it_until_that_is_gone() {
    let (mut chat, _) = suggested().await;
    let digest = plan("production", 1, 9).image.digest;
    let runs = |commit: u32, digest| TargetRuns {
        target: "goals-production".into(),
        image: format!("registry/goals@{digest}"),
        digest: Some(digest),
        commit: Some(sha(commit)),
        operation: None,
    };
    for (runs, first) in [
        (runs(9, digest), "not now: production runs what was deployed past Slipway"),
        (runs(1, plan("production", 0, 1).image.digest), "is ready to deploy"),
    ] {
        chat.wait_s(61);
        let look = Look { runs: vec![runs], at: chat.now(), tag: None };
        chat.deliver(&crate::engine::Incoming::TargetsSeen { environment: key("production"), look }).await;
        looks(&chat).await;
        assert!(first_line(&chat).await.contains(first), "{}", said(&chat).await);
    }
}

#[tokio::test]
async fn closed_it_is_superseded_declined_or_held_like_any_other() {
    let (mut chat, _) = suggested().await;
    chat.says("bob", "/release lock production \"schema work\"").await;
    looks(&chat).await;
    chat.says("bob", "/release bad staging \"slow\"").await;
    assert_eq!(said(&chat).await, "– goals → production · 0000000 is held: known bad, marked by bob");
    chat.says("bob", "/release bad staging --undo").await;
    looks(&chat).await;
    assert_eq!(first_line(&chat).await, LOCKED, "the lock is still there");
    on_staging(&mut chat, &plan("staging", 3, 4)).await;
    chat.wait_s(SOAK_S + 60);
    looks(&chat).await;
    assert_eq!(said(&chat).await, "– goals → production · 0000000 superseded by 0000000 on staging");
    chat.says("bob", "/release unlock production").await;
    looks(&chat).await;
    let both = said(&chat).await;
    assert_eq!((both.matches("is ready to deploy").count(), both.matches("superseded").count()), (1, 1), "{both}");
}

#[tokio::test]
async fn what_was_never_suggested_is_not_closed_either() {
    let mut chat = Chat::with(&config("")).await;
    runs_on_production(&chat, 1).await;
    on_staging(&mut chat, &plan("staging", 1, 3)).await;
    chat.says("bob", "/release lock production \"schema work\"").await;
    chat.wait_s(SOAK_S + 60);
    looks_often(&chat).await;
    assert_eq!((said(&chat).await.as_str(), edits(&chat).await), ("", (0, 0)));
}
