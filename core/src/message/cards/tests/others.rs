//! Announcement, status, history, details, queue, why and the short answers.

use super::*;
use crate::audit::{Anchor, RecordHash};
use crate::environment::{Environment, Live, Lock, LockEnd, LockNews, Waiting};
use crate::link::{Code, Refusal};
use crate::migration::{Danger, DangerKind};
use crate::person::{Identity, Person, Platform};
use crate::policy::{Differences, Override};
use expect_test::expect;

fn live() -> Release {
    let approved = after(
        judged("wait", &[two_slots()]),
        [vote("bob", Stance::Approve), vote("dora", Stance::Approve), verdict("start", &plan(), &[])],
    );
    after(approved, until(Step::Verify).into_iter().chain([done(Step::Verify, "healthy", 365)]))
}

fn production() -> Environment {
    let mut environment = Environment::new(key());
    environment.live = Some(Live {
        release: ReleaseId::new("01JC"),
        commit: sha("9a77d01"),
        image: plan().image.digest,
        by: "bob".into(),
        since: at(-2 * 86_400),
        verified: true,
    });
    environment
}

fn locked() -> Lock {
    Lock {
        owner: "chen".into(),
        reason: "load test".into(),
        at: at(0),
        until: Some(at(2400)),
        channel: "terminal:releases".into(),
        reminded_at: None,
    }
}

fn queue_of(environments: &[Environment], releases: &[Release]) -> crate::message::Message {
    queue(&QueueView { environments, releases, intents: QueueIntents(&[]) }, at(240))
}

fn waiting(release: &Release) -> Waiting {
    Waiting {
        release: release.id.clone(),
        requester: "ana".into(),
        kind: PlanKind::Deploy,
        commit: sha("4c1f9e2"),
        contains: [].into(),
        asked_at: at(0),
        bumped: None,
        passed: 0,
        brings_nothing: false,
    }
}

