//! What the check has to say: findings with their place, and the report that holds them in order.

use std::fmt;

/// More findings than this are counted, not shown: nobody mends more in one go.
pub const FINDINGS_LIMIT: usize = 200;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// Accepted, but probably not what was meant.
    Warning,
    /// Worth knowing.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// One thing that is wrong or worth knowing. It never contains a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The key it is about, such as `service.goals.workflow`; empty when it is about the whole file.
    pub key_path: String,
    /// What is the matter.
    pub message: String,
    /// What to do about it; empty when there is nothing to do.
    pub mend: String,
}

impl Finding {
    /// The finding as one line, `slipway.toml:12:3  error  service.goals.workflow  …  → mend`.
    #[must_use]
    pub fn in_file<'a>(&'a self, file: &'a str) -> impl fmt::Display + 'a {
        InFile { finding: self, file }
    }
}

struct InFile<'a> {
    finding: &'a Finding,
    file: &'a str,
}

impl fmt::Display for InFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { severity, line, column, key_path, message, mend } = self.finding;
        write!(f, "{}:{line}:{column}  {severity}", self.file)?;
        if !key_path.is_empty() {
            write!(f, "  {key_path}")?;
        }
        write!(f, "  {message}")?;
        if !mend.is_empty() {
            write!(f, "  → {mend}")?;
        }
        Ok(())
    }
}

/// All findings about one file, sorted by position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The file as the user named it.
    pub file: String,
    /// At most [`FINDINGS_LIMIT`] findings, errors kept before others, in the order of the file.
    pub findings: Vec<Finding>,
    /// How many more there were.
    pub left_out_count: usize,
}

impl Report {
    pub(super) fn new(file: String, mut findings: Vec<Finding>) -> Self {
        let left_out_count = findings.len().saturating_sub(FINDINGS_LIMIT);
        if left_out_count > 0 {
            findings.sort_by_key(|finding| (finding.severity, finding.line, finding.column));
            findings.truncate(FINDINGS_LIMIT);
        }
        findings.sort_by(|a, b| {
            let place = |finding: &Finding| (finding.line, finding.column, finding.severity);
            place(a).cmp(&place(b)).then_with(|| a.key_path.cmp(&b.key_path)).then_with(|| a.message.cmp(&b.message))
        });
        findings.dedup();
        Self { file, findings, left_out_count }
    }

    /// Whether anything is so wrong that the configuration is refused.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// How many findings of that severity are held.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// `3 errors, 1 warning, 2 notes`, or `no mistakes`.
    #[must_use]
    pub fn summary(&self) -> String {
        let counted = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
            .map(|(severity, word)| (self.count(severity), word));
        let mut parts: Vec<String> = counted
            .into_iter()
            .filter(|(count, word)| *count > 0 || *word == "error")
            .map(|(count, word)| match count {
                0 => format!("no {word}s"),
                1 => format!("1 {word}"),
                _ => format!("{count} {word}s"),
            })
            .collect();
        if self.left_out_count > 0 {
            parts.push(format!("{} more not shown", self.left_out_count));
        }
        parts.join(", ")
    }
}

impl fmt::Display for Report {
    /// One finding a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{}", finding.in_file(&self.file))?;
        }
        if self.left_out_count > 0 {
            writeln!(f, "… and {} more", self.left_out_count)?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}
