//! Text that stays what it is.

use super::super::escape::{escaped, fitted, is_code, length, literal, preformatted};
use super::*;
use slipway_core::message::Span;

#[test]
fn signs_lose_their_meaning() {
    let within = |text: &str| escaped(text, false);
    assert_eq!(within("<@1> @everyone <#2> </a:3> <t:1:R>"), r"\<\@1\> \@everyone \<#2\> \</a:3\> \<t\:1:R\>");
    assert_eq!(within("a_b *c* ~~d~~ ||e|| `f` \\"), r"a\_b \*c\* \~\~d\~\~ \|\|e\|\| \`f\` \\");
    assert_eq!(within("[a](https://b) discord.gg/c"), r"\[a\](https\://b) discord.gg\/c");
    assert_eq!(within("feature/x: 15:00 :+1: :x: a::b"), r"feature/x: 15:00 \:+1: \:x: a::b");
    assert_eq!(within("# a - b > c 1. d"), r"# a - b \> c 1. d");
}

#[test]
fn some_signs_mean_something_at_the_beginning_of_a_line() {
    for (text, expected) in [
        ("# a # b", r"\# a # b"),
        ("-# a", r"\-# a"),
        ("  - a - b", r"  \- a - b"),
        ("+ a", r"\+ a"),
        ("12. a 3. b", r"12\. a 3. b"),
        ("1) a", r"1\) a"),
        ("1.2.3", r"1\.2.3"),
        ("v1. a", "v1. a"),
    ] {
        assert_eq!(escaped(text, true), expected);
    }
}

#[test]
fn code_that_cannot_stay_in_its_frame_is_text() {
    for text in ["goals@sha256:3f8a…8a", "/release show <release>", "a_b", "port = 8080", r"a\b"] {
        assert!(is_code(text), "{text}");
    }
    for text in ["a`b", "**", "<@1>", "<#1>", "</a:1>", "<t:1>", "<:a:1>", "@everyone", "x @here"] {
        assert!(!is_code(text), "{text}");
    }
    let line = Line::default().code("a").code("b").text("`").code("<@1>").strong("c");
    let written = write(pieces(&line, Look::Plain, &People::new()), 100);
    assert_eq!(written.text, r"`ab`\`\<\@1\>**c**");
    assert_eq!(preformatted("a ```\n<@1>"), "```\na ˋˋˋ\n< @1>\n```");
}

#[test]
fn what_is_cut_says_so_and_closes_what_it_opened() {
    let line = Line::default().strong("*".repeat(50)).code("a".repeat(30)).text("end");
    for limit in 12..160 {
        let written = write(pieces(&line, Look::Plain, &People::new()), limit).text;
        assert!(length(&written) <= limit, "{limit}: {written}");
        assert_eq!(written.replace(r"\*", "").matches("**").count() % 2, 0, "{limit}: {written}");
        assert_eq!(written.matches('`').count() % 2, 0, "{limit}: {written}");
        let is_whole = written.ends_with("end");
        assert_eq!(is_whole, !written.contains('…'), "{limit}: {written}");
    }
    let many =
        Line((0..300).map(|n| if n % 2 == 0 { Span::Code("a".into()) } else { Span::Plain(" ".into()) }).collect());
    assert!(write(pieces(&many, Look::Plain, &People::new()), 1_900).text.ends_with('…'));
}

#[test]
fn lengths_are_those_of_the_longer_count() {
    assert_eq!([length("a"), length("é"), length("\u{1d400}"), length("\u{1f600}")], [1, 1, 2, 2]);
    for limit in 1..40 {
        for text in ["\u{1d400}".repeat(50), "**__".repeat(50), "a\u{1d165}".repeat(30)] {
            let text = fitted(&text, limit, |text| escaped(text, false));
            assert!(length(&text) <= limit.max(2), "{limit}: {text}");
            assert!(length(&literal(&text, limit, "–")) <= limit.max(2), "{limit}: {text}");
        }
    }
    assert_eq!(literal(" \n", 9, "–"), "–");
}
