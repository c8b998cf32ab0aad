//! One world in which release after release is played, each with one call going wrong in one way.

use super::table::{End, Kind, LASTING, Row, Story};
use super::{aws_calls, github_calls, ship_calls};
use crate::support::{Player, text};
use jiff::Timestamp;
use regex::Regex;
use serde_json::{Value, json};
use slipway::store::TerminalMessage;
use slipway_core::message::Verb;
use slipway_core::release::{Failure, Outcome, Phase, Promotion, Release, Step};
use slipway_sandbox::aws::{self, FailureMode};
use slipway_sandbox::github::{self, CiMode, NewPull, NewReview, sample};
use slipway_sandbox::world::{Options, Pace, TargetOption, World};
use sqlx::Connection as _;
use std::collections::BTreeSet;
use std::time::Duration;

/// A setting of the service's that must be nowhere but in Secrets Manager.
const SECRET: &str = "hunter2-of-staging";
/// How long it may take until GitHub and ECR have been told.
const TOLD_LIMIT: Duration = Duration::from_secs(60);
/// Longer than any deployment takes here, also one that stays under way.
const LONG_MS: u64 = 700_000;
/// A deployment that stays under way.
pub(super) const NEVER_OVER: aws::Pace = aws::Pace { pending_ms: 0, in_progress_ms: 600_000, rollback_ms: 600_000 };
/// How long a call may take where some get no answer: long enough for those that do.
pub(super) const CALL_LIMIT: &str = "call_limit_ms = 3000\n";
/// How long the chat is looked at between two looks at whether they have.
const TOLD_LOOK: Duration = Duration::from_millis(50);
/// How much of a sentence a card has room for at least, in characters.
const SHOWN_CHARS: usize = 60;
/// Versions of the migrations that the commits add.
const FIRST_VERSION: u64 = 20_260_101_000_000;

pub(super) struct Rig {
    pub(super) world: World,
    pub(super) player: Player,
    /// Cards that have ended already.
    known: Vec<TerminalMessage>,
    commits: u64,
    /// What was not as it has to be, with the cell in which it was.
    wrong: Vec<String>,
}

impl Rig {
    /// A world in which what failed is soon tried again, and in which nobody waits long where no answer comes.
    pub(super) async fn new(target: TargetOption, kind: Kind) -> Self {
        let options = Options { pace: Pace::Fast, target, sqlite: true, ..Options::default() };
        let mut world = World::new(options).await.unwrap();
        world.bot.kill().unwrap();
        let mut config = std::fs::read_to_string(&world.config).unwrap();
        let staging = format!("[service.{}.environment.staging]\n", world.service);
        let mut pace = "[pace]\nretry_ms = 10\n".to_owned();
        let mut healthy_limit = "healthy_limit_s = 3\n";
        if kind == Kind::Timeout {
            pace.push_str(CALL_LIMIT);
            // So that a look which has no answer leaves time for another.
            healthy_limit = "healthy_limit_s = 30\n";
        }
        for (from, to) in [
            ("[server]\n", "[server]\nack_budget_ms = 2500\n".to_owned()),
            ("[pace]\n", pace),
            ("healthy_limit_s = 3\n", healthy_limit.to_owned()),
            (&staging, format!("{staging}promote = \"latest\"\nchecks = \"branch-protection\"\n")),
        ] {
            assert!(config.contains(from), "{config}");
            config = config.replacen(from, &to, 1);
        }
        std::fs::write(&world.config, config).unwrap();
        world.github.protect(Some(&[("test", None)]), &[]);
        let player = Player::new(&world, &kind.to_string());
        let mut rig = Self { world, player, known: Vec::new(), commits: 0, wrong: Vec::new() };
        rig.put_settings();
        rig.world.bot.start().await.unwrap();
        rig
    }

    /// One more commit of Bob's on the default branch, with a migration of its own.
    fn commit(&mut self) {
        self.commits += 1;
        let (n, version) = (self.commits, FIRST_VERSION + self.commits);
        let sql =
            format!("-- +goose Up\nCREATE TABLE t{n} (id BIGINT PRIMARY KEY);\n\n-- +goose Down\nDROP TABLE t{n};\n");
        let (who, title) = (bob(), format!("Table {n}"));
        let stream = format!(
            "commit refs/heads/main\nauthor {who}\ncommitter {who}\ndata {}\n{title}\nfrom refs/heads/main^0\n\
             M 100644 inline migrations/{version}_t{n}.sql\ndata {}\n{sql}\n",
            title.len() + 1,
            sql.len(),
        );
        sample::import(&self.world.repository, &stream).unwrap();
    }

