//! A chat-neutral message as HTML: the page says what the chat says, with the means of a page.

use super::html::Html;
use slipway_core::message::hidden::clean;
use slipway_core::message::{Block, Line, Mark, Message, Span};
use std::collections::BTreeMap;

/// How much of one piece of text is shown; what Slipway keeps is mostly shorter.
const PIECE_LIMIT_CHARS: usize = 2_000;
/// How much of a preformatted text.
const CODE_LIMIT_CHARS: usize = 100_000;

/// Where ids lead: releases and commits, by what is read of them.
pub(super) type Links = BTreeMap<String, String>;

/// The first line of a message, as the title of a page.
pub(super) fn title(message: &Message) -> String {
    message.headline.0.iter().map(words).collect()
}

/// A message with its first line as a heading.
pub(super) fn message(page: &mut Html, message: &Message, links: &Links) {
    // Exhaustive on purpose: a new part must be shown. Buttons are for chats: nobody is known by name here.
    let Message { mark, headline, progress, body, actions: _ } = message;
    page.element("h1", |h1| {
        let (sign, class) = sign(*mark);
        if !sign.is_empty() {
            h1.words("span", class, sign);
            h1.text(" ");
        }
        line(h1, headline, links);
    });
    if let Some(progress) = progress {
        page.element("p", |p| {
            p.progress(progress.permille);
            p.text(" ");
            line(p, &progress.label, links);
        });
    }
    blocks(page, body, links);
}

/// The parts of a message. Fields that follow each other are one list.
pub(super) fn blocks(page: &mut Html, body: &[Block], links: &Links) {
    let is_field = |block: &Block| matches!(block, Block::Field { .. });
    for together in body.chunk_by(|a, b| is_field(a) && is_field(b)) {
        if together.iter().any(is_field) {
            page.element("dl", |list| together.iter().for_each(|block| self::block(list, block, links)));
        } else {
            together.iter().for_each(|block| self::block(page, block, links));
        }
    }
}

fn block(page: &mut Html, block: &Block, links: &Links) {
    match block {
        Block::Gap => {}
        Block::Line(text) => page.element("p", |p| line(p, text, links)),
        Block::Warning(text) => page.classed("p", "warning", |p| {
            p.words("span", "busy", "▲ ");
            line(p, text, links);
        }),
        Block::Field { label, lines } => {
            page.words("dt", "", label);
            page.element("dd", |dd| lines.iter().for_each(|text| dd.element("p", |p| line(p, text, links))));
        }
        Block::Code(text) => page.element("pre", |pre| {
            let shown = text.chars().take(CODE_LIMIT_CHARS).collect::<String>();
            let lines = shown.lines().map(|line| clean(line).collect::<String>());
            pre.text(&lines.collect::<Vec<_>>().join("\n"));
        }),
        Block::Table { head, rows } => table(page, head, rows, links),
    }
}

/// Columns.
pub(super) fn table(page: &mut Html, head: &[String], rows: &[Vec<Line>], links: &Links) {
    page.classed("div", "scroll", |scroll| {
        scroll.element("table", |table| {
            if head.iter().any(|title| !title.is_empty()) {
                table.element("thead", |thead| {
                    thead.element("tr", |tr| head.iter().for_each(|title| tr.words("th", "", title)));
                });
            }
            table.element("tbody", |tbody| {
                for row in rows {
                    let columns = head.iter().map(String::as_str).chain(std::iter::repeat(""));
                    tbody.element("tr", |tr| {
                        row.iter().zip(columns).for_each(|(text, column)| tr.cell(column, |td| line(td, text, links)));
                    });
                }
            });
        });
    });
}

/// A line of text.
pub(super) fn line(page: &mut Html, text: &Line, links: &Links) {
    for span in &text.0 {
        match span {
            Span::Plain(_) | Span::Untrusted(_) | Span::Person(_) | Span::Mention(_) => page.text(&words(span)),
            Span::Strong(_) => page.words("strong", "", &words(span)),
            Span::Code(text) => page.element("code", |code| match links.get(text) {
                Some(url) => code.link(url, &words(span)),
                None => code.text(&words(span)),
            }),
            Span::Time(at) => page.time(*at),
            Span::Link { url, .. } => page.link(url, &words(span)),
        }
    }
}

/// What is read of a piece.
fn words(span: &Span) -> String {
    match span {
        Span::Plain(text) | Span::Untrusted(text) | Span::Strong(text) | Span::Code(text) => shown(text),
        Span::Link { text, .. } => shown(text),
        Span::Person(person) | Span::Mention(person) => shown(person.as_str()),
        Span::Time(at) => at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    }
}

