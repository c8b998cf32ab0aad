//! The chat that the tests talk in.

use crate::assemble;
use crate::audit_log::{self, AuditSource};
use crate::chat::publisher::Publisher;
use crate::chat::terminal::Terminal;
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::{Engine, Incoming, Signals, approver_lines};
use crate::policies::{Keeper, Origin, PolicyText, Reading, ReloadError, Reloaded};
use crate::setup::Setup;
use crate::standing::Standing;
use crate::store::{Delivery, EffectRow, NewPolicyVersion, Store};
use crate::timekeeper::{intents, locks};
use jiff::{SignedDuration, Timestamp};
use slipway_core::audit::Record;
use slipway_core::environment::Environment;
use slipway_core::facts::{CiFact, CiState, Facts, Observed};
use slipway_core::ids::{CommitSha, EnvironmentKey, ImageDigest, ReleaseId};
use slipway_core::membership::Source;
use slipway_core::message::cards::{ReleaseView, release_card};
use slipway_core::message::terminal::{TerminalOptions, render};
use slipway_core::message::{Message, Verb};
use slipway_core::person::Identity;
use slipway_core::plan::{Commit, Plan, PlanKind, PlannedImage, PlannedMigration, PlannedTarget};
use slipway_core::policy::{Stance, built_in};
use slipway_core::release::{Event, Release, Step};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// Ana, Bob and Cem may approve, and Cem has written all that is released; Eve may only ask; Gus nothing.
pub(super) const CONFIG: &str = r#"
[store]
url = "sqlite://slipway.db"

[terminal]
channels = ["releases", "ops"]

[service.goals]
repository = "acme/goals"
workflow = "build.yaml"
image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals"
vote_expiry = "4h"
channels = ["terminal:releases", "terminal:ops"]

[service.goals.environment.staging]
target = { kind = "app-runner", service_arn = "arn:aws:apprunner:us-west-2:123456789012:service/goals-staging/8fe1e10304f84fd2b0df550fe98a71fa" }

[service.goals.environment.production]
target = { kind = "app-runner", service_arn = "arn:aws:apprunner:us-west-2:123456789012:service/goals-production/9fe1e10304f84fd2b0df550fe98a71fa" }
health_url = "https://goals.acme.dev/healthz"
rollback = "automatic"

[person.ana]
terminal = "ana"
teams = ["developers", "release"]
[person.bob]
terminal = "bob"
teams = ["developers", "release"]
[person.cem]
terminal = "cem"
teams = ["release"]
[person.eve]
terminal = "eve"
teams = ["developers"]
[person.gus]
terminal = "gus"
"#;

const CHANNEL: &str = "terminal:releases";
/// What a delivery was answered with, a question too.
const ANSWER: &str = "SELECT body FROM messages WHERE key = 'answer/' || $1 OR key LIKE 'confirm/%/' || $1";
const LEASE_MS: i64 = 60_000;

/// An engine with a store, a clock that stands still, and the effects that are under way.
pub(super) struct Chat {
    pub(super) engine: Engine,
    pub(super) store: Store,
    time: Arc<Mutex<Timestamp>>,
    held: Vec<EffectRow>,
    deliveries: u32,
    file: PathBuf,
    folder: TempDir,
}

/// A configuration's set-up, or what is wrong with it.
pub(super) fn setup(config: &str) -> Result<Setup, String> {
    let (config, _) =
        Config::check(config.as_bytes(), Path::new("slipway.toml")).map_err(|report| report.to_string())?;
    assemble::setup(&config).map_err(|error| error.to_string())
}

impl Chat {
    pub(super) async fn open() -> Self {
        Self::with(CONFIG).await
    }

    /// A Monday, 8:00.
    pub(super) async fn with(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("slipway.db");
        let store = Store::open(&file).await.unwrap();
        let time = Arc::new(Mutex::new(Timestamp::from_second(1_767_600_000).unwrap()));
        let engine = Engine {
            store: store.clone(),
            setup: Arc::new(setup(config).unwrap()),
            clock: Clock::Manual(time.clone()),
            signals: Signals::default(),
        };
        Self { engine, store, time, held: Vec::new(), deliveries: 0, file, folder }
    }

