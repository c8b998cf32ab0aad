//! Teams whose members are kept on GitHub and in Slack: the regular look at them, and a whole release by them.

use crate::support::{Player, text};
use slipway::audit_log::{AuditSource, records};
use slipway::clock::Clock;
use slipway::config::Config;
use slipway::engine::{Engine, Signals};
use slipway::members::Members;
use slipway::outside::Outside;
use slipway::store::Store;
use slipway_core::membership::{Roll, Source};
use slipway_core::release::Phase;
use slipway_deploy::aws::AwsClients;
use slipway_deploy::github::{Auth, GitHub};
use slipway_deploy::health::{CHECK_LIMIT_MS, HealthChecker};
use slipway_deploy::slack::Slack;
use slipway_sandbox::github::sample::{self, SampleOptions};
use slipway_sandbox::github::{Account, Fault, FaultKind, GitHubOptions, GitHubSandbox, TeamAccess};
use slipway_sandbox::slack::{self, SlackOptions, SlackSandbox};
use slipway_sandbox::world::{Options, Pace, Teams, World};
use sqlx::Connection as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Sooner than a question that GitHub does not answer is given up.
const SOON: Duration = Duration::from_secs(15);
/// How often one votes where a card changes at the same time.
const VOTES_LIMIT: usize = 5;
const TOKEN: &str = "ghp_sandbox";
const SLACK_TOKEN: &str = "xoxb-sandbox";
const MEMBERS: &str = "/orgs/acme/teams/release-managers/members";

const CONFIG: &str = r#"
[store]
url = "sqlite://slipway.db"
[slack]
[team.release]
github = "acme/release-managers"
slack = "S0614TZR7"
[person.ana]
github = "ana-dev"
[person.bob]
slack = "U0BOB1234"
"#;

/// GitHub, Slack and an engine with a store; time stands until it is moved.
struct Rig {
    github: GitHubSandbox,
    slack: SlackSandbox,
    members: Members,
    engine: Engine,
    time: Arc<Mutex<jiff::Timestamp>>,
    folder: tempfile::TempDir,
}

async fn rig() -> Rig {
    slipway_deploy::install_crypto_provider();
    let start: jiff::Timestamp = "2026-01-05T08:00:00Z".parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("repository");
    std::fs::create_dir(&repository).unwrap();
    sample::build(&repository, &SampleOptions::new(start)).unwrap();
    let github = GitHubSandbox::start(GitHubOptions::new(&repository, "acme/goals", TOKEN)).await.unwrap();
    let slack = SlackSandbox::start(SlackOptions::new(SLACK_TOKEN)).await.unwrap();
    let store = Store::open(&folder.path().join("slipway.db")).await.unwrap();
    let (config, _) = Config::check(CONFIG.as_bytes(), Path::new("slipway.toml")).unwrap();
    let setup = Arc::new(slipway::assemble::setup(&config).unwrap());
    let outside = Outside::new(
        GitHub::new(&github.api_url, Auth::Token(TOKEN.into())).unwrap(),
        Some(Slack::new(&slack.api_url, &SLACK_TOKEN.into()).unwrap()),
        &AwsClients::from_env().await,
        HealthChecker::new(CHECK_LIMIT_MS).unwrap(),
    );
    let time = Arc::new(Mutex::new(start));
    let (clock, signals) = (Clock::Manual(time.clone()), Signals::default());
    let members = Members::new(store.clone(), setup.clone(), Arc::new(outside), clock.clone(), signals.clone());
    let engine = Engine { store, setup, clock, signals };
    Rig { github, slack, members, engine, time, folder }
}

impl Rig {
    fn pass_s(&self, seconds: i64) {
        *self.time.lock().unwrap() += jiff::SignedDuration::from_secs(seconds);
    }

    fn down(&self, kind: FaultKind) {
        self.github.inject(Fault { route: MEMBERS.into(), kind, times: u32::MAX });
    }

    /// Looks at what is due. Gives how often GitHub and Slack were asked so far.
    async fn looks(&self) -> (usize, usize) {
        self.members.look_at_due().await.unwrap();
        self.handles().await
    }

    async fn handles(&self) -> (usize, usize) {
        while self.engine.handle_next().await.unwrap() {}
        let github = self.github.requests().iter().filter(|request| request.contains(MEMBERS)).count();
        (github, self.slack.calls().len())
    }

    async fn roll(&self) -> Roll {
        let team = Source::GithubTeam { organisation: "acme".into(), slug: "release-managers".into() };
        self.engine.store.membership(&team).await.unwrap().unwrap()
    }

