//! Columns, as preformatted text that a phone can show.

use super::lines::plain;
use super::{Preformatted, shortened};
use jiff::Timestamp;
use slipway_core::message::Line;
use unicode_width::UnicodeWidthStr as _;

/// The widths to try, in columns: a phone's, then a narrow window's. A row that is wider takes several lines.
const WIDTHS_COLUMNS: [usize; 2] = [40, 56];
/// Up to this width every row stays on one line: a phone breaks one too wide more readably than a title that is torn in two.
const ONE_LINE_COLUMNS: usize = 60;
/// How long a cell may be that stands alone on its lines.
const CELL_LIMIT_CHARS: usize = 160;
/// In how many lines a row is better narrow than wide.
const NARROW_LIMIT_LINES: usize = 2;
/// How many columns are shown.
const COLUMNS_LIMIT: usize = 12;
/// How many rows are shown.
const ROWS_LIMIT: usize = 40;
/// How long the whole may be.
const TABLE_LIMIT_CHARS: usize = 2_800;
/// Between columns.
const GAP: &str = "  ";
/// Before what continues a row.
const INDENT: &str = "  ";

/// As many rows as fit, with how many more there are.
pub(crate) fn text(head: &[String], rows: &[Vec<Line>], fits: impl Fn(&str) -> bool) -> Preformatted {
    let mut table = Vec::new();
    if head.iter().any(|title| !title.is_empty()) {
        table.push(head.iter().take(COLUMNS_LIMIT).map(|title| cell(title)).collect::<Vec<_>>());
    }
    let titles = table.len();
    let cells = |row: &Vec<Line>| row.iter().take(COLUMNS_LIMIT).map(|line| cell(&plain(line, short_utc))).collect();
    table.extend(rows.iter().take(ROWS_LIMIT).map(cells));
    let lines = laid_out(&table);
    if lines.iter().all(String::is_empty) {
        return Preformatted::Nothing;
    }
    let fits = |text: &str| text.chars().count() <= TABLE_LIMIT_CHARS && fits(text);
    let mut shown = lines.len();
    while shown > titles {
        let text = with_rest(&lines[..shown], rows.len() - (shown - titles));
        if fits(&text) {
            return Preformatted::Text(text);
        }
        shown -= 1;
    }
    // Titles alone, or not even one row.
    let text = lines.join("\n");
    if rows.is_empty() && fits(&text) { Preformatted::Text(text) } else { Preformatted::TooLong }
}

/// `2025-11-04 15:00Z`: preformatted text has no dates of the reader's zone.
fn short_utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%MZ").to_string()
}

fn cell(text: &str) -> String {
    shortened(text.trim(), CELL_LIMIT_CHARS)
}

/// Rows as lines, joined; one row may be several lines.
fn with_rest(rows: &[String], rest: usize) -> String {
    let mut text = rows.join("\n");
    if rest > 0 {
        text.push_str(&format!("\nand {rest} more"));
    }
    text
}

/// Each row as its text.
fn laid_out(table: &[Vec<String>]) -> Vec<String> {
    let columns = table.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| table.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
    let widest = WIDTHS_COLUMNS[1] - INDENT.len();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0).min(widest)).collect();
    let narrow = groups(&widths, WIDTHS_COLUMNS[0]);
    let groups = match groups(&widths, ONE_LINE_COLUMNS) {
        one if one.len() == 1 => one,
        _ if narrow.len() <= NARROW_LIMIT_LINES => narrow,
        _ => groups(&widths, WIDTHS_COLUMNS[1]),
    };
    table.iter().map(|row| self::row(row, &widths, &groups)).collect()
}

/// The columns that stand on one line, as ranges: as many as fit.
fn groups(widths: &[usize], limit: usize) -> Vec<std::ops::Range<usize>> {
    let mut groups = Vec::new();
    let (mut start, mut used) = (0, 0);
    for (column, width) in widths.iter().enumerate() {
        if column > start && used + GAP.len() + width > limit {
            groups.push(start..column);
            (start, used) = (column, INDENT.len());
        }
        used += width + if column > start { GAP.len() } else { 0 };
    }
    groups.push(start..widths.len());
    groups
}

/// A text in lines of at most so many columns, a longer word cut.
fn broken(text: &str, limit: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = shortened(word, limit);
        match lines.last_mut().filter(|line| line.width() + 1 + word.width() <= limit) {
            Some(line) => {
                line.push(' ');
                line.push_str(&word);
            }
            None => lines.push(word),
        }
    }
    lines
}

/// A row's lines; what continues it is left out where there is nothing to say.
fn row(row: &[String], widths: &[usize], groups: &[std::ops::Range<usize>]) -> String {
    let mut lines = Vec::new();
    for (number, group) in groups.iter().enumerate() {
        let cells: Vec<_> = group.clone().map(|column| row.get(column).map_or("", String::as_str)).collect();
        if number > 0 && cells.iter().all(|cell| matches!(*cell, "" | "–")) {
            continue;
        }
        let mut line = if number > 0 { INDENT.to_owned() } else { String::new() };
        if let [alone] = cells[..]
            && alone.width() > widths[group.start]
        {
            // What is wider than a line is broken between words, and nothing of it is lost.
            for (n, part) in broken(alone, widths[group.start]).into_iter().enumerate() {
                let indent = if number > 0 || n > 0 { INDENT } else { "" };
                lines.push(format!("{indent}{part}"));
            }
            continue;
        }
        for (cell, column) in cells.iter().zip(group.clone()) {
            let cell = shortened(cell, widths[column]);
            line.push_str(&cell);
            line.push_str(&" ".repeat(widths[column].saturating_sub(cell.width()) + GAP.len()));
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(head: &[&str], rows: &[&[&str]]) -> String {
        let head: Vec<_> = head.iter().map(|title| (*title).to_owned()).collect();
        let rows: Vec<Vec<Line>> = rows.iter().map(|row| row.iter().map(|cell| Line::plain(*cell)).collect()).collect();
        match text(&head, &rows, |_| true) {
            Preformatted::Text(text) => text,
            Preformatted::Nothing | Preformatted::TooLong => panic!("nothing is shown"),
        }
    }

    #[test]
    fn what_has_room_stands_on_one_line() {
        let head = ["goals", "version", "since", "by", "health", "waiting"];
        let row = ["production", "9a77d01", "2 days", "–", "ok", "1 commit"];
        let text = shown(&head, &[&row]);
        assert_eq!(
            text,
            "goals       version  since   by  health  waiting\nproduction  9a77d01  2 days  –   ok      1 commit"
        );
    }

    #[test]
    fn nothing_of_a_long_cell_is_lost() {
        let what = "bring a commit to an environment; without a reference the newest of the default branch";
        let text = shown(&[], &[&["/deploy", what], &["/rollback", "go back"]]);
        assert_eq!(
            text,
            "/deploy\n  bring a commit to an environment; without a reference\n  the newest of the default branch\n/rollback\n  go back"
        );
        let word = "x".repeat(90);
        assert!(shown(&[], &[&["/deploy", &word]]).lines().all(|line| line.width() <= WIDTHS_COLUMNS[1]));
    }
}
