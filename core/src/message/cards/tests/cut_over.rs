//! Ways around the gate, scans and moved tags on the card.

use super::*;
use crate::facts::{ScanCounts, ScanFact};
use crate::workflow::{Bypass, BypassKind};

fn with_facts(facts: Facts) -> Release {
    let planned = Event::Planned { plan: Box::new(plan()), facts };
    let verdict = verdict("wait", &plan(), &[two_slots()]);
    after(asked(), [Event::Requested, resolved(), Event::BuildReady, planned, verdict])
}

fn bypassed(bypasses: Vec<Bypass>) -> String {
    card(&with_facts(Facts { bypasses: Some(Observed { value: bypasses, at: at(0) }), ..facts() }), 60)
}

#[test]
fn ways_around_the_gate_are_named_with_the_edit_that_mends_them() {
    let of = |place: &str, line, kind| Bypass { place: place.into(), line, kind };
    let build = ".github/workflows/build.yaml";
    let all = vec![
        of("goals-production", None, BypassKind::AutomaticDeployments { tag: Some("latest".into()) }),
        of(build, Some(41), BypassKind::Migrates { tool: "goose".into() }),
        of(build, Some(47), BypassKind::Deploys { with: "aws apprunner update-service".into() }),
        of(build, Some(52), BypassKind::PushesTag { tag: "latest".into() }),
    ];
    let shown = bypassed(all);
    for line in [
        "▲ goals-production deploys by itself whatever is pushed as latest · set its deployment trigger to manual (AutoDeploymentsEnabled=false)",
        "▲ .github/workflows/build.yaml:41 migrates past the gate (goose) · remove this step: Slipway runs it",
        "▲ .github/workflows/build.yaml:47 deploys past the gate (aws apprunner update-service) · remove this step: Slipway deploys",
        "▲ .github/workflows/build.yaml:52 pushes latest, which a target follows · push the commit's tag alone; promote = \"latest\" moves this one after a release",
    ] {
        let joined = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(joined.contains(line), "{line}\n{shown}");
    }
    assert!(!bypassed(vec![]).contains('▲'));
}

#[test]
fn a_card_names_a_few_of_many_and_says_so() {
    let kind = BypassKind::Migrates { tool: "goose".into() };
    let many = (1..=9).map(|line| Bypass { place: "a.yaml".into(), line: Some(line), kind: kind.clone() });
    let shown = bypassed(many.collect());
    assert_eq!(shown.matches("migrates past").count(), 5, "{shown}");
    assert!(shown.contains("4 more"), "{shown}");
}

#[test]
fn what_the_scan_of_the_image_found_stands_beside_it() {
    let scanned = |scan| {
        let facts = Facts { scan: Some(Observed { value: scan, at: at(0) }), ..facts() };
        let shown = card(&with_facts(facts), 60);
        let image = shown.lines().find(|line| line.trim_start().starts_with("Image")).unwrap_or_default().to_owned();
        image.split("Tue 14:48").nth(1).unwrap_or_default().trim().to_owned()
    };
    let findings = ScanCounts { critical: 2, high: 5, medium: 0, low: 1 };
    assert_eq!(scanned(ScanFact::Done { findings }), "scan: 2 critical, 5 high, 1 low");
    assert_eq!(scanned(ScanFact::Done { findings: ScanCounts::default() }), "scan: nothing found");
    assert_eq!(scanned(ScanFact::NotScanned), "not scanned");
    assert_eq!(scanned(ScanFact::Running), "scan still running");
    let failed = ScanFact::Failed { status: "UNSUPPORTED_IMAGE".into() };
    assert_eq!(scanned(failed), "scan did not work: UNSUPPORTED_IMAGE");
}

#[test]
fn a_tag_that_is_moved_is_told_before_and_after() {
    let promoting = Plan { promote: Some("latest".into()), ..plan() };
    let waiting = after(planned(asked(), &promoting), [verdict("wait", &promoting, &[two_slots()])]);
    assert!(card(&waiting, 60).contains("tag latest names it once it is live"));
    let started = after(waiting, [verdict("start", &promoting, &[])]);
    let live = after(started, until(Step::Verify).into_iter().chain([done(Step::Verify, "healthy", 247)]));
    assert!(!card(&live, 250).contains("tag latest"), "nobody knows yet");
    let told = |problem: Option<&str>| {
        let problem = problem.map(str::to_owned);
        card(&after(live.clone(), [Event::Promoted { tag: "latest".into(), problem, at: at(250) }]), 260)
    };
    assert!(told(None).contains("\ntag latest now names 4c1f9e2\n"), "{}", told(None));
    let immutable = told(Some("The tag is immutable."));
    assert!(immutable.contains("▲ tag latest was not moved: The tag is immutable."), "{immutable}");
}

#[test]
fn what_no_vote_and_no_time_clears_is_called_refused() {
    let held = |bypasses: Vec<Bypass>, overridable| {
        let facts = Facts { bypasses: Some(Observed { value: bypasses, at: at(0) }), ..facts() };
        let why = "A workflow or a target goes around the gate.";
        let reason = Reason { overridable, ..Reason::new("no-way-around", why, Clears::Facts) };
        let planned = Event::Planned { plan: Box::new(plan()), facts };
        let verdict = verdict("wait", &plan(), &[reason]);
        let release = after(asked(), [Event::Requested, resolved(), Event::BuildReady, planned, verdict]);
        card(&release, 60).lines().next().unwrap_or_default().to_owned()
    };
    let kind = BypassKind::Deploys { with: "aws apprunner update-service".into() };
    let bypass = || vec![Bypass { place: "ship.yaml".into(), line: Some(4), kind: kind.clone() }];
    expect_test::expect![[r#"
        ○ goals → production · refused: A workflow or a target goes around the gate
        ○ goals → production · refused: A workflow or a target goes around the gate
        ○ goals → production · queued: A workflow or a target goes around the gate"#]]
    .assert_eq(&[held(bypass(), true), held(bypass(), false), held(vec![], true)].join("\n"));
}

#[test]
fn what_is_read_from_parameter_store_is_said_not_to_be_checked() {
    let mut plan = plan();
    let reference = |of: &str| format!("arn:aws:{of}:us-west-2:123456789012:x/goals/dsn");
    let settings = &mut plan.targets[0].settings;
    settings.insert("secret.DSN".into(), reference("ssm"));
    settings.insert("secret.SMTP".into(), reference("secretsmanager"));
    let planned = Event::Planned { plan: Box::new(plan.clone()), facts: facts() };
    let verdict = verdict("wait", &plan, &[two_slots()]);
    let shown = card(&after(asked(), [Event::Requested, resolved(), Event::BuildReady, planned, verdict]), 60);
    let said = format!("{} reads DSN from Parameter Store: not checked", plan.targets[0].name);
    assert!(shown.contains(&said), "{said}\n{shown}");
}
