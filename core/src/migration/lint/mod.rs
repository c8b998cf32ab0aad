//! What is wrong or dangerous in a migration, by file and line, before anything is run.

mod squawk;
#[cfg(test)]
mod tests;

pub(super) use squawk::rules as squawk_rules;

use super::danger::{Danger, DangerKind, Event, Found, Script, Tables};
use super::format::Dialect;
use super::{LockMode, Migration};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How many dangers of one migration are kept; the last then says that there is more.
const DANGERS_LIMIT: usize = 50;
/// How many findings of one migration are kept, those that matter most.
const FINDINGS_LIMIT: usize = 1_000;

/// The rule of comments that were meant to allow something and allow nothing.
const IGNORED_RULE: &str = "ignored-comment";

/// What the statements will run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LintOptions {
    /// Which kind of database.
    pub dialect: Dialect,
    /// PostgreSQL's major version; `None`: not known.
    pub postgres_version: Option<u32>,
}

impl Default for LintOptions {
    fn default() -> Self {
        Self { dialect: Dialect::Postgres, postgres_version: None }
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A better way to write it.
    Advice,
    /// It may cost something: data, a lock, an outage of the running version.
    Warning,
    /// It cannot be run.
    Error,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file, without the folder.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The rule, as a comment in the file allows it: by the name that it has elsewhere, if it has one there.
    pub rule: String,
    /// How much it matters.
    pub severity: Severity,
    /// What it is, for people. Untrusted text.
    pub message: String,
    /// What to do instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The danger that it is, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub danger: Option<DangerKind>,
    /// The table, as the file writes it. Untrusted text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The strongest lock that PostgreSQL takes for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockMode>,
    /// Why the file says that this is fine. Untrusted text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
}

/// What is to be said about the way up of a migration, by line. `new` are the tables that earlier pending migrations
/// create: nothing is in them yet.
#[must_use]
pub fn lint(migration: &Migration, new: &BTreeSet<String>, options: &LintOptions) -> Vec<Finding> {
    findings(migration, &mut Tables::of(new), options)
}

/// What is to be said about migrations that will run one after the other.
#[must_use]
pub fn lint_all(migrations: &[Migration], options: &LintOptions) -> Vec<Finding> {
    let mut tables = Tables::default();
    migrations.iter().flat_map(|migration| findings(migration, &mut tables, options)).collect()
}

fn findings(migration: &Migration, tables: &mut Tables, options: &LintOptions) -> Vec<Finding> {
    let script = Script::new(&migration.up, &migration.substituted);
    let judged = judged(&script, tables, options);
    let mut findings = Vec::new();
    if options.dialect == Dialect::Postgres {
        findings = squawk::findings(&script, migration.transactional, options, &judged);
        if migration.transactional {
            findings.extend(refused(&judged));
        }
    }
    findings.extend(judged.dangers.into_iter().map(|placed| placed.finding(options)));
    for finding in &mut findings {
        finding.file.clone_from(&migration.file);
        let kind = finding.danger.map(DangerKind::name).and_then(|kind| migration.allowed.get(kind));
        finding.allowed = migration.allowed.get(&finding.rule).or(kind).cloned();
    }
    findings.extend(migration.ignored.iter().map(|comment| Finding {
        file: migration.file.clone(),
        line: comment.line,
        message: comment.message.clone(),
        ..Finding::new(IGNORED_RULE, Severity::Warning)
    }));
    findings.sort_by(|a, b| a.line.cmp(&b.line).then(b.severity.cmp(&a.severity)));
    findings.dedup();
    if findings.len() > FINDINGS_LIMIT {
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings.truncate(FINDINGS_LIMIT);
        findings.sort_by_key(|finding| finding.line);
    }
    findings
}

/// The dangers of the way up, from the same analysis.
pub(super) fn dangers(migration: &Migration, tables: &mut Tables, options: &LintOptions) -> Vec<Danger> {
    let mut dangers: Vec<Danger> = Vec::new();
    for finding in findings(migration, tables, options) {
        let Some(kind) = finding.danger else { continue };
        let (allowed, lock) = (finding.allowed, finding.lock);
        let danger = Danger { allowed, lock, ..Danger::new(kind, finding.table) };
        if dangers.contains(&danger) {
            continue;
        }
        if dangers.len() >= DANGERS_LIMIT {
            // More than anybody reads: what is not listed is as if it could not be read.
            dangers.push(Danger::new(DangerKind::Unreadable, None));
            break;
        }
        dangers.push(danger);
    }
    dangers
}

/// Whether the way back loses data, as far as it can be read. What the way up creates has data by then.
pub(super) fn down_loses_data(migration: &Migration, options: &LintOptions) -> bool {
    let script = Script::new(&migration.down, &migration.substituted);
    let judged = judged(&script, &mut Tables::default(), options);
    judged.dangers.iter().any(|placed| {
        let kind = placed.found.kind;
        kind != DangerKind::Unreadable && kind.is_destructive()
    })
}

/// A danger and its place.
struct Placed {
    line: usize,
    statement: usize,
    found: Found,
}

impl Placed {
    fn finding(self, options: &LintOptions) -> Finding {
        let Found { kind, rule, name, lock, .. } = self.found;
        let table = name.map(|name| name.written);
        Finding {
            line: self.line,
            danger: Some(kind),
            message: Danger::new(kind, table.clone()).sentence(),
            help: Some(kind.safer().to_owned()),
            table,
            lock: lock.filter(|_| options.dialect == Dialect::Postgres),
            ..Finding::new(rule, Severity::Warning)
        }
    }
}

/// What of the happenings is dangerous, given what is new.
#[derive(Default)]
struct Judged {
    dangers: Vec<Placed>,
    /// Statements and kinds that would be dangerous if the table were not new.
    excused: Vec<(usize, DangerKind)>,
    /// What PostgreSQL refuses inside a transaction, by line: the rule and what it is.
    outside_only: Vec<(usize, &'static str, &'static str)>,
}

fn judged(script: &Script, tables: &mut Tables, options: &LintOptions) -> Judged {
    let mut judged = Judged::default();
    for happening in script.read(options) {
        let (line, statement) = (happening.line, happening.statement);
        match happening.event {
            Event::Change(change) => tables.apply(change),
            Event::OutsideOnly { rule, what } => judged.outside_only.push((line, rule, what)),
            Event::Danger(found) => {
                let excused = found.is_table && found.name.as_ref().is_some_and(|name| tables.excuse(name, found.kind));
                if excused {
                    judged.excused.push((statement, found.kind));
                } else if options.dialect == Dialect::Postgres || found.kind.concerns_sqlite() {
                    judged.dangers.push(Placed { line, statement, found });
                }
            }
        }
    }
    tables.end_session();
    judged
}

impl Finding {
    /// Of a rule, to be filled in.
    pub(super) fn new(rule: &str, severity: Severity) -> Self {
        Self {
            file: String::new(),
            line: 1,
            rule: rule.to_owned(),
            severity,
            message: String::new(),
            help: None,
            danger: None,
            table: None,
            lock: None,
            allowed: None,
        }
    }
}

/// What cannot run in the transaction that the migration gets.
fn refused(judged: &Judged) -> Vec<Finding> {
    let say = |(line, rule, what): &(usize, &'static str, &'static str)| Finding {
        line: *line,
        message: format!("{what} cannot run inside a transaction"),
        help: Some("Say in the file that it runs without a transaction, and let it stand alone in it.".to_owned()),
        ..Finding::new(rule, Severity::Error)
    };
    judged.outside_only.iter().map(say).collect()
}