    /// Plays the story of rows, all of one, while their calls go wrong, if they are to, and gives what a person reads of
    /// it at the end.
    pub(super) async fn play(&mut self, rows: &[&Row], kind: Option<Kind>) -> String {
        let row = rows[0];
        self.commit();
        self.world.github.set_ci(CiMode::Green);
        if row.story == Story::OldCommit {
            self.commit();
        }
        if matches!(row.story, Story::RedCi | Story::RerunJobs) {
            self.world.github.set_ci(CiMode::RedTest);
        }
        if row.story == Story::Settings {
            self.edit_settings().await;
        }
        if row.story == Story::RollsBack {
            self.world.aws.fail_next_deployment(&self.world.staging_arn, FailureMode::RollsBack);
        }
        // What an earlier release left under way has come to its end.
        self.world.aws.advance_ms(LONG_MS);
        let before = self.before();
        let asked_before: Vec<_> = rows.iter().map(|row| self.world.aws.calls(row.call)).collect();
        let in_the_middle = kind == Some(Kind::Denied) && row.in_the_middle;
        if row.story != Story::RerunJobs && !in_the_middle {
            self.inject(rows, kind);
        }
        // However slow the machine is, the moment is not missed.
        let pace = in_the_middle.then(|| self.world.aws.set_pace(NEVER_OVER));
        let typed = match row.story {
            Story::OldCommit => format!("/deploy staging {}", self.world.git(&["rev-parse", "main~1"])),
            Story::Misspelt => "/deploy staging mian".to_owned(),
            Story::Tagged => format!("/deploy staging {}", self.tag()),
            Story::Settings => "/deploy staging --config".to_owned(),
            Story::Ships => format!("/release ship {}", self.propose().await),
            _ => "/deploy staging".to_owned(),
        };
        self.say(&typed).await;
        if in_the_middle {
            let known: Vec<_> = self.known.iter().map(|card| card.key.clone()).collect();
            let under_way = |m: &TerminalMessage| !known.contains(&m.key) && text(m).contains(": update ");
            self.player.until("the deployment", under_way).await;
            self.inject(rows, kind);
        }
        if let Some(pace) = pace {
            self.world.aws.set_pace(pace);
        }
        let mut card = self.ended().await;
        if row.story == Story::RerunJobs {
            self.world.github.set_ci(CiMode::Green);
            self.inject(rows, kind);
            self.player.press("ana", &card, Verb::Rerun).await;
            card = self.ended().await;
        }
        self.until_all_is_told().await;
        let left = self.heal();
        let release = self.player.release(&self.world, &card).await;
        let lasts = kind.is_some_and(Kind::lasts);
        let calls: Vec<_> = rows.iter().map(|row| row.call).collect();
        let place = format!("{} · {kind:?}\n{}\n{}", calls.join(" and "), text(&card), self.world.bot.log());
        let mut wrong = self.untrue(&before, &release, &card).await;
        if if lasts { left == LASTING } else { left > 0 } {
            wrong.push(format!("the call was not made, {left} faults are left"));
        }
        if kind == Some(Kind::Lost) && !row.is_of_github() {
            let asked: Vec<_> =
                rows.iter().zip(&asked_before).map(|(row, n)| self.world.aws.calls(row.call) - n).collect();
            if asked.iter().any(|asked| *asked != 1) {
                wrong.push(format!("asked for {asked:?} times: what was done was to be found, not repeated"));
            }
        }
        if !lasts && End::of(&release) != row.story.end() {
            wrong.push(format!("{:?} instead of {:?}", End::of(&release), row.story.end()));
        }
        self.wrong.extend(wrong.into_iter().map(|what| format!("{what}: {place}")));
        let mut said = said(&release);
        if let Some(Promotion { problem: Some(problem), .. }) = &release.promotion {
            said.push_str(&everyday(&flat(&format!("; the tag was not moved: {problem}"))));
        }
        let not_shown = format!("not-on-github/{}", release.id);
        if let Some(told) = self.player.seen.iter().rev().find(|message| message.key == not_shown) {
            said.push_str(&everyday(&flat(&format!("; {}", text(told)))));
        }
        said
    }

    /// Tags the newest commit; gives the tag's name.
    fn tag(&self) -> String {
        let name = format!("v2.{}", self.commits);
        let stream = format!("tag {name}\nfrom refs/heads/main^0\ntagger {}\ndata 1\nx\n", bob());
        sample::import(&self.world.repository, &stream).unwrap();
        name
    }

