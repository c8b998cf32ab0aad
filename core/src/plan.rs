//! The immutable description of what a release will do, and the digest that votes are bound to.

mod bare;
mod between;
mod lists;
mod outside;
mod parameters;
mod taken_out;
mod trial;

pub use between::Between;
pub use outside::PastSlipway;
pub use parameters::{SECRET_SETTING, is_parameter};
pub use taken_out::TakesOut;

use crate::configuration::{Drift, KeysSeen};
use crate::ids::{CommitSha, EnvironmentName, ImageDigest, PersonId, ReleaseId, ServiceName};
use crate::migration::{Danger, HalfDoneMigration, IgnoredComment, Rehearsal, Touched, Version};
use crate::paths::PathsSeen;
use crate::together::PlannedWith;
use crate::workflow::WorkflowFinding;
use jiff::Timestamp;
use lists::{
    back_list, changed_settings, config_list, config_list_after, danger_list, essence_back, essence_config,
    migration_list, target_list, trial_list, with_list,
};
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
    /// Only apply pending migrations; what runs stays.
    MigrateUp,
    /// Only take applied migrations back; what runs stays.
    MigrateDown,
    /// Bring what runs once more, so that it reads its settings anew.
    Config,
}

impl PlanKind {
    /// Whether the database is changed and nothing is deployed.
    #[must_use]
    pub fn only_migrates(self) -> bool {
        match self {
            Self::Deploy | Self::Rollback | Self::Config => false,
            Self::MigrateUp | Self::MigrateDown => true,
        }
    }
}

/// How it is known which commit's files take migrations back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "files", rename_all = "snake_case")]
pub enum FilesFrom {
    /// This release applied the newest of them, with the files of its commit.
    Release {
        /// Which.
        id: ReleaseId,
    },
    /// No release of Slipway's applied it: the files of the commit that runs.
    Running,
    /// And it is not known which commit runs: the newest of the default branch.
    DefaultBranch,
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
    /// SHA-256 of the file that takes it back, in hex, where that is planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down_checksum: Option<String>,
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
    /// The comments of the file that were meant to allow something and allow nothing. For display: a vote is about what is
    /// not allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<IgnoredComment>,
}

/// One version of a configuration secret. The values are never read into a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigVersion {
    /// The secret's name.
    pub secret: String,
    /// The version id that is current.
    pub version_id: String,
    /// When that version was stored, where it was looked at. For display.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_at: Option<Timestamp>,
    /// Its keys as keyed hashes, to name those that change. For display: a vote is about the version.
    #[serde(default, skip_serializing_if = "KeysSeen::is_not_hashed")]
    pub keys: KeysSeen,
}

impl ConfigVersion {
    /// A version of whose keys nothing is known.
    #[must_use]
    pub fn new(secret: impl Into<String>, version_id: impl Into<String>) -> Self {
        Self { secret: secret.into(), version_id: version_id.into(), stored_at: None, keys: KeysSeen::NotHashed }
    }
}

/// What will run the image, and what the update would send besides the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTarget {
    /// `app-runner`, `ecs-express`, `dry`.
    pub kind: String,
    /// The service's ARN; of a dry one its name.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// The settings that the update sends, by dotted name. Secret values never appear here: a setting that
    /// can hold one is represented by a hash.
    pub settings: BTreeMap<String, String>,
    /// What ran here when the plan was made, as far as that can be told. For display: what a vote is about is the
    /// plan's base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<CommitSha>,
    /// The image that it was told to run when the plan was made, in the target's words. Not in the digest, as what runs is there
    /// as the plan's base: it is what the start is compared with, also where no commit is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The id of its newest operation then. Not in the digest either: where the image is a tag, it tells whether somebody has
    /// deployed what the tag names by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
}

impl PlannedTarget {
    /// The kind that runs nothing.
    pub const DRY: &'static str = "dry";

    /// Whether it runs nothing, and is there for trying a set-up.
    #[must_use]
    pub fn is_dry(&self) -> bool {
        self.kind == Self::DRY
    }