    /// The timekeeper looks at the locks, and the engine handles what it found.
    pub(super) async fn looks(&self) {
        self.notices().await;
        self.handle_all().await;
    }

    /// The timekeeper looks, and nothing else happens.
    pub(super) async fn notices(&self) {
        locks::look(&self.store, &self.engine.clock, &self.engine.signals).await.unwrap();
        intents::look(&self.store, &self.engine.clock, &self.engine.signals).await.unwrap();
    }

    /// The process is killed, and another one opens the same store.
    pub(super) async fn restarts(self) -> Self {
        let Self { engine, store, time, held, deliveries, file, folder } = self;
        let Engine { store: same, setup, clock, signals } = engine;
        drop((store, same));
        let store = Store::open(&file).await.unwrap();
        let engine = Engine { store: store.clone(), setup, clock, signals };
        let chat = Self { engine, store, time, held, deliveries, file, folder };
        chat.starts().await;
        chat
    }

    /// What somebody was told without having asked, as text.
    pub(super) async fn private(&self, who: &str) -> Vec<String> {
        let query = "SELECT body FROM messages WHERE only_for = $1 AND key NOT LIKE 'answer/%' ORDER BY id";
        let text = |body: String| self.text(&serde_json::from_str(&body).unwrap());
        self.scalars(query, who).await.into_iter().map(text).collect()
    }

    /// From now on another configuration is in force, and nothing has been judged by it yet.
    pub(super) fn configure(&mut self, config: &str) {
        self.engine.setup = Arc::new(setup(config).unwrap());
    }

    /// What the engine does when the process starts.
    pub(super) async fn starts(&self) {
        self.engine.judge_open(self.engine.clock.now_ms()).await.unwrap();
        self.handle_all().await;
    }

    /// From now on one more rule is in force beside the default ones, and nothing has been judged by it yet.
    pub(super) fn adds_rule(&mut self, rule: &str) {
        let config = self.config_with_rule(rule);
        self.configure(&config);
    }

    /// The running bot reads its policies again, and the engine puts them in force.
    pub(super) async fn reloads(&self) -> Result<Reloaded, ReloadError> {
        let reloaded = self.reads_policies().await;
        self.handle_all().await;
        reloaded
    }

    /// The running bot reads its policies again. Gives every mistake.
    pub(super) async fn reads_policies(&self) -> Result<Reloaded, ReloadError> {
        self.keeper(&self.config_with_folder()).reload("zoe").await
    }

    /// The policies of a configuration come into force as at the start of the process.
    pub(super) async fn starts_with_policies(&self, config: &str) {
        self.keeper(config).started().await.unwrap();
        self.handle_all().await;
    }

    pub(super) fn keeper(&self, config: &str) -> Keeper {
        let (config, _) = Config::check(config.as_bytes(), Path::new("slipway.toml")).unwrap();
        let Engine { store, setup, clock, signals } = self.engine.clone();
        Keeper::new(Origin::of(&config), None, setup, store, clock, signals)
    }

    /// A commit to the policies' repository was read: the default rules as somebody has edited them.
    pub(super) async fn policies_are_committed(&self, config: &str, author: &str, edit: (&str, &str)) {
        let (config, _) = Config::check(config.as_bytes(), Path::new("slipway.toml")).unwrap();
        let Origin { source, vocabulary } = Origin::of(&config);
        let files = built_in::FILES.map(|(name, text)| (name.to_owned(), text.replace(edit.0, edit.1))).to_vec();
        let text = PolicyText { schema: built_in::SCHEMA.to_owned(), files, vocabulary };
        let hash = text.parse().unwrap().hash().to_owned();
        let reading =
            Reading { text, revision: Some("ab".repeat(20)), authors: [author.to_owned()].into(), anonymous: false };
        let version = NewPolicyVersion { hash, reading, source, asked_by: "repository".into() };
        let version = self.store.policy_version_put(&version, self.engine.clock.now_ms()).await.unwrap();
        let changed = Incoming::PoliciesChanged { version };
        self.store.deliver(&format!("policies/{version}"), &changed, &self.engine.clock).await.unwrap();
        self.handle_all().await;
    }