#[test]
fn the_announcement_is_the_change_log() {
    let (live, people) = (live(), people());
    expect![[r#"
        goals 4c1f9e2 is in production · 3 commits · 6 min · approved by bob, dora
        Show profile links (#44, @ana) · Add likes to aspiration updates (#41, @eve) · Fix nested comment order (@ana)
        1 migration · previous 9a77d01, /rollback production takes about 4 min
    "#]]
    .assert_eq(&text(&announcement(&view(&live, &people, &[], 370), true)));
    let unknown = ReleaseView { expected_s: None, ..view(&live, &people, &[], 370) };
    assert!(!text(&announcement(&unknown, true)).contains("/rollback"));
}

#[test]
fn an_announcement_recommends_no_rollback_that_is_not_there_or_does_not_bring_everything_back() {
    let (live, people) = (live(), people());
    let last = |release: &Release, way_back| {
        let said = text(&announcement(&view(release, &people, &[], 370), way_back));
        said.lines().last().unwrap().to_owned()
    };
    let dead_end = "1 migration · previous 9a77d01 · no way back: nothing good that ran before is known";
    assert_eq!(last(&live, false), dead_end);
    let mut lossy = live.clone();
    let mut plan = lossy.plan.take().unwrap();
    let dangers = vec![Danger::new(DangerKind::DropTable, Some("users".into()))];
    plan.migrations = vec![PlannedMigration { dangers, ..migration("20251028101500_users_bio", false) }];
    lossy.plan = Some(plan);
    let said = "1 migration · previous 9a77d01; a rollback does not bring back the data of 20251028101500_users_bio";
    assert_eq!(last(&lossy, true), said);
}

#[test]
fn an_anchor_says_how_to_check_it() {
    let anchor = Anchor { count: 1234, head: RecordHash::parse(&"3f".repeat(32)).unwrap() };
    let day = jiff::civil::date(2026, 11, 24);
    let hash = "3f".repeat(32);
    let said = text(&audit_anchor(day, &anchor, Some((day.yesterday().unwrap(), 56)))).replace(&hash, "HASH");
    expect![[r#"
        Audit log on 2026-11-24 · 1234 records · 56 new records since 2026-11-23
        Head HASH
        This message shows when the log is cut off or written anew. Whoever runs the bot checks it with
        slipway audit verify --anchor 1234:HASH
    "#]]
    .assert_eq(&said);
    let first = text(&audit_anchor(day, &Anchor::genesis(), None));
    assert!(first.starts_with("Audit log on 2026-11-24 · 0 records · the first anchor\n"), "{first}");
}

#[test]
fn status_shows_what_runs_where() {
    let mut staging = production();
    staging.key.environment = "staging".into();
    staging.running = Some(ReleaseId::new("01JD7Q4N5V0000000000000000"));
    let release = running(Step::Deploy);
    let mut production = production();
    production.lock = Some(locked());
    production.queue = vec![waiting(&release)];
    let mut canary = Environment::new(key());
    canary.key.environment = "canary".into();
    let rows = [
        StatusRow { environment: &staging, running: Some(&release), behind: None, drift: None, bad: false, next: None },
        StatusRow {
            environment: &production,
            running: None,
            behind: Some(("staging".into(), 3)),
            drift: None,
            bad: false,
            next: None,
        },
        StatusRow {
            environment: &canary,
            running: None,
            behind: Some(("staging".into(), 0)),
            drift: None,
            bad: false,
            next: None,
        },
    ];
    expect![[r#"
        3 environments · 1 running · 1 locked · 1 waiting
        goals | version | since | by | health | waiting
        staging | 9a77d01 | 2 days | bob | ok | release 01JD7Q4N brings 4c1f9e2, step 4 of 5
        production | 9a77d01 | 2 days | bob | ok | 3 commits behind staging
        canary | not known | – | – | – | –
        production: locked by chen "load test" for 40 more min · queue: 1 (ana, 4c1f9e2, for 0 s)
    "#]]
    .assert_eq(&text(&status(&rows, at(0))));
    expect![[r#"
        1 environment · nothing runs, nothing waits
        goals | version | since | by | health
        canary | not known | – | – | –
    "#]]
    .assert_eq(&text(&status(&rows[2..], at(0))));
    assert_eq!(text(&status(&[], at(0))), "No environment is configured.\n");
}

#[test]
fn history_is_one_line_a_release() {
    let failure = Failure::new("/healthz answered 500");
    let releases = [
        running(Step::Deploy),
        live(),
        failed(running(Step::Verify), Step::Verify, failure, false, 300),
        judged("deny", &[]),
    ];
    expect![[r#"
        The 4 newest releases
        release | where | commit | outcome | by | asked | took
        01JD7Q4N | goals → production | 4c1f9e2 | ◐ deploy | ana | Tue 15:00 | 55 s so far
        01JD7Q4N | goals → production | 4c1f9e2 | ● live | ana | Tue 15:00 | 6m 00s
        01JD7Q4N | goals → production | 4c1f9e2 | ✖ failed at verify | ana | Tue 15:00 | 4m 55s
        01JD7Q4N | goals → production | 4c1f9e2 | ✖ refused | ana | Tue 15:00 | –
        All of one: /release show <release>
    "#]]
    .assert_eq(&text(&history(&releases, &Default::default(), at(60))));
    expect![[r#"
        01JD7Q4N · goals → production · 4c1f9e2 · deploy
        01JD7Q4N · goals → production · 4c1f9e2 · live
        01JD7Q4N · goals → production · 4c1f9e2 · failed at verify
        01JD7Q4N · goals → production · 4c1f9e2 · refused"#]]
    .assert_eq(&releases.iter().map(brief).collect::<Vec<_>>().join("\n"));
    let many = vec![live(); 23];
    assert!(text(&history(&many, &Default::default(), at(60))).contains("\nand 3 older\n"));
    expect![[r#"
        There is no release yet.
        Start one with /deploy <environment>.
    "#]]
    .assert_eq(&text(&history(&[], &Default::default(), at(60))));
}

#[test]
fn details_leave_nothing_out() {
    let failure = Failure::new("App Runner: health check failed").detail("port 8080").next("look at the log");
    let release = after(judged("wait", &[two_slots()]), [vote("bob", Stance::Approve), verdict("start", &plan(), &[])]);
    let release = after(after(release, until(Step::Deploy)), [operation()]);
    let mut release = failed(release, Step::Deploy, failure, true, 399);
    release.request.reason = Some("ship likes".into());
    expect![[r#"
        release 01JD7Q4N · goals → production · ✖ rolled back
        Asked           by ana at Tue 15:00 in terminal:releases
                        id 01JD7Q4N5V0000000000000000
                        for main
                        reason: ship likes
        Plan            61151ae328adaf1394d3567a10febc76393ae7f9e6b08f9a59f570c590155fab
        Commit          4c1f9e2000000000000000000000000000000000
        Commits         3 commits since 9a77d01
                        4c1f9e2  Show profile links (#44) · ana
                        b02a6c8  Add likes to aspiration updates (#41) · eve
                        77e3f10  Fix nested comment order · ana
        Image           123456789012.dkr.ecr.us-west-2.amazonaws.com/goals@sha256:3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a
                        tag 4c1f9e2
                        pushed Tue 14:48
        Migrations      20251104120000_likes  creates likes, reversible
                          sha256 cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd
        Targets         goals-us  arn:aws:apprunner:us-west-2:123456789012:service/goals-us/1
                          port = 8080
        CI              3 of 3 passed, seen Tue 15:00
        Gate            start, said at Tue 15:00 under policy ab12
        Votes           ✔ bob on plan 61151a at Tue 15:01
        Steps           ✔ CI  1 s  3 of 3
                        ✔ image  1 s  unchanged
                        ✔ migrate  1 s  1 in 0.2 s
                        ✖ deploy  6m 31s  App Runner: health check failed  operation 7d0c3b1e-99
                        ○ verify
        Outcome         ended at Tue 15:06
                        App Runner: health check failed
                        port 8080
                        next: look at the log
    "#]].assert_eq(&text(&details(&release, &people(), at(500))));
}

#[test]
fn the_queue_says_what_each_waits_for() {
    let mut environment = production();
    let reasons = [reason("soak-30m", "On staging for 12 min, needs 30.", Clears::Time { at: Some(at(1320)) })];
    let release = judged("wait", &reasons);
    let mut other = running(Step::Migrate);
    other.id = ReleaseId::new("01JD7Q00");
    environment.running = Some(other.id.clone());
    environment.queue = vec![waiting(&release)];
    environment.lock = Some(locked());
    expect![[r#"
        1 waiting · 1 running
        goals → production locked by chen "load test" for 36 more min
                        01JD7Q00  ◐ migrate · ana, 4c1f9e2
                        1. 01JD7Q4N  ana, 4c1f9e2 · for 4 min · On staging for 12 min, needs 30 · clears by itself at Tue 15:22 (in 18 min)
    "#]].assert_eq(&text(&queue_of(&[environment, Environment::new(key())], &[release, other])));
    assert_eq!(text(&queue_of(&[production()], &[])), "Nothing runs and nothing waits.\n");
}

#[test]
fn a_lock_is_told_to_whom_it_concerns() {
    let release = judged("wait", &[]);
    let mut environment = production();
    environment.queue = vec![waiting(&release)];
    let handed = || LockEnd::HandedOver { lock: Lock { owner: "bob".into(), ..locked() }, by: "chen".into() };
    let news = |person: &str, end: LockEnd, places: &[(usize, ReleaseId)]| {
        let news = LockNews { person: person.into(), before: locked(), end, places: places.to_vec(), waiting: 1 };
        lock_news(&key(), &news, at(240))
    };
    let first = [(1, release.id.clone())];
    let all = [
        news("ana", LockEnd::Unlocked, &first),
        news("ana", LockEnd::RanOut, &first),
        news("ana", handed(), &first),
        news("bob", handed(), &[]),
        lock_reminder(&environment, &locked(), at(1800)),
        lock_reminder(&production(), &locked(), at(1800)),
        lock_reminder(&environment, &Lock { until: None, ..locked() }, at(100_000)),
        lock_taken_away(&key(), &locked(), &"bob".into(), None),
        lock_taken_away(&key(), &locked(), &"bob".into(), Some(&"dora".into())),
        lock_taken_away(&key(), &locked(), &"bob".into(), Some(&"bob".into())),
    ];
    expect![[r#"
        goals → production is open: chen's lock "load test" was ended.
        Your release 01JD7Q4N is number 1 of 1 in the queue.

        goals → production is open: chen's lock "load test" has run out.
        Your release 01JD7Q4N is number 1 of 1 in the queue.

        goals → production is now locked by bob "load test" for 36 more min.
        Your release 01JD7Q4N is number 1 of 1 in the queue.

        chen hands you the lock on goals → production: "load test" for 36 more min.
        Only your own releases pass. To end it: /release unlock production goals

        Your lock on goals → production "load test" ends in 10 min.
        ana waits with 4c1f9e2 · for 30 min
        To keep it longer: /release lock production "…" goals --for 1h
        To end it now: /release unlock production goals

        Your lock on goals → production "load test" ends in 10 min.
        Nobody waits behind it.
        To keep it longer: /release lock production "…" goals --for 1h
        To end it now: /release unlock production goals

        Your lock on goals → production "load test" has held for 27 h and has no end.
        ana waits with 4c1f9e2 · for 27 h
        To give it an end: /release lock production "…" goals --for 1h
        To end it now: /release unlock production goals

        bob has ended your lock on goals → production "load test".

        bob has given dora your lock on goals → production "load test".

        bob has taken over your lock on goals → production "load test".
    "#]]
    .assert_eq(&all.iter().map(text).collect::<Vec<_>>().join("\n"));
}

#[test]
fn two_accounts_are_told_what_becomes_of_them() {
    let discord = Identity::Discord("80351110224678912".into());
    let ana = Person {
        id: "ana".into(),
        teams: [].into(),
        identities: vec![Identity::Slack("U012AB3CD".into()), discord.clone()],
    };
    let all = [
        link::code(&Code::new([1, 2, 3, 4, 5]), &ana),
        link::claimed(&ana.id),
        link::to_confirm(&discord),
        link::linked(&discord),
        link::linked_here(&ana),
        link::refused(&discord),
        link::refused_here(),
        link::removed(&discord),
        link::not_linked(Platform::Slack, ana.on(Platform::Slack)),
        link::not_linked(Platform::Terminal, None),
        link::not_done(&Refusal::NotValid),
        link::not_done(&Refusal::TooManyTries),
        link::not_done(&Refusal::Taken),
        link::not_done(&Refusal::OnePerChat(Platform::Discord)),
        link::not_done(&Refusal::NothingToConfirm),
    ];
    expect![[r#"
        Your code is 0410-6105. It is good for 10 min and for one account.
        From the account that Slipway does not know yet, in the other chat, type /release link 0410-6105. Then confirm here.
        Nobody else may have it: whoever types it asks to be you. An earlier code is void.
        You are Slack account U012AB3CD, Discord account 80351110224678912.

        The code is ana's. This account becomes theirs when they confirm it where they got the code.
        There they type /release link confirm. If you are not them, tell them.

        Discord account 80351110224678912 has typed your code.
        If it is yours: /release link confirm. From then on it can do what you can.
        If it is not: /release link refuse. Somebody has seen your code.

        Discord account 80351110224678912 is yours now. Votes and requests from there count as yours.
        To undo it: /release link remove discord

        This account belongs to ana now.

        Discord account 80351110224678912 is not linked, and the code is void.
        For another code: /release link

        The link was refused. This account belongs to nobody.

        Discord account 80351110224678912 is not yours any more. Votes that you gave from there stay yours.

        Slack account U012AB3CD is yours by slipway.toml, not by a link. Whoever runs Slipway can change that. Nothing was changed.

        No terminal account is linked to you. Nothing was changed.

        This code is not valid: mistyped, used, or too old. Nothing was linked.
        For a code: /release link where Slipway knows you.

        Too many wrong codes. Try again in 10 min. Nothing was linked.
        For a code: /release link where Slipway knows you.

        This account belongs to somebody already. Nothing was linked.
        A code is typed from the account that Slipway does not know yet.

        A person has one Discord account, and whoever asked for this code has theirs. Nothing was linked.

        No account waits to be confirmed, or it has waited too long. Nothing was linked.
        For a code: /release link where Slipway knows you.
    "#]].assert_eq(&all.iter().map(text).collect::<Vec<_>>().join("\n"));
}

#[test]
fn why_numbers_the_reasons_and_names_the_way_out() {
    let reasons = [
        reason("soak-30m", "On staging for 12 min, needs 30.", Clears::Time { at: Some(at(1320)) }),
        two_slots(),
        reason("locked", "Locked by chen: load test", Clears::Unlock { owner: "chen".into(), until: Some(at(2400)) }),
        reason("never", "No policy permits it.", Clears::Nothing),
    ];
    let fine = ["CI green".to_owned(), "image found".to_owned()];
    let subject = "Deploying goals 4c1f9e2 to production now";
    expect![[r#"
        Deploying goals 4c1f9e2 to production now would be refused for 4 reasons:
        1. soak-30m  On staging for 12 min, needs 30. · clears by itself at Tue 15:22 (in 18 min)
        2. two-slots  Production needs one of release and one of dba. · 1 of release: bob or chen can, 1 of dba: dora can
        3. locked  Locked by chen: load test · chen can, with /release unlock, or ends by itself at Tue 15:40 (in 36 min)
        4. never  No policy permits it. · no vote and no time clears it
        Everything else is fine: CI green, image found.
    "#]].assert_eq(&text(&why(subject, &reasons, &fine, None, at(240))));
    expect![[r#"
        Nothing is in the way: Deploying goals 4c1f9e2 to production now would be allowed.
        Fine: CI green, image found.
    "#]]
    .assert_eq(&text(&why(subject, &[], &fine, None, at(240))));
}

#[test]
fn answers_are_short_and_end_with_the_way_out() {
    let waiting = judged("wait", &[two_slots()]);
    let Clears::Votes { missing } = two_slots().clears else { unreachable!() };
    let begun = Event::CancelRequested { by: "ana".into(), begun: true, at: at(9) };
    let verifying = running(Step::Verify);
    let too_late = step(&verifying, &begun).unwrap_err();
    let live = live();
    let over = step(&live, &begun).unwrap_err();
    let late_vote = step(&live, &vote("bob", Stance::Approve)).unwrap_err();
    let refused = crate::environment::Illegal::Locked("chen".into());
    let all = [
        answers::vote_does_not_count(&waiting, "you asked for this release", &missing[1..]),
        answers::vote_came_late(&live, &late_vote),
        answers::vote_withdrawn(&waiting),
        answers::cancelled(&after(waiting.clone(), [begun.clone()])),
        answers::cancelled(&after(running(Step::Migrate), [begun])),
        answers::cancel_came_late(&verifying, &too_late),
        answers::cancel_came_late(&live, &over),
        answers::locked(&key(), &locked(), at(0)),
        answers::unlocked(&key(), 1),
        answers::environment_refuses(&key(), &refused),
        answers::environment_refuses(&key(), &crate::environment::Illegal::NotLocked),
        answers::environment_refuses(&key(), &crate::environment::Illegal::Owned("chen".into())),
        answers::lock_replaced(&key(), &locked(), &Lock { until: None, ..locked() }, at(0)),
        answers::lock_handed_over(&key(), &locked(), at(0)),
        answers::lock_not_for(&"eve".into(), "Nothing allows eve to lock production."),
        answers::environment_refuses(&key(), &crate::environment::Illegal::QueueFull),
        answers::ambiguous_release("01JD", &[&waiting, &live]),
        answers::which_release("wait for approval", &[&waiting, &live]),
        answers::no_such_release("01XX"),
        answers::no_release("waits for approval"),
        answers::unknown_person(&Identity::Slack("U012AB3CD".into())),
        answers::not_allowed("Only developers may lock staging."),
    ];
    expect![[r#"
        Your vote does not count here: you asked for this release. Waiting for 1 of dba: dora can.
        goals → production · release 01JD7Q4N

        Your vote was not taken: the release is live already. Nothing was changed.
        goals → production · release 01JD7Q4N

        Your vote is taken back.
        goals → production · release 01JD7Q4N

        Cancelled. Nothing was started.
        goals → production · release 01JD7Q4N

        The migration that runs is broken off and taken back, as far as it can be; those before it stay.
        goals → production · release 01JD7Q4N

        It cannot be cancelled now: the new version is live already; roll back instead.
        goals → production · release 01JD7Q4N

        There is nothing to cancel: the release is live already.
        goals → production · release 01JD7Q4N

        goals → production is locked by chen "load test" for 40 more min.
        Only your own releases pass. To end it: /release unlock production goals

        goals → production is unlocked. 1 release can go on.

        goals → production: it is locked by chen, who can end that with /release unlock production goals.

        goals → production: it is not locked. Nothing was changed.

        goals → production: chen holds its lock already. Nothing was changed.

        goals → production is locked by chen "load test" until unlocked.
        Before it was locked by chen "load test" for 40 more min.
        Only your own releases pass. To end it: /release unlock production goals

        goals → production is now locked by chen "load test" for 40 more min. They have been told.

        eve may not hold this lock: Nothing allows eve to lock production. Nothing was changed.

        goals → production: 50 releases wait here already. Cancel one first: /release queue.

        "01JD" fits 2 releases. Which one?
        01JD7Q4N5V0000000000000000  goals → production · ana at Tue 15:00
        01JD7Q4N5V0000000000000000  goals → production · ana at Tue 15:00

        There are 2 releases that wait for approval. Which one?
        01JD7Q4N5V0000000000000000  goals → production · ana at Tue 15:00
        01JD7Q4N5V0000000000000000  goals → production · ana at Tue 15:00

        There is no release "01XX". See /release history. Nothing was changed.

        No release waits for approval. See /release history.

        Slipway does not know you. Nothing was started.
        To be added, ask for this line in your [person.NAME] section of slipway.toml: slack = "U012AB3CD"
        Or, where Slipway knows you in another chat, type /release link there, and here what you are given.

        Not allowed: Only developers may lock staging. Nothing was changed.
    "#]]
    .assert_eq(&all.iter().map(text).collect::<Vec<_>>().join("\n"));
    assert!(all.iter().all(|answer| !text(answer).contains('!')));
}

#[test]
fn other_policies_are_told_with_who_changed_what() {
    let differences = Differences {
        removed: vec!["weekend-freeze".into()],
        added: vec!["closed".into(), "holidays".into()],
        changed: vec!["production-approval".into()],
    };
    let (before, now) = ("ab".repeat(32), "cd".repeat(32));
    let revision = "7f62e1e0".repeat(5);
    let (by, by_others) = (["ana".into(), "eve".into()], ["mallory".to_owned()]);
    let source = "acme/release-policies (main)";
    let merged = PolicyOrigin { by: &by, by_others: &by_others, source, revision: Some(&revision) };
    let reloaded = PolicyOrigin { by: &[], by_others: &[], source: "etc/policies", revision: None };
    let moved = policies_changed(&Differences::default(), &reloaded, &before, &before);
    let renamed = policies_changed(&Differences::default(), &reloaded, &before, &now);
    let all = [policies_changed(&differences, &merged, &before, &now), moved, renamed];
    expect![[r#"
        ▲ The policies changed · by ana, eve, mallory (known to nobody here)
        Removed         weekend-freeze
        Added           closed, holidays
        Changed         production-approval
        acme/release-policies (main) at 7f62e1e · hash cdcdcdcdcdcd, before abababababab
        Everything that waits is judged again, by these.

        ▲ The policies changed
        The rules are the same; they are kept elsewhere now.
        etc/policies · hash abababababab, before abababababab
        Everything that waits is judged again, by these.

        ▲ The policies changed
        The rules are the same; the names that they may speak of are others.
        etc/policies · hash cdcdcdcdcdcd, before abababababab
        Everything that waits is judged again, by these.
    "#]]
    .assert_eq(&all.iter().map(text).collect::<Vec<_>>().join("\n"));
    let many = Differences { added: (0..23).map(|n| format!("rule-{n}")).collect(), ..Differences::default() };
    assert!(text(&policies_changed(&many, &reloaded, &before, &now)).contains("rule-19 and 3 more"));
}

#[test]
fn an_override_names_what_it_sets_aside_and_what_it_does_not() {
    let release = judged("wait", &[two_slots()]);
    let waiver = Override {
        by: "bob".into(),
        incident: "INC-42".into(),
        reason: "login is down".into(),
        digest: plan().digest(),
        at: at(0),
    };
    let aside = Reason { overridable: true, ..reason("soak-30m", "It must have run for 30 minutes.", Clears::Nothing) };
    let before = [aside, reason("ci-green", "CI must be green for the commit.", Clears::Facts)];
    let needless = overridden(&release, &[], &waiver, &[], Some(&locked()));
    expect![[r#"
        ▲ @bob overrode the policies for goals → production · incident INC-42
        Reason          login is down
        Set aside       soak-30m  It must have run for 30 minutes.
        Still needed    ci-green  CI must be green for the commit.
        release 01JD7Q4N · plan 61151a · asked by ana

        ▲ @bob overrode the policies for goals → production · incident INC-42
        Reason          login is down
        No rule stood in the way that it sets aside. It is written down all the same.
        Still needed    lock  chen holds goals → production, and no override passes a lock. To end it: /release unlock production goals
        release 01JD7Q4N · plan 61151a · asked by ana
    "#]]
    .assert_eq(&format!("{}\n{}", text(&overridden(&release, &[], &waiver, &before, None)), text(&needless)));
}