    /// What a vote is about.
    fn essence(&self) -> (&str, &str, &BTreeMap<String, String>) {
        (&self.kind, &self.id, &self.settings)
    }
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
    /// Applied migrations that will be taken back, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken_back: Vec<PlannedMigration>,
    /// Why the files that take them back are those of this commit. For display.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files_from: Option<FilesFrom>,
    /// Whether the run goes on with a file that an earlier one left half done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub goes_on: bool,
    /// Pending ones that an earlier run left half done. For display.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub half_done: Vec<HalfDoneMigration>,
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
    /// What differs of the configuration since what runs was started; `None` where that is not recorded. For display.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// Of a rollback: the applied migrations that the older commit does not know. For display; what of them is taken back
    /// is in `taken_back`.
    #[serde(default, skip_serializing_if = "Between::is_empty")]
    pub between: Between,
    /// The tag that names the image once it is live, for others who read it. It deploys nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promote: Option<String>,
    /// What the commit's workflows can never do as they are written. For display.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workflow: Vec<WorkflowFinding>,
    /// What somebody did past Slipway since its last release. For display.
    #[serde(default, skip_serializing_if = "PastSlipway::is_empty")]
    pub past_slipway: PastSlipway,
    /// The plans of those that are deployed together with it, in order, where it leads them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<PlannedWith>,
    /// Where the service has paths, and it is not known that something in them differs from what runs. For display: it
    /// follows from the commits, and what stays because of it has the commit that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<PathsSeen>,
    /// What runs now and is not in the commit: a deployment of it takes that out.
    #[serde(default, skip_serializing_if = "TakesOut::is_empty")]
    pub takes_out: TakesOut,
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

