//! The dangers of `ALTER`.

use super::tables::{Change, Name};
use super::tree::{Found, Reader, child, first, has_token, names, references, text};
use super::{DangerKind, STABLE, rule};
use crate::migration::LockMode;
use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

/// From this version on, a constant default is not written into every row.
const FAST_DEFAULT_VERSION: u32 = 11;

/// `ALTER TABLE` and what is altered like one.
pub(super) fn table(reader: &mut Reader<'_>, node: &SyntaxNode) {
    let table = first(node).pop();
    if child(node, K::ALL_IN_TABLESPACE).is_some() {
        reader.tables(node, DangerKind::WriteAnew, LockMode::AccessExclusive, vec![]);
    }
    for action in node.children() {
        for (kind, rule, lock) in of_action(reader, &action) {
            let found = Found { kind, rule, name: table.clone(), is_table: true, lock: Some(lock) };
            reader.danger(&action, found);
        }
        if let Some(change) = table.as_ref().and_then(|table| change(&action, table)) {
            reader.change(&action, change);
        }
    }
}

/// What becomes of the name of a table.
fn change(action: &SyntaxNode, table: &Name) -> Option<Change> {
    match action.kind() {
        K::TABLE_RENAME_TO | K::VIEW_RENAME_TO => {
            let to = action.children().find(|n| matches!(n.kind(), K::TABLE_NAME | K::VIEW))?;
            Some(Change::Renames(table.clone(), table.renamed(&text(&to, ""))))
        }
        K::SET_SCHEMA => Some(Change::Drops(table.clone())),
        // From now on it has the rows of the other.
        K::ATTACH_PARTITION => Some(Change::Drops(table.clone())),
        _ => None,
    }
}

