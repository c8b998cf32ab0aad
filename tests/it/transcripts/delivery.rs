//! Continuous delivery on days on which not everything goes as it should.

use super::around::{configure, folded, was_asked_for_earlier};
use super::play::Play;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use slipway_core::release::{Outcome, Phase, Release};
use slipway_sandbox::aws::FailureMode;
use slipway_sandbox::front::Seen;
use slipway_sandbox::github::CiMode;
use slipway_sandbox::world::{ChatOption, World};

const WEBHOOK_SECRET: &str = "a secret of GitHub and Slipway";
/// The most commits that one release is to bring.
const CAP: u32 = 2;

const STAGING_APPROVAL: &str = "@id(\"staging-approval\")
@why(\"Staging needs an approval of team release.\")
forbid (principal, action == Action::\"execute\", resource)
when { resource.environment == Environment::\"staging\" }
unless { resource.hasTag(\"release\") && resource.getTag(\"release\") >= 1 };";

/// What everybody reads beside the cards, once it says this.
async fn until_pause_says(play: &mut Play, words: &str) -> Seen {
    let says = |m: &Seen| is_pause(m) && folded(&m.text()).contains(words);
    play.until(&format!("\"{words}\" about the pause"), says).await
}

fn is_pause(message: &Seen) -> bool {
    let text = message.text();
    let words = ["nothing starts by itself", "releases start by themselves again"];
    message.only_for.is_none() && !message.is_card() && words.iter().any(|words| text.contains(words))
}

/// The newest of main, brought by Ana.
async fn brought_by_ana(play: &mut Play, known: &[&Seen]) -> (Seen, Release) {
    play.say("ana", "/deploy staging").await;
    let card = play.until_end_of_another(known).await;
    let release = play.release(&card).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", card.text(), play.world.bot.log());
    (card, release)
}

fn commit_of(release: &Release) -> &str {
    release.commit.as_ref().unwrap().as_str()
}

pub(super) async fn a_newer_green_commit_takes_the_place_of_one_that_waits_and_its_card_says_so(chat: ChatOption) {
    let mut play = Play::following_main(chat).await;
    play.rules("staging", Some(STAGING_APPROVAL));
    let older = play.world.merge("Goals page by page (#47)", 47, CiMode::Green).unwrap();
    let waits = play.until_asked_for_approval().await;
    let first = play.release(&waits).await;
    assert_eq!((commit_of(&first), first.request.requester.is_slipway()), (older.as_str(), true));
    let newest = play.world.merge("Goals by colour (#48)", 48, CiMode::Green).unwrap();
    // Not each merge makes a card: one has to have waited for a minute first.
    let id = first.id.to_string();
    play.while_down(async |world| was_asked_for_earlier(world, &id, 61).await).await;
    let gone = |m: &Seen| m.key == waits.key && m.has_ended();
    let gone = play.until("the end of the older one", gone).await;
    let asks = |m: &Seen| m.is_card() && m.key != waits.key && m.has_buttons() && m.text().contains("approval");
    let card = play.until("a card of the newer one", asks).await;
    let second = play.release(&card).await;
    assert_eq!((commit_of(&second), second.request.requester.is_slipway()), (newest.as_str(), true));
    let (old, new) = (&older[..7], second.id.short());
    let said = folded(&gone.text());
    for part in
        [&format!("superseded by release {new}"), "nothing was started", &format!("The newer request contains {old}")]
    {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
    play.say("bob", "/release queue").await;
    let queue = folded(&play.until_told("bob", "superseded: ").await.text());
    assert!(queue.contains(&format!("by release {new}, which contains it")), "{queue}");
    play.react("bob", &card, "✅").await;
    let live = |m: &Seen| m.key == card.key && m.has_ended();
    let live = play.until("the end of the newer one", live).await;
    assert_eq!(play.release(&live).await.phase, Phase::Succeeded, "{}\n{}", live.text(), play.world.bot.log());
    assert_eq!(play.release(&gone).await.started_at, None);
    assert_eq!(play.world.aws.deployment_operations(&play.world.staging_arn).len(), 1);
}

/// GitHub tells of a push. What it answers is taken.
async fn tells_of_a_push(world: &World) {
    let body = "{\"ref\":\"refs/heads/main\",\"repository\":{\"full_name\":\"acme/goals\"}}";
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let request = reqwest::Client::new()
        .post(format!("{}/github/webhooks", world.url))
        .header("content-type", "application/json")
        .header("x-github-event", "push")
        .header("x-github-delivery", "1")
        .header("x-hub-signature-256", signature);
    assert_eq!(request.body(body).send().await.unwrap().status().as_u16(), 204);
}

pub(super) async fn one_release_brings_so_many_commits_and_lost_webhooks_are_made_up_for(chat: ChatOption) {
    let mut play = Play::following_main(chat).await;
    let (staging, _) = brought_by_ana(&mut play, &[]).await;
    play.world.bot.set("GITHUB_WEBHOOK_SECRET", WEBHOOK_SECRET);
    let capped = |config: &str| {
        config.replacen(
            "auto_deploy = \"main\"\n",
            &format!("auto_deploy = \"main\"\nauto_deploy_commits = {CAP}\n"),
            1,
        )
    };
    play.while_down(async |world| configure(world, capped)).await;
    let merge = |play: &Play, number: u32, ci| play.world.merge(&format!("Change (#{number})"), number, ci).unwrap();
    let red = merge(&play, 47, CiMode::RedTest);
    tells_of_a_push(&play.world).await;
    // Of no other does GitHub tell.
    merge(&play, 48, CiMode::RedTest);
    let green = merge(&play, 49, CiMode::Green);
    let is_first = |m: &Seen| m.is_card() && m.key != staging.key;
    let first = play.until("a card of the first green one", is_first).await;
    assert_eq!(play.release(&first).await.request.reference.as_ref(), Some(&green), "{}", first.text());
    let newest = [50, 51, 52].map(|number| merge(&play, number, CiMode::Green))[2].clone();
    let first = play.until_end_of_another(&[&staging]).await;
    let said = folded(&first.text());
    for part in
        ["older ones not green; red: ", &red[..7], "3 commits at once instead of 2, as none of the first 2 is green"]
    {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
    let mut known = vec![staging, first];
    loop {
        let refs: Vec<&Seen> = known.iter().collect();
        let card = play.until_end_of_another(&refs).await;
        let release = play.release(&card).await;
        assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", card.text(), play.world.bot.log());
        let brings = release.plan.as_ref().unwrap().commits_total;
        assert!(brings <= CAP, "{brings} commits at once:\n{}", card.text());
        let is_last = commit_of(&release) == newest;
        known.push(card);
        if is_last {
            break;
        }
    }
    assert!(known.len() >= 4, "three commits are two releases");
}

/// A freeze of staging until then.
fn frozen(until: Timestamp) -> String {
    format!(
        "@id(\"fair\")\n@why(\"Staging rests during the fair.\")\n\
         forbid (principal, action == Action::\"execute\", resource)\n\
         when {{ resource.environment == Environment::\"staging\" && context.time.now < datetime(\"{}\") }};",
        until.strftime("%Y-%m-%dT%H:%M:%SZ")
    )
}

pub(super) async fn a_freeze_holds_it_with_one_message_and_ends_by_itself(chat: ChatOption) {
    let mut play = Play::following_main(chat).await;
    let (staging, _) = brought_by_ana(&mut play, &[]).await;
    play.rules("fair", Some(&frozen(Timestamp::now() + SignedDuration::from_hours(48))));
    play.world.merge("Goals page by page (#47)", 47, CiMode::Green).unwrap();
    let paused = until_pause_says(&mut play, "nothing starts by itself: Staging rests during the fair").await;
    assert!(paused.text().contains("(until "), "{}", paused.text());
    assert!(paused.text().contains("Goes on by itself when that is over."), "{}", paused.text());
    let newest = play.world.merge("Goals by colour (#48)", 48, CiMode::Green).unwrap();
    play.say("ana", "/release resume staging").await;
    play.until_told("ana", "Staging rests during the fair").await;
    play.say("ana", "/release status staging").await;
    let status = folded(&play.until_told("ana", "follows main: ").await.text());
    assert!(status.contains("paused, Staging rests during the fair"), "{status}");
    assert_eq!(play.cards().len(), 1, "nothing has begun");
    // The fair ends earlier: nobody has to say that it is over when it is.
    play.rules("fair", Some(&frozen(Timestamp::now() + SignedDuration::from_secs(3))));
    let over = until_pause_says(&mut play, "the freeze is over").await;
    assert_eq!(over.id, paused.id, "the same message");
    let card = play.until_end_of_another(&[&staging]).await;
    let release = play.release(&card).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", card.text(), play.world.bot.log());
    assert_eq!((commit_of(&release), play.count(is_pause)), (newest.as_str(), 1), "the newest, and one message");
}

pub(super) async fn a_release_that_somebody_asks_for_and_that_succeeds_resumes_it(chat: ChatOption) {
    let mut play = Play::following_main(chat).await;
    play.world.aws.fail_next_deployment(&play.world.staging_arn, FailureMode::RollsBack);
    let bad = play.world.merge("Goals page by page (#47)", 47, CiMode::Green).unwrap();
    let failed = play.until_end().await;
    assert!(matches!(play.release(&failed).await.outcome, Some(Outcome::RolledBack { .. })), "{}", failed.text());
    let paused = until_pause_says(&mut play, "nothing starts by itself").await;
    let next = play.world.merge("Goals by colour (#48)", 48, CiMode::Green).unwrap();
    play.say("bob", "/release status staging").await;
    let status = folded(&play.until_told("bob", "follows main: ").await.text());
    assert!(status.contains(&format!("paused, {} was rolled back", &bad[..7])), "{status}");
    play.say("dora", "/release resume staging").await;
    play.until_told("dora", "Not allowed").await;
    let (repaired, release) = brought_by_ana(&mut play, &[&failed]).await;
    assert_eq!(commit_of(&release), next, "it did not begin by itself, and Ana has brought it");
    let over = until_pause_says(&mut play, "releases start by themselves again").await;
    let said = folded(&over.text());
    assert_eq!(over.id, paused.id, "the same message");
    assert!(said.contains(&format!("release {} of ana is live", release.id.short())), "{said}");
    let last = play.world.merge("Goals by size (#49)", 49, CiMode::Green).unwrap();
    let card = play.until_end_of_another(&[&failed, &repaired]).await;
    let release = play.release(&card).await;
    assert_eq!((commit_of(&release), release.request.requester.is_slipway()), (last.as_str(), true));
    assert_eq!((release.phase.clone(), play.count(is_pause)), (Phase::Succeeded, 1), "{}", card.text());
    play.say("ana", "/release resume staging goals").await;
    play.until_told("ana", "Nothing has stopped on goals → staging").await;
}
