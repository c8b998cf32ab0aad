//! The past judged again by other policies.

use super::chat::sha;
use super::*;
use expect_test::{Expect, expect};
use jiff::Timestamp;
use slipway_core::audit::{Draft, Record, append};
use slipway_core::message::Verb;
use slipway_core::message::cards;
use slipway_core::message::terminal::{TerminalOptions, render};
use slipway_core::plan::PlanKind;
use slipway_core::policy::{PolicySet, Vocabulary, built_in};
use slipway_core::replay::{Question, replay};

fn vocabulary() -> Vocabulary {
    let environments = ["staging", "production"].map(Into::into).into();
    Vocabulary { teams: built_in::TEAMS.map(Into::into).into(), environments }
}

/// The default rules after somebody has edited them, and one file more.
fn edited(edit: impl Fn(String) -> String, more: &str) -> PolicySet {
    let files = built_in::FILES.into_iter().chain([("more.cedar", more)]);
    let files: Vec<_> = files.map(|(name, text)| (name.to_owned(), edit(text.to_owned()))).collect();
    PolicySet::parse(built_in::SCHEMA, &files, &vocabulary()).unwrap()
}

fn with(more: &str) -> PolicySet {
    edited(|text| text, more)
}

/// The default rules without the ones that begin so.
fn without(id: &str) -> PolicySet {
    let cut = |text: String| {
        let Some(begin) = text.find(&format!("@id(\"{id}\")")) else { return text };
        let end = begin + text[begin..].find(";\n").unwrap() + 2;
        format!("{}{}", &text[..begin], &text[end..])
    };
    edited(cut, "")
}

/// What `slipway policy replay` says, with the ids and hashes of this run left out.
fn told(records: &[Record], policies: &PolicySet) -> String {
    let vocabulary = vocabulary();
    let replayed = replay(records, &Question { policies, vocabulary: &vocabulary, since: None });
    let ids = replayed.differing.iter().filter_map(|differing| differing.release.clone());
    let ids: Vec<_> = ids.chain(replayed.left_out.iter().filter_map(|left| left.release.clone())).collect();
    let now = Timestamp::from_second(1_767_600_000).unwrap();
    let text = render(&cards::replayed(&replayed), &TerminalOptions::new(110, false, now)).join("\n") + "\n";
    let text = text.replace(&policies.hash()[..12], "HASH");
    ids.iter().fold(text, |text, id| text.replace(id.short(), "RELEASE"))
}

fn check(records: &[Record], policies: &PolicySet, expected: Expect) {
    expected.assert_eq(&told(records, policies));
}

const TWO: &str = r#"
@id("two")
@why("Production needs two of team release.")
forbid (principal, action == Action::"execute", resource)
when { resource.environment == Environment::"production" }
unless { resource.hasTag("release") && resource.getTag("release") >= 2 };
"#;

/// Ana asks for production at 8:00, Bob approves ten minutes later, and it is live.
async fn a_release() -> Chat {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.wait_s(600);
    chat.presses("bob", &release, Verb::Approve).await;
    // What was known had become too old.
    chat.gathers(&release, &plan("production", 1, 3)).await;
    chat.runs_to_its_end(&release).await;
    chat
}

