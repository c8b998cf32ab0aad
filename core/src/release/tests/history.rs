//! Committed histories: what was stored must lead to the same states for ever.
//!
//! Each file is JSON lines: the release as it was asked for, then every event with the state and the effects that
//! followed from it. They are never rewritten; when one no longer replays, the code has to learn to read it.

use super::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Asked {
    release: crate::ids::ReleaseId,
    request: Request,
}

#[derive(Deserialize)]
struct Happened {
    event: Event,
    then: String,
    effects: Vec<String>,
}

const HISTORIES: [(&str, &str, &str); 3] = [
    ("deploy.jsonl", include_str!("../histories/deploy.jsonl"), "succeeded"),
    ("rolled_back.jsonl", include_str!("../histories/rolled_back.jsonl"), "rolled_back"),
    ("voided_votes.jsonl", include_str!("../histories/voided_votes.jsonl"), "succeeded"),
];

fn replay(file: &str, text: &str) -> Release {
    let mut lines = text.lines().enumerate();
    let (_, first) = lines.next().unwrap_or_else(|| panic!("{file} is empty"));
    let asked: Asked = serde_json::from_str(first).unwrap_or_else(|error| panic!("{file}, line 1: {error}"));
    let mut release = Release::new(asked.release, asked.request);
    for (number, line) in lines {
        let line_of = format!("{file}, line {}", number + 1);
        let Happened { event, then, effects } =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{line_of}: {error}"));
        let (after, follow) = step(&release, &event).unwrap_or_else(|illegal| panic!("{line_of}: {illegal}"));
        // Whom a later version tells besides is another matter than what it does.
        let does = |name: &&str| *name != "tell";
        let names: Vec<_> = follow.iter().map(Effect::name).filter(does).collect();
        let recorded: Vec<_> = effects.iter().map(String::as_str).filter(does).collect();
        assert_eq!((describe(&after), names), (then, recorded), "{line_of}");
        // As a restart in between would have it.
        release = serde_json::from_str(&serde_json::to_string(&after).unwrap()).unwrap();
        assert_eq!(release, after, "{line_of}: the state does not survive the store");
    }
    release
}

#[test]
fn histories_replay_to_the_same_states() {
    for (file, text, end) in HISTORIES {
        let release = replay(file, text);
        assert_eq!(release.phase.name(), end, "{file}");
    }
}

#[test]
fn the_history_of_voided_votes_keeps_whose_they_were() {
    let (file, text, _) = HISTORIES[2];
    let release = replay(file, text);
    let voided = release.voided.unwrap();
    assert_eq!(voided.voters, ["bob".into()]);
    assert_eq!(voided.changes.iter().map(|c| c.what.as_str()).collect::<Vec<_>>(), ["image"]);
    assert_eq!(release.votes.len(), 1);
}
