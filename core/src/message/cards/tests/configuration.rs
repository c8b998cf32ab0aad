//! What changed of the configuration, on cards and in answers.

use super::*;
use crate::configuration::{Changed, Drift, Fingerprints, KeyChange, KeysSeen, SecretChange, Unknown};
use crate::environment::{Environment, Live};
use crate::plan::ConfigVersion;
use expect_test::expect;

fn changed(keys: &[(&str, KeyChange)]) -> SecretChange {
    let keys = keys.iter().map(|(name, how)| ((*name).to_owned(), *how)).collect();
    SecretChange { secret: "goals/production".into(), what: Changed::Keys { keys } }
}

fn drift(changes: Vec<SecretChange>) -> Drift {
    let release = ReleaseId::new("01JD7Q3C5V0000000000000000");
    Drift { release, commit: sha("9a77d01"), since: at(-2 * 86_400), changes }
}

fn three() -> SecretChange {
    changed(&[("OLD", KeyChange::Removed), ("SENTRY_DSN", KeyChange::Added), ("SMTP_HOST", KeyChange::Changed)])
}

fn only_config(changes: Vec<SecretChange>) -> Plan {
    Plan {
        kind: PlanKind::Config,
        base: Some(sha("9a77d01")),
        commit: sha("9a77d01"),
        commits: vec![],
        commits_total: 0,
        migrations: vec![],
        drift: Some(drift(changes)),
        ..plan()
    }
}

/// A release of the configuration alone, judged.
fn judged_only(plan: &Plan, course: &str, reasons: &[Reason]) -> Release {
    let mut release = asked();
    release.request.kind = RequestKind::Config { commit: sha("9a77d01"), again: None };
    release.request.reference = None;
    let resolved = Event::Resolved { commit: sha("9a77d01"), branch: None };
    let planned = Event::Planned { plan: Box::new(plan.clone()), facts: facts() };
    after(release, [Event::Requested, resolved, planned, verdict(course, plan, reasons)])
}

#[test]
fn a_deployment_says_which_keys_it_brings() {
    let plan = Plan { drift: Some(drift(vec![three()])), ..plan() };
    let waiting = after(planned(asked(), &plan), [verdict("wait", &plan, &[two_slots()])]);
    let card = card(&waiting, 60);
    let line = card.lines().find(|line| line.starts_with("Configuration")).unwrap();
    expect!["Configuration   goals/production: OLD removed, SENTRY_DSN added, SMTP_HOST changed"].assert_eq(line);
}