    /// The same plan asked about once more, since a moment. It has nothing in common with the digest itself, not even how it
    /// begins: some chats keep no more of it than that.
    pub(crate) fn asked_again(&self, since: Timestamp) -> Self {
        Self(hex::encode(Sha256::digest(format!("{}/{}", self.0, since.as_microsecond()))))
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
    /// pending migrations with checksums, what they may cost and what their rehearsal showed of that, configuration
    /// versions, targets with the settings an update sends.
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
            taken_back,
            files_from: _,
            goes_on,
            half_done: _,
            unknown_applied: _,
            edited: _,
            rehearsal: _,
            config,
            targets,
            drift: _,
            between: _,
            promote,
            workflow: _,
            past_slipway: _,
            with,
            paths: _,
            takes_out,
        } = self;
        let migrations: Vec<_> =
            migrations.iter().map(|m| (&m.version, &m.file, &m.checksum, m.not_run.is_none())).collect();
        let dangers: Vec<_> = self.dangers().map(Danger::digested).collect();
        let config: Vec<_> = config.iter().map(|c| (&c.secret, &c.version_id)).collect();
        let targets: Vec<_> = targets.iter().map(PlannedTarget::essence).collect();
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
        // Those without a rehearsal do so as well.
        let trials = self.digested_trials();
        if let (Some(parts), false) = (canonical.as_array_mut(), trials.is_empty()) {
            parts.push(serde_json::json!({ "trials": trials }));
        }
        // The same for plans that take nothing back.
        if let (Some(parts), false) = (canonical.as_array_mut(), taken_back.is_empty()) {
            let taken_back: Vec<_> =
                taken_back.iter().map(|m| (&m.version, &m.file, &m.checksum, &m.down_checksum)).collect();
            parts.push(serde_json::json!({ "taken_back": taken_back }));
        }
        if let (Some(parts), true) = (canonical.as_array_mut(), goes_on) {
            parts.push(serde_json::json!({ "goes_on": true }));
        }
        if let (Some(parts), Some(promote)) = (canonical.as_array_mut(), promote) {
            parts.push(serde_json::json!({ "promote": promote }));
        }
        if let (Some(parts), false) = (canonical.as_array_mut(), with.is_empty()) {
            let with: Vec<_> = with.iter().map(PlannedWith::essence).collect();
            parts.push(serde_json::json!({ "with": with }));
        }
        takes_out.hash_into(&mut canonical);
        PlanDigest(hex::encode(Sha256::digest(canonical.to_string())))
    }

    /// Whether it moves a tag back afterwards that somebody has moved past Slipway.
    #[must_use]
    pub fn moves_a_tag_back(&self) -> bool {
        self.past_slipway.tag.as_ref().is_some_and(|names| self.promote.as_deref() == Some(names.tag.as_str()))
    }

    /// Whether a migration that will run loses data.
    #[must_use]
    pub fn is_destructive(&self) -> bool {
        self.dangers().any(Danger::is_destructive)
    }

    /// Whether a migration that will run locks others out of a big table: as its trial showed, or as its statements
    /// say where there was none.
    #[must_use]
    pub fn locks(&self) -> bool {
        let shown =
            |migration| self.touched(migration).any(Touched::blocks) || self.counted(migration).any(Danger::locks);
        self.changing().any(shown)
    }

    /// Whether a migration that will run writes every row of a table anew, as above.
    #[must_use]
    pub fn rewrites_rows(&self) -> bool {
        let shown = |migration| {
            self.touched(migration).any(|touched| touched.rewritten)
                || self.counted(migration).any(Danger::rewrites_rows)
        };
        self.changing().any(shown)
    }

    /// Whether every migration that will run has a way back, and none was tried in vain. What data it loses is another
    /// question.
    #[must_use]
    pub fn is_reversible(&self) -> bool {
        self.will_run().all(|migration| migration.reversible && !self.down_fails(migration))
    }

    /// The migrations that will run, in order.
    pub fn will_run(&self) -> impl Iterator<Item = &PlannedMigration> {
        self.migrations.iter().filter(|migration| migration.not_run.is_none())
    }

    /// What the migrations that will run may cost.
    pub fn dangers(&self) -> impl Iterator<Item = &Danger> {
        self.changing().flat_map(|migration| &migration.dangers)
    }

    /// The migrations that will run, in whichever direction.
    pub fn changing(&self) -> impl Iterator<Item = &PlannedMigration> {
        self.will_run().chain(&self.taken_back)
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
        compare("migrations to be taken back", back_list(old), back_list(self));
        compare("what migrations may cost", danger_list(old), danger_list(self));
        compare("what the rehearsal showed", trial_list(old), trial_list(self));
        compare("configuration", config_list(old), config_list_after(self, old));
        compare("targets", target_list(old), target_list(self));
        compare("target settings", changed_settings(old, self), changed_settings(self, old));
        let promotes = |plan: &Self| plan.promote.clone().unwrap_or_else(|| "none".to_owned());
        compare("tag moved afterwards", promotes(old), promotes(self));
        compare("together with", with_list(old), with_list(self));
        compare("commits that are taken out", old.takes_out.words(), self.takes_out.words());
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
            && self.taken_back.iter().map(essence_back).eq(old.taken_back.iter().map(essence_back))
            && self.goes_on == old.goes_on
            && self.config.iter().map(essence_config).eq(old.config.iter().map(essence_config))
            && self.targets.iter().map(PlannedTarget::essence).eq(old.targets.iter().map(PlannedTarget::essence))
            && self.promote == old.promote
            && self.takes_out.is_within(&old.takes_out)
            && self.with.iter().all(|with| old.with.iter().any(|before| before.essence() == with.essence()));
        let was_planned = |sha: &CommitSha| old.commits.iter().any(|c| c.sha == *sha);
        // A base on a side branch that `old` would have merged is not forward: it lacks commits that ran before,
        // and the plan would now ship those.
        let base_moved_forward = self.base == old.base
            || self.base.as_ref().is_some_and(|base| {
                old.base.is_some() && was_planned(base) && self.commits.iter().all(|c| was_planned(&c.sha))
            });
        let essence = |plan: &Self, m: &PlannedMigration| {
            let trial = plan.digested_trial(m).to_string();
            let dangers: Vec<_> = m.dangers.iter().map(|danger| format!("{:?}", danger.digested())).collect();
            (m.version.clone(), m.file.clone(), m.checksum.clone(), m.not_run.is_none(), dangers, trial)
        };
        let old_migrations: BTreeSet<_> = old.migrations.iter().map(|m| essence(old, m)).collect();
        let fewer = self.migrations.iter().all(|m| old_migrations.contains(&essence(self, m)));
        same && base_moved_forward && fewer
    }

    /// The known authors of the commits.
    #[must_use]
    pub fn authors(&self) -> BTreeSet<PersonId> {
        self.commits.iter().filter_map(|c| c.author.clone()).collect()
    }

    /// Whether nothing would change: the same commit runs, or none is to be deployed, and no migration would be run. Of
    /// the configuration alone: it is known to be as it was. What is deployed together with it does not count.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        if self.kind == PlanKind::Config {
            return self.drift.as_ref().is_some_and(|drift| drift.changes.is_empty());
        }
        let stays = self.kind.only_migrates() || self.base.as_ref() == Some(&self.commit);
        stays && self.changing().next().is_none()
    }

    /// Whether what runs stays as nothing differs that concerns the service: such a plan brings nothing and never runs.
    #[must_use]
    pub fn stays_untouched(&self) -> bool {
        self.paths.as_ref().is_some_and(PathsSeen::is_untouched) && self.base.as_ref() == Some(&self.commit)
    }
}

#[cfg(test)]
pub(crate) mod tests;