fn shown(text: &str) -> String {
    let mut shown: String = clean(text).take(PIECE_LIMIT_CHARS).collect();
    if text.chars().nth(PIECE_LIMIT_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

fn sign(mark: Mark) -> (&'static str, &'static str) {
    match mark {
        Mark::None => ("", ""),
        Mark::Waiting => ("○", "busy"),
        Mark::Running => ("◐", "busy"),
        Mark::Live => ("●", "live"),
        Mark::Failed => ("✖", "failed"),
        Mark::Ended => ("–", "ended"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use slipway_core::message::Progress;

    const SCRIPT: &str = "<script>alert(1)</script>";

    fn of(shown: &Message, links: &Links) -> String {
        let mut page = Html::default();
        message(&mut page, shown, links);
        Html::document("", "", page).split_once("<body>\n").unwrap().1.replace("><", ">\n<")
    }

    #[test]
    fn every_part_of_a_message_is_shown_and_none_is_markup() {
        let evil = Line::default().untrusted(SCRIPT).text(" ").code("\"><img src=x>").text(" ").strong("<b>");
        let message = Message {
            mark: Mark::Running,
            headline: Line::plain("goals → staging · ").untrusted(SCRIPT),
            progress: Some(Progress { permille: 700, label: Line::plain("half & half") }),
            body: vec![
                Block::Line(evil.clone()),
                Block::Gap,
                Block::Field { label: "What <ships>".into(), lines: vec![evil.clone(), Line::plain("  more")] },
                Block::Field { label: "Votes".into(), lines: vec![Line::plain("by ").person(&"<i>".into())] },
                Block::Warning(evil.clone()),
                Block::Code(format!("{SCRIPT}\n\tx\u{202e}y")),
                Block::Table { head: vec!["<td>".into()], rows: vec![vec![evil]] },
            ],
            actions: vec![],
        };
        let page = of(&message, &Links::default());
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("<b>"), "{page}");
        expect![[r#"
            <h1>
            <span class="busy">◐</span> goals → staging · &lt;script&gt;alert(1)&lt;/script&gt;</h1>
            <p>
            <progress max="1000" value="700">
            </progress> half &amp; half</p>
            <p>&lt;script&gt;alert(1)&lt;/script&gt; <code>&quot;&gt;&lt;img src=x&gt;</code> <strong>&lt;b&gt;</strong>
            </p>
            <dl>
            <dt>What &lt;ships&gt;</dt>
            <dd>
            <p>&lt;script&gt;alert(1)&lt;/script&gt; <code>&quot;&gt;&lt;img src=x&gt;</code> <strong>&lt;b&gt;</strong>
            </p>
            <p>  more</p>
            </dd>
            <dt>Votes</dt>
            <dd>
            <p>by &lt;i&gt;</p>
            </dd>
            </dl>
            <p class="warning">
            <span class="busy">▲ </span>&lt;script&gt;alert(1)&lt;/script&gt; <code>&quot;&gt;&lt;img src=x&gt;</code> <strong>&lt;b&gt;</strong>
            </p>
            <pre>&lt;script&gt;alert(1)&lt;/script&gt;
             xy</pre>
            <div class="scroll">
            <table>
            <thead>
            <tr>
            <th>&lt;td&gt;</th>
            </tr>
            </thead>
            <tbody>
            <tr>
            <td data-column="&lt;td&gt;">&lt;script&gt;alert(1)&lt;/script&gt; <code>&quot;&gt;&lt;img src=x&gt;</code> <strong>&lt;b&gt;</strong>
            </td>
            </tr>
            </tbody>
            </table>
            </div>
            </body>
            </html>
        "#]]
        .assert_eq(&page);
    }

    #[test]
    fn ids_lead_to_what_they_are_of() {
        let links = Links::from([("01JD7Q4N".to_owned(), "/releases/01JD7Q4N5V0000000000000000".to_owned())]);
        let page = of(&Message::answer(Line::plain("release ").code("01JD7Q4N").text(" ").code("other"), []), &links);
        let link = "<a href=\"/releases/01JD7Q4N5V0000000000000000\">01JD7Q4N</a>";
        assert!(
            page.replace(">\n<", "><").contains(&format!("release <code>{link}</code> <code>other</code>")),
            "{page}"
        );
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let long = "x".repeat(PIECE_LIMIT_CHARS + 1);
        assert_eq!(shown(&long).chars().count(), PIECE_LIMIT_CHARS + 1, "with a mark that it goes on");
        assert!(shown(&long).ends_with("x…") && shown("x\u{202e}y") == "xy");
    }
}
