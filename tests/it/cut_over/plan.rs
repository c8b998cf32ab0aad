//! What a plan's card says, and what policy makes of it.

use super::{BYPASSING, deploy, image_of, inject, joined, merge, world};
use crate::support::{Player, is_card, text};
use slipway::store::TerminalMessage;
use slipway_core::facts::ScanFact;
use slipway_core::release::Phase;
use slipway_sandbox::aws::FaultKind;

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_goes_around_is_shown_and_production_waits_until_it_is_gone() {
    let world = world().await;
    merge(&world, ".github/workflows/ship.yaml", BYPASSING);
    let mut player = Player::new(&world, "bypass");
    player.say("ana", "/deploy staging").await;
    let staging = player.until_end().await;
    let release = player.release(&world, &staging).await;
    assert_eq!(release.phase, Phase::Succeeded, "staging is warned only:\n{}\n{}", text(&staging), world.bot.log());
    let found = release.facts.as_ref().unwrap().bypasses();
    let lines: Vec<_> = found.iter().map(|bypass| bypass.line.unwrap_or_default()).collect();
    assert_eq!(lines, [9, 12], "no target follows latest: {found:?}");

    player.say("ana", "/deploy production").await;
    let waits = |m: &TerminalMessage| is_card(m) && text(m).contains("no-way-around");
    let card = player.until("a card that names the rule", waits).await;
    let said = joined(&text(&card));
    let line = "▲ .github/workflows/ship.yaml:9 migrates past the gate (goose) · remove this step: Slipway runs it";
    assert!(said.contains(line), "{}", text(&card));
    player.react("bob", &card, "✅").await;
    player.react("dora", &card, "✅").await;
    player.say("bob", "/release status").await;
    player.until_told("bob", "2 environments").await;
    assert_eq!(world.aws.deployment_operations(&world.production_arn).len(), 0);

    // The edit that mends it makes another commit.
    let mended = "name: ship\non: push\njobs: {}\n";
    let head = merge(&world, ".github/workflows/ship.yaml", mended);
    player.say("ana", "/deploy staging").await;
    let mended = player.until_end_of_another(&[&staging]).await;
    let release = player.release(&world, &mended).await;
    assert_eq!((release.phase, release.commit.unwrap().as_str()), (Phase::Succeeded, head.as_str()));
    assert_eq!(release.facts.unwrap().bypasses(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scan_of_the_image_stands_on_the_card_and_faults_of_its_reading_pass() {
    let world = world().await;
    let digest = image_of(&world.head);
    world.aws.push_image("goals", &world.head, &digest);
    world.github.mark_green(&world.head);
    world.aws.scan_image(&digest, "COMPLETE", &[("CRITICAL", 2), ("HIGH", 5), ("INFORMATIONAL", 1)]);
    inject(&world, "ECR.DescribeImageScanFindings", FaultKind::Status503, 4);
    let (card, release) = deploy(&world).await;
    assert_eq!(release.phase, Phase::Succeeded, "{card}\n{}", world.bot.log());
    assert!(joined(&card).contains("scan: 2 critical, 5 high, 1 low"), "{card}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_may_not_be_read_stops_nothing() {
    let world = world().await;
    inject(&world, "ECR.DescribeImageScanFindings", FaultKind::Denied, 1_000);
    let (card, release) = deploy(&world).await;
    assert_eq!(release.phase, Phase::Succeeded, "{card}\n{}", world.bot.log());
    assert_eq!(release.facts.unwrap().scan, None);
    assert!(!card.contains("scan"), "{card}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_nobody_scanned_is_called_so() {
    let world = world().await;
    let (card, release) = deploy(&world).await;
    assert_eq!(release.facts.unwrap().scan.map(|seen| seen.value), Some(ScanFact::NotScanned));
    assert!(joined(&card).contains("not scanned"), "{card}");
}
