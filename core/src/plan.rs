//! The immutable description of what a release will do, and the digest that votes are bound to.

use crate::ids::{CommitSha, EnvironmentName, ImageDigest, PersonId, ServiceName};
use crate::migration::{Danger, Rehearsal, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Why the plan exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanKind {
    /// Bring a newer commit to the environment.
    Deploy,
    /// Bring an older one back.
    Rollback,
}

/// A commit that the plan would ship.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The commit.
    pub sha: CommitSha,
    /// First line of its message. Untrusted text.
    pub title: String,
    /// The author's name as git has it. Untrusted text, for display only.
    pub author_name: String,
    /// The author's GitHub login, when GitHub knows it.
    pub author_login: Option<String>,
    /// The known person behind that login.
    pub author: Option<PersonId>,
    /// The pull request it came with, when the title names one (`… (#41)`).
    pub pull_request: Option<u64>,
}

/// The image, by content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedImage {
    /// The repository without tag: `123456789012.dkr.ecr.us-west-2.amazonaws.com/goals`.
    pub repository: String,
    /// What will run.
    pub digest: ImageDigest,
    /// The tag it was found by.
    pub tag: String,
    /// When it was pushed.
    pub pushed_at: Option<Timestamp>,
}

impl PlannedImage {
    /// `repository@sha256:…`: what the target is told to run.
    #[must_use]
    pub fn pinned(&self) -> String {
        format!("{}@{}", self.repository, self.digest)
    }
}

/// A migration that the database does not have yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedMigration {
    /// Its version.
    pub version: Version,
    /// File name without folder.
    pub file: String,
    /// SHA-256 of the file's bytes, in hex.
    pub checksum: String,
    /// Whether the file has a way down.
    pub reversible: bool,
    /// Whether it runs in one transaction with its history row.
    pub transactional: bool,
    /// What it does in a few words ("creates likes"). For display.
    pub summary: String,
    /// What it may cost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dangers: Vec<Danger>,
    /// Whether its way back loses data. For display.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub down_loses_data: bool,
    /// Whether it is older than the newest applied one, and will be applied all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// Why it will not be run here although it is pending. For display.
    pub not_run: Option<String>,
    /// The beginning of what it runs, without secret values. Untrusted text, for display.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub statements: String,
}

/// One version of a configuration secret. The values are never read into a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigVersion {
    /// The secret's name.
    pub secret: String,
    /// The version id that is current.
    pub version_id: String,
}

/// What will run the image, and what the update would send besides the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTarget {
    /// `app-runner`.
    pub kind: String,
    /// The service's ARN.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// The settings that the update sends, by dotted name. Secret values never appear here: a setting that
    /// can hold one is represented by a hash.
    pub settings: BTreeMap<String, String>,
}

/// The whole plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What is released.
    pub service: ServiceName,
    /// Where to.
    pub environment: EnvironmentName,
    /// Deploy or rollback.
    pub kind: PlanKind,
    /// What runs now; `None` when that cannot be told (nothing runs, or an image without a commit tag).
    pub base: Option<CommitSha>,
    /// Since when the base runs, if Slipway put it there.
    pub base_since: Option<Timestamp>,
    /// What will run.
    pub commit: CommitSha,
    /// The commits between base and commit, newest first, at most [`Plan::COMMITS_LIMIT`].
    pub commits: Vec<Commit>,
    /// How many there are in all.
    pub commits_total: u32,
    /// The image.
    pub image: PlannedImage,
    /// Pending migrations in the order in which they will run.
    pub migrations: Vec<PlannedMigration>,
    /// Applied in the database but unknown to this commit, by version. For display.
    pub unknown_applied: Vec<Version>,
    /// Files that were edited after they were applied. For display.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edited: Vec<String>,
    /// What became of the trial of the pending migrations; `None` when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<Rehearsal>,
    /// Versions of the configuration secrets.
    pub config: Vec<ConfigVersion>,
    /// What runs the image, in the order of deployment.
    pub targets: Vec<PlannedTarget>,
}

/// SHA-256 over everything in a plan that a vote is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlanDigest(String);

impl PlanDigest {
    /// All 64 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 6, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..6).unwrap_or(&self.0)
    }
}

impl fmt::Display for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One difference between two plans, for the message that voids votes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanChange {
    /// What changed: `commit`, `image`, `migrations`, …
    pub what: String,
    /// Before, for people.
    pub from: String,
    /// After, for people.
    pub to: String,
}

