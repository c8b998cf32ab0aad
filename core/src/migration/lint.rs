//! What is wrong or dangerous in a migration, by file and line, before anything is run.

use super::format::Dialect;
use super::{DangerKind, Migration, danger};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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
    /// The rule, as a comment in the file allows it.
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
    /// Why the file says that this is fine. Untrusted text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
}

/// What is to be said about the way up of a migration. `new` are the tables that earlier pending migrations create:
/// nothing is in them yet.
#[must_use]
pub fn lint(migration: &Migration, new: &BTreeSet<String>, _options: &LintOptions) -> Vec<Finding> {
    let mut findings = Vec::new();
    for statement in &migration.up {
        let shown = migration.substituted.mask(&statement.text);
        for danger in danger::dangers(&[shown], new, &BTreeMap::new()) {
            findings.push(Finding {
                file: migration.file.clone(),
                line: statement.line,
                rule: danger.kind.name().to_owned(),
                severity: Severity::Warning,
                message: danger.sentence(),
                help: None,
                danger: Some(danger.kind),
                table: danger.table.clone(),
                allowed: migration.allowed.get(&danger.kind).cloned(),
            });
        }
    }
    findings
}
