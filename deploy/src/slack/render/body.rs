//! The parts under the headline.

use super::page::{Page, SECTION_LIMIT_CHARS, WRAPPER_CHARS, item_chars};
use super::spans::{Inline, Look, People, inlines, json_chars, push, text, text_chars};
use crate::text::lines::sums_up;
use crate::text::{Preformatted, code, label, table};
use slipway_core::message::{Block, Line};

/// How many items of one field are shown.
const FIELD_LIMIT_ITEMS: usize = 30;
/// How many lines of one field are looked at; more of them are only counted.
const FIELD_LIMIT_LINES: usize = 200;
/// How much of a field's label is shown.
const LABEL_LIMIT_CHARS: usize = 80;
/// What `and 34 more` takes as an item of a list, at most.
const MORE_CHARS: usize = 2 * WRAPPER_CHARS + 40;
/// Between a label and what stands beside it.
const GAP: &str = "  ";

/// Writes the parts until one does not fit. Gives whether all did.
pub(super) fn write(page: &mut Page, body: &[Block], people: &People) -> bool {
    let mut before = Kind::Line;
    let mut has_parts = false;
    for block in body {
        let kind = kind(block);
        // What belongs together stands together: first the lines under the headline, then each run of fields
        // with the lines that follow it.
        let is_first_part = kind != Kind::Line && !has_parts;
        if is_first_part || (before == Kind::Field && kind == Kind::Line) || kind == Kind::Gap {
            page.apart();
        }
        has_parts |= kind != Kind::Line;
        before = kind;
        if !part(page, block, people) {
            return false;
        }
    }
    true
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Line,
    Gap,
    Field,
    Other,
}

fn kind(block: &Block) -> Kind {
    match block {
        Block::Line(_) => Kind::Line,
        Block::Gap => Kind::Gap,
        Block::Field { .. } => Kind::Field,
        Block::Warning(_) | Block::Code(_) | Block::Table { .. } => Kind::Other,
    }
}

fn part(page: &mut Page, block: &Block, people: &People) -> bool {
    match block {
        Block::Gap => true,
        Block::Line(line) => page.line(inlines(line, Look::Plain, people)),
        Block::Warning(line) => {
            let words = inlines(line, Look::Plain, people);
            if words.is_empty() {
                return true;
            }
            page.quote(joined(text("▲ ", Look::Bold), words))
        }
        Block::Field { label, lines } => field(page, label, lines, people),
        Block::Code(words) => code(page, words),
        Block::Table { head, rows } => table(page, head, rows),
    }
}

fn joined(first: Inline, rest: Vec<Inline>) -> Vec<Inline> {
    let mut out = vec![first];
    rest.into_iter().for_each(|inline| push(&mut out, inline));
    out
}

/// One line stands beside its label, several are listed below it. A first line that is of another kind than those
/// below it ("3 commits since 9a77d01") sums them up: it stands beside the label too.
fn field(page: &mut Page, title: &str, lines: &[Line], people: &People) -> bool {
    let title = label(title, LABEL_LIMIT_CHARS, "");
    let looked_at = &lines[..lines.len().min(FIELD_LIMIT_LINES)];
    let seen: Vec<_> = looked_at.iter().filter(|line| !inlines(line, Look::Plain, people).is_empty()).collect();
    let (beside, below) = match seen.as_slice() {
        [] => return true,
        [first, second, ..] if !sums_up(first, second) => (None, seen.as_slice()),
        [first, rest @ ..] => (Some(*first), rest),
    };
    let mut row = Vec::new();
    push(&mut row, text(&title, Look::Bold));
    if let Some(line) = beside {
        if !row.is_empty() {
            push(&mut row, text(GAP, Look::Plain));
        }
        inlines(line, Look::Plain, people).into_iter().for_each(|inline| push(&mut row, inline));
    }
    let items = items(below, people);
    // A label whose lines do not fit would say nothing.
    let first = items.first().map_or(0, |item| item_chars(item) + WRAPPER_CHARS + MORE_CHARS);
    if row.iter().map(json_chars).sum::<usize>() + first > page.room() {
        return false;
    }
    page.line(row) && page.list(fitting(items, lines.len() - looked_at.len(), page.room()))
}

/// The lines as items. One that begins with spaces goes on with the item above it.
fn items(lines: &[&Line], people: &People) -> Vec<Vec<Inline>> {
    let mut items: Vec<Vec<Inline>> = Vec::new();
    for line in lines {
        let mut words = inlines(line, Look::Plain, people);
        let goes_on = starts_with_space(&mut words);
        match items.last_mut() {
            Some(last) if goes_on && text_chars(last) + 1 + text_chars(&words) <= SECTION_LIMIT_CHARS => {
                push(last, text("\n", Look::Plain));
                words.into_iter().for_each(|inline| push(last, inline));
            }
            _ => items.push(words),
        }
    }
    items
}

/// Takes away the spaces that a line begins with, and gives whether there were any.
fn starts_with_space(line: &mut Vec<Inline>) -> bool {
    let Some(Inline::Text(first)) = line.first_mut() else { return false };
    if !first.text.starts_with(' ') {
        return false;
    }
    first.text = first.text.trim_start().to_owned();
    // A line is never nothing but spaces: something follows.
    if first.text.is_empty() {
        line.remove(0);
    }
    true
}

/// As many items as there is room for, then how many more there are.
fn fitting(mut items: Vec<Vec<Inline>>, more: usize, room: usize) -> Vec<Vec<Inline>> {
    let total = items.len() + more;
    // "and 2 more" takes an item too.
    let limit = if total > FIELD_LIMIT_ITEMS { FIELD_LIMIT_ITEMS - 1 } else { FIELD_LIMIT_ITEMS };
    let mut left = room.saturating_sub(WRAPPER_CHARS + MORE_CHARS);
    let mut count = 0;
    for item in items.iter().take(limit) {
        let Some(rest) = left.checked_sub(item_chars(item)) else { break };
        left = rest;
        count += 1;
    }
    items.truncate(count);
    if total > items.len() {
        items.push(vec![text(&format!("and {} more", total - items.len()), Look::Plain)]);
    }
    items
}

/// The last lines, as many as there is room for.
fn code(page: &mut Page, words: &str) -> bool {
    let room = page.room();
    let text = code::tail(words, |text| json_chars(&text) + 2 * WRAPPER_CHARS <= room);
    preformatted(page, text)
}

/// As many rows as there is room for.
fn table(page: &mut Page, head: &[String], rows: &[Vec<Line>]) -> bool {
    let room = page.room();
    let text = table::text(head, rows, |text| json_chars(&text) + 2 * WRAPPER_CHARS <= room);
    preformatted(page, text)
}

fn preformatted(page: &mut Page, text: Preformatted) -> bool {
    match text {
        Preformatted::Nothing => true,
        Preformatted::Text(text) => page.preformatted(&text),
        Preformatted::TooLong => false,
    }
}