    async fn changes(&self) -> Vec<String> {
        let audit = records(AuditSource::Store(&self.folder.path().join("slipway.db"))).await.unwrap();
        audit.iter().map(|r| format!("{} +{} -{}", r.kind, r.body["came"], r.body["went"])).collect()
    }
}

#[tokio::test]
async fn each_source_is_looked_at_every_five_minutes() {
    let rig = rig().await;
    rig.github.set_team("acme/release-managers", [Account::User("Ana-Dev".into()), Account::User("zoe".into())]);
    rig.slack.set_group("S0614TZR7", &["U0BOB1234", "U0BOT1234"]);
    assert!(rig.members.is_due().await.unwrap());
    assert_eq!(rig.looks().await, (1, 1));
    assert!(!rig.members.is_due().await.unwrap());
    rig.pass_s(299);
    assert_eq!(rig.looks().await, (1, 1));
    rig.pass_s(1);
    rig.github.set_team("acme/release-managers", []);
    assert_eq!(rig.looks().await, (2, 2));
    let mut changes = rig.changes().await;
    changes.sort();
    let changed = |came: &str, went: &str| format!("membership_changed +{came} -{went}");
    assert_eq!(changes, [changed("[\"ana\"]", "[]"), changed("[\"bob\"]", "[]"), changed("[]", "[\"ana\"]")]);
}

#[tokio::test]
async fn a_source_that_is_down_is_asked_less_and_less_often_and_keeps_no_other() {
    let rig = rig().await;
    rig.github.set_team("acme/release-managers", [Account::User("ana-dev".into())]);
    rig.slack.set_group("S0614TZR7", &[]);
    rig.looks().await;
    rig.pass_s(300);
    rig.down(FaultKind::Status(502));
    assert_eq!(rig.looks().await, (2, 2));
    let roll = rig.roll().await;
    assert_eq!(roll.seen.unwrap().value.len(), 1, "what was seen stays");
    assert!(roll.trouble.unwrap().what.contains("(502)"));
    for _ in 0..60 {
        rig.pass_s(5);
        rig.looks().await;
    }
    let (github, slack) = rig.handles().await;
    assert_eq!(slack, 3, "its own five minutes");
    assert!((8..=14).contains(&github), "after rests of 5 s up to a minute: {github}");
    let trouble = rig.roll().await.trouble.unwrap();
    assert_eq!(trouble.since.to_string(), "2026-01-05T08:05:00Z");
    rig.github.heal();
    rig.pass_s(60);
    rig.looks().await;
    assert_eq!(rig.roll().await.trouble, None);
}

#[tokio::test]
async fn who_wants_to_be_left_alone_is_left_alone() {
    let rig = rig().await;
    rig.slack.set_group("S0614TZR7", &[]);
    rig.slack.inject(slack::Fault {
        method: "usergroups.users.list".into(),
        kind: slack::FaultKind::RateLimited { retry_after_s: 3_000_000 },
        times: 1,
    });
    assert_eq!(rig.looks().await, (1, 1));
    // Not even for a release, and at most for an hour.
    let now = rig.engine.clock.now();
    rig.members.look_unless_seen_since(now).await.unwrap();
    assert_eq!(rig.handles().await.1, 1);
    rig.pass_s(3_600);
    assert_eq!(rig.looks().await.1, 2);
}

#[tokio::test]
async fn for_a_release_it_is_looked_at_once_more_and_not_twice() {
    let rig = rig().await;
    rig.github.set_team("acme/release-managers", [Account::User("ana-dev".into())]);
    rig.slack.set_group("S0614TZR7", &[]);
    rig.looks().await;
    rig.pass_s(10);
    let begun = rig.engine.clock.now();
    rig.members.look_unless_seen_since(begun).await.unwrap();
    assert_eq!(rig.handles().await, (2, 2));
    rig.members.look_unless_seen_since(begun).await.unwrap();
    assert_eq!(rig.handles().await, (2, 2), "somebody else has looked since it began");
}

/// An hour passes since the members of teams were seen: they still count for votes, and start nothing.
async fn grows_old(world: &mut World) {
    world.bot.kill().unwrap();
    let store = format!("sqlite:{}", world.folder().join("slipway.db").display());
    let mut store = sqlx::SqliteConnection::connect(&store).await.unwrap();
    let older = sqlx::query("UPDATE memberships SET seen_at = seen_at - 3600000").execute(&mut store).await.unwrap();
    assert_eq!(older.rows_affected(), 1);
    store.close().await.unwrap();
    world.bot.start().await.unwrap();
}

