//! Cards as the terminal shows them, and text that tries to break them.

use super::*;
use crate::message::hidden::{MARKS_LIMIT, is_invisible};
use proptest::prelude::*;

fn options(width: usize, color: bool) -> TerminalOptions {
    TerminalOptions::new(width, color, "2025-11-04T15:30:00Z".parse().unwrap())
}

fn message(hostile: &str) -> Message {
    Message {
        mark: Mark::Running,
        headline: Line::plain("goals → staging · deploying ").code("4c1f9e2").text(" · 1m 50s, usually 4m 10s"),
        progress: Some(Progress { permille: 680, label: Line::plain("App Runner: update in progress") }),
        body: vec![
            Block::Line(
                Line::plain("asked by ")
                    .person(&"ana".into())
                    .text(" at ")
                    .time("2025-11-04T15:02:00Z".parse().unwrap()),
            ),
            Block::Gap,
            Block::Warning(Line::plain("users is blocked while ").untrusted(hostile).text(" runs")),
            Block::Field {
                label: "What ships".into(),
                lines: vec![Line::plain("2 commits"), Line::default().code("b02a6c8").text("  ").untrusted(hostile)],
            },
            Block::Field { label: "Image".into(), lines: vec![Line::default().code("goals@sha256:3f8a…e1")] },
            Block::Table {
                head: vec!["goals".into(), "version".into()],
                rows: vec![
                    vec![Line::plain("staging"), Line::default().untrusted(hostile)],
                    vec![Line::plain("production"), Line::plain("–")],
                ],
            },
            Block::Code(format!("FAIL {hostile}\nexit 1")),
        ],
        actions: vec![
            Action { verb: Verb::Cancel, label: "Cancel".into() },
            Action { verb: Verb::Details, label: "Details".into() },
        ],
    }
}

