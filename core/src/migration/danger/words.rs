//! Finds dangers by reading the words of a statement, where there is no tree for it.

use super::tables::{Change, Name};
use super::tree::{Event, Found as Danger};
use super::{DangerKind, STABLE, rule};
use crate::migration::format::Dialect;
use crate::migration::sql::{Token, Tokens, tokens};

/// How many tokens of one statement are looked at. What is longer than that is mostly data.
const TOKENS_LIMIT: usize = 20_000;

/// What follows `ADD` in an `ALTER TABLE` when it is no column.
const CONSTRAINTS: [&str; 6] = ["constraint", "primary", "unique", "foreign", "check", "exclude"];
/// A statement, as words in lower case and what is between them.
struct Words<'a> {
    tokens: Vec<Token<'a>>,
    lower: Vec<String>,
}

impl<'a> Words<'a> {
    /// The next statement of a text, and whether it is longer than what is looked at.
    fn next(tokens: &mut Tokens<'a>) -> Option<(Self, bool)> {
        let mut words = Self { tokens: Vec::new(), lower: Vec::new() };
        let mut cut = false;
        let mut any = false;
        for token in tokens {
            any = true;
            if token == Token::Symbol(';') {
                break;
            }
            if words.tokens.len() >= TOKENS_LIMIT {
                cut = true;
                continue;
            }
            words.lower.push(if let Token::Word(word) = token { word.to_ascii_lowercase() } else { String::new() });
            words.tokens.push(token);
        }
        any.then_some((words, cut))
    }

    fn at(&self, at: usize) -> &str {
        self.lower.get(at).map_or("", String::as_str)
    }

    fn has(&self, word: &str) -> bool {
        self.lower.iter().any(|w| w == word)
    }

    /// Whether these words stand one after the other, at or after `from`.
    fn has_row(&self, from: usize, row: &[&str]) -> bool {
        self.lower.get(from..).is_some_and(|rest| rest.windows(row.len()).any(|w| w.iter().eq(row.iter())))
    }

    fn is(&self, at: usize, symbol: char) -> bool {
        self.tokens.get(at) == Some(&Token::Symbol(symbol))
    }

    /// The place after the words that may stand before a name.
    fn skip(&self, mut at: usize, fillers: &[&str]) -> usize {
        while fillers.contains(&self.at(at)) {
            at += 1;
        }
        at
    }

    /// The name at that place, as the statement writes it, and the place after it.
    fn name(&self, mut at: usize) -> Option<(String, usize)> {
        let mut name = String::new();
        loop {
            match self.tokens.get(at)? {
                Token::Word(part) => name.push_str(part),
                Token::Name(part) => name.push_str(&format!("\"{part}\"")),
                _ => return None,
            }
            at += 1;
            if !self.is(at, '.') {
                return Some((name, at));
            }
            name.push('.');
            at += 1;
        }
    }

    /// The names in a list that begins there.
    fn names(&self, mut at: usize) -> Vec<String> {
        let mut names = Vec::new();
        while let Some((name, next)) = self.name(self.skip(at, &["only"])) {
            names.push(name);
            at = self.skip(next, &["restrict", "cascade"]);
            if self.is(at, '*') {
                at += 1;
            }
            if !self.is(at, ',') {
                break;
            }
            at += 1;
        }
        names
    }
}

/// What a text does, in its order.
pub(super) fn read(text: &str, dialect: Dialect) -> Vec<Event> {
    let mut events = Vec::new();
    let mut tokens = tokens(text);
    while let Some((words, cut)) = Words::next(&mut tokens) {
        // What is that long and no data, nobody has looked at wholly.
        let unread = cut && !matches!(words.at(0), "insert" | "copy");
        let found = of(&words).into_iter().chain(unread.then_some((DangerKind::Unreadable, None)));
        for (kind, table) in found {
            let name = table.as_deref().map(Name::new);
            let lock = kind.long_lock().filter(|_| dialect == Dialect::Postgres && kind != DangerKind::Unreadable);
            let dropped = name.clone().filter(|_| kind == DangerKind::DropTable);
            events.push(Event::Danger(Danger { kind, rule: rule(kind), name, is_table: true, lock }));
            events.extend(dropped.map(|name| Event::Change(Change::Drops(name))));
        }
        events.extend(created(&words).map(Event::Change));
    }
    events
}