/// Looks on behalf of releases, without an end, until Slack was asked so often.
async fn until_slack_is_asked(rig: &Rig, looks: &mut [Pin<Box<dyn Future<Output = ()> + '_>>], times: usize) {
    let asked = async {
        while rig.slack.calls().len() < times {
            tokio::task::yield_now().await;
        }
    };
    let looked = futures::future::select_all(looks.iter_mut());
    let both = futures::future::select(Box::pin(asked), looked);
    let first = tokio::time::timeout(SOON, both).await.expect("Slack is asked");
    assert!(matches!(first, futures::future::Either::Left(_)), "GitHub has not answered");
}

#[tokio::test]
async fn releases_that_are_planned_at_once_share_a_look_and_a_slow_source_keeps_no_other() {
    let rig = rig().await;
    rig.github.set_team("acme/release-managers", [Account::User("ana-dev".into())]);
    rig.slack.set_group("S0614TZR7", &[]);
    let begun = rig.engine.clock.now();
    let look = || rig.members.look_unless_seen_since(begun);
    let (first, second, third) = tokio::join!(look(), look(), look());
    for looked in [first, second, third] {
        looked.unwrap();
    }
    assert_eq!(rig.handles().await, (1, 1), "what was found is still in the inbox when the others have the turn");
    rig.down(FaultKind::Timeout);
    let mut looks: Vec<Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
    for times in [2, 3] {
        rig.pass_s(10);
        let look = rig.members.look_unless_seen_since(rig.engine.clock.now());
        looks.push(Box::pin(async { look.await.unwrap() }));
        until_slack_is_asked(&rig, &mut looks, times).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn production_by_the_team_on_github_while_it_is_down_and_after() {
    let options = Options { pace: Pace::Fast, teams: Teams::OnGithub, ..Options::default() };
    let mut world = World::new(options).await.unwrap();
    let mut player = Player::new(&world, "members");
    player.say("ana", "/deploy staging").await;
    let staging = player.until_end().await;
    let release = player.release(&world, &staging).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&staging), world.bot.log());
    let checked = world.bot.run(&["check"]).unwrap();
    let checked = String::from_utf8_lossy(&checked.stdout).into_owned();
    let line = checked.lines().find(|line| line.contains("GitHub team acme/release-managers")).unwrap_or(&checked);
    assert!(line.starts_with("ok") && line.contains("no [person.…] has stranger"), "{line}");

    world.github.set_team_access(TeamAccess::Hidden);
    let checked = world.bot.run(&["check"]).unwrap();
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(checked.status.code(), Some(1), "{said}");
    let line = said.lines().skip_while(|line| !line.contains("GitHub team acme/release-managers")).nth(1).unwrap();
    assert!(line.contains("read:org"), "how to mend it is said:\n{said}");
    world.github.set_team_access(TeamAccess::Visible);
    world.github.inject(Fault { route: "/orgs/".into(), kind: FaultKind::Status(502), times: u32::MAX });
    player.say("ana", "/deploy production").await;
    let card = player.until_asked_for_approval().await;
    assert!(text(&card).contains("release: bob"), "only Bob is in the team, and on GitHub alone:\n{}", text(&card));
    grows_old(&mut world).await;
    // A plan that was made again at the start may have to be looked at again before one votes.
    for _ in 0..VOTES_LIMIT {
        player.until_noted(&card).await;
        player.react("dora", &card, "✅").await;
        let counts = |m: &slipway::store::TerminalMessage| m.key == card.key && text(m).contains("✔ dora");
        let is_answered = |m: &slipway::store::TerminalMessage| {
            counts(m) || m.only_for.as_deref() == Some("dora") && text(m).contains("was not taken")
        };
        if counts(&player.until("what becomes of Dora's vote", is_answered).await) {
            break;
        }
    }
    player.react("bob", &card, "✅").await;
    let says_why = |m: &slipway::store::TerminalMessage| m.key == card.key && text(m).contains("cannot be read from");
    let held = player.until("a card that says why it does not start", says_why).await;
    assert!(text(&held).contains("GitHub team acme/release-managers"), "{}", text(&held));
    assert_eq!(world.aws.deployment_operations(&world.production_arn).len(), 0);
    world.github.heal();
    let production = player.until_end_of_another(&[&staging]).await;
    let release = player.release(&world, &production).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", text(&production), world.bot.log());
    let verified = world.bot.run(&["audit", "verify"]).unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}
