//! Cards as they leave the core.

use super::shown::shown;
use super::*;
use crate::text::fixtures::*;
use expect_test::expect;
use slipway_core::environment::{Environment, Live};
use slipway_core::message::cards::{StatusRow, details, release_card, status};
use slipway_core::message::{Action, Span};
use slipway_core::plan::Plan;
use slipway_core::policy::Stance;
use slipway_core::release::{Event, Failure, Release, Step};

const KEY: &str = "release/01JD7Q4N";

pub(super) fn discord_people() -> People {
    [("ana".into(), "80351110224678912".to_owned()), ("dora".into(), "53908232506183680".to_owned())].into()
}

pub(super) fn message(release: &Release, seconds: i64) -> Message {
    let people = people();
    release_card(&view(release, &people, &approvers(), seconds))
}

fn card(release: &Release, seconds: i64) -> Rendered {
    render(&message(release, seconds), &discord_people(), KEY, KEY)
}

pub(super) fn waiting(plan: &Plan) -> Release {
    after(planned(asked(), plan), [verdict("wait", plan, &[two_slots()])])
}

pub(super) fn migrating_back() -> Plan {
    let mut plan = plan();
    plan.migrations.push(migration("20251104130000_users_bio", false));
    plan
}

pub(super) fn deploying() -> Release {
    let progress = Event::Progress { step: Step::Deploy, detail: "update in progress".into(), permille: None };
    after(running(Step::Deploy), [operation(), progress])
}

pub(super) fn migration_failed() -> Release {
    let mut broken = Failure::new("20251104120000_likes.sql: relation \"likes\" already exists");
    broken.log_tail = Some((1..=30).map(|line| format!("line {line}\n")).collect());
    failed(running(Step::Migrate), Step::Migrate, broken, false, 19)
}

pub(super) fn live() -> Release {
    let start = [vote("bob", Stance::Approve), vote("dora", Stance::Approve), verdict("start", &plan(), &[])];
    let live = after(after(waiting(&plan()), start), until(Step::Verify));
    after(live, [done(Step::Verify, "healthy", 247)])
}