/// Separates this digest from any other SHA-256, and names the layout of what is hashed.
const DIGEST_DOMAIN: &str = "slipway-plan-v1";

impl Plan {
    /// How many commits a plan lists.
    pub const COMMITS_LIMIT: usize = 250;

    /// The digest. Covers exactly what a vote is about: service, environment, kind, base, commit, image,
    /// pending migrations with checksums, configuration versions, targets with the settings an update sends.
    /// Commit titles, push times and summaries are display and do not count.
    #[must_use]
    pub fn digest(&self) -> PlanDigest {
        // Exhaustive on purpose: a new field must be put in or left out knowingly.
        let Self {
            service,
            environment,
            kind,
            base,
            base_since: _,
            commit,
            commits: _,
            commits_total: _,
            image: PlannedImage { repository, digest, tag: _, pushed_at: _ },
            migrations,
            unknown_applied: _,
            edited: _,
            rehearsal: _,
            config,
            targets,
        } = self;
        let migrations: Vec<_> =
            migrations.iter().map(|m| (&m.version, &m.file, &m.checksum, m.not_run.is_none())).collect();
        let dangers: Vec<_> = self.dangers().map(Danger::digested).collect();
        let config: Vec<_> = config.iter().map(|c| (&c.secret, &c.version_id)).collect();
        let targets: Vec<_> = targets.iter().map(|t| (&t.kind, &t.id, &t.settings)).collect();
        // A JSON array of fixed order: unambiguous, and maps inside are sorted by key.
        let mut canonical = serde_json::json!([
            DIGEST_DOMAIN,
            service,
            environment,
            kind,
            base,
            commit,
            repository,
            digest,
            migrations,
            config,
            targets
        ]);
        // Plans from before dangers were known keep their digests, and so their votes.
        if let (Some(parts), false) = (canonical.as_array_mut(), dangers.is_empty()) {
            parts.push(serde_json::json!(dangers));
        }
        PlanDigest(hex::encode(Sha256::digest(canonical.to_string())))
    }

    /// Whether a migration that will run loses data.
    #[must_use]
    pub fn is_destructive(&self) -> bool {
        self.dangers().any(Danger::is_destructive)
    }

    /// Whether a migration that will run locks others out of a big table.
    #[must_use]
    pub fn locks(&self) -> bool {
        self.dangers().any(Danger::locks)
    }

    /// Whether a migration that will run writes every row of a table anew.
    #[must_use]
    pub fn rewrites_rows(&self) -> bool {
        self.dangers().any(Danger::rewrites_rows)
    }

    /// Whether every migration that will run has a way back. What data it loses is another question.
    #[must_use]
    pub fn is_reversible(&self) -> bool {
        self.migrations.iter().all(|migration| migration.reversible || migration.not_run.is_some())
    }

    /// What the migrations that will run may cost.
    pub fn dangers(&self) -> impl Iterator<Item = &Danger> {
        self.migrations.iter().filter(|migration| migration.not_run.is_none()).flat_map(|migration| &migration.dangers)
    }

    /// What differs in those parts that the digest covers, for people.
    #[must_use]
    pub fn changes_from(&self, old: &Self) -> Vec<PlanChange> {
        let mut changes = Vec::new();
        let mut compare = |what: &str, from: String, to: String| {
            if from != to {
                changes.push(PlanChange { what: what.to_owned(), from, to });
            }
        };
        let short = |commit: &Option<CommitSha>| commit.as_ref().map_or("unknown".into(), |c| c.short().to_owned());
        compare("commit", old.commit.short().to_owned(), self.commit.short().to_owned());
        compare("what runs now", short(&old.base), short(&self.base));
        compare("image", old.image.digest.short(), self.image.digest.short());
        compare("image repository", old.image.repository.clone(), self.image.repository.clone());
        compare("migrations", migration_list(old), migration_list(self));
        compare("what migrations may cost", danger_list(old), danger_list(self));
        compare("configuration", config_list(old), config_list(self));
        compare("targets", target_list(old), target_list(self));
        compare("target settings", changed_settings(old, self), changed_settings(self, old));
        changes
    }

