//! Several services deployed together: one card, one approval, one order.

use super::chat::{CONFIG, migrating};
use super::*;
use crate::audit_log::Verified;
use slipway_core::ids::{EnvironmentKey, ReleaseId};
use slipway_core::message::Verb;
use slipway_core::message::cards::{ReleaseView, together_card};
use slipway_core::plan::Plan;
use slipway_core::policy::Stance;
use slipway_core::replay::{Question, replay};
use slipway_core::together::{PlannedWith, current};

/// Three services; web comes before jobs, and both after api.
pub(super) fn three() -> String {
    let service = |name: &str, rest: &str| {
        let environment = |environment: &str, id: u32| {
            format!(
                "[service.{name}.environment.{environment}]\ntarget = {{ kind = \"app-runner\", service_arn = \
                 \"arn:aws:apprunner:us-west-2:123456789012:service/{name}-{environment}/{id}fe1e10304f84fd2b0df550fe98a71fa\" }}\n"
            )
        };
        let head = format!(
            "[service.{name}]\nrepository = \"acme/goals\"\nworkflow = \"build.yaml\"\nchannels = [\"terminal:releases\"]\n\
             image = \"123456789012.dkr.ecr.us-west-2.amazonaws.com/{name}\"\n{rest}\n"
        );
        format!("{head}{}{}", environment("staging", 1), environment("production", 2))
    };
    let people = CONFIG.split_once("[person.ana]").unwrap().1;
    let store = "[store]\nurl = \"sqlite://slipway.db\"\n[terminal]\nchannels = [\"releases\", \"ops\"]\n";
    let services = [
        service("api", ""),
        service("web", "after_services = [\"api\"]"),
        service("jobs", "after_services = [\"web\"]"),
    ];
    let dba =
        "[person.dora]\nterminal = \"dora\"\nteams = [\"dba\"]\n[person.zoe]\nterminal = \"zoe\"\nteams = [\"sre\"]\n";
    format!("{store}{}[person.ana]{people}{dba}", services.concat())
}

/// What one service ships.
pub(super) fn of(service: &str, environment: &str, base: u32, commit: u32) -> Plan {
    let mut plan = plan(environment, base, commit);
    plan.service = service.into();
    plan.image.repository = format!("123456789012.dkr.ecr.us-west-2.amazonaws.com/{service}");
    plan.targets[0].id = format!("{service}-{environment}");
    plan
}

/// A chat about three services, and what has been asked for in it: api, web, jobs.
pub(super) struct Group {
    pub(super) chat: Chat,
    pub(super) all: Vec<ReleaseId>,
}

impl Group {
    pub(super) async fn asked(line: &str) -> Self {
        Self::asked_with(&three(), line).await
    }

    pub(super) async fn asked_with(config: &str, line: &str) -> Self {
        let mut chat = Chat::with(config).await;
        assert_eq!(chat.says("ana", line).await, "");
        let all = chat.scalars("SELECT id FROM releases WHERE id > $1 ORDER BY id", "").await;
        Self { chat, all: all.into_iter().map(ReleaseId::new).collect() }
    }

    /// All are planned, the lead last.
    pub(super) async fn planned(line: &str, environment: &str) -> Self {
        Self::planned_with(&three(), line, environment).await
    }

    pub(super) async fn planned_with(config: &str, line: &str, environment: &str) -> Self {
        let mut group = Self::asked_with(config, line).await;
        for (n, service) in ["api", "web", "jobs"].into_iter().enumerate().rev() {
            group.plans(n, &of(service, environment, 1, 3)).await;
        }
        group
    }

    pub(super) async fn plans(&mut self, n: usize, plan: &Plan) {
        let release = self.all[n].clone();
        let resolved = Event::Resolved { commit: plan.commit.clone(), branch: Some("main".into()) };
        self.chat.outcome(&release, "resolve", resolved).await;
        self.chat.outcome(&release, "await_build", Event::BuildReady).await;
        self.gathers(n, plan).await;
    }