#[tokio::test]
async fn the_rules_that_were_in_force_change_nothing() {
    let mut chat = a_release().await;
    chat.wait_s(60);
    chat.says("gus", "/deploy production").await;
    let held = chat.planned("ana", &plan("production", 3, 4)).await;
    chat.presses("ana", &held, Verb::Approve).await;
    chat.presses("eve", &held, Verb::Veto).await;
    chat.presses("ana", &held, Verb::Cancel).await;
    check(
        &chat.audit().await,
        &with(""),
        expect![[r#"
        Nothing would have gone otherwise: 2 releases, 1 refused request judged again by HASH
    "#]],
    );
}

#[tokio::test]
async fn a_stricter_rule_would_have_stopped_it() {
    check(
        &a_release().await.audit().await,
        &with(TWO),
        expect![[r#"
        1 would have gone otherwise, of 1 release, 0 refused requests judged again by HASH
        RELEASE  goals → production · asked by ana at 08:00 · started at 08:10
          would not have started then:
          two  Production needs two of team release. · missing 1 of release
    "#]],
    );
}

#[tokio::test]
async fn without_a_rule_it_would_have_started_earlier() {
    check(
        &a_release().await.audit().await,
        &without("production-approval"),
        expect![[r#"
        1 would have gone otherwise, of 1 release, 0 refused requests judged again by HASH
        RELEASE  goals → production · asked by ana at 08:00 · started at 08:10
          would have started 10 min earlier, at 08:00
    "#]],
    );
}

#[tokio::test]
async fn another_freeze_makes_it_later() {
    let closed = r#"
@id("breakfast")
@why("Nobody releases before 9:30.")
forbid (principal, action == Action::"execute", resource)
when { context.time.minute < 9 * 60 + 30 };
"#;
    check(
        &a_release().await.audit().await,
        &with(closed),
        expect![[r#"
        1 would have gone otherwise, of 1 release, 0 refused requests judged again by HASH
        RELEASE  goals → production · asked by ana at 08:00 · started at 08:10
          would have started 80 min later, at 09:30:
          breakfast  Nobody releases before 9:30.
    "#]],
    );
}

#[tokio::test]
async fn what_has_not_come_yet_is_not_told() {
    let mut chat = Chat::open().await;
    chat.planned("ana", &plan("production", 1, 3)).await;
    let by_time_alone = edited(
        |text| {
            text.replace(
                "resource.hasTag(\"release\") && resource.getTag(\"release\") >= 1",
                "context.time.minute >= 9 * 60",
            )
        },
        "",
    );
    assert!(told(&chat.audit().await, &by_time_alone).starts_with("Nothing"), "the log ends at 8:00");
    chat.wait_s(2 * 3_600);
    chat.says("gus", "/deploy staging").await;
    check(
        &chat.audit().await,
        &by_time_alone,
        expect![[r#"
        1 would have gone otherwise, of 1 release, 1 refused request judged again by HASH
        RELEASE  goals → production · asked by ana at 08:00 · waits
          would have started at 09:00
    "#]],
    );
}

#[tokio::test]
async fn what_was_never_approved_could_have_run_and_a_refused_vote_could_have_counted() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.wait_s(300);
    chat.presses("ana", &release, Verb::Approve).await;
    chat.wait_s(300);
    chat.presses("ana", &release, Verb::Cancel).await;
    check(
        &chat.audit().await,
        &without("no-own-vote"),
        expect![[r#"
        1 would have gone otherwise, of 1 release, 0 refused requests judged again by HASH
        RELEASE  goals → production · asked by ana at 08:00 · cancelled before it started
          ana's approval, refused at 08:05, would have counted
    "#]],
    );
    check(
        &chat.audit().await,
        &without("production-approval"),
        expect![[r#"
        1 would have gone otherwise, of 1 release, 0 refused requests judged again by HASH
        RELEASE  goals → production · asked by ana at 08:00 · cancelled before it started
          would have started at 08:00
    "#]],
    );
}

#[tokio::test]
async fn a_lock_stays_a_lock_whatever_the_rules() {
    let mut chat = Chat::open().await;
    chat.says("bob", "/release lock production \"moving\"").await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.wait_s(1_200);
    chat.says("bob", "/release unlock production").await;
    chat.wait_s(1_200);
    chat.presses("ana", &release, Verb::Cancel).await;
    check(
        &chat.audit().await,
        &without("production-approval"),
        expect![[r#"
        1 would have gone otherwise, of 1 release, 0 refused requests judged again by HASH
        RELEASE  goals → production · asked by ana at 08:00 · cancelled before it started
          would have started at 08:20
    "#]],
    );
}

#[tokio::test]
async fn who_may_ask_is_asked_again_too() {
    let mut chat = Chat::open().await;
    chat.says("gus", "/deploy staging").await;
    chat.wait_s(60);
    chat.planned("eve", &plan("staging", 1, 3)).await;
    let guests = "@id(\"guests\") permit (principal == Person::\"gus\", action == Action::\"request\", resource);";
    check(
        &chat.audit().await,
        &with(guests),
        expect![[r#"
        1 would have gone otherwise, of 1 release, 1 refused request judged again by HASH
        refused  goals → staging · asked by gus at 08:00
          could have been asked for
    "#]],
    );
    check(
        &chat.audit().await,
        &without("developers"),
        expect![[r#"
        1 would have gone otherwise, of 1 release, 1 refused request judged again by HASH
        RELEASE  goals → staging · asked by eve at 08:01 · started at 08:01
          could not have been asked for:
          no-permit  No rule lets eve ask for a release to staging.
    "#]],
    );
}

#[tokio::test]
async fn known_good_and_soak_are_those_of_that_day() {
    let mut chat = Chat::open().await;
    for (base, commit) in [(1, 3), (3, 4)] {
        let earlier = chat.planned("ana", &plan("staging", base, commit)).await;
        chat.runs_to_its_end(&earlier).await;
        chat.wait_s(1);
    }
    chat.says("ana", "/rollback staging").await;
    let back = chat.newest().await;
    let resolved = Event::Resolved { commit: sha(3), branch: None };
    chat.outcome(&back, "resolve", resolved).await;
    let mut older = plan("staging", 3, 3);
    (older.kind, older.base) = (PlanKind::Rollback, Some(sha(4)));
    chat.gathers(&back, &older).await;
    assert_eq!(chat.phase(&back).await, "running(ci)");
    let known_good = |is: &str| {
        format!(
            "@id(\"back\") @why(\"Only what was good.\") forbid (principal, action == Action::\"execute\", resource)
             when {{ resource.kind == Kind::\"rollback\" && {is}context.knownGood }};"
        )
    };
    assert!(told(&chat.audit().await, &with(&known_good("!"))).starts_with("Nothing"));
    check(
        &chat.audit().await,
        &with(&known_good("")),
        expect![[r#"
        1 would have gone otherwise, of 3 releases, 0 refused requests judged again by HASH
        RELEASE  goals → staging · asked by ana at 08:00 · started at 08:00
          would not have started then:
          back  Only what was good.
    "#]],
    );
}

#[tokio::test]
async fn what_a_decision_rests_on_is_in_the_log() {
    let mut chat = Chat::open().await;
    let release = chat.planned("ana", &plan("production", 1, 3)).await;
    chat.presses("eve", &release, Verb::Approve).await;
    chat.presses("bob", &release, Verb::Approve).await;
    let people = |record: &Record| {
        let people = record.body["standing"]["people"].as_object().unwrap();
        people.keys().cloned().collect::<Vec<_>>().join(" ")
    };
    let judged = chat.audit_of("judged").await;
    assert_eq!(judged.iter().map(people).collect::<Vec<_>>(), ["ana cem", "ana bob cem"], "who asked, wrote and voted");
    let standing = &judged[1].body["standing"];
    assert_eq!(standing["people"]["bob"], serde_json::json!(["developers", "release"]));
    assert_eq!(standing["timezone"], "UTC");
    assert_eq!(standing["past"], serde_json::json!({ "soak": null, "known_good": false }));
    let refused = chat.audit_of("vote_refused").await;
    assert_eq!(people(&refused[0]), "ana cem eve", "and who was not let");
    let requested = chat.audit_of("requested").await;
    assert_eq!(
        (people(&requested[0]), &requested[0].body["request"]["kind"]),
        ("ana".into(), &serde_json::json!({ "kind": "deploy" }))
    );
}

/// The same records as a version wrote them that left this out of some.
fn as_before(records: &[Record], left_out: &[(&str, &str)]) -> Vec<Record> {
    let mut chain: Vec<Record> = Vec::new();
    for record in records.iter().cloned() {
        let Record { at, kind, mut body, policy_hash, .. } = record;
        for (_, key) in left_out.iter().filter(|(of, _)| *of == kind) {
            assert!(body.as_object_mut().unwrap().remove(*key).is_some(), "{kind} has no {key}");
        }
        chain.push(append(chain.last(), Draft { at, kind, body, policy_hash }));
    }
    chain
}

#[tokio::test]
async fn what_was_not_recorded_is_named_and_never_guessed() {
    let records = a_release().await.audit().await;
    check(
        &as_before(&records, &[("requested", "request")]),
        &with(TWO),
        expect![[r#"
            Nothing could be judged again by HASH
            ▲ Not judged again: 1, recorded before this version, without teams, past and time zone (not enough recorded):
              RELEASE
        "#]],
    );
    for part in [("requested", "standing"), ("judged", "standing")] {
        let told = told(&as_before(&records, &[part]), &with(TWO));
        assert!(told.starts_with("Nothing could be judged again") && told.contains("not enough recorded"), "{told}");
    }
    let vocabulary = Vocabulary { environments: ["staging".into()].into(), ..vocabulary() };
    let text = "@id(\"all\") permit (principal, action, resource);".to_owned();
    let staging = PolicySet::parse(built_in::SCHEMA, &[("a.cedar".into(), text)], &vocabulary).unwrap();
    let replayed = replay(&records, &Question { policies: &staging, vocabulary: &vocabulary, since: None });
    assert_eq!((replayed.releases, replayed.left_out.len()), (0, 1), "production is none of its environments");
}

#[tokio::test]
async fn only_what_was_asked_for_since_then_is_judged() {
    let chat = a_release().await;
    let (records, vocabulary, policies) = (chat.audit().await, vocabulary(), with(TWO));
    let since = |since| {
        let question = Question { policies: &policies, vocabulary: &vocabulary, since: Some(since) };
        replay(&records, &question).differing.len()
    };
    assert_eq!((since(records[0].at), since(chat.now())), (1, 0));
}