#[test]
fn where_keys_are_not_known_it_says_why() {
    let somehow = |why| SecretChange { secret: "goals/production".into(), what: Changed::Somehow { why } };
    let mut said = String::new();
    for why in [Unknown::NoKey, Unknown::NoKeyThen, Unknown::OtherKey, Unknown::NotAllowed] {
        let plan = only_config(vec![somehow(why)]);
        let card = card(&judged_only(&plan, "wait", &[two_slots()]), 60);
        said += card.lines().find(|line| line.starts_with("Configuration")).unwrap();
        said += "\n";
    }
    expect![[r#"
        Configuration   goals/production: changed; which keys is not known: SLIPWAY_CONFIG_HMAC_KEY is not set
        Configuration   goals/production: changed; which keys is not known: they were not recorded when this went live
        Configuration   goals/production: changed; which keys is not known: SLIPWAY_CONFIG_HMAC_KEY was another one when this went live
        Configuration   goals/production: changed; which keys is not known: AWS does not allow secretsmanager:GetSecretValue
    "#]]
    .assert_eq(&said);
}

#[test]
fn the_configuration_alone_from_approval_to_its_end() {
    let plan = only_config(vec![three()]);
    let waiting = judged_only(&plan, "wait", &[two_slots()]);
    expect![[r#"
        ○ goals → production · configuration only · waiting for approval: 1 of release, 1 of dba
        asked by ana · plan aeaddf · release 01JD7Q4N
        Configuration   goals/production: OLD removed, SENTRY_DSN added, SMTP_HOST changed
        Brings again    9a77d01, no new commit, no migrations
        Image           goals@sha256:3f8a…8a  pushed Tue 14:48
        ✔ CI green 3 of 3   ○ deploy   ○ verify
        Who can approve release: bob, chen (not ana: asked for it)
                        dba: dora
        expires Tue 19:00
        [Approve] [Veto] [Why?] [Details] [Cancel]
    "#]]
    .assert_eq(&card(&waiting, 60));
    let deploying = after(judged_only(&plan, "start", &[]), [done(Step::Ci, "3 of 3", 6), operation()]);
    // Neither the image nor the migrations are looked at.
    expect![[r#"
        ◐ goals → production · configuration only · deploying 9a77d01 · step 2 of 3 · 55 s, usually 4m 10s
        ▰▰▱▱▱▱▱▱▱▱ 224‰  App Runner: starting (operation 7d0c3b1e…)
        asked by ana · plan aeaddf · release 01JD7Q4N

        Configuration   goals/production: OLD removed, SENTRY_DSN added, SMTP_HOST changed
        Brings again    9a77d01, no new commit, no migrations
        Image           goals@sha256:3f8a…8a  pushed 13 min ago
        ✔ CI green 3 of 3   ◐ deploy   ○ verify
        [Details]
    "#]]
    .assert_eq(&card(&deploying, 60));
    let live = after(deploying, [done(Step::Deploy, "succeeded", 100), done(Step::Verify, "healthy", 110)]);
    expect![[r#"
        ● goals → production · configuration only · 9a77d01 is live · 1m 45s
        asked by ana · plan aeaddf · release 01JD7Q4N

        Configuration   goals/production: OLD removed, SENTRY_DSN added, SMTP_HOST changed
        Brought again   9a77d01, no new commit, no migrations
        Image           goals@sha256:3f8a…8a  pushed Tue 14:48
        ✔ CI green 3 of 3   ✔ deployed in 1m 34s   ✔ verified
        [Details] [Lock]
    "#]]
    .assert_eq(&card(&live, 120));
    let people = people();
    expect![[r#"
        goals production: runs with the new configuration · asked by ana
        goals/production: OLD removed, SENTRY_DSN added, SMTP_HOST changed
        No new version: 9a77d01 runs on
    "#]]
    .assert_eq(&text(&announcement(&view(&live, &people, &[], 120), true)));
}

#[test]
fn nothing_is_deployed_when_nothing_changed() {
    let plan = only_config(vec![]);
    assert!(plan.is_empty());
    expect![[r#"
        – goals → production · configuration only · nothing to deploy: unchanged since 9a77d01 went live
        asked by ana · plan aeaddf · release 01JD7Q4N
        9a77d01 went live at Sun 15:00
    "#]]
    .assert_eq(&card(&judged_only(&plan, "nothing_to_do", &[]), 60));
    // What was never recorded may have changed.
    assert!(!Plan { drift: None, ..plan }.is_empty());
}

#[test]
fn a_deployment_with_nothing_new_says_that_the_configuration_has_changed() {
    let plan = Plan {
        base: Some(sha("4c1f9e2")),
        migrations: vec![],
        drift: Some(drift(vec![changed(&[("SMTP_HOST", KeyChange::Changed)])])),
        ..plan()
    };
    let ended = after(planned(asked(), &plan), [verdict("nothing_to_do", &plan, &[])]);
    expect![[r#"
        – goals → production · nothing to do: 4c1f9e2 runs already
        asked by ana · plan 7de3fd · release 01JD7Q4N
        No migration is pending.
        Configuration   goals/production: SMTP_HOST changed
        To deploy that alone: /deploy production --config
    "#]]
    .assert_eq(&card(&ended, 60));
}

#[test]
fn a_retry_of_what_runs_offers_the_configuration_only_where_that_starts_something() {
    let retried = |drift| {
        let config = vec![ConfigVersion::new("goals/production", "v1")];
        let plan = Plan { base: Some(sha("4c1f9e2")), migrations: vec![], config, drift, ..plan() };
        let mut release = asked();
        let of = ReleaseId::new("01JD7Q3C5V0000000000000000");
        release.request.kind = RequestKind::Retry { of, commit: Some(sha("4c1f9e2")), rerun: false };
        card(&after(planned(release, &plan), [verdict("nothing_to_do", &plan, &[])]), 60)
    };
    let once_more = "To start it once more and verify it: /deploy production --config\n";
    let alone = "To deploy that alone: /deploy production --config\n";
    // Verified, and as it was.
    let same = retried(Some(drift(vec![])));
    assert!(same.contains("nothing to do: 4c1f9e2 runs already") && !same.contains("--config"), "{same}");
    // Not known to be as it was, or not verified.
    let unknown = retried(None);
    assert!(unknown.contains(once_more) && !unknown.contains(alone), "{unknown}");
    let changed = retried(Some(drift(vec![three()])));
    assert!(changed.contains(alone) && !changed.contains(once_more), "{changed}");
}

#[test]
fn status_names_the_keys_and_how_old_the_look_is() {
    let environment = |name: &str| {
        let mut environment = Environment::new(key());
        environment.key.environment = name.into();
        environment.live = Some(Live {
            release: ReleaseId::new("01JD7Q3C5V0000000000000000"),
            commit: sha("9a77d01"),
            image: plan().image.digest,
            by: "bob".into(),
            since: at(-2 * 86_400),
            verified: true,
        });
        environment
    };
    let (staging, production, canary) = (environment("staging"), environment("production"), environment("canary"));
    let many: Vec<_> = ["A", "B", "C", "D", "E", "F"].map(|name| (name, KeyChange::Added)).into();
    let row =
        |environment, behind, drift| StatusRow { environment, running: None, behind, drift, bad: false, next: None };
    let one = drift(vec![changed(&[("SMTP_HOST", KeyChange::Changed)])]);
    let rows = [
        row(&staging, None, Some((drift(vec![changed(&many)]), at(-60)))),
        row(&production, Some(("staging".into(), 3)), Some((one, at(-1_200)))),
        row(&canary, None, Some((drift(vec![]), at(-7_200)))),
        row(&canary, None, Some((drift(vec![]), at(-60)))),
    ];
    expect![[r#"
        4 environments · nothing runs, nothing waits
        goals | version | since | by | health | waiting
        staging | 9a77d01 | 2 days | bob | ok | config changed: A, B, C, D and 2 more
        production | 9a77d01 | 2 days | bob | ok | 3 commits behind staging · config changed: SMTP_HOST (seen 20 min ago)
        canary | 9a77d01 | 2 days | bob | ok | config last seen 2 h ago
        canary | 9a77d01 | 2 days | bob | ok | –
    "#]].assert_eq(&text(&status(&rows, at(0))));
}

fn seen(keys: KeysSeen) -> ConfigVersion {
    let version = ConfigVersion::new("goals/production", "0f6d5c1e-77aa-4a1e-8f4e-000000000001");
    ConfigVersion { keys, stored_at: Some(at(-600)), ..version }
}

#[test]
fn config_lists_the_keys_and_which_changed() {
    let hashed = |names: &[&str]| {
        let of = names.iter().map(|name| ((*name).to_owned(), "0badc0de".to_owned())).collect();
        KeysSeen::Hashed(Fingerprints { key_id: "k".into(), of })
    };
    let keys = hashed(&["DATABASE_URL", "SENTRY_DSN", "SMTP_HOST"]);
    let view = |seen, drift| ConfigurationView { key: key(), seen, drift };
    let all = view(Ok(vec![seen(keys.clone())]), Some(drift(vec![three()])));
    let answer = text(&configuration(std::slice::from_ref(&all)));
    assert!(!answer.contains("0badc0de"), "{answer}");
    expect![[r#"
        goals → production · config changed since 9a77d01 went live: OLD, SENTRY_DSN, SMTP_HOST
        key | secret | since it went live
        OLD | goals/production | removed
        SENTRY_DSN | goals/production | added
        SMTP_HOST | goals/production | changed
        DATABASE_URL | goals/production | –
        goals/production  version 0f6d5c1e, stored at Tue 14:50
        To deploy it: /deploy production --config
    "#]]
    .assert_eq(&answer);
    let others = [
        all,
        view(Ok(vec![seen(KeysSeen::NotHashed)]), Some(drift(vec![]))),
        view(Ok(vec![seen(keys)]), None),
        view(Err("goals/production: Secrets Manager has no secret".into()), None),
        view(Ok(vec![]), None),
    ];
    expect![[r#"
        5 environments · config changed in 1
        goals → production
        key | secret | since it went live
        OLD | goals/production | removed
        SENTRY_DSN | goals/production | added
        SMTP_HOST | goals/production | changed
        DATABASE_URL | goals/production | –
        goals/production  version 0f6d5c1e, stored at Tue 14:50
        To deploy it: /deploy production --config

        goals → production
        key | secret | since it went live
        – | goals/production | –
        goals/production  version 0f6d5c1e, stored at Tue 14:50
        Keys are not looked at: SLIPWAY_CONFIG_HMAC_KEY is not set, so no value may be compared.

        goals → production
        key | secret | since it went live
        DATABASE_URL | goals/production | –
        SENTRY_DSN | goals/production | –
        SMTP_HOST | goals/production | –
        goals/production  version 0f6d5c1e, stored at Tue 14:50
        What runs was brought before Slipway recorded this, or not by Slipway; the next release records it.

        goals → production
        goals/production: Secrets Manager has no secret

        goals → production
        No secret is named for this environment: config = ["…"] in slipway.toml.
    "#]]
    .assert_eq(&text(&configuration(&others)));
}
