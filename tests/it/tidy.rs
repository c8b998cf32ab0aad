//! The house rules that a program can check.

use std::fs;
use std::path::{Path, PathBuf};

/// The longest a source file may be, in lines.
const FILE_LIMIT_LINES: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// All Rust files below a folder, with their text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a readable file");
                found.push((path.strip_prefix(root()).expect("below the root").to_owned(), text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

/// Lines of code that contain one of the words, outside of comments.
fn offences(folder: &str, words: &[&str], except: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources(folder) {
        if except.iter().any(|except| path.ends_with(except)) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if let Some(word) = words.iter().find(|word| code.contains(**word)) {
                found.push(format!("{}:{}: {word}", path.display(), number + 1));
            }
        }
    }
    found
}

#[test]
fn core_does_no_io_reads_no_clock_and_draws_no_lots() {
    let words = [
        "tokio",
        "reqwest",
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "SystemTime::now",
        "Instant::now",
        "Timestamp::now",
        "Zoned::now",
        "rand::",
    ];
    // Tests may read the policies and fixtures beside them.
    assert_eq!(offences("core/src", &words, &[]), [""; 0]);
    // sqlx is also the name of a tool whose migrations core knows.
    let manifest = fs::read_to_string(root().join("core/Cargo.toml")).expect("a manifest");
    assert!(!manifest.contains("sqlx"), "core must not talk to databases");
}

#[test]
fn dependencies_point_one_way() {
    assert_eq!(offences("core/src", &["slipway_deploy", "slipway::", "slipway_sandbox"], &[]), [""; 0]);
    assert_eq!(offences("deploy/src", &["slipway::", "slipway_sandbox"], &[]), [""; 0]);
    assert_eq!(offences("bot/src", &["slipway_sandbox"], &[]), [""; 0]);
    for package in ["core", "deploy", "bot"] {
        let manifest = fs::read_to_string(root().join(package).join("Cargo.toml")).expect("a manifest");
        assert!(!manifest.contains("slipway-sandbox"), "{package} must not contain the stand-ins");
    }
}

#[test]
fn the_outside_is_called_by_deploy_only() {
    let clients = ["octocrab", "aws_sdk", "aws_config", "reqwest"];
    assert_eq!(offences("bot/src", &clients, &[]), [""; 0]);
}

#[test]
fn only_the_gate_lets_a_run_start() {
    // The verdict's fields are private to core/src/gate.rs; nobody else may name the course that starts a run,
    // but the transition that obeys it, the card that shows it, and tests.
    let offences = offences("core/src", &["Course::Start"], &["gate.rs", "release/waiting.rs", "cards/show.rs"]);
    let outside_tests: Vec<_> = offences.into_iter().filter(|offence| !offence.contains("tests")).collect();
    assert_eq!(outside_tests, [""; 0]);
    assert_eq!(self::offences("bot/src", &["Course::Start"], &[]), [""; 0]);
}

#[test]
fn the_clock_is_read_in_one_place() {
    let words = ["Timestamp::now", "SystemTime::now", "Zoned::now"];
    assert_eq!(offences("bot/src", &words, &["clock.rs"]), [""; 0]);
}

#[test]
fn panics_are_caught_and_counted_in_one_place() {
    assert_eq!(offences("bot/src", &["catch_unwind"], &["bot/src/defects.rs"]), [""; 0]);
}

#[test]
fn tests_do_not_sleep() {
    for folder in ["core/src", "tests/it"] {
        let sleeps = offences(folder, &["thread::sleep", "time::sleep"], &["it/tidy.rs"]);
        assert_eq!(sleeps, [""; 0]);
    }
}

#[test]
fn files_are_small() {
    let long: Vec<_> = ["core", "deploy", "bot", "tests"]
        .into_iter()
        .flat_map(sources)
        .filter(|(_, text)| text.lines().count() > FILE_LIMIT_LINES)
        .map(|(path, _)| path)
        .collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn nothing_names_this_machine() {
    let marks = ["/home/", "/root/", "/work/", "/Users/"];
    for folder in ["core", "deploy", "bot", "tests"] {
        assert_eq!(offences(folder, &marks, &["it/tidy.rs"]), [""; 0]);
    }
}

/// A picture or a page that is not there is found by whoever needs it most.
#[test]
fn what_the_docs_point_to_is_there() {
    let mut missing = Vec::new();
    for page in [
        "README.md",
        "docs/slack.md",
        "docs/discord.md",
        "docs/architecture.md",
        "docs/migrate.md",
        "docs/migrations.md",
        "docs/targets.md",
        "docs/flow.md",
        "docs/github.md",
        "docs/together.md",
        "docs/install.md",
        "docs/commands.md",
        "docs/configuration.md",
        "docs/policies.md",
        "docs/audit.md",
    ] {
        let text = fs::read_to_string(root().join(page)).unwrap();
        let folder = root().join(page).parent().unwrap().to_owned();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            let is_ours = !file.is_empty() && !target.contains("://");
            if is_ours && !folder.join(file).exists() {
                missing.push(format!("{page}: {target}"));
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}
