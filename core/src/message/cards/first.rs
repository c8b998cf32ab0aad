//! First lines. A phone's notification, a list of messages and Discord's titles show so much of a message and no more.

use super::super::{Block, Line, Message, Span};
use super::words::DOT;

/// How many characters a first line has at most, with its mark.
pub(super) const FIRST_LINE_LIMIT_CHARS: usize = 100;
/// What the mark before it takes.
pub(super) const MARK_CHARS: usize = 2;
/// What a moment takes in the chats' own markup once it is shown: `Nov 30, 15:00`.
const TIME_CHARS: usize = 13;
/// What comes after it says more of what is before it.
const COLON: &str = ": ";

/// How many characters it has where it is read.
pub(super) fn chars(line: &Line) -> usize {
    let of_span = |span: &Span| match span {
        Span::Plain(text) | Span::Untrusted(text) | Span::Strong(text) | Span::Code(text) => text.chars().count(),
        Span::Person(person) | Span::Mention(person) => person.as_str().chars().count(),
        Span::Time(_) => TIME_CHARS,
        Span::Link { text, .. } => text.chars().count(),
    };
    line.0.iter().map(of_span).sum()
}

/// Whether it can be a first line.
pub(super) fn fits(line: &Line) -> bool {
    chars(line) + MARK_CHARS <= FIRST_LINE_LIMIT_CHARS
}

/// The first of two that fits; the second one where neither does, and what the first one says beside it.
pub(super) fn or_short(lead: &Line, whole: Line, short: Line) -> (Line, Option<Line>) {
    let line = lead.clone().join(whole.clone());
    if fits(&line) { (line, None) } else { (lead.clone().join(short), Some(whole)) }
}

/// Leaves what it is about and how that stands in the first line, with as many of the facts after that as there is room
/// for. The others are the second line.
pub(super) fn fitted(message: Message) -> Message {
    with_facts(message, 1)
}

/// The same where what it is about says all that matters: of what comes after that nothing has to be in the first line.
pub(super) fn fitted_about(message: Message) -> Message {
    with_facts(message, 0)
}

/// `kept`: how many facts stay in the first line whatever they take, with what comes after a colon left out where it has to be.
fn with_facts(mut message: Message, kept: usize) -> Message {
    if fits(&message.headline) {
        return message;
    }
    let mut facts = facts(std::mem::take(&mut message.headline)).into_iter();
    let mut first = facts.next().unwrap_or_default();
    let mut rest: Option<Line> = None;
    for (number, fact) in facts.enumerate() {
        let longer = first.clone().text(DOT).join(fact.clone());
        match rest.take() {
            None if fits(&longer) => first = longer,
            None if number < kept => {
                let (short, more) = before_colon(fact);
                first = first.text(DOT).join(short);
                rest = more;
            }
            None => rest = Some(fact),
            Some(line) => rest = Some(line.text(DOT).join(fact)),
        }
    }
    message.headline = first;
    message.body.splice(0..0, rest.map(Block::Line));
    message
}

/// `waiting for approval`, and of whom apart. A colon in somebody else's words is theirs.
fn before_colon(fact: Line) -> (Line, Option<Line>) {
    let mut spans = fact.0.into_iter();
    let mut before = Line::default();
    while let Some(span) = spans.next() {
        match span {
            Span::Plain(text) if text.contains(COLON) => {
                let (head, tail) = text.split_once(COLON).unwrap_or_default();
                let after = if tail.is_empty() { Line::default() } else { Line::plain(tail) };
                return (before.text(head), Some(after.join(Line(spans.collect()))));
            }
            span => before.0.push(span),
        }
    }
    (before, None)
}

/// What stands between the dots. A dot in somebody else's words is theirs.
fn facts(line: Line) -> Vec<Line> {
    let mut facts = vec![Line::default()];
    let mut add = |span: Span, is_next: bool| {
        if is_next {
            facts.push(Line::default());
        }
        if let Some(last) = facts.last_mut() {
            last.0.push(span);
        }
    };
    for span in line.0 {
        match span {
            Span::Plain(text) => {
                for (number, part) in text.split(DOT).enumerate() {
                    add(Span::Plain(part.to_owned()), number > 0);
                }
            }
            other => add(other, false),
        }
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::super::super::Mark;
    use super::*;

    fn message(headline: Line) -> Message {
        Message { mark: Mark::Waiting, ..Message::answer(headline, [Line::plain("body")]) }
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let short = message(Line::plain("goals → staging").text(DOT).text("live").text(" · 4 min"));
        assert_eq!(fitted(short.clone()), short);
    }

    #[test]
    fn what_does_not_fit_is_the_second_line() {
        let fact = "x".repeat(30);
        let line =
            Line::plain(format!("goals → staging · {fact} · {fact} · {fact} · ")).untrusted("a · b").text(" · c");
        let fitted = fitted(message(line));
        let of = |facts: &[&str]| facts.join(DOT);
        let word = |span: &Span| match span {
            Span::Plain(text) | Span::Untrusted(text) => text.clone(),
            _ => panic!("{span:?}"),
        };
        let text = |line: &Line| line.0.iter().map(word).collect::<String>();
        assert_eq!(text(&fitted.headline), of(&["goals → staging", &fact, &fact]));
        let [Block::Line(second), Block::Line(body)] = &fitted.body[..] else { panic!("{fitted:?}") };
        assert_eq!(text(second), of(&[&fact, "a · b", "c"]));
        assert_eq!(*body, Line::plain("body"));
        assert!(second.0.contains(&Span::Untrusted("a · b".into())), "theirs stays theirs");
    }

    #[test]
    fn how_it_stands_is_never_left_out() {
        let long = "x".repeat(200);
        let fitted = fitted(message(Line::plain(format!("goals → staging · {long} · later"))));
        assert!(chars(&fitted.headline) > 200 && fitted.body.len() == 2, "{fitted:?}");
    }

    #[test]
    fn of_how_it_stands_what_comes_after_a_colon_is_the_second_line() {
        let why = "x".repeat(90);
        let line = Line::plain("goals → staging · refused: ").untrusted(format!("{why}: why")).text(" · later");
        let fitted = fitted(message(line));
        assert_eq!(fitted.headline.0.last(), Some(&Span::Plain("refused".into())), "{fitted:?}");
        let Block::Line(second) = &fitted.body[0] else { panic!("{fitted:?}") };
        assert_eq!(second.0.first(), Some(&Span::Untrusted(format!("{why}: why"))), "{fitted:?}");
        assert_eq!(second.0.last(), Some(&Span::Plain("later".into())), "{fitted:?}");
    }

    #[test]
    fn where_what_it_is_about_says_all_nothing_after_it_has_to_fit() {
        let by = format!("approved by {}", "x".repeat(100));
        let fitted = fitted_about(message(Line::plain(format!("goals is in staging · {by}"))));
        assert_eq!(fitted.headline, Line::plain("goals is in staging"));
        assert_eq!(fitted.body[0], Block::Line(Line::plain(by)));
    }

    #[test]
    fn the_short_form_stands_in_for_what_is_too_long() {
        let lead = Line::plain("goals → staging · ");
        let short = || Line::plain("refused");
        let fits = Line::plain("x".repeat(80));
        assert_eq!(or_short(&lead, fits.clone(), short()), (lead.clone().join(fits), None));
        let long = Line::plain("x".repeat(81));
        assert_eq!(or_short(&lead, long.clone(), short()), (lead.clone().join(short()), Some(long)));
    }
}
