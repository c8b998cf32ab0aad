//! Policies from the command line: tested, explained, and put before the past.

use crate::support::{Player, text};
use serde_json::Value;
use slipway_core::policy::built_in;
use slipway_core::release::Phase;
use slipway_sandbox::world::{Options, Pace, World};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

const TWO: &str = r#"
@id("two")
@why("Production needs two of team release.")
forbid (principal, action == Action::"execute", resource)
when { resource.environment == Environment::"production" }
unless { resource.hasTag("release") && resource.getTag("release") >= 2 };
"#;

const CASE: &str = r#"
[base]
people = { ana = ["developers"], bob = ["release"] }
service = "goals"
environment = "production"
requester = "ana"
now = "2026-11-25 12:00"

[[case]]
name = "Production waits for somebody"
expect = "deny"
reasons = ["production-approval"]
clears = { production-approval = "votes: 1 of release (bob)" }
"#;

/// The exit status, standard output and standard error.
fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Runs a command beside the bot, which must end well; gives what it prints.
fn prints(world: &World, arguments: &[&str]) -> String {
    let (code, out, error) = said(&world.bot.run(arguments).unwrap());
    assert_eq!(code, Some(0), "{arguments:?}: {out}{error}");
    out
}

/// A copy of the world's policies with one file more.
fn edited(world: &World, name: &str, more: &str) -> PathBuf {
    let copy = world.folder().join(name);
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(world.config.with_file_name("policies")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
    }
    fs::write(copy.join("more.cedar"), more).unwrap();
    copy
}

/// The rules that an answer names, but for the one that the passing of two seconds clears.
fn rules(answer: &str) -> Vec<String> {
    let rule = |line: &str| Some(line.split_once(". ")?.1.split_once("  ")?.0.to_owned());
    let numbered = answer.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_digit()));
    numbered.filter_map(rule).filter(|rule| rule != "soak-2s").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn tested_explained_and_replayed_from_the_command_line() {
    let world = World::new(Options { pace: Pace::Fast, ..Options::default() }).await.unwrap();
    let mut player = Player::new(&world, "policies");
    let stricter = edited(&world, "stricter", TWO);
    let stricter = stricter.to_str().unwrap();
    player.say("ana", "/deploy staging").await;
    let staging = player.until_end().await;
    player.say("ana", "/deploy production").await;
    let card = player.until_asked_for_approval().await;
    let release = player.release(&world, &card).await;

    // The same answer in the chat and in the shell, while the bot runs.
    player.say("ana", &format!("/release why {}", release.id.short())).await;
    let chat = player.until_told("ana", "would be refused for").await;
    let shell = prints(&world, &["policy", "explain", release.id.short()]);
    assert_eq!(rules(&shell), ["dba-approval", "production-approval"], "{shell}");
    assert_eq!(rules(&shell), rules(&text(&chat)), "{shell}\n{}", text(&chat));
    let asked = ["policy", "explain", "deploy", "production", "--as", "ana"];
    let shell = prints(&world, &asked);
    assert!(shell.starts_with(&format!("Deploying goals {} to production now", &world.head[..7])), "{shell}");
    let other = prints(&world, &[&asked[..], &["--policies", stricter, "--json"]].concat());
    let other: Value = serde_json::from_str(&other).unwrap();
    let ids: Vec<_> =
        other["reasons"].as_array().unwrap().iter().map(|reason| reason["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"two") && ids.contains(&"production-approval"), "{other:#}");
    let (code, _, error) = said(&world.bot.run(&["policy", "explain", "deploy", "prod", "--as", "ana"]).unwrap());
    let expected = "There is no environment \"prod\". There are: production of goals, staging of goals.\n";
    assert_eq!((code, error.as_str()), (Some(1), expected));

    player.react("bob", &card, "✅").await;
    player.react("dora", &card, "✅").await;
    let production = player.until_end_of_another(&[&staging]).await;
    assert_eq!(player.release(&world, &production).await.phase, Phase::Succeeded, "{}", text(&production));

    let ours = world.config.with_file_name("policies");
    let same = prints(&world, &["policy", "replay", "--policies", ours.to_str().unwrap(), "--fail-on-change"]);
    assert!(same.starts_with("Nothing would have gone otherwise: 2 releases"), "{same}");
    let replay = ["policy", "replay", "--policies", stricter];
    let stopped = prints(&world, &replay);
    assert!(stopped.contains(release.id.short()) && stopped.contains("would not have started then"), "{stopped}");
    assert!(stopped.contains("Production needs two of team release."), "{stopped}");
    let failing = world.bot.run(&[&replay[..], &["--fail-on-change"]].concat()).unwrap();
    assert_eq!(failing.status.code(), Some(1));
    without_the_bot(&world, stricter, &stopped).await;
}

/// The same in the CI of a repository that holds nothing but policies.
async fn without_the_bot(world: &World, policies: &str, expected: &str) {
    let export = world.folder().join("export.jsonl");
    prints(world, &["audit", "export", "--output", export.to_str().unwrap()]);
    let alone = |arguments: &[&str]| said(&world.bot.run_alone(world.folder(), arguments).unwrap());
    let (code, _, error) = alone(&["policy", "test", "--policies", policies]);
    assert_eq!(code, Some(1));
    assert!(error.contains("vocabulary.toml") && error.contains("--config"), "{error}");
    let names =
        "teams = [\"developers\", \"release\", \"sre\", \"dba\"]\nenvironments = [\"staging\", \"production\"]\n";
    fs::write(Path::new(policies).join("vocabulary.toml"), names).unwrap();
    let (code, out, error) = alone(&["policy", "replay", "--policies", policies, "--from", "export.jsonl"]);
    assert_eq!(
        (code, out.lines().skip(1).collect::<Vec<_>>()),
        (Some(0), expected.lines().skip(1).collect()),
        "{error}"
    );

    fs::create_dir(Path::new(policies).join("tests")).unwrap();
    fs::write(Path::new(policies).join("tests/one.toml"), CASE).unwrap();
    let (code, out, error) = alone(&["policy", "test", "--policies", policies]);
    assert_eq!((code, error.as_str()), (Some(1), "The policies do not do what one case says.\n"));
    assert!(out.contains("two should be no reason, and is one."), "{out}");
    assert!(out.lines().last().unwrap().starts_with("✖ 1 of 1 case failed"), "{out}");
    fs::remove_file(Path::new(policies).join("more.cedar")).unwrap();
    let (code, out, error) = alone(&["policy", "test", "--policies", policies]);
    assert_eq!(code, Some(0), "{error}");
    let last = out.lines().last().unwrap();
    assert!(
        last.starts_with("● 1 case holds; ") && last.contains(&format!("of {} rules", rules_without_freeze())),
        "{out}"
    );
    let case = format!("{policies}/tests/one.toml:waits");
    let (code, out, _) = alone(&["policy", "explain", "--policies", policies, "--case", &case]);
    assert_eq!(code, Some(0));
    assert!(out.contains("1. production-approval") && out.contains("1 of release: bob can"), "{out}");
}

/// The sandbox has all default rules but the freeze.
fn rules_without_freeze() -> usize {
    built_in::FILES.iter().map(|(_, text)| text.matches("\n@id(").count()).sum::<usize>() - 1
}