    /// A configuration whose policies are the default ones and one more rule.
    pub(super) fn config_with_rule(&self, rule: &str) -> String {
        self.writes_rule(rule);
        self.config_with_folder()
    }

    /// Writes the folder with the default policies and one more rule.
    pub(super) fn writes_rule(&self, rule: &str) {
        let folder = self.folder.path().join("policies");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("schema.cedarschema"), built_in::SCHEMA).unwrap();
        for (name, text) in built_in::FILES.into_iter().chain([("more.cedar", rule)]) {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }

    pub(super) fn config_with_folder(&self) -> String {
        let folder = self.folder.path().join("policies");
        // The default rules name these teams.
        let teams = "[person.zoe]\nterminal = \"zoe\"\nteams = [\"sre\", \"dba\"]\n";
        format!("{CONFIG}{teams}[policies]\ndir = {:?}\n", folder.to_str().unwrap())
    }

    pub(super) fn now(&self) -> Timestamp {
        self.engine.clock.now()
    }

    pub(super) fn wait_s(&self, seconds: i64) {
        let mut time = self.time.lock().unwrap();
        *time += SignedDuration::from_secs(seconds);
    }

    /// Delivers and handles all that is there. Gives the delivery's number.
    pub(super) async fn deliver(&mut self, incoming: &Incoming) -> i64 {
        self.deliveries += 1;
        let delivery_key = format!("test/{}", self.deliveries);
        let delivered = self.store.deliver(&delivery_key, incoming, &self.engine.clock).await.unwrap();
        assert_eq!(delivered, Delivery::Accepted);
        self.handle_all().await;
        self.scalar("SELECT id FROM inbox WHERE delivery_key = $1", &delivery_key).await.unwrap()
    }

    pub(super) async fn handle_all(&self) {
        while self.engine.handle_next().await.unwrap() {}
    }

    /// Somebody types; gives what they are answered.
    pub(super) async fn says(&mut self, who: &str, text: &str) -> String {
        self.types(Identity::Terminal(who.to_owned()), text).await
    }

    pub(super) async fn types(&mut self, who: Identity, text: &str) -> String {
        let typed = Incoming::Typed { who, channel: CHANNEL.to_owned(), text: text.to_owned() };
        let delivery = self.deliver(&typed).await;
        self.answer(delivery).await
    }

    /// Somebody presses a button on a release's card.
    pub(super) async fn presses(&mut self, who: &str, release: &ReleaseId, verb: Verb) -> String {
        let who = Identity::Terminal(who.to_owned());
        let message = format!("release/{release}");
        let delivery =
            self.deliver(&Incoming::Pressed { who, channel: CHANNEL.to_owned(), message, verb, plan: None }).await;
        self.answer(delivery).await
    }

    /// Somebody puts a reaction that stands for a vote to a release's card, or takes it away.
    pub(super) async fn reacts(&mut self, who: &str, release: &ReleaseId, stance: Stance, added: bool) -> String {
        let who = Identity::Terminal(who.to_owned());
        let (channel, message) = (CHANNEL.to_owned(), format!("release/{release}"));
        let delivery = self
            .deliver(&Incoming::Reacted {
                who,
                channel,
                message,
                stance,
                added,
                at_us: None,
                name: String::new(),
                found: false,
            })
            .await;
        self.answer(delivery).await
    }

    pub(super) async fn answer(&self, delivery: i64) -> String {
        let body: Option<String> = self.scalar(ANSWER, &delivery.to_string()).await;
        body.map(|body| self.text(&serde_json::from_str(&body).unwrap())).unwrap_or_default()
    }

    /// Something happens to a release, as if an outcome had been on its way.
    pub(super) async fn happened(&mut self, release: &ReleaseId, event: Event) {
        self.deliver(&Incoming::Happened { release: release.clone(), event }).await;
    }

    /// The members of a team were looked up where they are kept.
    pub(super) async fn sees_members(&mut self, source: &Source, members: &[&str]) {
        let members = members.iter().map(|id| (*id).to_owned()).collect();
        let at = self.now();
        self.deliver(&Incoming::MembersSeen { source: source.clone(), members, at }).await;
    }