type Dangers = Vec<(DangerKind, &'static str, LockMode)>;

fn of_action(reader: &mut Reader<'_>, action: &SyntaxNode) -> Dangers {
    let all = LockMode::AccessExclusive;
    let one = |kind: DangerKind| vec![(kind, rule(kind), all)];
    let mut found = match action.kind() {
        K::DROP_COLUMN => one(DangerKind::DropColumn),
        K::RENAME_COLUMN => vec![(DangerKind::Rename, "renaming-column", all)],
        K::TABLE_RENAME_TO | K::VIEW_RENAME_TO => vec![(DangerKind::Rename, "renaming-table", all)],
        K::SET_SCHEMA => vec![(DangerKind::Rename, "ban-set-schema", all)],
        K::ALTER_COLUMN => altered_column(action),
        K::ADD_COLUMN => added_column(action, reader.version),
        K::ADD_CONSTRAINT => action.children().flat_map(|constraint| added_constraint(&constraint)).collect(),
        K::SET_TABLESPACE | K::SET_LOGGED | K::SET_UNLOGGED | K::SET_ACCESS_METHOD => one(DangerKind::WriteAnew),
        K::DISABLE_TRIGGER => vec![(DangerKind::LockTable, "ban-disable-trigger", LockMode::ShareRowExclusive)],
        K::ENABLE_TRIGGER | K::ENABLE_ALWAYS_TRIGGER | K::ENABLE_REPLICA_TRIGGER => {
            vec![(DangerKind::LockTable, rule(DangerKind::LockTable), LockMode::ShareRowExclusive)]
        }
        K::ATTACH_PARTITION => {
            // The partition is locked and read; the table that gets it stays open.
            let partition = names(action);
            reader.tables(action, DangerKind::Validate, all, partition);
            vec![]
        }
        K::DETACH_PARTITION if child(action, K::DETACH_CONCURRENTLY).is_none() => {
            vec![(DangerKind::LockTable, "require-concurrent-partition-detach", all)]
        }
        K::MERGE_PARTITIONS | K::SPLIT_PARTITION => one(DangerKind::WriteAnew),
        _ => vec![],
    };
    let drops = matches!(action.kind(), K::DROP_COLUMN | K::DROP_CONSTRAINT);
    if drops && child(action, K::CASCADE).is_some() {
        found.extend(one(DangerKind::DropOthers));
    }
    found
}

fn altered_column(action: &SyntaxNode) -> Dangers {
    let all = LockMode::AccessExclusive;
    let found = action.children().filter_map(|option| match option.kind() {
        K::SET_TYPE => Some((DangerKind::ChangeType, rule(DangerKind::ChangeType), all)),
        K::SET_NOT_NULL => Some((DangerKind::Validate, "adding-not-nullable-field", all)),
        K::SET_EXPRESSION => Some((DangerKind::ComputedColumn, "ban-alter-generated-expression", all)),
        _ => None,
    });
    found.collect()
}

/// The dangers of a constraint that is added to a table.
fn added_constraint(constraint: &SyntaxNode) -> Dangers {
    let all = LockMode::AccessExclusive;
    if child(constraint, K::NOT_VALID).is_some() || child(constraint, K::NOT_ENFORCED).is_some() {
        return vec![];
    }
    let from_index = child(constraint, K::USING_INDEX_NAME).is_some();
    match constraint.kind() {
        K::PRIMARY_KEY_CONSTRAINT if !from_index => {
            vec![(DangerKind::UniqueConstraint, "adding-serial-primary-key-field", all)]
        }
        K::UNIQUE_CONSTRAINT if !from_index => {
            vec![(DangerKind::UniqueConstraint, "disallowed-unique-constraint", all)]
        }
        K::EXCLUDE_CONSTRAINT => vec![(DangerKind::UniqueConstraint, rule(DangerKind::UniqueConstraint), all)],
        K::CHECK_CONSTRAINT => vec![(DangerKind::Validate, "constraint-missing-not-valid", all)],
        K::NOT_NULL_CONSTRAINT => vec![(DangerKind::Validate, "adding-not-nullable-field", all)],
        K::FOREIGN_KEY_CONSTRAINT | K::REFERENCES_CONSTRAINT => {
            vec![(DangerKind::Validate, "adding-foreign-key-constraint", LockMode::ShareRowExclusive)]
        }
        _ => vec![],
    }
}

fn added_column(action: &SyntaxNode, version: Option<u32>) -> Dangers {
    let all = LockMode::AccessExclusive;
    let constraints: Vec<_> = action.children().collect();
    let of = |kind: K| constraints.iter().find(|n| n.kind() == kind);
    let default = of(K::DEFAULT_CONSTRAINT);
    let type_name = action.children().find_map(ast::Type::cast).map(|ty| text(ty.syntax(), "").to_ascii_lowercase());
    let serial = type_name.is_some_and(|ty| ["serial", "bigserial", "smallserial"].contains(&ty.trim_matches(|c: char| c.is_ascii_digit())));
    let generated = of(K::GENERATED_CONSTRAINT);
    let computed = generated.is_some_and(|generated| !generated.descendants().any(|n| n.kind() == K::VIRTUAL));
    let slow = version.is_some_and(|version| version < FAST_DEFAULT_VERSION);
    let mut found = Vec::new();
    let required = of(K::NOT_NULL_CONSTRAINT).is_some() || of(K::PRIMARY_KEY_CONSTRAINT).is_some();
    if required && default.is_none() && !serial && generated.is_none() {
        found.push((DangerKind::NeedsValue, "adding-required-field", all));
    }
    if serial || computed || default.is_some_and(|default| slow || calls_volatile(default)) {
        found.push((DangerKind::ComputedColumn, "adding-field-with-default", all));
    }
    // Whether it is required was looked at with its value in mind; a default satisfies all rows at once.
    let others = constraints.iter().filter(|n| n.kind() != K::NOT_NULL_CONSTRAINT);
    found.extend(others.flat_map(|n| added_constraint(n)).map(|(kind, rule, _)| (kind, rule, all)));
    found
}

/// Whether an expression calls a function that may give another value for each row.
fn calls_volatile(default: &SyntaxNode) -> bool {
    let calls = default.descendants().filter(|n| n.kind() == K::CALL_EXPR);
    calls.into_iter().any(|call| {
        let called = call.children().next().map(|name| text(&name, "").to_ascii_lowercase()).unwrap_or_default();
        !STABLE.contains(&called.rsplit('.').next().unwrap_or_default())
    })
}

/// `ALTER` of what is no table.
pub(super) fn other(reader: &mut Reader<'_>, node: &SyntaxNode) {
    let name = references(node).into_iter().next();
    let danger = |kind, rule, name| Found { kind, rule, name, is_table: false, lock: None };
    for action in node.children() {
        match action.kind() {
            K::TYPE_RENAME_TO | K::RENAME_VALUE | K::RENAME_ATTRIBUTE | K::SCHEMA_RENAME_TO => {
                reader.danger(&action, danger(DangerKind::Rename, "renaming-object", name.clone()));
            }
            K::SET_TABLESPACE | K::ALL_IN_TABLESPACE => {
                let found = danger(DangerKind::WriteAnew, rule(DangerKind::WriteAnew), name.clone());
                reader.danger(&action, Found { lock: Some(LockMode::AccessExclusive), ..found });
            }
            K::ALTER_TYPE_ATTRIBUTE_ACTION_LIST => {
                for attribute in action.children().filter(|n| n.kind() == K::DROP_ATTRIBUTE) {
                    reader.danger(&attribute, danger(DangerKind::DropColumn, rule(DangerKind::DropColumn), name.clone()));
                }
            }
            _ => {}
        }
    }
    if has_token(node, K::SCHEMA_KW) {
        reader.change(node, Change::SearchPath);
    }
}
