//! The statements of one direction of a migration, as one text with one tree.

use super::bounds::{TREE_LIMIT_BYTES, fits, with_room};
use super::tables::Name;
use super::tree::{Event, Found, Reader};
use super::words;
use crate::migration::{LintOptions, Statement, Substituted};
use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode};
use std::collections::BTreeSet;

/// How long all statements together may be to be parsed as one text.
const SCRIPT_LIMIT_BYTES: usize = 4 * TREE_LIMIT_BYTES;
/// Stands between two statements: ends a comment in the last line, and a statement that does not end by itself.
const BETWEEN: &str = "\n;\n";

/// One statement as it is shown.
struct Part {
    text: String,
    /// Its line in the file, from 1.
    line: usize,
    /// Where it begins in the text, unless it is too much for a tree.
    at: Option<usize>,
}

/// See the module.
pub(in crate::migration) struct Script {
    parts: Vec<Part>,
    text: String,
    /// Where the parts that are in the text begin, with their numbers.
    begins: Vec<(usize, usize)>,
    /// Where the lines of the text end.
    line_ends: Vec<usize>,
}

/// What happens where.
pub(in crate::migration) struct Happening {
    /// The line in the file, from 1.
    pub(crate) line: usize,
    /// Which statement, from 0.
    pub(crate) statement: usize,
    pub(crate) event: Event,
}

impl Script {
    /// The statements without secret values.
    pub(crate) fn new(statements: &[Statement], substituted: &Substituted) -> Self {
        let mut script = Self { parts: Vec::new(), text: String::new(), begins: Vec::new(), line_ends: Vec::new() };
        for statement in statements {
            let text = substituted.mask(&statement.text);
            let room = script.text.len() + text.len() <= SCRIPT_LIMIT_BYTES;
            let at = (room && fits(&text)).then_some(script.text.len());
            if let Some(at) = at {
                script.begins.push((at, script.parts.len()));
                script.text.push_str(&text);
                script.text.push_str(BETWEEN);
            }
            script.parts.push(Part { text, line: statement.line, at });
        }
        script.line_ends = script.text.match_indices('\n').map(|(at, _)| at).collect();
        script
    }

    /// What of it can be parsed.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The statement at that place of the text.
    pub(crate) fn statement(&self, at: usize) -> usize {
        let after = self.begins.partition_point(|(begin, _)| *begin <= at);
        self.begins.get(after.saturating_sub(1)).map_or(0, |(_, statement)| *statement)
    }

    /// The line in the file at that place of the text.
    pub(crate) fn line(&self, at: usize) -> usize {
        let Some(part) = self.parts.get(self.statement(at)) else { return 1 };
        let ends_before = |at: usize| self.line_ends.partition_point(|end| *end < at);
        part.line + ends_before(at).saturating_sub(ends_before(part.at.unwrap_or(0)))
    }

    /// What happens, in order.
    pub(crate) fn read(&self, options: &LintOptions) -> Vec<Happening> {
        let all = || (0..self.parts.len()).collect();
        let read = with_room(|| self.read_trees(options.postgres_version));
        let gave_up = read.is_none();
        let (mut happenings, unread): (Vec<_>, BTreeSet<_>) = read.unwrap_or_else(|| (Vec::new(), all()));
        for (statement, part) in self.parts.iter().enumerate() {
            if part.at.is_some() && !unread.contains(&statement) {
                continue;
            }
            let mut events = words::read(&part.text, options.dialect);
            if gave_up {
                events.push(Event::Danger(Found::unreadable()));
            }
            events.retain(|event| !happenings.iter().any(|h| h.statement == statement && same(&h.event, event)));
            happenings.extend(events.into_iter().map(|event| Happening { line: part.line, statement, event }));
        }
        happenings.sort_by_key(|happening| happening.statement);
        happenings
    }

    /// What the trees say, and the statements that have none without errors.
    fn read_trees(&self, version: Option<u32>) -> (Vec<Happening>, BTreeSet<usize>) {
        let whole = SourceFile::parse(&self.text);
        let trees = if self.is_split(&whole.syntax_node()) {
            vec![(0, whole)]
        } else {
            // Something is left open: it must not swallow what comes after it.
            let parts = self.parts.iter().filter_map(|part| part.at.map(|at| (at, SourceFile::parse(&part.text))));
            parts.collect()
        };
        let (mut happenings, mut unread) = (Vec::new(), BTreeSet::new());
        for (begin, tree) in trees {
            unread.extend(tree.errors().iter().map(|error| self.statement(begin + usize::from(error.range().start()))));
            let place = |node: &SyntaxNode| begin + start(node);
            let mut reader = Reader::new(version, &place, 0);
            reader.read(&tree.syntax_node());
            let mut events = reader.events;
            events.sort_by_key(|(at, _)| *at);
            happenings.extend(events.into_iter().map(|(at, event)| Happening {
                line: self.line(at),
                statement: self.statement(at),
                event,
            }));
        }
        (happenings, unread)
    }

    /// Whether every statement begins something of its own in the tree.
    fn is_split(&self, root: &SyntaxNode) -> bool {
        root.children_with_tokens().all(|part| {
            let (from, to) = (usize::from(part.text_range().start()), usize::from(part.text_range().end()));
            let next = self.begins.partition_point(|(begin, _)| *begin <= from);
            self.begins.get(next).is_none_or(|(begin, _)| *begin >= to)
        })
    }
}

/// Where the first word of a node stands.
fn start(node: &SyntaxNode) -> usize {
    let mut words = node.descendants_with_tokens().filter_map(|part| part.into_token());
    let first = words.find(|token| !matches!(token.kind(), SyntaxKind::WHITESPACE | SyntaxKind::COMMENT));
    usize::from(first.map_or(node.text_range(), |token| token.text_range()).start())
}

/// Whether two events are one, whoever found them.
fn same(one: &Event, other: &Event) -> bool {
    match (one, other) {
        (Event::Danger(a), Event::Danger(b)) => a.kind == b.kind && a.name.as_ref().map(Name::key) == b.name.as_ref().map(Name::key),
        _ => one == other,
    }
}