/// The table that a statement creates.
fn created(words: &Words<'_>) -> Option<Change> {
    let at = words.skip(1, &["global", "local", "temp", "temporary", "unlogged"]);
    if words.at(0) != "create" || words.at(at) != "table" {
        return None;
    }
    let begin = words.skip(at + 1, &["if", "not", "exists"]);
    let name = Name::new(&words.name(begin)?.0);
    if words.lower[1..at].iter().any(|word| word.starts_with("temp")) {
        return Some(Change::CreatesTemporary(name));
    }
    Some(if begin > at + 1 { Change::PerhapsCreates(name) } else { Change::Creates(name) })
}

type Found = Vec<(DangerKind, Option<String>)>;

fn each(kind: DangerKind, tables: Vec<String>) -> Found {
    if tables.is_empty() {
        return vec![(kind, None)];
    }
    tables.into_iter().map(|table| (kind, Some(table))).collect()
}

fn of(words: &Words<'_>) -> Found {
    let first = |from: usize, fillers: &[&str]| words.name(words.skip(from, fillers)).map(|(name, _)| name);
    match words.at(0) {
        "drop" => dropped(words),
        "truncate" => each(DangerKind::Truncate, words.names(words.skip(1, &["table"]))),
        "delete" => each(DangerKind::Delete, first(1, &["from", "only"]).into_iter().collect()),
        "update" if !words.has("where") => {
            let skipped = words.skip(1, &["only", "or", "rollback", "abort", "replace", "fail", "ignore"]);
            each(DangerKind::UpdateAll, words.name(skipped).map(|(name, _)| name).into_iter().collect())
        }
        "with" => with(words),
        "insert" | "select" if words.has("with") => with(words),
        "alter" => altered(words),
        "create" => created_one(words),
        "reindex" if !words.has("concurrently") => {
            let name = words.name(words.skip(1, &["index", "table", "schema", "database", "system"]));
            each(DangerKind::BlockingIndex, name.map(|(name, _)| name).into_iter().collect())
        }
        "vacuum" if words.has("full") => {
            let table = words.name(words.skip(1, &["full", "freeze", "verbose", "analyze"])).map(|(name, _)| name);
            each(DangerKind::WriteAnew, table.into_iter().collect())
        }
        "cluster" => each(DangerKind::WriteAnew, first(1, &["verbose"]).into_iter().collect()),
        "refresh" if !words.has("concurrently") => {
            each(DangerKind::WriteAnew, first(1, &["materialized", "view"]).into_iter().collect())
        }
        "lock" => each(DangerKind::LockTable, words.names(words.skip(1, &["table"]))),
        "do" | "call" | "execute" | "prepare" | "merge" => vec![(DangerKind::Unreadable, None)],
        _ => vec![],
    }
}

fn dropped(words: &Words<'_>) -> Found {
    let at = words.skip(1, &["materialized", "foreign"]);
    let names = |fillers: &[&str]| words.names(words.skip(at + 1, fillers));
    let exists = ["if", "exists"];
    match words.at(at) {
        "table" => each(DangerKind::DropTable, names(&exists)),
        "view" if words.at(1) == "materialized" => each(DangerKind::DropTable, names(&exists)),
        "schema" | "database" | "owned" => each(DangerKind::DropOthers, names(&exists)),
        _ if words.has("cascade") => each(DangerKind::DropOthers, names(&exists)),
        _ => vec![],
    }
}

/// Statements inside `WITH` change data too.
fn with(words: &Words<'_>) -> Found {
    let changes = |kind: DangerKind, row: &[&str], skip: usize| {
        let at = words.lower.windows(row.len()).position(|w| w.iter().eq(row.iter()))?;
        Some((kind, words.name(words.skip(at + skip, &["only"])).map(|(name, _)| name)))
    };
    let deleted = changes(DangerKind::Delete, &["delete", "from"], 2);
    let updated = (!words.has("where")).then(|| changes(DangerKind::UpdateAll, &["update"], 1)).flatten();
    deleted.into_iter().chain(updated).collect()
}

fn created_one(words: &Words<'_>) -> Found {
    let at = words.skip(1, &["or", "replace", "unique", "constraint"]);
    match words.at(at) {
        "index" if !words.has("concurrently") => {
            let on = words.lower.iter().position(|word| word == "on");
            let table = on.and_then(|on| words.name(words.skip(on + 1, &["only"]))).map(|(name, _)| name);
            each(DangerKind::BlockingIndex, table.into_iter().collect())
        }
        "trigger" => {
            let on = words.lower.iter().position(|word| word == "on");
            let table = on.and_then(|on| words.name(on + 1)).map(|(name, _)| name);
            each(DangerKind::LockTable, table.into_iter().collect())
        }
        _ => vec![],
    }
}