    /// A plan is made, with those of the others where it is the lead's.
    pub(super) async fn gathers(&mut self, n: usize, plan: &Plan) {
        let mut plan = plan.clone();
        if n == 0 {
            for follower in &self.all[1..] {
                let follower = self.chat.release(follower).await;
                plan.with.extend(PlannedWith::of(&follower).filter(|_| !follower.phase.is_end()));
            }
        }
        self.chat.gathers(&self.all[n].clone(), &plan).await;
    }

    pub(super) async fn runs(&mut self, n: usize) {
        self.chat.wait_s(10);
        self.chat.runs_to_its_end(&self.all[n].clone()).await;
    }

    pub(super) async fn fails(&mut self, n: usize) {
        let failure = Failure::new("The tag is gone.");
        let event = Event::StepFailed { step: Step::Image, failure, rolled_back: false, at: self.chat.now() };
        let release = self.all[n].clone();
        self.chat.succeeds(&release, "observe_ci", Step::Ci).await;
        self.chat.outcome(&release, "observe_image", event).await;
    }

    pub(super) async fn phases(&self) -> Vec<String> {
        let mut phases = Vec::new();
        for id in &self.all {
            phases.push(self.chat.phase(id).await);
        }
        phases
    }

    async fn environment_runs(&self, service: &str) -> Option<ReleaseId> {
        let key = EnvironmentKey { service: service.into(), environment: "production".into() };
        self.chat.store.environment(&key).await.unwrap().running
    }

    /// The card as it would be drawn now.
    pub(super) async fn card(&self) -> String {
        let mut members = Vec::new();
        for id in &self.all {
            members.push(self.chat.release(id).await);
        }
        let release = current(&members).unwrap();
        let setup = &self.chat.engine.setup;
        let card = together_card(
            &ReleaseView {
                release,
                environment: None,
                people: &setup.people,
                approvers: &[],
                now: self.chat.now(),
                expected_s: None,
                expected_deploy_s: None,
                next: None,
                marked: None,
            },
            &members,
        );
        self.chat.text(&card)
    }

