//! The terminal's rendering of a message: lines of text, no wider than asked for.

use super::{Action, Block, Line, Mark, Message, Progress, Span, Verb};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// How much of one piece of somebody else's text is shown.
const UNTRUSTED_LIMIT_CHARS: usize = 160;
/// How many lines of preformatted text are shown; the last ones.
const CODE_LIMIT_LINES: usize = 20;
/// Cells of the progress bar.
const BAR_CELLS: u16 = 10;
/// The narrowest width that is rendered for.
const WIDTH_MIN: usize = 40;
/// Between label and text of a field, and between columns.
const GAP: &str = "  ";

/// How to render.
#[derive(Clone, Debug)]
pub struct TerminalOptions {
    /// The widest line, in columns.
    pub width: usize,
    /// Whether to use colours (SGR codes).
    pub color: bool,
    /// Where the reader is.
    pub time_zone: TimeZone,
    /// Now: times of other days are shown with their date.
    pub now: Timestamp,
}

impl TerminalOptions {
    /// Times in UTC.
    #[must_use]
    pub fn new(width: usize, color: bool, now: Timestamp) -> Self {
        Self { width: width.max(WIDTH_MIN), color, time_zone: TimeZone::UTC, now }
    }
}

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Plain,
    Strong,
    Dim,
    Good,
    Bad,
    Busy,
}

impl Look {
    fn sgr(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "\x1b[1m",
            Self::Dim => "\x1b[2m",
            Self::Good => "\x1b[32m",
            Self::Bad => "\x1b[31m",
            Self::Busy => "\x1b[33m",
        }
    }
}

/// A word that is not broken, unless it is wider than a line.
struct Piece {
    text: String,
    look: Look,
}

/// The lines of a message.
#[must_use]
pub fn render(message: &Message, options: &TerminalOptions) -> Vec<String> {
    // Exhaustive on purpose: a new part must be shown.
    let Message { mark, headline, progress, body, actions } = message;
    let painter = Painter { options };
    let (mark, look) = mark_text(*mark);
    let mut first = Vec::new();
    if !mark.is_empty() {
        first.push(Piece { text: format!("{mark} "), look });
    }
    first.extend(painter.pieces(headline, Look::Strong));
    let mut lines = painter.wrap(&first, mark.width() + 1, "");
    let indent = if mark.is_empty() { "" } else { "  " };
    lines.extend(progress.iter().flat_map(|progress| painter.progress(progress, indent)));
    let label_width = label_width(body);
    for block in body {
        lines.extend(painter.block(block, label_width, indent));
    }
    lines.extend(painter.actions(actions, indent));
    lines
}

fn mark_text(mark: Mark) -> (&'static str, Look) {
    match mark {
        Mark::None => ("", Look::Plain),
        Mark::Waiting => ("○", Look::Busy),
        Mark::Running => ("◐", Look::Busy),
        Mark::Live => ("●", Look::Good),
        Mark::Failed => ("✖", Look::Bad),
        Mark::Ended => ("–", Look::Dim),
    }
}

fn label_width(body: &[Block]) -> usize {
    let label = |block: &Block| match block {
        Block::Field { label, .. } => label.width(),
        _ => 0,
    };
    body.iter().map(label).max().unwrap_or(0)
}

struct Painter<'a> {
    options: &'a TerminalOptions,
}