#[test]
fn a_message_reads_like_a_card() {
    let lines = render(&message("Add likes"), &options(70, false)).join("\n");
    expect_test::expect![[r#"
        ◐ goals → staging · deploying 4c1f9e2 · 1m 50s, usually 4m 10s
          ▰▰▰▰▰▰▰▱▱▱  App Runner: update in progress
          asked by ana at 15:02

          ▲ users is blocked while Add likes runs
          What ships  2 commits
                      b02a6c8  Add likes
          Image       goals@sha256:3f8a…e1
          goals       version
          staging     Add likes
          production  –
          │ FAIL Add likes
          │ exit 1
          [Cancel] [Details]"#]]
    .assert_eq(&lines);
}

#[test]
fn long_lines_hang_under_their_text() {
    let body = vec![Block::Field {
        label: "Why".into(),
        lines: vec![Line::plain("one two three four five six seven eight nine ten")],
    }];
    let message = Message { body, ..Message::answer(Line::plain("x"), []) };
    expect_test::expect![[r#"
        x
        Why  one two three four five six seven
             eight nine ten"#]]
    .assert_eq(&render(&message, &options(40, false)).join("\n"));
}

#[test]
fn times_of_other_days_have_a_date() {
    let at = |text: &str| Line::default().time(text.parse().unwrap());
    let message = Message::answer(at("2025-11-04T08:00:00Z"), [at("2025-11-07T08:00:00Z")]);
    assert_eq!(render(&message, &options(40, false)), ["08:00", "2025-11-07 08:00"]);
}

fn without_sgr(line: &str) -> String {
    let mut out = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            for c in chars.by_ref() {
                if c == 'm' {
                    break;
                }
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Letters, controls, bidi and zero-width characters, wide and variable-width emoji, flags, marks, fillers, tags.
const HOSTILE: &str = concat!(
    "\\PC{0,300}|[\\x00-\\x1f\\x7f-\\x9f\u{202a}-\u{202e}\u{2066}-\u{2069}\u{200b}-\u{200f}\u{feff}a-z ",
    "\u{1f600}\u{2764}\u{fe0f}\u{1f1e6}\u{301}\u{3164}\u{e0041}#1\u{20e3}\u{ff21}\u{644}\u{627}\u{1b}\\[m]{0,120}"
);

#[test]
fn the_first_card_of_the_transcripts() {
    let commit = |sha: &str, title: &str, author: &str| {
        let title = Line::default().code(sha).text("  ").untrusted(title);
        title.text("  ").person(&author.into())
    };
    let message = Message {
        mark: Mark::Running,
        headline: Line::plain("goals → staging · deploying ")
            .code("4c1f9e2")
            .text(" · step 4 of 5 · 1m 50s, usually 4m 10s"),
        progress: Some(Progress {
            permille: 700,
            label: Line::plain("App Runner: update in progress (operation ").code("7d0c…").text(")"),
        }),
        body: vec![
            Block::Line(Line::plain("asked by ").person(&"ana".into()).text(" · plan ").code("5b3e91")),
            Block::Gap,
            Block::Field {
                label: "What ships".into(),
                lines: vec![
                    Line::plain("3 commits since ").code("9a77d01").text(" (running for 2 days)"),
                    commit("4c1f9e2", "Show profile links", "ana"),
                    commit("b02a6c8", "Add likes to aspiration updates", "eve"),
                ],
            },
            Block::Field { label: "Image".into(), lines: vec![Line::default().code("goals@sha256:3f8a…e1")] },
            Block::Line(Line::plain("✔ CI green 3 of 3   ✔ image found   ◐ deploy   ○ verify")),
        ],
        actions: vec![
            Action { verb: Verb::Cancel, label: "Cancel".into() },
            Action { verb: Verb::Details, label: "Details".into() },
        ],
    };
    expect_test::expect![[r#"
        ◐ goals → staging · deploying 4c1f9e2 · step 4 of 5 · 1m 50s, usually 4m 10s
          ▰▰▰▰▰▰▰▱▱▱  App Runner: update in progress (operation 7d0c…)
          asked by ana · plan 5b3e91

          What ships  3 commits since 9a77d01 (running for 2 days)
                      4c1f9e2  Show profile links  ana
                      b02a6c8  Add likes to aspiration updates  eve
          Image       goals@sha256:3f8a…e1
          ✔ CI green 3 of 3   ✔ image found   ◐ deploy   ○ verify
          [Cancel] [Details]"#]]
    .assert_eq(&render(&message, &options(100, false)).join("\n"));
    let colored = render(&message, &options(100, true));
    assert_eq!(
        colored.iter().map(|line| without_sgr(line)).collect::<Vec<_>>(),
        render(&message, &options(100, false))
    );
    assert!(colored[0].starts_with("\x1b[33m◐\x1b[0m \x1b[1mgoals"), "{:?}", colored[0]);
}

fn with_table(head: &[&str], rows: &[&[&str]]) -> Message {
    let row = |row: &&[&str]| row.iter().map(|cell| Line::default().untrusted(*cell)).collect();
    let head = head.iter().map(ToString::to_string).collect();
    let table = Block::Table { head, rows: rows.iter().map(row).collect() };
    Message { body: vec![table], ..Message::answer(Line::plain("x"), []) }
}

#[test]
fn tables_that_are_too_wide_lose_nothing_of_their_last_column() {
    let message = with_table(
        &["command", "what it does"],
        &[&["/deploy", "bring a commit to an environment"], &["/release withdraw", "take back your vote 漢字"]],
    );
    expect_test::expect![[r#"
        x
        command        what it does
        /deploy        bring a commit to an
                       environment
        /release wit…  take back your vote 漢字"#]]
    .assert_eq(&render(&message, &options(40, false)).join("\n"));
    let long = "feature/".repeat(9);
    let message =
        with_table(&["goals", "version", "by"], &[&["staging", &long, "ana"], &["production", "9a77d01", "bob"]]);
    expect_test::expect![[r#"
        x
        goals       version               by
        staging     feature/feature/fea…  ana
        production  9a77d01               bob"#]]
    .assert_eq(&render(&message, &options(60, false)).join("\n"));
    let many = with_table(&["title"; 50], &[&["cell"; 50]]);
    assert!(render(&many, &options(40, false)).iter().all(|line| line.width() <= 40));
}

#[test]
fn no_width_and_no_label_is_too_small_or_too_long() {
    let field = Block::Field { label: "long label ".repeat(20), lines: vec![Line::plain("text"), Line::plain("more")] };
    let message = Message { body: vec![field], ..message("x") };
    for width in [0, 1, 39, 40] {
        let lines = render(&message, &TerminalOptions { width, ..options(40, false) });
        assert!(lines.iter().all(|line| line.width() <= WIDTH_MIN), "{lines:#?}");
    }
}

#[test]
fn a_long_answer_begins_every_line_at_the_margin() {
    let message = Message::answer(Line::plain("one two three four five six seven eight nine"), []);
    assert_eq!(render(&message, &options(40, false)), ["one two three four five six seven eight", "nine"]);
}

#[test]
fn what_hides_is_removed_and_what_piles_up_is_bounded() {
    assert_eq!(clean("a\u{202e}b\u{2066}c\u{200b}d\u{feff}e\u{e0041}f\u{fe0f}\u{61c}g"), "abcdefg");
    assert_eq!(clean("a\x1b[31mb\nc\u{9b}d"), "a\u{fffd}[31mb c\u{fffd}d");
    assert_eq!(clean(&format!("e{}x", "\u{301}".repeat(50))), format!("e{}x", "\u{301}".repeat(MARKS_LIMIT)));
    let wide = shortened(&"漢".repeat(200));
    assert!(wide.ends_with('…') && wide.width() <= UNTRUSTED_LIMIT_COLUMNS, "{}", wide.width());
}

proptest! {
    #[test]
    fn nothing_hostile_breaks_the_layout(hostile in HOSTILE, width in 40_usize..140, color: bool) {
        for line in render(&message(&hostile), &TerminalOptions { width, ..options(40, color) }) {
            let plain = if color { without_sgr(&line) } else { line.clone() };
            prop_assert!(plain.width() <= width, "{} > {width}: {plain:?}", plain.width());
            prop_assert!(plain.chars().all(|c| !c.is_control() && !is_invisible(c)), "{plain:?}");
        }
    }
}