    pub(super) async fn first_line(&self) -> String {
        self.card().await.lines().next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn one_approval_starts_all_in_their_order() {
    let mut group = Group::planned("/deploy production all", "production").await;
    assert_eq!(group.phases().await, ["awaiting_approval"; 3]);
    assert_eq!(group.first_line().await, "○ api, web, jobs → production · waiting for approval: 1 of release");
    let told = group.chat.told(&group.all[0]).await;
    assert_eq!(told, ["ana bob cem: api → production waits for your approval."].map(|_| told[0].clone()));
    for follower in &group.all[1..] {
        assert_eq!(group.chat.told(follower).await, [""; 0], "nobody is asked for each of them");
    }
    let lead = group.all[0].clone();
    assert_eq!(group.chat.presses("bob", &lead, Verb::Approve).await, "");
    assert_eq!(
        group.phases().await,
        ["running(ci)", "awaiting_approval", "awaiting_approval"].map(|p| p.replace("awaiting_approval", "queued"))
    );
    assert_eq!(
        group.first_line().await,
        "◐ api, web, jobs → production · 0 of 3 live · api: checking CI of 0000000 · step 1 of 5 · 0 s"
    );
    group.runs(0).await;
    assert_eq!(group.phases().await, ["succeeded", "running(ci)", "queued"]);
    assert_eq!(group.environment_runs("web").await.as_ref(), Some(&group.all[1]));
    assert!(group.first_line().await.starts_with("◐ api, web, jobs → production · 1 of 3 live · web: checking CI"));
    assert!(group.card().await.contains("approved by bob"), "{}", group.card().await);
    group.runs(1).await;
    group.runs(2).await;
    assert_eq!(group.phases().await, ["succeeded"; 3]);
    assert_eq!(group.first_line().await, "● api, web, jobs → production · all live · 30 s");
}

#[tokio::test]
async fn there_is_one_card_which_moves_with_each_of_them() {
    let mut group = Group::planned("/deploy staging all", "staging").await;
    let cards = "SELECT DISTINCT release FROM messages WHERE key LIKE 'release/%' AND release > $1";
    assert_eq!(group.chat.scalars(cards, "").await, [group.all[0].as_str()]);
    group.chat.publishes().await;
    group.runs(0).await;
    group.chat.wait_s(60);
    group.chat.publishes().await;
    let shown = group.chat.store.terminal_since(0, 100).await.unwrap();
    let text = group.chat.text(&shown.last().unwrap().message);
    assert!(text.starts_with("◐ api, web, jobs → staging · 1 of 3 live · web: "), "{text}");
    assert_eq!(shown.len(), 1, "in one channel, and changed in place");
}

#[tokio::test]
async fn votes_and_nothing_else_carry_over() {
    // Without any vote nothing of it starts, whatever the lead does.
    let mut group = Group::planned("/deploy production all", "production").await;
    let (lead, web) = (group.all[0].clone(), group.all[1].clone());
    assert!(
        group.chat.presses("ana", &lead, Verb::Approve).await.contains("Nobody approves a release that they asked for")
    );
    group.chat.reacts("eve", &lead, Stance::Veto, true).await;
    group.chat.presses("bob", &lead, Verb::Approve).await;
    assert_eq!(group.chat.phase(&lead).await, "awaiting_approval");
    group.chat.reacts("eve", &lead, Stance::Veto, false).await;
    assert_eq!(group.chat.phase(&lead).await, "running(ci)");
    // The follower's plan is made again and is another one now: the approval was not for that.
    group.runs(0).await;
    assert_eq!(group.chat.phase(&web).await, "running(ci)");
}

#[tokio::test]
async fn what_was_approved_is_what_runs_for_each_of_them() {
    let mut group = Group::planned("/deploy production all", "production").await;
    let (lead, web) = (group.all[0].clone(), group.all[1].clone());
    group.chat.presses("bob", &lead, Verb::Approve).await;
    // The lead's run takes so long that what is known of web is too old then.
    group.chat.wait_s(600);
    group.runs(0).await;
    assert_eq!(group.chat.effects(&web).await, ["expire_at", "gather"]);
    let mut other = of("web", "production", 1, 3);
    other.image.digest = plan("production", 1, 9).image.digest;
    group.gathers(1, &other).await;
    assert_eq!(group.chat.phase(&web).await, "awaiting_approval", "bob has approved another image");
    let line = group.first_line().await;
    assert_eq!(line, "◐ api, web, jobs → production · 1 of 3 live · web: waiting for approval: 1 of release");
    // The buttons are about web now.
    assert_eq!(group.chat.presses("bob", &lead, Verb::Approve).await, "");
    assert_eq!(group.chat.phase(&web).await, "running(ci)");
}

#[tokio::test]
async fn old_facts_are_gathered_again_for_all_before_any_starts() {
    let mut group = Group::planned("/deploy production all", "production").await;
    group.chat.wait_s(3_000);
    let lead = group.all[0].clone();
    group.chat.presses("bob", &lead, Verb::Approve).await;
    for id in &group.all {
        assert!(group.chat.effects(id).await.contains(&"gather".to_owned()), "{id}");
    }
    for (n, service) in ["jobs", "web", "api"].into_iter().enumerate() {
        assert_eq!(group.chat.release(&lead).await.started_at, None);
        group.gathers(2 - n, &of(service, "production", 1, 3)).await;
    }
    assert_eq!(group.chat.phase(&lead).await, "running(ci)");
}

#[tokio::test]
async fn a_changed_plan_of_a_follower_voids_the_votes_on_the_lead() {
    let mut group = Group::planned("/deploy production all", "production").await;
    let lead = group.all[0].clone();
    group.chat.wait_s(3_000);
    group.chat.presses("bob", &lead, Verb::Approve).await;
    let mut other = of("web", "production", 1, 3);
    other.image.digest = plan("production", 1, 9).image.digest;
    group.gathers(2, &of("jobs", "production", 1, 3)).await;
    group.gathers(1, &other).await;
    group.gathers(0, &of("api", "production", 1, 3)).await;
    assert_eq!(group.chat.phase(&lead).await, "awaiting_approval");
    let card = group.card().await;
    assert!(
        card.starts_with("○ api, web, jobs → production · the plan changed, votes are void: 1 of release"),
        "{card}"
    );
    assert!(card.contains("together with web 0000000, plan "), "{card}");
    let told = group.chat.told(&lead).await;
    assert!(told.iter().any(|told| told.starts_with("bob: The plan of ")), "{told:?}");
}

#[tokio::test]
async fn a_plan_that_changes_after_the_leads_was_made_has_that_made_again() {
    let mut group = Group::asked("/deploy staging all").await;
    for (n, service) in ["api", "web", "jobs"].into_iter().enumerate().rev() {
        let mut plan = of(service, "staging", 1, 3);
        if n == 0 {
            // As it is when web was planned again while the lead was.
            let old = of("web", "staging", 1, 2);
            let web = PlannedWith::of(&group.chat.release(&group.all[1]).await).unwrap();
            let jobs = PlannedWith::of(&group.chat.release(&group.all[2]).await).unwrap();
            plan.with = vec![PlannedWith { digest: old.digest(), ..web }, jobs];
            let lead = group.all[0].clone();
            let resolved = Event::Resolved { commit: plan.commit.clone(), branch: None };
            group.chat.outcome(&lead, "resolve", resolved).await;
            group.chat.outcome(&lead, "await_build", Event::BuildReady).await;
            group.chat.gathers(&lead, &plan).await;
            continue;
        }
        group.plans(n, &plan).await;
    }
    assert_eq!(group.chat.effects(&group.all[0]).await, ["expire_at", "gather"]);
    group.gathers(0, &of("api", "staging", 1, 3)).await;
    assert_eq!(group.phases().await[0], "running(ci)");
}

#[tokio::test]
async fn what_only_one_of_them_needs_is_asked_for_on_the_one_card() {
    let mut group = Group::asked("/deploy production all").await;
    group.plans(2, &of("jobs", "production", 1, 3)).await;
    let mut web = migrating(of("web", "production", 1, 3));
    web.base = None;
    group.plans(1, &web).await;
    group.plans(0, &of("api", "production", 1, 3)).await;
    let lead = group.all[0].clone();
    assert_eq!(
        group.first_line().await,
        "○ api, web, jobs → production · waiting for approval: 1 of release, 1 of sre"
    );
    group.chat.presses("bob", &lead, Verb::Approve).await;
    assert_eq!(group.first_line().await, "○ api, web, jobs → production · waiting for approval: 1 of sre");
    assert_eq!(group.chat.refused_by(&lead).await, ["web/unknown-change"]);
    group.chat.presses("zoe", &lead, Verb::Approve).await;
    assert_eq!(group.chat.phase(&lead).await, "running(ci)");
    group.runs(0).await;
    assert_eq!(group.phases().await[1], "running(ci)", "the same two votes");
}

#[tokio::test]
async fn a_lock_on_one_of_them_holds_all_before_and_that_one_later() {
    let mut group = Group::asked("/deploy staging all").await;
    group.chat.says("bob", "/release lock staging \"load test\" web").await;
    for (n, service) in ["api", "web", "jobs"].into_iter().enumerate().rev() {
        group.plans(n, &of(service, "staging", 1, 3)).await;
    }
    assert_eq!(group.first_line().await, "○ api, web, jobs → staging · queued: locked by bob");
    assert_eq!(group.chat.refused_by(&group.all[0]).await, ["web/locked"]);
    group.chat.says("bob", "/release unlock staging web").await;
    assert_eq!(group.phases().await[0], "running(ci)");
    group.chat.says("bob", "/release lock staging \"load test\" jobs").await;
    group.runs(0).await;
    group.runs(1).await;
    assert_eq!(group.phases().await, ["succeeded", "succeeded", "queued"]);
    assert_eq!(group.first_line().await, "◐ api, web, jobs → staging · 2 of 3 live · jobs: queued: locked by bob");
    group.chat.says("bob", "/release unlock staging jobs").await;
    assert_eq!(group.phases().await[2], "running(ci)");
}

#[tokio::test]
async fn it_stops_at_the_first_failure_and_says_what_ran() {
    let mut group = Group::planned("/deploy staging all", "staging").await;
    group.runs(0).await;
    group.fails(1).await;
    assert_eq!(group.phases().await, ["succeeded", "failed", "cancelled"]);
    let card = group.card().await;
    assert!(
        card.starts_with("✖ api, web, jobs → staging · web failed in image · api is live, jobs was not started"),
        "{card}"
    );
    assert!(card.contains("The tag is gone.") && card.contains("/deploy staging all"), "{card}");
    let jobs = group.chat.release(&group.all[2]).await;
    assert_eq!(jobs.left_out.as_ref(), Some(&group.all[1]));
    let id = group.all[2].clone();
    let show = group.chat.says("ana", &format!("/release show {id}")).await;
    assert!(show.contains("not started: web failed in image") && show.contains("together with release"), "{show}");
    // Its button is about the one that failed, and about that alone.
    let lead = group.all[0].clone();
    assert_eq!(group.chat.presses("ana", &lead, Verb::Retry).await, "");
    let again = group.chat.release(&group.chat.newest().await).await;
    assert_eq!((again.request.key.service.as_str(), again.request.together), ("web", None));
}

#[tokio::test]
async fn planning_that_fails_for_one_ends_all_of_it() {
    let mut group = Group::asked("/deploy staging all").await;
    group.plans(2, &of("jobs", "staging", 1, 3)).await;
    let web = group.all[1].clone();
    let failure = Failure::new("CI of 4c1f9e2 is red.");
    let resolved = Event::Resolved { commit: sha(3), branch: None };
    group.chat.outcome(&web, "resolve", resolved).await;
    let red = Event::PlanningFailed { step: Some(Step::Ci), failure, at: group.chat.now() };
    group.chat.outcome(&web, "await_build", red).await;
    assert_eq!(group.phases().await, ["cancelled", "failed", "cancelled"]);
    assert_eq!(
        group.first_line().await,
        "✖ api, web, jobs → staging · web: CI of 4c1f9e2 is red · nothing was started"
    );
    assert_eq!(group.chat.effects(&group.all[0]).await, [""; 0]);
}

#[tokio::test]
async fn cancelling_stops_what_has_not_started() {
    let mut group = Group::planned("/deploy staging all", "staging").await;
    group.runs(0).await;
    let lead = group.all[0].clone();
    let answer = group.chat.presses("ana", &lead, Verb::Cancel).await;
    assert!(answer.starts_with("Cancelled."), "{answer}");
    assert_eq!(group.phases().await, ["succeeded", "cancelled", "cancelled"]);
    let line = group.first_line().await;
    assert_eq!(line, "– api, web, jobs → staging · web was cancelled by ana · api is live, jobs was not started");

    // Where what runs cannot be stopped any more, the rest does not start all the same.
    let mut group = Group::planned("/deploy staging all", "staging").await;
    let lead = group.all[0].clone();
    group.chat.succeeds(&lead, "observe_ci", Step::Ci).await;
    group.chat.succeeds(&lead, "observe_image", Step::Image).await;
    group.chat.outcome(&lead, "deploy", Event::DeployStarted { target: 0, operation: "op-1".into() }).await;
    let answer = group.chat.says("ana", "/release cancel").await;
    assert!(
        answer.contains("cannot be cancelled now") && answer.contains("Not started any more: web, jobs."),
        "{answer}"
    );
    assert_eq!(group.phases().await, ["running(deploy)", "cancelled", "cancelled"]);
    group.chat.succeeds(&lead, "follow", Step::Deploy).await;
    group.chat.succeeds(&lead, "verify", Step::Verify).await;
    let line = group.first_line().await;
    assert_eq!(
        line,
        "– api, web, jobs → staging · stopped by ana · api is live, web was not started, jobs was not started"
    );
}

#[tokio::test]
async fn nothing_is_lost_between_any_two() {
    let mut group = Group::planned("/deploy production all", "production").await;
    group.chat = group.chat.restarts().await;
    let lead = group.all[0].clone();
    group.chat.presses("bob", &lead, Verb::Approve).await;
    for n in 0..3 {
        group.chat = group.chat.restarts().await;
        assert_eq!(group.phases().await[n], "running(ci)");
        assert_eq!(group.phases().await.iter().filter(|phase| phase.starts_with("running")).count(), 1);
        group.runs(n).await;
    }
    assert_eq!(group.phases().await, ["succeeded"; 3]);
    assert!(matches!(group.chat.verify_audit().await, Verified::Whole(_)), "and all of it is on record");
    // Judged again by the same rules nothing comes out otherwise: the votes that counted for each are recorded with it.
    let (policies, vocabulary) = {
        let setup = &group.chat.engine.setup;
        (setup.policies(), setup.policy_origin().vocabulary.clone())
    };
    let question = Question { policies: &policies, vocabulary: &vocabulary, since: None };
    let replayed = replay(&group.chat.audit().await, &question);
    assert_eq!((replayed.releases, replayed.left_out.len()), (3, 0));
    assert!(replayed.differing.is_empty(), "{:?}", replayed.differing);
}

#[tokio::test]
async fn a_rule_of_which_it_knows_nothing_holds_it_at_each_turn() {
    let rule = "@id(\"closed\")\n@why(\"Nothing starts today.\")\nforbid (principal, action == Action::\"execute\", resource)\n\
                when { resource.service == Service::\"SERVICE\" };";
    for (service, expected) in [("api", 0), ("web", 1), ("jobs", 2)] {
        let mut group = Group::planned("/deploy production all", "production").await;
        let lead = group.all[0].clone();
        let closes = |group: &Group| {
            group.chat.writes_rule(&rule.replace("SERVICE", service));
            let folder = group.chat.config_with_folder();
            format!("{}[policies]{}", three(), folder.split_once("[policies]").unwrap().1)
        };
        if expected > 0 {
            group.chat.presses("bob", &lead, Verb::Approve).await;
            for n in 0..expected - 1 {
                group.runs(n).await;
            }
        }
        let config = closes(&group);
        group.chat.configure(&config);
        match expected {
            0 => drop(group.chat.presses("bob", &lead, Verb::Approve).await),
            n => group.runs(n - 1).await,
        }
        let held = group.all[expected].clone();
        assert_eq!(group.chat.release(&held).await.started_at, None, "{service}");
        assert!(group.chat.refused_by(&held).await.contains(&"closed".to_owned()), "{service}");
        assert_eq!(group.environment_runs(service).await, None, "{service}");
    }
}

#[tokio::test]
async fn whoever_may_not_ask_for_one_begins_none() {
    let rule = "@id(\"not-web\")\n@why(\"Web is asked for by its own team.\")\nforbid (principal, action == Action::\"request\", resource)\n\
                when { context.service == Service::\"web\" };";
    let mut chat = Chat::with(&three()).await;
    chat.writes_rule(rule);
    let folder = chat.config_with_folder();
    chat.configure(&format!("{}[policies]{}", three(), folder.split_once("[policies]").unwrap().1));
    let answer = chat.says("ana", "/deploy staging all").await;
    assert_eq!(answer, "Not allowed: web: Web is asked for by its own team. Nothing was changed.");
    assert_eq!(chat.count("SELECT count(*) FROM releases WHERE id > $1", "").await, 0);
    assert_eq!(chat.audit_of("request_refused").await.len(), 1);
}

#[tokio::test]
async fn a_lead_with_nothing_to_do_stands_for_the_others() {
    let mut group = Group::asked("/deploy production all").await;
    group.plans(2, &of("jobs", "production", 3, 3)).await;
    assert_eq!(group.phases().await[2], "cancelled", "nothing to do, and nobody is stopped by that");
    group.plans(1, &of("web", "production", 1, 3)).await;
    group.plans(0, &of("api", "production", 3, 3)).await;
    let lead = group.all[0].clone();
    assert_eq!(group.phases().await, ["awaiting_approval", "awaiting_approval", "cancelled"]);
    group.chat.presses("bob", &lead, Verb::Approve).await;
    assert_eq!(group.phases().await, ["cancelled", "running(ci)", "cancelled"]);
    assert_eq!(group.chat.release(&lead).await.outcome, Some(Outcome::NothingToDo));
    group.runs(1).await;
    assert_eq!(group.first_line().await, "● api, web, jobs → production · 1 live, 2 had nothing to do · 10 s");
}

#[tokio::test]
async fn a_dry_run_plans_all_of_them_and_starts_none() {
    let group = Group::planned("/deploy production all --dry-run", "production").await;
    assert_eq!(group.phases().await, ["cancelled"; 3]);
    let card = group.card().await;
    assert!(
        card.starts_with("– api, web, jobs → production · dry run: it would have to wait · nothing was started"),
        "{card}"
    );
}