    /// Eve's pull request, green and approved by Bob; gives its number.
    async fn propose(&self) -> u64 {
        let (number, branch) = (self.commits, format!("pull-{}", self.commits));
        let options = sample::SampleOptions::new(Timestamp::now());
        let page = format!("docs/{branch}.md");
        let head = sample::propose(&self.world.repository, &options, &branch, (&page, "What is new\n")).unwrap();
        self.world.github.mark_green(&head);
        // What the branch got meanwhile it need not have.
        self.world.github.protect(None, &[("test", None)]);
        let (title, author) = ("What is new".to_owned(), options.eve.login.clone());
        self.world.github.open_pull(NewPull { number, title, author, branch });
        let review = NewReview { who: "bob-dev", state: "APPROVED", association: "MEMBER" };
        self.world.github.review(number, review).await.unwrap();
        number
    }

    /// Somebody edits a setting of what runs.
    async fn edit_settings(&mut self) {
        if self.live().await.is_none() {
            self.say("/deploy staging").await;
            let card = self.ended().await;
            assert_eq!(End::of(&self.player.release(&self.world, &card).await), End::Live, "{}", text(&card));
            self.until_all_is_told().await;
        }
        self.put_settings();
    }

    fn put_settings(&self) {
        let host = format!("{SECRET}-{}", self.commits);
        let secret = json!({ "GOOSE_DBSTRING": self.world.staging_database, "SMTP_HOST": host });
        self.world.aws.put_secret("goals/staging", &secret);
    }

    fn inject(&self, rows: &[&Row], kind: Option<Kind>) {
        for (row, kind) in rows.iter().filter_map(|row| Some((row, kind?))) {
            if row.is_of_github() {
                for (kind, times) in kind.at_github(row) {
                    self.world.github.inject(github::Fault { route: row.call.to_owned(), kind, times });
                }
            } else {
                for (kind, times) in kind.at_aws(row) {
                    self.world.aws.inject(aws::Fault { action: row.call.to_owned(), kind, times });
                }
            }
        }
    }

    /// What goes on after a release has ended: GitHub is shown it, a tag is moved.
    async fn until_all_is_told(&mut self) {
        let deadline = tokio::time::Instant::now() + TOLD_LIMIT;
        let open = "SELECT (SELECT count(*) FROM effects WHERE state IN ('pending', 'leased') AND kind IN ('report', \
                    'promote', 'remove_tag')) + (SELECT count(*) FROM inbox WHERE consumed_at IS NULL)";
        while self.number(open).await > 0 {
            assert!(tokio::time::Instant::now() < deadline, "GitHub and ECR were not told\n{}", self.world.bot.log());
            self.player.watch_for(TOLD_LOOK).await;
        }
    }

    async fn say(&self, text: &str) {
        self.player.say("ana", text).await;
    }

    async fn ended(&mut self) -> TerminalMessage {
        let known: Vec<_> = self.known.iter().collect();
        let card = self.player.until_end_of_another(&known).await;
        self.known.push(card.clone());
        card
    }

    fn before(&self) -> Before {
        let (aws, arn) = (&self.world.aws, &self.world.staging_arn);
        Before {
            deployments: aws.deployment_operations(arn).len(),
            image: aws.running_image(arn),
            dispatches: self.world.github.dispatches().len(),
        }
    }

    /// Nothing goes wrong any more. Gives how often something was still to.
    fn heal(&self) -> u32 {
        self.world.aws.heal() + self.world.github.heal()
    }

    /// What does not hold of that which holds however a release ends.
    async fn untrue(&self, before: &Before, release: &Release, card: &TerminalMessage) -> Vec<String> {
        let now = self.before();
        let (deployments, dispatches) = (now.deployments - before.deployments, now.dispatches - before.dispatches);
        let approved = release.plan.as_ref().map(|plan| plan.image.pinned());
        let live = self.live().await;
        let shown = flat(&text(card));
        let begins = |text: &str| flat(text).chars().take(SHOWN_CHARS).collect::<String>();
        let told = |failure: &Failure| shown.contains(&begins(&failure.what));
        let succeeded = release.phase == Phase::Succeeded;
        // Of a deployment that could not be followed to its end the card says that nobody knows.
        let known = matches!(End::of(release), End::Live | End::RolledBack | End::Failed(Some(Step::Verify)));
        let known = known && live.is_some();
        let wrong = [
            (deployments > 1, format!("{deployments} deployments")),
            (dispatches > 1, format!("{dispatches} dispatches")),
            (succeeded && deployments != 1, format!("{deployments} deployments, and it succeeded")),
            (succeeded && now.image != approved, format!("{:?} runs and not {approved:?}", now.image)),
            (succeeded && live != approved, format!("the store says {live:?} is live and not {approved:?}")),
            (
                deployments == 1 && known && live != now.image,
                format!("{live:?} is live for the store and not {:?}", now.image),
            ),
            (deployments == 0 && now.image != before.image, "another image runs, and nothing was deployed".to_owned()),
            (!failure(release).is_none_or(told), "the card does not say what happened".to_owned()),
        ];
        wrong.into_iter().filter(|(is, _)| *is).map(|(_, what)| what).collect()
    }

