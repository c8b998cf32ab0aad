//! Cards as they leave the core.

use super::shown::shown;
use super::*;
use crate::text::fixtures::*;
use expect_test::expect;
use slipway_core::environment::{Environment, Live};
use slipway_core::message::cards::{StatusRow, details, history, release_card, status};
use slipway_core::message::{Action, Block, Span};
use slipway_core::plan::Plan;
use slipway_core::policy::{Clears, Stance};
use slipway_core::release::{Event, Failure, Release, Step};

const KEY: &str = "release/01JD7Q4N";

fn slack_people() -> People {
    [("ana".into(), "U012AB3CD".to_owned()), ("dora".into(), "W0DORA".to_owned())].into()
}

fn card(release: &Release, seconds: i64) -> Rendered {
    let people = people();
    render(&release_card(&view(release, &people, &approvers(), seconds)), &slack_people(), KEY)
}

fn waiting(plan: &Plan) -> Release {
    after(planned(asked(), plan), [verdict("wait", plan, &[two_slots()])])
}

#[test]
fn production_waits_for_people() {
    let mut plan = plan();
    plan.migrations.push(migration("20251104130000_users_bio", false));
    let card = card(&waiting(&plan), 60);
    expect![[r#"
        *○ goals → production · waiting for approval: 1 of release, 1 of dba*
        asked by ana · plan `b04f44` · release `01JD7Q4N`
        ---
        > *▲ *No way back: `20251104130000_users_bio` has no down migration.
        *What ships*  3 commits since `9a77d01` (running since <{time} {date_short_pretty} 2025-11-02 15:00 UTC>)
          • `4c1f9e2`  Show profile links (#44) · ana
          • `b02a6c8`  Add likes to aspiration updates (#41) · eve
          • `77e3f10`  Fix nested comment order · ana
        *Image*  `goals@sha256:3f8a…8a`  pushed <{time} {date_short_pretty} 2025-11-04 14:48 UTC>
        *Migrations*
          • `20251104120000_likes`  creates likes, reversible
          • `20251104130000_users_bio`  creates likes, no way back
        ---
        ✔ CI green 3 of 3   ✔ image found   ○ migrate   ○ deploy   ○ verify
        *Who can approve*
          • release: bob, chen (not ana: asked for it)
          • dba: dora
        ---
        expires <{time} {date_short_pretty} 2025-11-04 19:00 UTC>
        ---
        [Approve](approve "release/01JD7Q4N" primary) [Veto](veto "release/01JD7Q4N" danger) [Why?](why "release/01JD7Q4N") [Details](details "release/01JD7Q4N") [Cancel](cancel "release/01JD7Q4N")
    "#]].assert_eq(&shown(&card.blocks));
    let chars = serde_json::to_string(&card.blocks).unwrap().chars().count();
    assert!(chars < 4_500, "{chars} of 9,000 characters");
    expect!["○ goals → production · waiting for approval: 1 of release, 1 of dba"].assert_eq(&card.text);
}

#[test]
fn a_run_has_a_bar() {
    let progress = Event::Progress { step: Step::Deploy, detail: "update in progress".into(), permille: None };
    let card = card(&after(running(Step::Deploy), [operation(), progress]), 115);
    expect![[r#"
        *◐ goals → production · deploying **`4c1f9e2`** · step 4 of 5 · 1m 50s, usually 4m 10s*
        ▰▰▰▰▰▱▱▱▱▱  App Runner: update in progress (operation `7d0c3b1e…`)
        asked by ana · plan `61151a` · release `01JD7Q4N`
        ---
        *What ships*  3 commits since `9a77d01` (running for 2 days)
          • `4c1f9e2`  Show profile links (#44) · ana
          • `b02a6c8`  Add likes to aspiration updates (#41) · eve
          • `77e3f10`  Fix nested comment order · ana
        *Image*  `goals@sha256:3f8a…8a`  pushed 13 min ago
        *Migrations*  `20251104120000_likes`  creates likes, reversible
        ---
        ✔ CI green 3 of 3   ✔ image found   ✔ migrated 1 in 0.2 s   ◐ deploy   ○ verify
        ---
        [Details](details "release/01JD7Q4N")
    "#]]
    .assert_eq(&shown(&card.blocks));
}

#[test]
fn a_bar_is_full_at_the_end_only() {
    let bar = |permille| {
        let progress = Progress { permille, label: Line::default() };
        shown(&[SlackRichTextBlock::new(vec![SlackRichTextSection::new(bar(&progress, &People::new())).into()]).into()])
    };
    assert_eq!([0, 49, 50, 680, 999, 1000, 9000].map(bar).map(|bar| bar.matches('▰').count()), [0, 0, 1, 7, 9, 10, 10]);
}

#[test]
fn a_failure_shows_the_end_of_the_log() {
    let mut broken = Failure::new("20251104120000_likes.sql: relation \"likes\" already exists");
    broken.log_tail = Some((1..=30).map(|line| format!("line {line}\n")).collect());
    let card = card(&failed(running(Step::Migrate), Step::Migrate, broken, false, 19), 20);
    expect![[r#"
        *✖ goals → production · migration failed after 12 s · **`9a77d01`** keeps serving*
        asked by ana · plan `61151a` · release `01JD7Q4N`
        20251104120000_likes.sql: relation "likes" already exists
        ---
            | line 19
            | line 20
            | line 21
            | line 22
            | line 23
            | line 24
            | line 25
            | line 26
            | line 27
            | line 28
            | line 29
            | line 30
        ✔ CI green 3 of 3   ✔ image found   ✖ migrate   ○ deploy   ○ verify
        Next: `/release retry 01JD7Q4N`
        ---
        [Retry](retry "release/01JD7Q4N") [Details](details "release/01JD7Q4N") [Lock](lock "release/01JD7Q4N")
    "#]]
    .assert_eq(&shown(&card.blocks));
}

#[test]
fn live_and_approved() {
    let start = [vote("bob", Stance::Approve), vote("dora", Stance::Approve), verdict("start", &plan(), &[])];
    let live = after(after(waiting(&plan()), start), until(Step::Verify));
    let card = card(&after(live, [done(Step::Verify, "healthy", 247)]), 250);
    expect![[r#"
        *● goals → production · **`4c1f9e2`** is live · 4m 02s*
        asked by ana · plan `61151a` · release `01JD7Q4N`
        approved by bob, dora
        ---
        *What shipped*  3 commits since `9a77d01`
          • `4c1f9e2`  Show profile links (#44) · ana
          • `b02a6c8`  Add likes to aspiration updates (#41) · eve
          • `77e3f10`  Fix nested comment order · ana
        *Image*  `goals@sha256:3f8a…8a`  pushed <{time} {date_short_pretty} 2025-11-04 14:48 UTC>
        *Migrations*  `20251104120000_likes`  creates likes, reversible
        ---
        ✔ CI green 3 of 3   ✔ image found   ✔ migrated 1 in 0.2 s   ✔ deployed in 3m 52s   ✔ verified
        ---
        [Details](details "release/01JD7Q4N") [Lock](lock "release/01JD7Q4N")
    "#]]
    .assert_eq(&shown(&card.blocks));
}

#[test]
fn wide_tables_take_several_lines_a_row() {
    let mut production = Environment::new(key());
    production.live = Some(Live {
        release: "01JC".into(),
        commit: sha("9a77d01"),
        image: plan().image.digest,
        by: "bob".into(),
        since: at(-2 * 86_400),
        verified: true,
    });
    let mut canary = Environment::new(key());
    canary.key.environment = "canary".into();
    let release = running(Step::Deploy);
    let rows = [
        StatusRow {
            environment: &production,
            running: None,
            behind: Some(("staging".into(), 3)),
            drift: None,
            bad: false,
            next: None,
        },
        StatusRow { environment: &canary, running: Some(&release), behind: None, drift: None, bad: false, next: None },
        StatusRow { environment: &canary, running: None, behind: None, drift: None, bad: false, next: None },
    ];
    expect![[r#"
        *3 environments · nothing runs, nothing waits*
        ---
            | goals       version    since   by   health
            |   waiting
            | production  9a77d01    2 days  bob  ok
            |   3 commits behind staging
            | canary      not known  –       –    –
            |   release 01JD7Q4N brings 4c1f9e2, step 4 of 5
            | canary      not known  –       –    –
    "#]]
    .assert_eq(&shown(&render(&status(&rows, at(0)), &People::new(), "").blocks));
    let refused = judged("deny", &[reason("no-permit", "No policy permits it.", Clears::Nothing)]);
    expect![[r#"
        *The 2 newest releases*
        ---
            | release   where               commit   outcome    by
            |   asked              took
            | 01JD7Q4N  goals → production  4c1f9e2  ◐ deploy   ana
            |   2025-11-04 15:00Z  55 s so far
            | 01JD7Q4N  goals → production  4c1f9e2  ✖ refused  ana
            |   2025-11-04 15:00Z  –
        All of one: `/release show <release>`
    "#]]
    .assert_eq(&shown(&render(&history(&[release, refused], &Default::default(), at(60)), &People::new(), "").blocks));
}

#[test]
fn details_list_what_belongs_to_each_label() {
    let message = details(&running(Step::Deploy), &people(), at(60));
    expect![[r#"
        *release **`01JD7Q4N`** · goals → production · ◐ deploy*
        ---
        *Asked*
          • by ana at <{time} {date_short_pretty} 2025-11-04 15:00 UTC> in `terminal:releases`
          • id `01JD7Q4N5V0000000000000000`
          • for main
        *Plan*  `61151ae328adaf1394d3567a10febc76393ae7f9e6b08f9a59f570c590155fab`
        *Commit*  `4c1f9e2000000000000000000000000000000000`
        *Commits*  3 commits since `9a77d01` (running since <{time} {date_short_pretty} 2025-11-02 15:00 UTC>)
          • `4c1f9e2`  Show profile links (#44) · ana
          • `b02a6c8`  Add likes to aspiration updates (#41) · eve
          • `77e3f10`  Fix nested comment order · ana
        *Image*
          • `123456789012.dkr.ecr.us-west-2.amazonaws.com/goals@sha256:3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a`
          • tag `4c1f9e2`
          • pushed <{time} {date_short_pretty} 2025-11-04 14:48 UTC>
        *Migrations*
          • `20251104120000_likes`  creates likes, reversible
            sha256 `cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd`
        *Targets*
          • goals-us  `arn:aws:apprunner:us-west-2:123456789012:service/goals-us/1`
            `port = 8080`
        *CI*  3 of 3 passed, seen <{time} {date_short_pretty} 2025-11-04 15:00 UTC>
        *Gate*  start, said at <{time} {date_short_pretty} 2025-11-04 15:00 UTC> under policy `ab12`
        *Steps*
          • ✔ CI  1 s  3 of 3
          • ✔ image  1 s  unchanged
          • ✔ migrate  1 s  1 in 0.2 s
          • ◐ deploy  52 s
          • ○ verify
    "#]].assert_eq(&shown(&render(&message, &People::new(), "").blocks));
}

#[test]
fn who_has_a_slack_account_is_mentioned_and_links_lead_to_the_web_only() {
    let link = |url: &str| Span::Link { url: url.into(), text: "run 4211".into() };
    let line = Line::default().mention(&"ana".into()).text(" and ").mention(&"eve".into()).text(" and ");
    let mut message = Message::answer(line.person(&"ana".into()), []);
    for url in ["https://github.com/acme", "javascript:alert(1)", "https://", "https://a@b.c/", "https://x/\u{202e}y"] {
        message.body.push(Block::Line(Line(vec![link(url)])));
    }
    message.body.push(Block::Line(Line::default().code("  ").text("a ").strong("b").time(at(0))));
    let rendered = render(&message, &slack_people(), KEY);
    expect![[r#"
        <user U012AB3CD>* and @eve and ana*
        run 4211 <https://github.com/acme>
        run 4211
        run 4211
        run 4211
        run 4211
          a *b*<{time} {date_short_pretty} 2025-11-04 15:00 UTC>
    "#]]
    .assert_eq(&shown(&rendered.blocks));
    assert_eq!(rendered.text, "@ana and @eve and ana");
    // What is no user's id mentions nobody.
    for id in ["C024BE91L", "", "u012", "U01>", "S012"] {
        let people = [("ana".into(), id.to_owned())].into();
        let blocks = render(&message, &people, KEY).blocks;
        assert!(!serde_json::to_string(&blocks).unwrap().contains("\"user\""), "{id}");
    }
}

#[test]
fn what_does_not_fit_is_left_out_and_the_message_says_so() {
    let long =
        |n: usize| Block::Field { label: format!("Field {n}"), lines: vec![Line::plain("word ".repeat(100)); 9] };
    let mut message = Message::answer(Line::plain("Too much"), []);
    message.body = (0..9).map(long).collect();
    let end = |message: &Message, key: &str| {
        let shown = shown(&render(message, &People::new(), key).blocks);
        shown.lines().rev().take(3).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(end(&message, KEY)[0], "_Shortened here._");
    message.actions = vec![Action { verb: Verb::Details, label: "Details".into() }];
    expect![[r#"
        [
            "[Details](details \"release/01JD7Q4N\")",
            "---",
            "_Shortened here: Details shows the rest._",
        ]
    "#]]
    .assert_debug_eq(&end(&message, KEY));
    // Without a key there is no button to press.
    assert_eq!(end(&message, "")[0], "_Shortened here._");
}

#[test]
fn a_long_field_says_how_much_more_there_is() {
    let lines = (0..64).map(|n| Line::plain(format!("line {n}"))).collect();
    let message =
        Message { body: vec![Block::Field { label: "Lines".into(), lines }], ..Message::answer(Line::plain("x"), []) };
    let shown = shown(&render(&message, &People::new(), "").blocks);
    assert!(shown.ends_with("  • line 28\n  • and 35 more\n"), "{shown}");
}

#[test]
fn a_message_without_words_is_still_one() {
    let empty = Message::answer(Line::default(), [Line::default(), Line::plain(" ")]);
    let rendered = render(&empty, &People::new(), "");
    assert_eq!((rendered.text.as_str(), shown(&rendered.blocks).as_str()), ("Slipway", "*Slipway*\n"));
}

#[test]
fn the_home_tab_is_one_message_after_the_other() {
    let small = |n: usize| (format!("key {n}"), Message::answer(Line::plain(format!("message {n}")), []));
    expect![[r#"
        *message 1*
        ---
        ========
        ---
        *message 2*
    "#]]
    .assert_eq(&shown(&home_blocks(&[small(1), small(2)], &People::new())));
    assert_eq!(shown(&home_blocks(&[], &People::new())), "_Nothing to show._\n");
    let many: Vec<_> = (0..80).map(small).collect();
    let blocks = home_blocks(&many, &People::new());
    assert!(blocks.len() <= 100, "{}", blocks.len());
    assert!(shown(&blocks).ends_with("_and 31 more_\n"), "{}", shown(&blocks));
}