    /// They could not be looked up, and are tried again after a while.
    pub(super) async fn cannot_see_members(&mut self, source: &Source, again_in_s: i64) {
        let (at, what) = (self.now(), "It does not answer.".to_owned());
        let again_at = at + SignedDuration::from_secs(again_in_s);
        self.deliver(&Incoming::MembersUnseen { source: source.clone(), what, at, again_at }).await;
    }

    /// Leases a pending effect of a release, as the executor does.
    pub(super) async fn lease(&mut self, release: &ReleaseId, name: &str) -> EffectRow {
        let leased = self.store.effects_lease("test", self.engine.clock.now_ms(), LEASE_MS, 100, &[]).await.unwrap();
        for row in leased {
            let row = row.unwrap();
            self.held.retain(|held| held.id != row.id);
            self.held.push(row);
        }
        let wanted = |row: &EffectRow| row.release == *release && row.effect.name() == name;
        let Some(at) = self.held.iter().position(wanted) else {
            panic!("there is no effect {name} among {:?}", self.effects(release).await);
        };
        self.held.remove(at)
    }

    /// An effect that is pending has an outcome.
    pub(super) async fn outcome(&mut self, release: &ReleaseId, name: &str, event: Event) {
        let (row, release) = (self.lease(release, name).await, release.clone());
        self.store.effect_done(&row, &Incoming::Happened { release, event }, &self.engine.clock).await.unwrap();
        self.handle_all().await;
    }

    /// The running step succeeds.
    pub(super) async fn succeeds(&mut self, release: &ReleaseId, effect: &str, step: Step) {
        let event = Event::StepSucceeded { step, detail: "done".into(), at: self.now() };
        self.outcome(release, effect, event).await;
    }

    /// Somebody asks for a release, and it is planned as far as the gate.
    pub(super) async fn planned(&mut self, who: &str, plan: &Plan) -> ReleaseId {
        let answer = self.says(who, &format!("/deploy {}", plan.environment)).await;
        assert_eq!(answer, "");
        let release = self.newest().await;
        let resolved = Event::Resolved { commit: plan.commit.clone(), branch: Some("main".into()) };
        self.outcome(&release, "resolve", resolved).await;
        self.outcome(&release, "await_build", Event::BuildReady).await;
        self.gathers(&release, plan).await;
        release
    }

    /// Plan and facts are gathered, as of now.
    pub(super) async fn gathers(&mut self, release: &ReleaseId, plan: &Plan) {
        let ci = CiFact { state: CiState::Green, total: 3, passed: 3, failing: vec![], missing: vec![] };
        self.gathers_with(release, plan, ci).await;
    }

    /// The same with CI as it is now.
    pub(super) async fn gathers_with(&mut self, release: &ReleaseId, plan: &Plan, ci: CiFact) {
        let facts = Facts::of_ci(Observed { value: ci, at: self.now() });
        self.outcome(release, "gather", Event::Planned { plan: Box::new(plan.clone()), facts }).await;
    }

    /// Plan and facts are gathered, and nobody looks at them.
    pub(super) async fn gathers_unseen(&mut self, release: &ReleaseId, plan: &Plan) {
        let ci = CiFact { state: CiState::Green, total: 3, passed: 3, failing: vec![], missing: vec![] };
        let facts = Facts::of_ci(Observed { value: ci, at: self.now() });
        let (row, release) = (self.lease(release, "gather").await, release.clone());
        let event = Event::Planned { plan: Box::new(plan.clone()), facts };
        self.store.effect_done(&row, &Incoming::Happened { release, event }, &self.engine.clock).await.unwrap();
    }

    /// A release that runs does all its steps.
    pub(super) async fn runs_to_its_end(&mut self, release: &ReleaseId) {
        self.succeeds(release, "observe_ci", Step::Ci).await;
        self.succeeds(release, "observe_image", Step::Image).await;
        self.deploys(release).await;
    }