#[test]
fn production_waits_for_people() {
    let card = card(&waiting(&migrating_back()), 60);
    expect![[r#"
        **○ goals → production · waiting for approval: 1 of release, 1 of dba**
        --- f0b232
        asked by ana · plan `b04f44` · release `01JD7Q4N`
        > **▲** No way back: `20251104130000_users_bio` has no down migration.
        [[What ships]]
        3 commits since `9a77d01` (running since <t:1762095600:f>)
        - `4c1f9e2`  Show profile links (#44) · ana
        - `b02a6c8`  Add likes to aspiration updates (#41) · eve
        - `77e3f10`  Fix nested comment order · ana
        [[Image]]
        `goals@sha256:3f8a…8a`  pushed <t:1762267680:R>
        [[Migrations]]
        - `20251104120000_likes`  creates likes, reversible
        - `20251104130000_users_bio`  creates likes, no way back
        [[]]
        ✔ CI green 3 of 3   ✔ image found   ○ migrate   ○ deploy   ○ verify
        [[Who can approve]]
        - release: bob, chen (not ana: asked for it)
        - dba: dora
        [[]]
        expires <t:1762282800:R>
        [Approve](approve|release/01JD7Q4N success) [Veto](veto|release/01JD7Q4N danger) [Why?](why|release/01JD7Q4N secondary) [Details](details|release/01JD7Q4N secondary) [Cancel](cancel|release/01JD7Q4N secondary)
    "#]].assert_eq(&shown(&card));
    assert_eq!(card.embeds[0]["url"], marker(KEY));
    assert!(card.notified.is_empty());
}

#[test]
fn a_run_has_a_bar() {
    expect![[r#"
        **◐ goals → production · deploying `4c1f9e2` · step 4 of 5 · 1m 50s, usually 4m 10s**
        --- 3498db
        ▰▰▰▰▰▱▱▱▱▱  App Runner: update in progress (operation `7d0c3b1e…`)
        asked by ana · plan `61151a` · release `01JD7Q4N`
        [[What ships]]
        3 commits since `9a77d01` (running for 2 days)
        - `4c1f9e2`  Show profile links (#44) · ana
        - `b02a6c8`  Add likes to aspiration updates (#41) · eve
        - `77e3f10`  Fix nested comment order · ana
        [[Image]]
        `goals@sha256:3f8a…8a`  pushed 13 min ago
        [[Migrations]]
        `20251104120000_likes`  creates likes, reversible
        [[]]
        ✔ CI green 3 of 3   ✔ image found   ✔ migrated 1 in 0.2 s   ◐ deploy   ○ verify
        [Details](details|release/01JD7Q4N secondary)
    "#]]
    .assert_eq(&shown(&card(&deploying(), 115)));
}

#[test]
fn a_failure_shows_the_end_of_the_log() {
    expect![[r#"
        **✖ goals → production · migration failed after 12 s · `9a77d01` keeps serving**
        --- da373c
        asked by ana · plan `61151a` · release `01JD7Q4N`
        20251104120000\_likes.sql: relation "likes" already exists
        ```
        line 19
        line 20
        line 21
        line 22
        line 23
        line 24
        line 25
        line 26
        line 27
        line 28
        line 29
        line 30
        ```
        ✔ CI green 3 of 3   ✔ image found   ✖ migrate   ○ deploy   ○ verify
        Next: `/release retry 01JD7Q4N`
        [Retry](retry|release/01JD7Q4N secondary) [Details](details|release/01JD7Q4N secondary) [Lock](lock|release/01JD7Q4N secondary)
    "#]].assert_eq(&shown(&card(&migration_failed(), 20)));
}

#[test]
fn live_and_approved() {
    expect![[r#"
        **● goals → production · `4c1f9e2` is live · 4m 02s**
        --- 23a55a
        asked by ana · plan `61151a` · release `01JD7Q4N`
        approved by bob, dora
        [[What shipped]]
        3 commits since `9a77d01`
        - `4c1f9e2`  Show profile links (#44) · ana
        - `b02a6c8`  Add likes to aspiration updates (#41) · eve
        - `77e3f10`  Fix nested comment order · ana
        [[Image]]
        `goals@sha256:3f8a…8a`  pushed <t:1762267680:R>
        [[Migrations]]
        `20251104120000_likes`  creates likes, reversible
        [[]]
        ✔ CI green 3 of 3   ✔ image found   ✔ migrated 1 in 0.2 s   ✔ deployed in 3m 52s   ✔ verified
        [Details](details|release/01JD7Q4N secondary) [Lock](lock|release/01JD7Q4N secondary)
    "#]]
    .assert_eq(&shown(&card(&live(), 250)));
}

pub(super) fn two_rows() -> Message {
    let mut production = Environment::new(key());
    production.live = Some(Live {
        release: "01JC".into(),
        commit: sha("9a77d01"),
        image: plan().image.digest,
        by: "bob".into(),
        since: at(-2 * 86_400),
        verified: true,
    });
    let release = running(Step::Deploy);
    let mut canary = Environment::new(key());
    canary.key.environment = "canary".into();
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
    ];
    status(&rows, at(0))
}

#[test]
fn an_answer_needs_no_embed() {
    expect![[r#"
        **2 environments · nothing runs, nothing waits**
        ```
        goals       version    since   by   health
          waiting
        production  9a77d01    2 days  bob  ok
          3 commits behind staging
        canary      not known  –       –    –
          release 01JD7Q4N brings 4c1f9e2, step 4 of 5
        ```
    "#]]
    .assert_eq(&shown(&render(&two_rows(), &People::new(), "", "")));
    let long = vec![Block::Code("a log line that is long\n".repeat(200)); 5];
    let long = Message { body: long, ..Message::answer(Line::plain("Too long"), []) };
    let rendered = render(&long, &People::new(), "", "answer/1");
    assert_eq!((rendered.content.as_str(), rendered.embeds.len()), ("**Too long**", 1));
    assert_eq!(rendered.embeds[0].get("color"), None);
}

#[test]
fn details_list_what_belongs_to_each_label() {
    let message = details(&running(Step::Deploy), &people(), at(60));
    expect![[r#"
        **release `01JD7Q4N` · goals → production · ◐ deploy**
        --- no colour
        [[Asked]]
        - by ana at <t:1762268400:f> in `terminal:releases`
        - id `01JD7Q4N5V0000000000000000`
        - for main
        [[Plan]]
        `61151ae328adaf1394d3567a10febc76393ae7f9e6b08f9a59f570c590155fab`
        [[Commit]]
        `4c1f9e2000000000000000000000000000000000`
        [[Commits]]
        3 commits since `9a77d01` (running since <t:1762095600:f>)
        - `4c1f9e2`  Show profile links (#44) · ana
        - `b02a6c8`  Add likes to aspiration updates (#41) · eve
        - `77e3f10`  Fix nested comment order · ana
        [[Image]]
        - `123456789012.dkr.ecr.us-west-2.amazonaws.com/goals@sha256:3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a3f8a`
        - tag `4c1f9e2`
        - pushed <t:1762267680:R>
        [[Migrations]]
        - `20251104120000_likes`  creates likes, reversible
          sha256 `cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd`
        [[Targets]]
        - goals-us  `arn:aws:apprunner:us-west-2:123456789012:service/goals-us/1`
          `port = 8080`
        [[CI]]
        3 of 3 passed, seen <t:1762268400:R>
        [[Gate]]
        start, said at <t:1762268405:f> under policy `ab12`
        [[Steps]]
        - ✔ CI  1 s  3 of 3
        - ✔ image  1 s  unchanged
        - ✔ migrate  1 s  1 in 0.2 s
        - ◐ deploy  52 s
        - ○ verify
    "#]].assert_eq(&shown(&render(&message, &People::new(), "", "")));
}

#[test]
fn who_has_a_discord_account_is_mentioned_and_links_lead_to_the_web_only() {
    let link = |url: &str| Span::Link { url: url.into(), text: "run [4211]".into() };
    let line = Line::default().mention(&"ana".into()).text(" and ").mention(&"eve".into()).text(" and ");
    let mut message = Message::answer(line.person(&"ana".into()).text(" ").mention(&"ana".into()), []);
    let urls = ["https://github.com/a_(b)", "javascript:alert(1)", "https://", "https://a@b.c/", "https://x/\u{202e}y"];
    for url in urls {
        message.body.push(Block::Line(Line(vec![link(url)])));
    }
    let bare = "https://github.com/acme";
    message.body.push(Block::Line(Line(vec![Span::Link { url: bare.into(), text: bare.into() }])));
    message.body.push(Block::Line(Line(vec![Span::Link { url: bare.into(), text: "https://other".into() }])));
    message.body.push(Block::Line(Line::default().code("  ").text("a ").strong("b").time(at(0))));
    message.body.push(Block::Line(Line::default().mention(&"dora".into())));
    let rendered = render(&message, &discord_people(), KEY, KEY);
    expect![[r#"
        **<@80351110224678912> and \@eve and ana <@80351110224678912>**
        [run (4211)](<https://github.com/a_%28b%29>)
        run \[4211\]
        run \[4211\]
        run \[4211\]
        run \[4211\]
        <https://github.com/acme>
        https\://other
          a **b**<t:1762268400:f>
        <@53908232506183680>
    "#]]
    .assert_eq(&shown(&rendered));
    assert_eq!(rendered.notified, ["80351110224678912", "53908232506183680"]);
    // What is no user's id mentions nobody.
    for id in ["", "ana", "1>", "&1", "123456789012345678901"] {
        let people = [("ana".into(), id.to_owned())].into();
        let rendered = render(&message, &people, KEY, KEY);
        assert!(!rendered.content.contains("<@") && rendered.notified.is_empty(), "{id}");
    }
}

#[test]
fn an_embed_notifies_nobody() {
    let lines = vec![Line::default().mention(&"dora".into())];
    let message = Message {
        mark: Mark::Waiting,
        body: vec![Block::Field { label: "Who".into(), lines }],
        ..Message::answer(Line::default().mention(&"ana".into()), [])
    };
    let rendered = render(&message, &discord_people(), KEY, KEY);
    assert_eq!(rendered.embeds[0]["fields"][0]["value"], "<@53908232506183680>");
    assert_eq!(rendered.notified, ["80351110224678912"]);
}

#[test]
fn a_list_without_a_label_stands_in_an_answer_and_notifies() {
    let lines = vec![Line::default().mention(&"ana".into()), Line::plain("  and so on")];
    let body = vec![Block::Field { label: String::new(), lines }];
    let rendered = render(&Message { body, ..Message::answer(Line::plain("x"), []) }, &discord_people(), KEY, KEY);
    assert_eq!(shown(&rendered), "**x**\n\n- <@80351110224678912>\n  and so on\n");
    assert_eq!(rendered.notified, ["80351110224678912"]);
}

#[test]
fn what_does_not_fit_is_left_out_and_the_message_says_so() {
    let long =
        |n: usize| Block::Field { label: format!("Field {n}"), lines: vec![Line::plain("word ".repeat(100)); 9] };
    let mut message = Message::answer(Line::plain("Too much"), []);
    message.body = (0..9).map(long).collect();
    let note = |message: &Message, key: &str| {
        let rendered = render(message, &People::new(), key, "");
        let fields = rendered.embeds[0]["fields"].as_array().unwrap();
        let last = fields.iter().rev().find(|field| field["name"] != "\u{200b}").unwrap()["name"].clone();
        (last, rendered.embeds[0]["footer"]["text"].clone())
    };
    assert_eq!(note(&message, KEY), ("Field 1".into(), "Shortened here.".into()));
    message.actions = vec![Action { verb: Verb::Details, label: "Details".into() }];
    assert_eq!(note(&message, KEY).1, "Shortened here: Details shows the rest.");
    // Without a key there is no button to press.
    assert_eq!(note(&message, "").1, "Shortened here.");
}

#[test]
fn a_long_field_says_how_much_more_there_is() {
    let lines = (0..64).map(|n| Line::plain(format!("line {n}"))).collect();
    let message =
        Message { body: vec![Block::Field { label: "Lines".into(), lines }], ..Message::answer(Line::plain("x"), []) };
    let shown = shown(&render(&message, &People::new(), "", ""));
    assert!(shown.ends_with("- line 28\n- and 35 more\n"), "{shown}");
}

#[test]
fn a_message_without_words_is_still_one() {
    let empty = Message::answer(Line::default(), [Line::default(), Line::plain(" ")]);
    assert_eq!(shown(&render(&empty, &People::new(), "", "")), "**Slipway**\n");
    let marked = Message { mark: Mark::Live, ..empty };
    assert_eq!(shown(&render(&marked, &People::new(), "", "key")), "**● Slipway**\n");
}