fn altered(words: &Words<'_>) -> Found {
    let at = words.skip(1, &["materialized", "foreign"]);
    if !matches!(words.at(at), "table" | "view") {
        return if words.has("rename") && words.at(at) == "type" {
            let name = words.name(at + 1).map(|(name, _)| name);
            each(DangerKind::Rename, name.into_iter().collect())
        } else {
            vec![]
        };
    }
    let begin = words.skip(at + 1, &["if", "exists", "only"]);
    let Some((table, mut from)) = words.name(begin) else { return vec![(DangerKind::Unreadable, None)] };
    let mut found = Vec::new();
    // Each action up to the next comma outside of brackets.
    while from < words.tokens.len() {
        let end = end_of_action(words, from);
        found.extend(action(words, from, end).into_iter().map(|kind| (kind, Some(table.clone()))));
        from = end + 1;
    }
    found
}

fn end_of_action(words: &Words<'_>, from: usize) -> usize {
    let mut depth = 0_usize;
    for at in from..words.tokens.len() {
        match words.tokens[at] {
            Token::Symbol('(' | '[') => depth += 1,
            Token::Symbol(')' | ']') => depth = depth.saturating_sub(1),
            Token::Symbol(',') if depth == 0 => return at,
            _ => {}
        }
    }
    words.tokens.len()
}

/// The dangers of one action of an `ALTER TABLE`.
fn action(words: &Words<'_>, from: usize, end: usize) -> Vec<DangerKind> {
    let part = Words { tokens: words.tokens[from..end].to_vec(), lower: words.lower[from..end].to_vec() };
    let cascades = part.has("cascade").then_some(DangerKind::DropOthers);
    let kind = match part.at(0) {
        "drop" => match part.at(1) {
            "constraint" | "expression" | "identity" => None,
            _ => Some(DangerKind::DropColumn),
        },
        "add" => return added(&part),
        "rename" => Some(DangerKind::Rename),
        "alter" => {
            if part.has_row(1, &["set", "not", "null"]) {
                Some(DangerKind::Validate)
            } else if part.has("type") {
                Some(DangerKind::ChangeType)
            } else {
                None
            }
        }
        "set" if matches!(part.at(1), "tablespace" | "logged" | "unlogged" | "access") => Some(DangerKind::WriteAnew),
        "disable" | "enable" if part.has("trigger") => Some(DangerKind::LockTable),
        "attach" => Some(DangerKind::Validate),
        "detach" if !part.has("concurrently") => Some(DangerKind::LockTable),
        _ => None,
    };
    kind.into_iter().chain(cascades).collect()
}

fn added(part: &Words<'_>) -> Vec<DangerKind> {
    if CONSTRAINTS.contains(&part.at(1)) {
        let unique = part.has("unique") || part.has("primary") || part.has("exclude");
        let checked = part.has("check") || part.has("foreign");
        return match (unique, checked) {
            (true, _) if !part.has_row(1, &["using", "index"]) => vec![DangerKind::UniqueConstraint],
            (false, true) if !part.has_row(1, &["not", "valid"]) => vec![DangerKind::Validate],
            _ => vec![],
        };
    }
    let mut found = Vec::new();
    let default = part.lower.iter().position(|word| word == "default");
    let required = part.has_row(1, &["not", "null"]);
    let serial = ["serial", "bigserial", "smallserial", "generated"].iter().any(|word| part.has(word));
    if required && default.is_none() && !serial {
        found.push(DangerKind::NeedsValue);
    }
    if serial || default.is_some_and(|at| calls_volatile(part, at + 1)) {
        found.push(DangerKind::ComputedColumn);
    }
    if part.has("unique") || part.has("primary") {
        found.push(DangerKind::UniqueConstraint);
    }
    if part.has("references") || part.has("check") {
        found.push(DangerKind::Validate);
    }
    found
}

/// Whether an expression calls a function that may give another value for each row.
fn calls_volatile(part: &Words<'_>, from: usize) -> bool {
    let called = |at: usize| match part.tokens.get(at) {
        Some(Token::Word(_) | Token::Name(_)) => part.is(at + 1, '('),
        _ => false,
    };
    (from..part.tokens.len()).any(|at| called(at) && !STABLE.contains(&part.at(at)))
}
