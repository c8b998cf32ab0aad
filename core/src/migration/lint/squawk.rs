//! What squawk says, as far as it holds for how Slipway runs migrations.

use super::{Finding, Judged, LintOptions, Severity};
use crate::migration::danger::{DangerKind, Script, with_room};
use squawk_linter::{Linter, Rule, Version};
use squawk_syntax::SourceFile;

/// The rule of what squawk's parser does not understand.
const SYNTAX: &str = "syntax-error";

/// What a rule's finding is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// A danger like those that are found on the tree.
    Danger(DangerKind),
    /// Something else.
    Other(Severity),
    /// Nothing: see where it is said.
    LeftOut,
}

/// Every rule is judged here; those that squawk has switched off unless asked for stay off.
pub(super) fn weight(rule: Rule) -> Weight {
    use DangerKind as D;
    use Severity::{Advice, Error, Warning};
    match rule {
        Rule::RequireConcurrentIndexCreation | Rule::RequireConcurrentReindex => Weight::Danger(D::BlockingIndex),
        Rule::ConstraintMissingNotValid | Rule::AddingForeignKeyConstraint | Rule::AddingNotNullableField => {
            Weight::Danger(D::Validate)
        }
        Rule::AddingFieldWithDefault => Weight::Danger(D::ComputedColumn),
        Rule::ChangingColumnType => Weight::Danger(D::ChangeType),
        Rule::AddingSerialPrimaryKeyField | Rule::DisallowedUniqueConstraint => Weight::Danger(D::UniqueConstraint),
        Rule::AddingRequiredField => Weight::Danger(D::NeedsValue),
        Rule::RenamingColumn | Rule::RenamingTable => Weight::Danger(D::Rename),
        Rule::BanDropDatabase | Rule::BanDropSchema => Weight::Danger(D::DropOthers),
        Rule::BanDropColumn => Weight::Danger(D::DropColumn),
        Rule::BanDropTable => Weight::Danger(D::DropTable),
        Rule::BanTruncateCascade => Weight::Danger(D::TruncateOthers),
        Rule::RequireConcurrentPartitionDetach => Weight::Danger(D::LockTable),
        // The version that runs until the deployment may need it, or not expect what comes instead.
        Rule::BanDropView
        | Rule::BanDropFunction
        | Rule::BanDropType
        | Rule::BanDropDomain
        | Rule::BanDropSequence
        | Rule::BanDropExtension
        | Rule::BanDropDefault
        | Rule::BanDropNotNull
        | Rule::BanDropGeneratedExpression
        | Rule::BanAlterIdentity
        | Rule::BanSetSchema
        | Rule::RenamingObject => Weight::Other(Warning),
        // A lock, if only for a moment; all rows of all columns of that domain.
        Rule::RequireConcurrentIndexDeletion | Rule::BanAlterDomainWithAddConstraint => Weight::Other(Warning),
        // What follows is undone at the end, although it is recorded as applied.
        Rule::BanUncommittedTransaction => Weight::Other(Warning),
        // PostgreSQL cuts the name without a word.
        Rule::IdentifierTooLong => Weight::Other(Warning),
        // PostgreSQL refuses it.
        Rule::BanDuplicateColumnAssignments => Weight::Other(Error),
        Rule::PreferBigintOverInt
        | Rule::PreferBigintOverSmallint
        | Rule::PreferIdentity
        | Rule::PreferRepack
        | Rule::PreferTextField
        | Rule::PreferTimestampTz
        | Rule::BanCharField
        | Rule::BanDropConstraint
        | Rule::BanCreateDomainWithConstraint
        | Rule::RequireEnumValueOrdering
        | Rule::UnusedIgnore => Weight::Other(Advice),
        // Slipway sets both timeouts itself, for every migration.
        Rule::RequireTimeoutSettings | Rule::RequireLockTimeout | Rule::RequireStatementTimeout => Weight::LeftOut,
        // It wants IF NOT EXISTS, so that a file can be run again. Slipway knows how far a file came and never runs it
        // blindly again; and IF NOT EXISTS would accept the invalid index that a failed CONCURRENTLY leaves.
        Rule::PreferRobustStmts => Weight::LeftOut,
        // A file that begins or ends transactions itself gets none from Slipway.
        Rule::TransactionNesting => Weight::LeftOut,
        // Found on the tree, together with everything else that needs to be outside a transaction.
        Rule::BanConcurrentIndexCreationInTransaction => Weight::LeftOut,
        // Off unless asked for: too many teams do that all the time, or the tree finds it.
        _ => Weight::LeftOut,
    }
}

/// The names of all rules that may find something.
pub(in crate::migration) fn rules() -> Vec<String> {
    Linter::with_default_rules().rules.iter().map(ToString::to_string).collect()
}

/// The findings, by the lines of the file. Dangers that were found on the tree, or excused there since the table is
/// new, are not repeated.
pub(super) fn findings(script: &Script, transactional: bool, options: &LintOptions, judged: &Judged) -> Vec<Finding> {
    with_room(|| read(script, transactional, options, judged)).unwrap_or_default()
}

fn read(script: &Script, transactional: bool, options: &LintOptions, judged: &Judged) -> Vec<Finding> {
    let parse = SourceFile::parse(script.text());
    let mut linter = Linter::with_default_rules();
    linter.rules.retain(|rule| weight(*rule) != Weight::LeftOut);
    linter.settings.assume_in_transaction = transactional;
    if let Some(version) = options.postgres_version.and_then(|version| version.to_string().parse::<Version>().ok()) {
        linter.settings.pg_version = version;
    }
    let mut findings = Vec::new();
    for violation in linter.lint(&parse, script.text()) {
        let at = usize::from(violation.text_range.start());
        let (danger, severity) = match weight(violation.code) {
            Weight::Danger(kind) if is_known(judged, script.statement(at), kind) => continue,
            Weight::Danger(kind) => (Some(kind), Severity::Warning),
            Weight::Other(severity) => (None, severity),
            Weight::LeftOut => continue,
        };
        let (line, message, help) = (script.line(at), violation.message, violation.help);
        findings.push(Finding { line, message, help, danger, ..Finding::new(&violation.code.to_string(), severity) });
    }
    for error in parse.errors() {
        let line = script.line(usize::from(error.range().start()));
        let message = format!("not understood: {}", error.message());
        let help = Some("It is read word by word; PostgreSQL may well know it.".to_owned());
        findings.push(Finding { line, message, help, ..Finding::new(SYNTAX, Severity::Advice) });
    }
    findings
}

fn is_known(judged: &Judged, statement: usize, kind: DangerKind) -> bool {
    let known = |kind| {
        judged.excused.contains(&(statement, kind))
            || judged.dangers.iter().any(|placed| placed.statement == statement && placed.found.kind == kind)
    };
    // A unique constraint is checked as well, and cannot be NOT VALID.
    known(kind) || (kind == DangerKind::Validate && known(DangerKind::UniqueConstraint))
}