    /// The last two steps.
    pub(super) async fn deploys(&mut self, release: &ReleaseId) {
        let started = Event::DeployStarted { target: 0, operation: "op-1".into() };
        self.outcome(release, "deploy", started).await;
        self.succeeds(release, "follow", Step::Deploy).await;
        self.succeeds(release, "verify", Step::Verify).await;
    }

    pub(super) async fn newest(&self) -> ReleaseId {
        let id: Option<String> = self.scalar("SELECT id FROM releases WHERE id > $1 ORDER BY id DESC", "").await;
        ReleaseId::new(id.expect("there is a release"))
    }

    pub(super) async fn release(&self, id: &ReleaseId) -> Release {
        self.store.release(id).await.unwrap().unwrap().release
    }

    /// The phase, and the step of a run: `running(ci)`.
    pub(super) async fn phase(&self, id: &ReleaseId) -> String {
        match self.release(id).await.phase {
            slipway_core::release::Phase::Running { step } => format!("running({})", step.name()),
            other => other.name().to_owned(),
        }
    }

    pub(super) async fn environment(&self, name: &str) -> Environment {
        self.store.environment(&key(name)).await.unwrap()
    }

    /// The rules that the gate named last.
    pub(super) async fn refused_by(&self, id: &ReleaseId) -> Vec<String> {
        let verdict = self.release(id).await.verdict;
        verdict.map_or(vec![], |verdict| verdict.reasons().iter().map(|reason| reason.id.clone()).collect())
    }

    /// The channels show what they should.
    pub(super) async fn publishes(&self) {
        let terminal = Terminal::new(self.store.clone(), Arc::default());
        let Engine { store, setup, clock, signals } = self.engine.clone();
        let publisher = Publisher::new(store, setup, clock, signals, vec![Arc::new(terminal)]);
        while publisher.publish_due().await.unwrap() > 0 {}
    }

    /// The release's card as it would be drawn now.
    pub(super) async fn card(&self, id: &ReleaseId) -> String {
        let release = self.release(id).await;
        let environment = self.store.environment(&release.request.key).await.unwrap();
        let setup = &self.engine.setup;
        let standing = Standing::shown(&self.store, setup, &release, self.now()).await.unwrap();
        self.text(&release_card(&ReleaseView {
            release: &release,
            environment: Some(&environment),
            people: &standing.people,
            approvers: &approver_lines(setup, &standing, &release, self.now()),
            now: self.now(),
            expected_s: None,
            expected_deploy_s: None,
            next: setup.next_environment(&release.request.key),
            marked: None,
        }))
    }

    pub(super) fn text(&self, message: &Message) -> String {
        render(message, &TerminalOptions::new(200, false, self.now())).join("\n")
    }

    /// The names of a release's effects that are not done, without the courtesy of showing it on GitHub.
    pub(super) async fn effects(&self, release: &ReleaseId) -> Vec<String> {
        let open = "SELECT kind FROM effects WHERE release = $1 AND state IN ('pending', 'leased') AND kind <> 'report' ORDER BY id";
        self.scalars(open, release.as_str()).await
    }