    /// Whether this plan does strictly less than `old`, so that a vote for `old` still stands: the same commit,
    /// image, configuration and targets; the base moved forward to a commit that `old` would have shipped; and
    /// the pending migrations are a subset of the old ones, unchanged.
    #[must_use]
    pub fn shrinks(&self, old: &Self) -> bool {
        let same = self.service == old.service
            && self.environment == old.environment
            && self.kind == old.kind
            && self.commit == old.commit
            && self.image.repository == old.image.repository
            && self.image.digest == old.image.digest
            && self.config == old.config
            && self.targets == old.targets;
        let was_planned = |sha: &CommitSha| old.commits.iter().any(|c| c.sha == *sha);
        // A base on a side branch that `old` would have merged is not forward: it lacks commits that ran before,
        // and the plan would now ship those.
        let base_moved_forward = self.base == old.base
            || self.base.as_ref().is_some_and(|base| {
                old.base.is_some() && was_planned(base) && self.commits.iter().all(|c| was_planned(&c.sha))
            });
        let essence = |m: &PlannedMigration| {
            let dangers: Vec<_> = m.dangers.iter().map(|danger| format!("{:?}", danger.digested())).collect();
            (m.version.clone(), m.file.clone(), m.checksum.clone(), m.not_run.is_none(), dangers)
        };
        let old_migrations: BTreeSet<_> = old.migrations.iter().map(essence).collect();
        let fewer = self.migrations.iter().all(|m| old_migrations.contains(&essence(m)));
        same && base_moved_forward && fewer
    }

    /// The known authors of the commits.
    #[must_use]
    pub fn authors(&self) -> BTreeSet<PersonId> {
        self.commits.iter().filter_map(|c| c.author.clone()).collect()
    }

    /// Whether nothing would change: the same commit runs and no migration would be run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.base.as_ref() == Some(&self.commit) && self.migrations.iter().all(|m| m.not_run.is_some())
    }
}

fn migration_list(plan: &Plan) -> String {
    let list: Vec<_> =
        plan.migrations.iter().map(|m| format!("{} ({})", m.file, &m.checksum[..m.checksum.len().min(8)])).collect();
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}

fn danger_list(plan: &Plan) -> String {
    let list: BTreeSet<_> = plan.dangers().filter(|danger| danger.allowed.is_none()).map(Danger::sentence).collect();
    if list.is_empty() { "nothing".to_owned() } else { list.into_iter().collect::<Vec<_>>().join(", ") }
}

fn config_list(plan: &Plan) -> String {
    let list: Vec<_> = plan
        .config
        .iter()
        .map(|c| format!("{} {}", c.secret, c.version_id.get(..8).unwrap_or(&c.version_id)))
        .collect();
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}

fn target_list(plan: &Plan) -> String {
    plan.targets.iter().map(|t| t.id.as_str()).collect::<Vec<_>>().join(", ")
}

/// The settings of `this` that differ from `other`'s.
fn changed_settings(this: &Plan, other: &Plan) -> String {
    let all = |plan: &Plan| -> BTreeSet<String> {
        plan.targets.iter().flat_map(|t| t.settings.iter().map(|(k, v)| format!("{k} = {v}"))).collect()
    };
    let changed: Vec<_> = all(this).difference(&all(other)).cloned().collect();
    if changed.is_empty() { "not set".to_owned() } else { changed.join(", ") }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

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
        Plan {
            service: "goals".into(),
            environment: "production".into(),
            kind: PlanKind::Deploy,
            base: Some(sha(1)),
            base_since: None,
            commit: sha(3),
            commits: vec![commit(3, Some("ana")), commit(2, Some("eve"))],
            commits_total: 2,
            image: PlannedImage {
                repository: "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals".into(),
                digest: ImageDigest::parse(&format!("sha256:{}", "ab".repeat(32))).unwrap(),
                tag: sha(3).as_str().into(),
                pushed_at: None,
            },
            migrations: vec![PlannedMigration {
                version: 20_251_104_120_000.into(),
                file: "20251104120000_likes.sql".into(),
                checksum: "cd".repeat(32),
                reversible: true,
                transactional: true,
                summary: "creates likes".into(),
                dangers: vec![],
                down_loses_data: false,
                late: false,
                not_run: None,
                statements: String::new(),
            }],
            unknown_applied: vec![],
            edited: vec![],
            rehearsal: None,
            config: vec![ConfigVersion { secret: "goals/production".into(), version_id: "v-1".into() }],
            targets: vec![PlannedTarget {
                kind: "app-runner".into(),
                id: "arn:aws:apprunner:us-west-2:123456789012:service/goals/1".into(),
                name: "goals".into(),
                settings: BTreeMap::from([("port".into(), "8080".into())]),
            }],
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
        assert_eq!(shown.digest(), plan().digest());
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
}