impl Painter<'_> {
    fn progress(&self, progress: &Progress, indent: &str) -> Vec<String> {
        let full = (progress.permille.min(1000) + 50) / 100;
        let cells: String = (0..BAR_CELLS).map(|cell| if cell < full { '▰' } else { '▱' }).collect();
        let mut pieces = vec![Piece { text: format!("{cells}{GAP}"), look: Look::Good }];
        pieces.extend(self.pieces(&progress.label, Look::Plain));
        self.wrap(&pieces, usize::from(BAR_CELLS) + GAP.len(), indent)
    }

    fn block(&self, block: &Block, label_width: usize, indent: &str) -> Vec<String> {
        match block {
            Block::Gap => vec![String::new()],
            Block::Line(line) => self.wrap(&self.pieces(line, Look::Plain), 0, indent),
            Block::Warning(line) => {
                let mut pieces = vec![Piece { text: "▲ ".into(), look: Look::Busy }];
                pieces.extend(self.pieces(line, Look::Plain));
                self.wrap(&pieces, 2, indent)
            }
            Block::Field { label, lines } => self.field(label, lines, label_width, indent),
            Block::Code(text) => self.code(text, indent),
            Block::Table { head, rows } => self.table(head, rows, indent),
        }
    }

    fn field(&self, label: &str, lines: &[Line], label_width: usize, indent: &str) -> Vec<String> {
        let column = label_width + GAP.len();
        let mut out = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            let label = if number == 0 { label } else { "" };
            let mut pieces = vec![Piece { text: padded(label, column), look: Look::Dim }];
            pieces.extend(self.pieces(line, Look::Plain));
            out.extend(self.wrap(&pieces, column, indent));
        }
        out
    }

    fn code(&self, text: &str, indent: &str) -> Vec<String> {
        let lines: Vec<_> = text.lines().collect();
        let shown = &lines[lines.len().saturating_sub(CODE_LIMIT_LINES)..];
        let width = self.options.width - indent.width() - 2;
        let line =
            |line: &&str| format!("{indent}{}", self.paint(&format!("│ {}", cut(&clean(line), width)), Look::Dim));
        shown.iter().map(line).collect()
    }

    /// Columns as wide as their widest cell; what does not fit the line is cut.
    fn table(&self, head: &[String], rows: &[Vec<Line>], indent: &str) -> Vec<String> {
        let plain = |line: &Line| -> String { self.pieces(line, Look::Plain).into_iter().map(|p| p.text).collect() };
        let mut table: Vec<Vec<String>> = Vec::new();
        if head.iter().any(|title| !title.is_empty()) {
            table.push(head.to_vec());
        }
        let titled = !table.is_empty();
        table.extend(rows.iter().map(|row| row.iter().map(plain).collect()));
        let columns = table.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| table.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        let line = |(number, row): (usize, &Vec<String>)| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| padded(cell, width + GAP.len()));
            let text = cut(cells.collect::<String>().trim_end(), self.options.width - indent.width());
            let look = if titled && number == 0 { Look::Dim } else { Look::Plain };
            format!("{indent}{}", self.paint(&text, look))
        };
        table.iter().enumerate().map(line).collect()
    }

    fn actions(&self, actions: &[Action], indent: &str) -> Vec<String> {
        if actions.is_empty() {
            return vec![];
        }
        let mut pieces = Vec::new();
        for Action { verb, label } in actions {
            let look = match verb {
                Verb::Approve => Look::Good,
                Verb::Veto | Verb::Cancel => Look::Bad,
                Verb::Retry | Verb::Why | Verb::Details => Look::Strong,
            };
            pieces.push(Piece { text: format!("[{}]", clean(label)), look });
            pieces.push(Piece { text: " ".into(), look: Look::Plain });
        }
        self.wrap(&pieces, 0, indent)
    }

    /// A line as words with their looks.
    fn pieces(&self, line: &Line, plain: Look) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for span in &line.0 {
            let (text, look) = self.span(span, plain);
            for word in text.split_inclusive(' ') {
                pieces.push(Piece { text: word.to_owned(), look });
            }
        }
        pieces
    }

    fn span(&self, span: &Span, plain: Look) -> (String, Look) {
        match span {
            Span::Plain(text) => (clean(text), plain),
            Span::Untrusted(text) => (cut_chars(&clean(text)), plain),
            Span::Strong(text) => (cut_chars(&clean(text)), Look::Strong),
            Span::Code(text) => (cut_chars(&clean(text)), plain),
            Span::Person(person) => (clean(person.as_str()), plain),
            Span::Mention(person) => (format!("@{}", clean(person.as_str())), Look::Strong),
            Span::Time(at) => (self.time(*at), plain),
            Span::Link { url, text } if text == url => (clean(url), plain),
            Span::Link { url, text } => (format!("{} ({})", cut_chars(&clean(text)), clean(url)), plain),
        }
    }

    fn time(&self, at: Timestamp) -> String {
        let zone = &self.options.time_zone;
        let (at, now) = (at.to_zoned(zone.clone()), self.options.now.to_zoned(zone.clone()));
        let same_day = at.date() == now.date();
        at.strftime(if same_day { "%H:%M" } else { "%Y-%m-%d %H:%M" }).to_string()
    }

    /// Breaks between words; what follows the first line hangs under its text.
    fn wrap(&self, pieces: &[Piece], hang: usize, indent: &str) -> Vec<String> {
        let width = self.options.width - indent.width();
        let mut lines = Vec::new();
        let mut line = String::new();
        let mut used = 0;
        for piece in pieces {
            for part in split_wide(&piece.text, width - hang) {
                let part_width = part.trim_end().width();
                if used > hang && used + part_width > width {
                    lines.push(format!("{indent}{}", line.trim_end()));
                    line = " ".repeat(hang);
                    used = hang;
                }
                line.push_str(&self.paint(&part, piece.look));
                used += part.width();
            }
        }
        lines.push(format!("{indent}{}", line.trim_end()));
        lines
    }

    fn paint(&self, text: &str, look: Look) -> String {
        if !self.options.color || look == Look::Plain || text.trim().is_empty() {
            return text.to_owned();
        }
        let trimmed = text.trim_end();
        format!("{}{trimmed}\x1b[0m{}", look.sgr(), &text[trimmed.len()..])
    }
}

/// A text in parts no wider than `width`.
fn split_wide(text: &str, width: usize) -> Vec<String> {
    if text.width() <= width {
        return vec![text.to_owned()];
    }
    let mut parts = vec![String::new()];
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide > width {
            parts.push(String::new());
            used = 0;
        }
        used += wide;
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// A text cut to a width, with `…` where something is missing.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

fn cut_chars(text: &str) -> String {
    if text.chars().count() <= UNTRUSTED_LIMIT_CHARS {
        return text.to_owned();
    }
    text.chars().take(UNTRUSTED_LIMIT_CHARS - 1).chain(['…']).collect()
}

/// Without anything that could move the cursor, reorder the line or hide in it.
fn clean(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => Some(' '),
            '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' => None,
            c if c.is_control() => Some('\u{FFFD}'),
            c => Some(c),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
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
                    lines: vec![
                        Line::plain("2 commits"),
                        Line::default().code("b02a6c8").text("  ").untrusted(hostile),
                    ],
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

    proptest! {
        #[test]
        fn nothing_hostile_breaks_the_layout(hostile in "\\PC{0,300}|[\\x00-\\x1f\u{202e}\u{200b}a-z \u{1f600}]{0,80}", width in 40_usize..140, color: bool) {
            for line in render(&message(&hostile), &options(width, color)) {
                let plain = if color { without_sgr(&line) } else { line.clone() };
                prop_assert!(plain.width() <= width, "{} > {width}: {plain:?}", plain.width());
                prop_assert!(plain.chars().all(|c| !c.is_control() && !('\u{202A}'..='\u{202E}').contains(&c)), "{plain:?}");
            }
        }
    }
}