    /// What people were to be told about a release: `bob: …`.
    pub(super) async fn told(&self, release: &ReleaseId) -> Vec<String> {
        let tell = "SELECT body FROM effects WHERE release = $1 AND kind = 'tell' ORDER BY id";
        let told = |body: String| {
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            let people: Vec<_> = body["people"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
            format!("{}: {}", people.join(" "), body["what"].as_str().unwrap())
        };
        self.scalars(tell, release.as_str()).await.into_iter().map(told).collect()
    }

    /// What the channel was told under that key.
    pub(super) async fn posted(&self, key: &str) -> String {
        let body: Option<String> = self.scalar("SELECT body FROM messages WHERE key = $1", key).await;
        body.map(|body| self.text(&serde_json::from_str(&body).unwrap())).unwrap_or_default()
    }

    /// The same where the message may be waiting for its words.
    pub(super) async fn posted_if_any(&self, key: &str) -> String {
        let body: Option<String> = self.scalar("SELECT coalesce(body, '') FROM messages WHERE key = $1", key).await;
        let body = body.filter(|body| !body.is_empty());
        body.map(|body| self.text(&serde_json::from_str(&body).unwrap())).unwrap_or_default()
    }

    pub(super) async fn count(&self, count: &'static str, bound: &str) -> i64 {
        self.scalar(count, bound).await.unwrap()
    }

    pub(super) async fn audit(&self) -> Vec<Record> {
        let rows = self.store.audit_rows(1, 10_000).await.unwrap();
        rows.iter().map(|row| serde_json::from_slice(&row.text).unwrap()).collect()
    }

    /// The audit records of a kind.
    pub(super) async fn audit_of(&self, kind: &str) -> Vec<Record> {
        self.audit().await.into_iter().filter(|record| record.kind == kind).collect()
    }

    /// Reads the whole chain again, as `slipway audit verify` does.
    pub(super) async fn verify_audit(&self) -> audit_log::Verified {
        audit_log::verify(AuditSource::Store(&self.file), None).await.unwrap()
    }

    /// The records behind the first so many.
    pub(super) async fn audit_since(&self, count: usize) -> Vec<Record> {
        self.audit().await.split_off(count)
    }

    /// The file of the store.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    pub(super) async fn scalar<T>(&self, query: &'static str, bound: &str) -> Option<T>
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> + Send + Unpin,
    {
        let mut tx = self.store.begin().await.unwrap();
        sqlx::query_scalar(query).bind(bound.to_owned()).fetch_optional(&mut *tx).await.unwrap()
    }

    pub(super) async fn execute(&self, statement: String) {
        let mut tx = self.store.begin().await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub(super) async fn scalars(&self, query: &'static str, bound: &str) -> Vec<String> {
        let mut tx = self.store.begin().await.unwrap();
        sqlx::query_scalar(query).bind(bound.to_owned()).fetch_all(&mut *tx).await.unwrap()
    }
}

pub(super) fn key(environment: &str) -> EnvironmentKey {
    EnvironmentKey { service: "goals".into(), environment: environment.into() }
}

pub(super) fn sha(n: u32) -> CommitSha {
    CommitSha::parse(&format!("{n:040x}")).unwrap()
}

/// From one commit to a later one, all of Cem's, without migrations.
pub(super) fn plan(environment: &str, base: u32, commit: u32) -> Plan {
    let one = |n| Commit {
        sha: sha(n),
        title: format!("Change {n}"),
        author_name: "Cem".into(),
        author_login: Some("cem".into()),
        author: Some("cem".into()),
        pull_request: None,
    };
    let (kind, name) = ("app-runner".into(), format!("goals-{environment}"));
    let (id, settings) = (name.clone(), BTreeMap::new());
    let target = PlannedTarget { kind, id, name, settings, runs: None, image: None, operation: None };
    Plan {
        service: "goals".into(),
        environment: environment.into(),
        kind: PlanKind::Deploy,
        base: Some(sha(base)),
        base_since: None,
        commit: sha(commit),
        commits: (base + 1..=commit).rev().map(one).collect(),
        commits_total: commit - base,
        image: PlannedImage {
            repository: "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals".into(),
            digest: ImageDigest::parse(&format!("sha256:{commit:064x}")).unwrap(),
            tag: sha(commit).to_string(),
            pushed_at: None,
        },
        migrations: vec![],
        taken_back: vec![],
        workflow: vec![],
        past_slipway: Default::default(),
        with: vec![],
        paths: None,
        takes_out: Default::default(),
        files_from: None,
        goes_on: false,
        between: Default::default(),
        unknown_applied: vec![],
        half_done: vec![],
        edited: vec![],
        rehearsal: None,
        config: vec![],
        drift: None,
        targets: vec![target],
        promote: None,
    }
}

/// The same with a migration.
pub(super) fn migrating(mut plan: Plan) -> Plan {
    plan.migrations.push(PlannedMigration {
        version: 7.into(),
        file: "00007_likes.sql".into(),
        checksum: "ab".repeat(32),
        down_checksum: None,
        reversible: true,
        transactional: true,
        summary: "creates likes".into(),
        dangers: vec![],
        down_loses_data: false,
        late: false,
        not_run: None,
        statements: String::new(),
    });
    plan
}
