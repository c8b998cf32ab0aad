//! The terminal's rendering of a message: lines of text, no wider than asked for.

use super::hidden;
use super::{Action, Block, Line, Mark, Message, Progress, Span, Verb};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

#[cfg(test)]
mod tests;

/// How much of one piece of somebody else's text is shown.
const UNTRUSTED_LIMIT_COLUMNS: usize = 160;
/// The narrowest last column of a table that is wrapped; in less room the table's lines are cut.
const LAST_COLUMN_MIN: usize = 16;
/// Into how many parts a line is divided to see how wide a column before the last, or a label, may be.
const COLUMN_SHARE: usize = 3;
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
    /// The widest line, in columns; less than 40 is taken for 40.
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
    let mut lines = painter.wrap(&first, if mark.is_empty() { 0 } else { mark.width() + 1 }, "");
    let indent = if mark.is_empty() { "" } else { "  " };
    lines.extend(progress.iter().flat_map(|progress| painter.progress(progress, indent)));
    let label_width = label_width(body).min(painter.width() / COLUMN_SHARE);
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
        Block::Field { label, .. } => clean(label).width(),
        _ => 0,
    };
    body.iter().map(label).max().unwrap_or(0)
}

struct Painter<'a> {
    options: &'a TerminalOptions,
}

impl Painter<'_> {
    fn width(&self) -> usize {
        self.options.width.max(WIDTH_MIN)
    }

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
            let label = if number == 0 { cut(&clean(label), label_width) } else { String::new() };
            let mut pieces = vec![Piece { text: padded(&label, column), look: Look::Dim }];
            pieces.extend(self.pieces(line, Look::Plain));
            out.extend(self.wrap(&pieces, column, indent));
        }
        out
    }

    fn code(&self, text: &str, indent: &str) -> Vec<String> {
        let lines: Vec<_> = text.lines().collect();
        let shown = &lines[lines.len().saturating_sub(CODE_LIMIT_LINES)..];
        let width = self.width() - indent.width() - 2;
        let line =
            |line: &&str| format!("{indent}{}", self.paint(&format!("│ {}", cut(&clean(line), width)), Look::Dim));
        shown.iter().map(line).collect()
    }

    /// Columns as wide as their widest cell. Where they do not fit, the columns before the last are cut to their
    /// share of the line and the last one is wrapped.
    fn table(&self, head: &[String], rows: &[Vec<Line>], indent: &str) -> Vec<String> {
        let mut table: Vec<Vec<Vec<Piece>>> = Vec::new();
        if head.iter().any(|title| !title.is_empty()) {
            table.push(head.iter().map(|title| self.pieces(&Line::plain(title.as_str()), Look::Dim)).collect());
        }
        table.extend(rows.iter().map(|row| row.iter().map(|cell| self.pieces(cell, Look::Plain)).collect()));
        let room = self.width() - indent.width();
        let widths = column_widths(&table, room);
        let start = widths.iter().map(|width| width + GAP.len()).sum::<usize>();
        let mut out = Vec::new();
        for mut row in table {
            let rest = row.split_off(widths.len().min(row.len()));
            let mut pieces = Vec::new();
            for (cell, width) in row.into_iter().zip(&widths) {
                pieces.extend(fitted(cell, *width));
                pieces.push(Piece { text: GAP.to_owned(), look: Look::Plain });
            }
            pieces.extend(rest.into_iter().flatten());
            if start + LAST_COLUMN_MIN > room {
                pieces = fitted(pieces, room);
            }
            out.extend(self.wrap(&pieces, start.min(room - LAST_COLUMN_MIN), indent));
        }
        out
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
                Verb::Promote => Look::Good,
                Verb::Retry
                | Verb::Why
                | Verb::Details
                | Verb::Lock
                | Verb::Unlock
                | Verb::Rerun
                | Verb::Resume
                | Verb::NotNow => Look::Strong,
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
            Span::Untrusted(text) => (shortened(text), plain),
            Span::Strong(text) => (shortened(text), Look::Strong),
            Span::Code(text) => (shortened(text), plain),
            Span::Person(person) => (clean(person.as_str()), plain),
            Span::Mention(person) => (format!("@{}", clean(person.as_str())), Look::Strong),
            Span::Time(at) => (self.time(*at), plain),
            Span::Link { url, text } if text == url => (clean(url), plain),
            Span::Link { url, text } => (format!("{} ({})", shortened(text), clean(url)), plain),
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
        let width = self.width() - indent.width();
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

fn text_of(pieces: &[Piece]) -> String {
    pieces.iter().map(|piece| piece.text.as_str()).collect()
}

/// The widths of all columns but the last.
fn column_widths(table: &[Vec<Vec<Piece>>], room: usize) -> Vec<usize> {
    let columns = table.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| table.iter().filter_map(|row| row.get(column)).map(|cell| text_of(cell).width()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let whole = widths.iter().map(|width| width + GAP.len()).sum::<usize>();
    let share = if whole <= room + GAP.len() { room } else { (room / COLUMN_SHARE.max(columns)).max(1) };
    widths.iter().take(columns.saturating_sub(1)).map(|width| *width.min(&share)).collect()
}

/// The pieces in exactly so many columns: cut, or filled with spaces.
fn fitted(pieces: Vec<Piece>, width: usize) -> Vec<Piece> {
    let whole = text_of(&pieces).width();
    let mut left = width;
    let mut out = Vec::new();
    for Piece { text, look } in pieces {
        // One column is kept for the `…`, unless everything fits.
        let limit = if whole <= width { left } else { left.saturating_sub(1) };
        let is_too_wide = text.width() > limit;
        let text = if is_too_wide { cut(&text, left) } else { text };
        left = left.saturating_sub(text.width());
        out.push(Piece { text, look });
        if is_too_wide {
            break;
        }
    }
    out.push(Piece { text: " ".repeat(left), look: Look::Plain });
    out
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

/// Somebody else's text, as much of it as is shown.
fn shortened(text: &str) -> String {
    cut(&clean(text), UNTRUSTED_LIMIT_COLUMNS)
}

/// As the terminal may show it.
fn clean(text: &str) -> String {
    hidden::clean(text).collect()
}
