//! What a vote is about, and what it is not.

use super::*;
use crate::configuration::{Fingerprints, KeysSeen};
use crate::ids::EnvironmentKey;

pub(crate) fn sha(seed: u8) -> CommitSha {
    CommitSha::parse(&format!("{seed:02x}").repeat(20)).unwrap()
}

pub(crate) fn commit(seed: u8, author: Option<&str>) -> Commit {
    Commit {
        sha: sha(seed),
        title: format!("Change {seed}"),
        author_name: author.unwrap_or("Somebody").into(),
        author_login: author.map(|a| format!("{a}-dev")),
        author: author.map(PersonId::from),
        pull_request: None,
    }
}

pub(crate) fn plan() -> Plan {
    let key = EnvironmentKey { service: "goals".into(), environment: "production".into() };
    let image = PlannedImage {
        repository: "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals".into(),
        digest: ImageDigest::parse(&format!("sha256:{}", "ab".repeat(32))).unwrap(),
        tag: sha(3).as_str().into(),
        pushed_at: None,
    };
    Plan {
        base: Some(sha(1)),
        commits: vec![commit(3, Some("ana")), commit(2, Some("eve"))],
        commits_total: 2,
        migrations: vec![PlannedMigration {
            version: 20_251_104_120_000.into(),
            file: "20251104120000_likes.sql".into(),
            checksum: "cd".repeat(32),
            down_checksum: None,
            reversible: true,
            transactional: true,
            summary: "creates likes".into(),
            dangers: vec![],
            down_loses_data: false,
            late: false,
            not_run: None,
            statements: String::new(),
            ignored: vec![],
        }],
        config: vec![ConfigVersion::new("goals/production", "v-1")],
        targets: vec![PlannedTarget {
            kind: "app-runner".into(),
            id: "arn:aws:apprunner:us-west-2:123456789012:service/goals/1".into(),
            name: "goals".into(),
            settings: BTreeMap::from([("port".into(), "8080".into())]),
            runs: None,
            image: None,
            operation: None,
        }],
        ..Plan::bare(&key, PlanKind::Deploy, sha(3), image)
    }
}

