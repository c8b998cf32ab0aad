//! Any message, for tests: with texts made to break the limits, or to reach people.

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use slipway_core::ids::PersonId;
use slipway_core::message::{Action, Block, Line, Mark, Message, Progress, Span, Verb};

const MARKS: &[Mark] = &[Mark::None, Mark::Waiting, Mark::Running, Mark::Live, Mark::Failed, Mark::Ended];

/// Every verb. A new one has its place in the chain, or this does not compile.
pub(crate) fn verbs() -> Vec<Verb> {
    let next = |verb: &Verb| match verb {
        Verb::Approve => Some(Verb::Veto),
        Verb::Veto => Some(Verb::Cancel),
        Verb::Cancel => Some(Verb::Retry),
        Verb::Retry => Some(Verb::Why),
        Verb::Why => Some(Verb::Details),
        Verb::Details => Some(Verb::Lock),
        Verb::Lock => Some(Verb::Unlock),
        Verb::Unlock => Some(Verb::Rerun),
        Verb::Rerun => Some(Verb::Promote),
        Verb::Promote => Some(Verb::NotNow),
        Verb::NotNow => Some(Verb::Resume),
        Verb::Resume => None,
    };
    std::iter::successors(Some(Verb::Approve), next).collect()
}

/// One that ends the chain too early is found by what can be read: that names all.
#[test]
fn no_verb_is_forgotten() {
    let error = serde_json::from_value::<Verb>("none".into()).unwrap_err().to_string();
    let (_, expected) = error.split_once("expected one of ").unwrap();
    let known: Vec<_> = expected.split(", ").map(|name| name.trim_matches('`')).collect();
    let names: Vec<_> = verbs().into_iter().map(super::verbs::name).collect();
    assert_eq!(names, known);
}

pub(crate) fn any_text() -> BoxedStrategy<String> {
    prop_oneof![
        6 => "\\PC{0,60}",
        3 => "[\\x00-\\x1f\\x7f-\\x9f\u{202a}-\u{202e}\u{2066}-\u{2069}\u{200b}-\u{200f}\u{feff}a \u{1f1e6}\u{301}\u{3164}\u{644}]{0,80}",
        3 => "(<!channel>|<@U012AB3CD>|<!subteam\\^S1>|<#C1>|@here|\\*_~`|&lt;|:x:|\n|\"|\\\\|\u{202e}|\u{1f600}){0,20}",
        3 => "(@everyone|<@1>|<@&1>|<#1>|</a:1>|<t:1:R>|<:x:1>|<id:home>|\\[a\\]\\(https://x\\)|https://x|```|\\|\\||~~|# |- |-# |1\\. |> | |a|_|\n){0,20}",
        1 => ".{0,40}",
        1 => Just(String::new()),
        1 => Just(" \n\t".to_owned()),
        1 => Just("feature/".to_owned() + &"x".repeat(10_000)),
        1 => Just("\"\\".repeat(5_000)),
        1 => Just("漢".repeat(5_000)),
    ].boxed()
}

fn any_url() -> BoxedStrategy<String> {
    prop_oneof![
        any_text(),
        Just("javascript:alert(1)".to_owned()),
        Just("https://github.com/acme/goals".to_owned()),
        any_text().prop_map(|rest| format!("https://x/{rest}")),
    ]
    .boxed()
}

fn any_span() -> BoxedStrategy<Span> {
    let person = prop_oneof![Just("ana".to_owned()), Just("bob".to_owned()), any_text()];
    let person = person.prop_map(PersonId::new).boxed();
    prop_oneof![
        any_text().prop_map(Span::Plain),
        any_text().prop_map(Span::Untrusted),
        any_text().prop_map(Span::Strong),
        any_text().prop_map(Span::Code),
        person.clone().prop_map(Span::Person),
        person.prop_map(Span::Mention),
        (any::<i32>(), -1_i64..3).prop_map(|(s, k)| Span::Time(Timestamp::from_second(i64::from(s) * 50 * k).unwrap())),
        (any_url(), any_text()).prop_map(|(url, text)| Span::Link { url, text }),
    ]
    .boxed()
}

pub(crate) fn any_line() -> BoxedStrategy<Line> {
    let many = ("\\PC{0,20}", 50_usize..300)
        .prop_map(|(text, n)| (0..n).flat_map(|_| [Span::Code(text.clone()), Span::Plain(text.clone())]).collect());
    prop_oneof![8 => vec(any_span(), 0..6), 1 => many].prop_map(Line).boxed()
}

fn one_line() -> BoxedStrategy<Block> {
    prop_oneof![3 => any_line().prop_map(Block::Line), 1 => Just(Block::Gap), 1 => any_line().prop_map(Block::Warning)]
        .boxed()
}

fn any_block() -> BoxedStrategy<Block> {
    let many = (any_line(), 1_usize..200).prop_map(|(line, n)| vec![line; n]);
    let lines = prop_oneof![6 => vec(any_line(), 0..8), 1 => many];
    let rows = (vec(vec(any_line(), 0..9), 0..6), 0_usize..20).prop_map(|(rows, n)| repeated(&rows, n));
    let head = vec(any_text(), 0..9);
    prop_oneof![
        4 => one_line(),
        4 => (any_text(), lines).prop_map(|(label, lines)| Block::Field { label, lines }),
        1 => (any_text(), 0_usize..80).prop_map(|(text, n)| Block::Code(format!("{text}\n").repeat(n))),
        2 => (head, rows).prop_map(|(head, rows)| Block::Table { head, rows }),
    ]
    .boxed()
}

pub(crate) fn repeated<T: Clone>(values: &[T], times: usize) -> Vec<T> {
    (0..times).flat_map(|_| values.iter().cloned()).collect()
}

fn any_action() -> BoxedStrategy<Action> {
    (proptest::sample::select(verbs()), any_text()).prop_map(|(verb, label)| Action { verb, label }).boxed()
}

pub(crate) fn any_message() -> BoxedStrategy<Message> {
    let progress = (any::<u16>(), any_line()).prop_map(|(permille, label)| Progress { permille, label });
    let body = prop_oneof![
        4 => vec(any_block(), 0..12),
        1 => (one_line(), 0_usize..300).prop_map(|(block, n)| vec![block; n]),
        1 => vec(one_line(), 0..6).prop_map(|blocks| {
            repeated(&blocks.into_iter().flat_map(|block| [Block::Gap, block]).collect::<Vec<_>>(), 30)
        }),
    ];
    let actions = prop_oneof![3 => vec(any_action(), 0..7), 1 => vec(any_action(), 100..300)];
    let parts = (proptest::sample::select(MARKS), any_line(), proptest::option::of(progress), body, actions);
    parts
        .prop_map(|(mark, headline, progress, body, actions)| Message { mark, headline, progress, body, actions })
        .boxed()
}

pub(crate) fn any_key() -> BoxedStrategy<String> {
    prop_oneof![4 => "[a-z0-9:/]{1,60}", 1 => any_text(), 1 => Just("\"".repeat(255))].boxed()
}
