//! What is said of one of a group, once its card is about that one.

use super::together::{Group, of, three};
use super::*;
use slipway_core::message::Verb;
use slipway_core::policy::Stance;

/// Bob has approved all of it and api is live; web's plan is another one since, and waits for its own approval.
async fn at_web() -> Group {
    let mut group = Group::planned("/deploy production all", "production").await;
    group.chat.publishes().await;
    let lead = group.all[0].clone();
    group.chat.presses("bob", &lead, Verb::Approve).await;
    group.chat.publishes().await;
    changes_web(&mut group).await;
    group
}

async fn changes_web(group: &mut Group) {
    group.chat.wait_s(600);
    group.runs(0).await;
    let mut other = of("web", "production", 1, 3);
    other.image.digest = plan("production", 1, 9).image.digest;
    group.gathers(1, &other).await;
    assert_eq!(group.phases().await, ["succeeded", "awaiting_approval", "queued"]);
}

#[tokio::test]
async fn an_approval_is_of_the_plan_that_the_channel_shows() {
    let mut group = at_web().await;
    let web = group.all[1].clone();
    let answer = group.chat.says("bob", "/release approve").await;
    assert!(answer.starts_with("Your vote was not taken: the plan has just changed, and this channel did"), "{answer}");
    assert_eq!(group.chat.release(&web).await.votes, []);
    group.chat.publishes().await;
    assert_eq!(group.chat.says("bob", "/release approve").await, "");
    assert_eq!(group.chat.phase(&web).await, "running(ci)");
}

#[tokio::test]
async fn one_of_them_is_not_approved_while_the_message_is_about_another() {
    let mut group = Group::planned("/deploy production all", "production").await;
    group.chat.publishes().await;
    let web = group.all[1].clone();
    let answer = group.chat.says("bob", &format!("/release approve {}", web.short())).await;
    let expected = "Your vote was not taken: the message of all of them is about another one now. Vote there";
    assert!(answer.starts_with(expected), "{answer}");
    assert_eq!(group.chat.release(&web).await.votes, []);
    assert_eq!(group.chat.says("bob", "/release approve").await, "", "all of them together");
    assert_eq!(group.phases().await[0], "running(ci)");
}

#[tokio::test]
async fn reactions_are_about_the_one_that_the_card_is_about() {
    let mut group = at_web().await;
    group.chat.publishes().await;
    let (lead, web) = (group.all[0].clone(), group.all[1].clone());
    assert_eq!(group.chat.reacts("eve", &lead, Stance::Veto, true).await, "");
    assert_eq!(group.chat.release(&web).await.votes.len(), 1);
    assert_eq!(group.chat.reacts("bob", &lead, Stance::Approve, true).await, "");
    assert_eq!(group.chat.phase(&web).await, "awaiting_approval", "eve objects");
    let answer = group.chat.reacts("eve", &lead, Stance::Veto, false).await;
    assert!(answer.starts_with("Your vote is taken back."), "{answer}");
    assert_eq!(group.chat.phase(&web).await, "running(ci)");
}

#[tokio::test]
async fn a_reaction_to_what_runs_is_none_and_one_that_is_found_later_is_asked_about() {
    let mut group = at_web().await;
    group.chat.publishes().await;
    let (lead, web) = (group.all[0].clone(), group.all[1].clone());
    let found = |at_us: i64| crate::engine::Incoming::Reacted {
        who: slipway_core::person::Identity::Terminal("bob".into()),
        channel: "terminal:releases".into(),
        message: format!("release/{lead}"),
        stance: Stance::Approve,
        added: true,
        at_us: Some(at_us),
        name: "✅".into(),
        found: true,
    };
    let delivery = group.chat.deliver(&found(group.chat.now().as_microsecond())).await;
    let asked = group.chat.answer(delivery).await;
    assert!(asked.contains("this button approves plan"), "{asked}");
    assert_eq!(group.chat.release(&web).await.votes, []);
    let looked_at = group.chat.store.cards_waiting("terminal", 10).await.unwrap();
    assert_eq!(looked_at.len(), 1, "the card of what waits is looked at, though its lead has ended: {looked_at:?}");
}

/// Eve has objected to all of it, and that did not count when api ran; now it does.
async fn vetoed() -> Group {
    let rule = "@id(\"not-eve\")\n@why(\"Not eve.\")\nforbid (principal == Person::\"eve\", action == Action::\"veto\", resource);";
    let mut group = Group::planned("/deploy production all", "production").await;
    let lead = group.all[0].clone();
    group.chat.reacts("eve", &lead, Stance::Veto, true).await;
    under_rule(&mut group, rule);
    group.chat.presses("bob", &lead, Verb::Approve).await;
    assert_eq!(group.chat.phase(&lead).await, "running(ci)");
    group.chat.configure(&three());
    group.runs(0).await;
    assert_eq!(group.phases().await, ["succeeded", "awaiting_approval", "awaiting_approval"]);
    assert!(group.first_line().await.contains("web: vetoed by eve · waits until that is withdrawn"));
    group
}