/// A name and what it does to a plan.
type Edit = (&'static str, Box<dyn Fn(&mut Plan)>);

/// One edit per leaf that a vote is about, each with the name it must be reported under.
fn edits() -> Vec<Edit> {
    vec![
        ("service", Box::new(|p| p.service = "other".into())),
        ("environment", Box::new(|p| p.environment = "staging".into())),
        ("kind", Box::new(|p| p.kind = PlanKind::Rollback)),
        ("base", Box::new(|p| p.base = None)),
        ("commit", Box::new(|p| p.commit = sha(9))),
        ("image repository", Box::new(|p| p.image.repository.push('x'))),
        (
            "image digest",
            Box::new(|p| p.image.digest = ImageDigest::parse(&format!("sha256:{}", "ac".repeat(32))).unwrap()),
        ),
        ("no migration", Box::new(|p| p.migrations.clear())),
        ("migration version", Box::new(|p| p.migrations[0].version = 1.into())),
        ("migration file", Box::new(|p| p.migrations[0].file.push('x'))),
        ("migration checksum", Box::new(|p| p.migrations[0].checksum = "ce".repeat(32))),
        ("migration not run", Box::new(|p| p.migrations[0].not_run = Some("no PostgreSQL".into()))),
        ("taken back", Box::new(|p| p.taken_back = p.migrations.clone())),
        (
            "taken back by another file",
            Box::new(|p| {
                p.taken_back = p.migrations.clone();
                p.taken_back[0].down_checksum = Some("ce".repeat(32));
            }),
        ),
        ("goes on", Box::new(|p| p.goes_on = true)),
        ("taken out", Box::new(|p| p.takes_out.total = 2)),
        ("no config", Box::new(|p| p.config.clear())),
        ("config secret", Box::new(|p| p.config[0].secret.push('x'))),
        ("config version", Box::new(|p| p.config[0].version_id.push('x'))),
        ("no target", Box::new(|p| p.targets.clear())),
        ("target kind", Box::new(|p| p.targets[0].kind.push('x'))),
        ("target id", Box::new(|p| p.targets[0].id.push('x'))),
        (
            "target setting",
            Box::new(|p| {
                p.targets[0].settings.insert("port".into(), "9".into());
            }),
        ),
        (
            "target setting more",
            Box::new(|p| {
                p.targets[0].settings.insert("cpu".into(), "9".into());
            }),
        ),
    ]
}

#[test]
fn every_part_a_vote_is_about_changes_the_digest() {
    let mut seen = BTreeMap::from([(plan().digest(), "unchanged")]);
    for (name, edit) in edits() {
        let mut changed = plan();
        edit(&mut changed);
        let twin = seen.insert(changed.digest(), name);
        assert_eq!(twin, None, "{name} gives the same digest as {twin:?}");
    }
}

#[test]
fn display_does_not_change_the_digest() {
    let mut shown = plan();
    shown.commits[0].title = "Renamed".into();
    shown.commits_total = 7;
    shown.base_since = Some(Timestamp::UNIX_EPOCH);
    shown.image.tag = "latest".into();
    shown.migrations[0].summary = "other words".into();
    shown.unknown_applied = vec![1.into()];
    shown.targets[0].name = "Goals".into();
    shown.config[0].stored_at = Some(Timestamp::UNIX_EPOCH);
    shown.config[0].keys = KeysSeen::NotAllowed;
    shown.targets[0].runs = Some(sha(1));
    shown.targets[0].operation = Some("7d0c3b1e".into());
    shown.past_slipway.operation = Some("7d0c3b1e".into());
    shown.paths = Some(PathsSeen { paths: "web/**".into(), since: sha(1), unknown: None });
    assert_eq!(shown.digest(), plan().digest());
    let mut moved = plan();
    moved.targets[0].runs = Some(sha(2));
    assert!(moved.shrinks(&plan()), "what runs at a target is told by the base");
}

#[test]
fn the_digest_is_stable_across_versions() {
    expect_test::expect!["ae109d6b57b77a31c580bc5d6b7430bee01b48dacb3321ad9d6cc353292c7c8e"]
        .assert_eq(plan().digest().as_str());
}

#[test]
fn a_plan_shrinks_only_when_it_does_less() {
    let old = plan();
    let mut less = plan();
    less.base = Some(sha(2));
    less.commits.truncate(1);
    less.migrations.clear();
    assert!(less.shrinks(&old));
    assert!(old.shrinks(&old));
    assert!(!old.shrinks(&less), "one migration more is not less");
    let mut elsewhere = plan();
    elsewhere.base = Some(sha(7));
    assert!(!elsewhere.shrinks(&old), "the base moved to a commit that was not in the plan");
    let mut sideways = plan();
    sideways.base = Some(sha(2));
    sideways.commits = vec![commit(3, Some("ana")), commit(1, Some("eve"))];
    assert!(!sideways.shrinks(&old), "the base moved to a side branch and commit 1 would ship again");
    for (name, edit) in edits() {
        let mut changed = plan();
        edit(&mut changed);
        let does_less = name == "no migration";
        assert_eq!(changed.shrinks(&old), does_less, "{name}");
    }
}

#[test]
fn a_plan_is_empty_when_nothing_would_change() {
    let mut same = plan();
    assert!(!same.is_empty());
    same.base = Some(same.commit.clone());
    assert!(!same.is_empty(), "a migration is pending");
    same.migrations[0].not_run = Some("needs PostgreSQL".into());
    assert!(same.is_empty(), "the pending one is not run here");
    same.migrations.clear();
    assert!(same.is_empty());
    same.base = None;
    assert!(!same.is_empty(), "what runs cannot be told");
    same.kind = PlanKind::MigrateDown;
    assert!(same.is_empty(), "nothing is to be deployed, and nothing taken back");
    same.taken_back = plan().migrations;
    assert!(!same.is_empty());
}

#[test]
fn what_stays_untouched_is_of_the_commit_that_runs() {
    let seen = |unknown: Option<&str>| {
        Some(PathsSeen { paths: "web/**".into(), since: sha(1), unknown: unknown.map(Into::into) })
    };
    let mut stays = plan();
    stays.paths = seen(None);
    assert!(!stays.stays_untouched(), "somebody wants another commit all the same");
    stays.base = Some(stays.commit.clone());
    assert!(stays.stays_untouched());
    stays.paths = seen(Some("300 files or more changed"));
    assert!(!stays.stays_untouched());
    stays.paths = None;
    assert!(!stays.stays_untouched());
}

#[test]
fn changes_are_named() {
    let mut new = plan();
    new.commit = sha(4);
    new.migrations.clear();
    let named: Vec<_> =
        new.changes_from(&plan()).into_iter().map(|c| format!("{}: {} → {}", c.what, c.from, c.to)).collect();
    assert_eq!(named, ["commit: 0303030 → 0404040", "migrations: 20251104120000_likes.sql (cdcdcdcd) → none"]);
    let mut settings = plan();
    settings.targets[0].settings.insert("port".into(), "9".into());
    assert_eq!(settings.changes_from(&plan())[0].to, "port = 9");
}

#[test]
fn a_change_of_the_configuration_names_the_keys() {
    let with = |version: &str, host: &str| {
        let of = [("SMTP_HOST".to_owned(), host.to_owned()), ("PORT".to_owned(), "0a".to_owned())].into();
        let keys = KeysSeen::Hashed(Fingerprints { key_id: "k".into(), of });
        Plan { config: vec![ConfigVersion { keys, ..ConfigVersion::new("goals/production", version) }], ..plan() }
    };
    let (old, new) = (with("v-1", "0b"), with("v-2", "0c"));
    assert!(!new.shrinks(&old));
    let changes = new.changes_from(&old);
    let change = &changes[0];
    let said = format!("{} {} → {}", change.what, change.from, change.to);
    assert_eq!(said, "configuration goals/production v-1 → goals/production v-2 (goals/production: SMTP_HOST changed)");
    // Another key for the hashes is no change of the plan.
    let mut rehashed = with("v-1", "0d");
    rehashed.drift = None;
    assert_eq!((rehashed.digest(), rehashed.changes_from(&old).len()), (old.digest(), 0));
    assert!(rehashed.shrinks(&old));
}

#[test]
fn plans_from_before_keys_were_known_are_read() {
    let mut stored = serde_json::to_value(plan()).unwrap();
    assert_eq!(stored["config"], serde_json::json!([{ "secret": "goals/production", "version_id": "v-1" }]));
    stored.as_object_mut().unwrap().remove("drift");
    assert_eq!(serde_json::from_value::<Plan>(stored).unwrap(), plan());
}
