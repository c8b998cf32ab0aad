//! Several services in one message, as it is read and pressed in every chat.

use super::around::{configure, folded};
use super::play::Play;
use crate::paths::PATHS;
use crate::together::several;
use slipway_core::message::Mark;
use slipway_core::release::{Outcome, Release};
use slipway_sandbox::aws::FailureMode;
use slipway_sandbox::front::Seen;
use slipway_sandbox::github::CiMode;
use slipway_sandbox::world::ChatOption;

/// The releases of the group that a card is of, in their order.
async fn members(play: &Play, card: &Seen) -> Vec<Release> {
    let lead = play.release(card).await;
    let mut members = Vec::new();
    for id in &lead.request.together.as_ref().unwrap().all {
        let key = format!("release/{id}");
        members.push(play.release(&Seen { key, ..card.clone() }).await);
    }
    members
}

pub(super) async fn several_services_go_to_production_with_one_approval_in_their_order(chat: ChatOption) {
    let mut play = Play::within(several(chat, &["api"], &["web"]).await);
    play.say("ana", "/deploy staging all").await;
    let staging = play.until("the end of all on staging", |m| m.is_card() && m.text().contains("all live")).await;
    let said = staging.text();
    assert!(said.starts_with("● api, goals, web → staging · all live · "), "{said}");
    assert!(said.contains("next: production") && said.contains("/deploy production all"), "{said}");

    play.say("ana", "/deploy production all").await;
    let asked = play.until_asked_for_approval().await;
    let said = asked.text();
    let first = said.lines().next().unwrap();
    assert!(first.starts_with("○ api, goals, web → production · waiting for approval: "), "{said}");
    assert!(first.contains("1 of release") && first.contains("1 of dba"), "{said}");
    play.react("ana", &asked, "✅").await;
    play.until_told("ana", "Your vote does not count here").await;
    // Bob has written some of it: chen is the one who can.
    play.react("chen", &asked, "✅").await;
    play.react("dora", &asked, "✅").await;
    let is_over = |m: &Seen| m.is_card() && m.key == asked.key && m.mark() == Mark::Live;
    let production = play.until("the end of all on production", is_over).await;
    let said = production.text();
    assert!(said.starts_with("● api, goals, web → production · all live · "), "{said}");
    assert_eq!(production.id, asked.id, "one message from the question to the end");
    assert_eq!(play.cards().len(), 2, "and one for staging");
    let members = members(&play, &production).await;
    let services: Vec<_> = members.iter().map(|member| member.request.key.service.as_str()).collect();
    assert_eq!(services, ["api", "goals", "web"]);
    for pair in members.windows(2) {
        assert!(pair[0].ended_at.unwrap() <= pair[1].started_at.unwrap(), "one after the other: {services:?}");
    }
    let votes: Vec<_> = members.iter().map(|member| member.votes.len()).collect();
    assert_eq!(votes, [2, 0, 0], "nobody was asked about each of them");
    let short = play.world.head[..7].to_owned();
    let dry = |service: &str| format!("dry run of {service} {short} to production");
    for words in [dry("api"), format!("goals {short} is in production"), dry("web")] {
        let announced = play.until(&words, |m| m.channel == "#announcements" && m.text().contains(&words)).await;
        let both = ["approved by chen, dora", "approved by dora, chen"];
        assert!(both.iter().any(|both| announced.text().contains(both)), "{}", announced.text());
    }
}

pub(super) async fn several_services_stop_at_the_first_failure_and_say_what_ran(chat: ChatOption) {
    let mut play = Play::within(several(chat, &["api"], &["web"]).await);
    play.world.aws.fail_next_deployment(&play.world.staging_arn, FailureMode::RollsBack);
    play.say("ana", "/deploy staging all").await;
    let failed = play.until("the failure", |m| m.is_card() && m.mark() == Mark::Failed).await;
    let said = failed.text();
    let first = "✖ api, goals, web → staging · AWS rolled goals back · api is live, web was not started";
    assert!(said.starts_with(first), "{said}");
    assert!(said.contains("What is left comes with /deploy staging all"), "{said}");
    let members = members(&play, &failed).await;
    let outcomes: Vec<_> = members.iter().map(|member| member.outcome.as_ref().unwrap()).collect();
    assert!(
        matches!(outcomes[..], [Outcome::Live, Outcome::RolledBack { .. }, Outcome::Cancelled { .. }]),
        "{outcomes:?}"
    );
    assert_eq!(members[2].started_at, None);

    // What is left comes with the line that the message names.
    play.say("ana", "/deploy staging all").await;
    let again = play.until("the rest", |m| m.is_card() && m.key != failed.key && m.mark() == Mark::Live).await;
    let said = again.text();
    assert!(said.starts_with("● api, goals, web → staging · 2 live, 1 had nothing to do"), "{said}");
}

pub(super) async fn a_service_that_no_change_concerns_stays_as_it_is_unless_somebody_names_it(chat: ChatOption) {
    let mut play = Play::within(several(chat, &[], &["web"]).await);
    let paths = |config: &str| config.replacen("[service.web]\n", &format!("[service.web]\n{PATHS}"), 1);
    play.while_down(async |world| configure(world, paths)).await;
    play.say("ana", "/deploy staging all").await;
    let first = play.until("the end of both", |m| m.is_card() && m.text().contains("all live")).await;
    let before = play.world.head[..7].to_owned();

    let docs = play.world.merge("Words (#101)", 1, CiMode::Green).unwrap();
    play.say("ana", "/deploy staging all").await;
    let second = play.until_end_of_another(&[&first]).await;
    let said = second.text();
    assert!(said.starts_with("● goals, web → staging · 1 live, 1 had nothing to do · "), "{said}");
    let nothing = format!("nothing in docs/2*.md changed since {before}");
    assert!(folded(&said).contains(&nothing) && !folded(&said).contains("all the same"), "{said}");
    let lead = play.release(&second).await;
    assert_eq!((lead.commit.unwrap().as_str(), lead.outcome), (docs.as_str(), Some(Outcome::Live)));

    play.say("ana", "/deploy staging --service web").await;
    let named = play.until_end_of_another(&[&first, &second]).await;
    let said = named.text();
    assert!(said.contains(&format!("web → staging · dry run target: nothing was deployed · {}", &docs[..7])), "{said}");
    assert!(folded(&said).contains(&format!("{nothing}, deployed all the same")), "{said}");

    play.world.merge("More words (#102)", 2, CiMode::Green).unwrap();
    play.say("ana", "/deploy staging all").await;
    let third = play.until_end_of_another(&[&first, &second, &named]).await;
    assert!(third.text().starts_with("● goals, web → staging · all live · "), "{}", third.text());
}
