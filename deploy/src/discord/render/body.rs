//! The parts under the headline.

use super::escape::{escaped, length, preformatted};
use super::page::{Page, SHORT_LINE_LIMIT_CHARS};
use super::spans::{Look, People, Written, pieces, push, text, write};
use crate::text::lines::sums_up;
use crate::text::{Preformatted, code, label, table};
use slipway_core::message::{Block, Line};

/// How many items of one field are shown.
const FIELD_LIMIT_ITEMS: usize = 30;
/// How many lines of one field are looked at; more of them are only counted.
const FIELD_LIMIT_LINES: usize = 200;
/// How much of a field's label is shown; escaped it is no longer than the name of a field may be.
const LABEL_LIMIT_CHARS: usize = 80;
/// What `- and 34 more` takes, at most.
const MORE_CHARS: usize = 30;
/// What stands before a warning.
const QUOTE: &str = "> ";
/// What stands before an item of a list, and before what goes on with it.
const ITEM: &str = "- ";
const GOES_ON: &str = "\n  ";

/// Writes the parts until one does not fit. Gives whether all did.
pub(super) fn write_all(page: &mut Page, body: &[Block], people: &People) -> bool {
    let mut was_field = false;
    for block in body {
        let is_field = matches!(block, Block::Field { .. });
        // What follows a field would read as its last line.
        if was_field && !is_field || matches!(block, Block::Gap) {
            page.apart();
        }
        was_field = is_field;
        if !part(page, block, people) {
            return false;
        }
    }
    true
}

fn part(page: &mut Page, block: &Block, people: &People) -> bool {
    match block {
        Block::Gap => true,
        Block::Line(line) => {
            let line = write(pieces(line, Look::Plain, people), page.line_limit());
            page.line(line)
        }
        Block::Warning(line) => warning(page, line, people),
        Block::Field { label, lines } => field(page, label, lines, people),
        Block::Code(words) => {
            let room = page.room();
            framed(page, code::tail(words, |text| length(&preformatted(text)) <= room))
        }
        Block::Table { head, rows } => {
            let room = page.room();
            framed(page, table::text(head, rows, |text| length(&preformatted(text)) <= room))
        }
    }
}

fn framed(page: &mut Page, text: Preformatted) -> bool {
    match text {
        Preformatted::Nothing => true,
        Preformatted::Text(text) => page.line(preformatted(&text).into()),
        Preformatted::TooLong => false,
    }
}

fn warning(page: &mut Page, line: &Line, people: &People) -> bool {
    let words = pieces(line, Look::Plain, people);
    if words.is_empty() {
        return true;
    }
    let mut all = vec![text("▲ ", Look::Bold)];
    words.into_iter().for_each(|piece| push(&mut all, piece));
    let mut line = write(all, page.line_limit() - QUOTE.len());
    line.text.insert_str(0, QUOTE);
    page.line(line)
}

/// A field of an embed: one line as it is, several as a list. A first line that is of another kind than those below
/// it stands before the list.
fn field(page: &mut Page, title: &str, lines: &[Line], people: &People) -> bool {
    let looked_at = &lines[..lines.len().min(FIELD_LIMIT_LINES)];
    let seen: Vec<_> = looked_at.iter().filter(|line| !pieces(line, Look::Plain, people).is_empty()).collect();
    let (first, below) = match seen.as_slice() {
        [] => return true,
        [first, second, ..] if !sums_up(first, second) => (None, seen.as_slice()),
        [first, rest @ ..] => (Some(*first), rest),
    };
    let first = first.map(|line| write(pieces(line, Look::Plain, people), SHORT_LINE_LIMIT_CHARS));
    let items = items(below, people);
    match label(title, LABEL_LIMIT_CHARS, "") {
        name if name.is_empty() => page.apart(),
        name => page.field(escaped(&name, true)),
    }
    // A label whose lines do not fit would say nothing.
    let start = first.iter().map(|first| length(&first.text));
    let start: Vec<_> = start.chain(items.iter().take(1).map(|item| length(&item.text))).chain([MORE_CHARS]).collect();
    page.fits(&start) && page.line(first.unwrap_or_default()) && list(page, items, lines.len() - looked_at.len())
}

/// The lines as items. One that begins with spaces goes on with the item above it.
fn items(lines: &[&Line], people: &People) -> Vec<Written> {
    let limit = SHORT_LINE_LIMIT_CHARS - GOES_ON.len();
    let mut items: Vec<Written> = Vec::new();
    for line in lines {
        let Written { text, mentioned } = write(pieces(line, Look::Plain, people), limit);
        let words = text.trim_start();
        let chars = GOES_ON.len() + length(words);
        let above = items.last_mut().filter(|_| words.len() < text.len());
        match above.filter(|above| length(&above.text) + chars <= SHORT_LINE_LIMIT_CHARS) {
            Some(above) => {
                above.text.push_str(GOES_ON);
                above.text.push_str(words);
                above.mentioned.extend(mentioned);
            }
            None => items.push(Written { text: format!("{ITEM}{words}"), mentioned }),
        }
    }
    items
}

/// As many items as there is room for, then how many more there are.
fn list(page: &mut Page, items: Vec<Written>, more: usize) -> bool {
    let total = items.len() + more;
    // "and 2 more" takes an item too.
    let limit = if total > FIELD_LIMIT_ITEMS { FIELD_LIMIT_ITEMS - 1 } else { FIELD_LIMIT_ITEMS };
    let mut shown = 0;
    for item in items.into_iter().take(limit) {
        if !page.fits(&[length(&item.text), MORE_CHARS]) {
            break;
        }
        page.line(item);
        shown += 1;
    }
    shown == total || page.line(format!("{ITEM}and {} more", total - shown).into())
}