#[tokio::test]
async fn a_veto_on_a_lead_that_has_ended_can_be_taken_back_while_others_wait() {
    let mut group = vetoed().await;
    let answer = group.chat.says("eve", "/release withdraw").await;
    assert!(answer.starts_with("Your vote is taken back."), "{answer}");
    assert_eq!(group.phases().await[1], "running(ci)");
    assert_eq!(group.chat.audit_of("withdrawn").await.len(), 1);
    let again = group.chat.says("eve", "/release withdraw").await;
    assert!(again.contains("has a vote of yours"), "{again}");

    let mut group = vetoed().await;
    let lead = group.all[0].clone();
    let answer = group.chat.reacts("eve", &lead, Stance::Veto, false).await;
    assert!(answer.starts_with("Your vote is taken back."), "{answer}");
    assert_eq!(group.phases().await[1], "running(ci)");

    // Nobody else takes it back, and nothing of it is taken back once all of it is over.
    let mut group = vetoed().await;
    let answer = group.chat.says("cem", &format!("/release withdraw {}", group.all[1].short())).await;
    assert!(answer.starts_with("Your vote was not taken: there is no vote to withdraw"), "{answer}");
    group.chat.says("ana", "/release cancel").await;
    let answer = group.chat.says("eve", &format!("/release withdraw {}", lead_of(&group))).await;
    assert!(answer.contains("is live already"), "{answer}");
    assert_eq!(group.chat.release(&group.all[0]).await.votes.len(), 2);
}

fn lead_of(group: &Group) -> &str {
    group.all[0].short()
}

#[tokio::test]
async fn whoever_has_objected_to_all_and_approves_what_waits_objects_no_more() {
    let mut group = vetoed().await;
    let zoe = "[person.eve]\nterminal = \"eve\"\nteams = [\"developers\", \"release\"]\n";
    let config = three().replace("[person.eve]\nterminal = \"eve\"\nteams = [\"developers\"]\n", zoe);
    group.chat.configure(&config);
    let lead = group.all[0].clone();
    assert_eq!(group.chat.presses("eve", &lead, Verb::Approve).await, "");
    assert_eq!(group.phases().await[1], "running(ci)");
    let stances: Vec<_> = group.chat.release(&lead).await.votes.into_iter().map(|vote| vote.stance).collect();
    assert_eq!(stances, [Stance::Approve], "bob's alone is left on the lead");
}

#[tokio::test]
async fn an_override_is_told_where_each_of_the_services_is_at_home_once() {
    let web =
        "[service.web]\nrepository = \"acme/goals\"\nworkflow = \"build.yaml\"\nchannels = [\"terminal:releases\"]\n";
    let elsewhere = web.replace("[\"terminal:releases\"]", "[\"terminal:ops\", \"terminal:releases\"]");
    let mut group =
        Group::planned_with(&three().replace(web, &elsewhere), "/deploy production all", "production").await;
    let lead = group.all[0].clone();
    let line = format!("/release override {} --incident INC-7 --reason \"down\"", lead.short());
    let answer = group.chat.says("bob", &line).await;
    assert_eq!(answer, "Your override sets 1 rule aside. It is written down and announced.");
    let told = "SELECT channel FROM messages WHERE key LIKE 'override/%' AND release = $1 ORDER BY channel";
    assert_eq!(group.chat.scalars(told, lead.as_str()).await, ["terminal:ops", "terminal:releases"]);
    let key: String = group.chat.scalar("SELECT key FROM messages WHERE key LIKE $1", "override/%").await.unwrap();
    let said = group.chat.posted(&key).await;
    assert!(
        said.starts_with("▲ @bob overrode the policies for api, web, jobs → production · incident INC-7"),
        "{said}"
    );
    assert_eq!(group.chat.phase(&lead).await, "running(ci)");
}

#[tokio::test]
async fn an_override_is_for_those_alone_where_policy_lets_them() {
    let rule = "@id(\"not-web\")\n@why(\"Web is never overridden.\")\nforbid (principal, action == Action::\"override\", resource)\n\
                when { resource.service == Service::\"web\" };";
    let mut group = Group::planned("/deploy production all", "production").await;
    under_rule(&mut group, rule);
    let lead = group.all[0].clone();
    group.chat.says("bob", &format!("/release override {} --incident INC-7 --reason \"down\"", lead.short())).await;
    let key: String = group.chat.scalar("SELECT key FROM messages WHERE key LIKE $1", "override/%").await.unwrap();
    let said = group.chat.posted(&key).await;
    assert!(said.starts_with("▲ @bob overrode the policies for api, jobs → production"), "{said}");
    assert_eq!(group.phases().await[0], "awaiting_approval", "web waits for people");
}

/// From now on one more rule is in force.
fn under_rule(group: &mut Group, rule: &str) {
    group.chat.writes_rule(rule);
    let folder = group.chat.config_with_folder();
    group.chat.configure(&format!("{}[policies]{}", three(), folder.split_once("[policies]").unwrap().1));
}

#[tokio::test]
async fn what_is_next_is_next_for_all_of_them_as_it_was_asked_for() {
    for (line, next) in [
        ("/deploy staging all", "Next: /deploy production all"),
        ("/deploy staging v1.8.0 all", "Next: /deploy production v1.8.0 all"),
    ] {
        let production = ".environment.production]\n";
        let config = three().replace(production, &format!("{production}after = \"staging\"\n"));
        let mut group = Group::planned_with(&config, line, "staging").await;
        for n in 0..3 {
            group.runs(n).await;
        }
        group.chat.publishes().await;
        let shown = group.chat.store.terminal_since(0, 100).await.unwrap();
        let text = group.chat.text(&shown.last().unwrap().message);
        assert!(text.starts_with("● api, web, jobs → staging · all live · 30 s · next: production\n"), "{text}");
        assert!(text.contains(next), "{text}");
    }
    let mut group = Group::planned("/deploy staging v1.8.0 all", "staging").await;
    group.runs(0).await;
    group.fails(1).await;
    let card = group.card().await;
    assert!(card.contains("What is left comes with /deploy staging v1.8.0 all: what is live"), "{card}");
    assert!(!card.contains("next: production"), "{card}");
}