    /// The image that the store takes to be live on staging.
    async fn live(&self) -> Option<String> {
        let state: Option<String> = self.one("SELECT state FROM environments WHERE environment = 'staging'").await;
        let state: Value = serde_json::from_str(&state?).unwrap();
        let live = state.get("live")?;
        let image = live["image"].as_str()?;
        let approved = format!("123456789012.dkr.ecr.us-west-2.amazonaws.com/{}@{image}", self.world.service);
        Some(approved)
    }

    async fn one(&self, query: &'static str) -> Option<String> {
        let url = format!("sqlite:{}?mode=ro", self.world.folder().join("slipway.db").display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::query_scalar(query).fetch_optional(&mut connection).await.unwrap()
    }

    async fn number(&self, query: &'static str) -> i64 {
        let url = format!("sqlite:{}?mode=ro", self.world.folder().join("slipway.db").display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
    }

    /// Calls that were made and that no row is about: nobody would know what comes of it when they go wrong.
    fn without_row(&self) -> Vec<String> {
        let tables = aws_calls::ALL.into_iter().chain(github_calls::ALL).chain([ship_calls::ALL]);
        let rows: Vec<_> = tables.flatten().map(|row| row.call).collect();
        let asked =
            self.world.github.requests().iter().map(|request| github::shape_of(request)).collect::<BTreeSet<_>>();
        let all = self.world.aws.actions().into_iter().chain(asked);
        all.filter(|call| !rows.contains(&call.as_str())).map(|call| format!("no row is about {call}")).collect()
    }

    /// After all of it: the audit log holds together, and no secret is anywhere.
    pub(super) fn close(self) -> Vec<String> {
        let verified = self.world.bot.run(&["audit", "verify"]).unwrap();
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
        let messages = serde_json::to_string(&self.player.seen).unwrap();
        let aws = self.world.aws.explicit(slipway_deploy::aws::CallLimits::default());
        for secret in [SECRET, &aws.secret_access_key] {
            assert!(!messages.contains(secret) && !self.world.bot.log().contains(secret), "{secret} was told");
            for file in std::fs::read_dir(self.world.folder()).unwrap() {
                let path = file.unwrap().path();
                let ours = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("slipway."));
                let bytes = if ours { std::fs::read(&path).unwrap() } else { Vec::new() };
                assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{}", path.display());
            }
        }
        let without_row = self.without_row();
        self.wrong.into_iter().chain(without_row).collect()
    }
}

struct Before {
    deployments: usize,
    image: Option<String>,
    dispatches: usize,
}

/// Who commits, and when.
fn bob() -> String {
    format!("Bob Stone <bob@acme.dev> {} +0000", Timestamp::now().as_second())
}

/// What failed, if something did.
fn failure(release: &Release) -> Option<&Failure> {
    match &release.outcome {
        Some(Outcome::Failed { failure, .. } | Outcome::RolledBack { failure }) => Some(failure),
        _ => None,
    }
}

/// How it ended, as a person reads it, without what differs from day to day.
fn said(release: &Release) -> String {
    let Some(failure) = failure(release) else { return release.phase.name().to_owned() };
    let details = failure.details.iter().map(|detail| format!(" {detail}"));
    let said = format!("{}: {}{}", release.phase.name(), failure.what, details.collect::<String>());
    everyday(&flat(&said))
}

/// Without addresses, ids and times.
fn everyday(text: &str) -> String {
    let patterns = [
        (r"http://127\.0\.0\.1:\d+", "http://…"),
        (r"\b[0-9a-f]{7,40}\b", "…"),
        (r"\d\d:\d\d:\d\d UTC", "…"),
        (r"\b[Rr]un \d+", "run …"),
        (r"\bv2\.\d+\b", "v2.…"),
        (r"migrations/\w+\.sql", "migrations/….sql"),
        (r"runs/\d+|jobs?/? ?\d+", "…"),
        (r"\b[0-9A-HJKMNP-TV-Z]{26}\b", "…"),
    ];
    patterns.iter().fold(text.to_owned(), |text, (pattern, with)| {
        Regex::new(pattern).unwrap().replace_all(&text, *with).into_owned()
    })
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
