//! Finds dangers on squawk's syntax tree.

use super::alter;
use super::block;
use super::tables::{Change, Name};
use super::{DangerKind, rule};
use crate::migration::LockMode;
use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SyntaxKind, SyntaxNode};

/// Something dangerous, where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::migration) struct Found {
    pub(crate) kind: DangerKind,
    /// The rule, as others call it where they have one.
    pub(crate) rule: &'static str,
    /// What it happens to.
    pub(crate) name: Option<Name>,
    /// Whether that is a table, which may be new.
    pub(crate) is_table: bool,
    pub(crate) lock: Option<LockMode>,
}

impl Found {
    /// What nobody can know beforehand.
    pub(super) fn unreadable() -> Self {
        let kind = DangerKind::Unreadable;
        Self { kind, rule: rule(kind), name: None, is_table: false, lock: None }
    }
}

/// What a statement does, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::migration) enum Event {
    Danger(Found),
    Change(Change),
    /// PostgreSQL refuses it inside a transaction.
    OutsideOnly {
        rule: &'static str,
        what: &'static str,
    },
}

/// Reads trees, and keeps what it finds with the place in the outermost text.
pub(super) struct Reader<'a> {
    pub(crate) events: Vec<(usize, Event)>,
    /// PostgreSQL's major version, if it is known.
    pub(crate) version: Option<u32>,
    /// Says where in the outermost text a node of this tree begins.
    place: &'a dyn Fn(&SyntaxNode) -> usize,
    /// How many texts it stands in: a block, a statement that a block executes.
    pub(crate) levels: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(version: Option<u32>, place: &'a dyn Fn(&SyntaxNode) -> usize, levels: usize) -> Self {
        Self { events: Vec::new(), version, place, levels }
    }

    /// Everything below that node that would run. Nodes are kept in a list, since trees may be deep.
    pub(super) fn read(&mut self, root: &SyntaxNode) {
        let mut left = vec![root.clone()];
        while let Some(node) = left.pop() {
            let into = self.visit(&node);
            if into {
                let from = left.len();
                left.extend(node.children());
                left[from..].reverse();
            }
        }
    }

    pub(super) fn danger(&mut self, node: &SyntaxNode, found: Found) {
        self.events.push(((self.place)(node), Event::Danger(found)));
    }

    pub(super) fn change(&mut self, node: &SyntaxNode, change: Change) {
        // What a block creates, it may create under conditions only.
        if self.levels == 0 || matches!(change, Change::Drops(_) | Change::SearchPath) {
            self.events.push(((self.place)(node), Event::Change(change)));
        }
    }

    /// Something that happens to tables, or to nothing that has a name.
    pub(super) fn tables(&mut self, node: &SyntaxNode, kind: DangerKind, lock: LockMode, names: Vec<Name>) {
        let found = |name| Found { kind, rule: rule(kind), name, is_table: true, lock: Some(lock) };
        if names.is_empty() {
            self.danger(node, found(None));
        }
        for name in names {
            self.danger(node, found(Some(name)));
        }
    }

    pub(super) fn unreadable(&mut self, node: &SyntaxNode) {
        self.danger(node, Found::unreadable());
    }

    pub(super) fn place_of(&self, node: &SyntaxNode) -> usize {
        (self.place)(node)
    }

    /// Looks at one node; returns whether what is in it would run with it.
    fn visit(&mut self, node: &SyntaxNode) -> bool {
        use SyntaxKind as K;
        if let Some((rule, what)) = outside_only(node) {
            self.events.push(((self.place)(node), Event::OutsideOnly { rule, what }));
        }
        match node.kind() {
            K::ALTER_TABLE | K::ALTER_FOREIGN_TABLE | K::ALTER_MATERIALIZED_VIEW | K::ALTER_VIEW => {
                alter::table(self, node);
            }
            K::ALTER_TYPE | K::ALTER_SCHEMA | K::ALTER_INDEX => alter::other(self, node),
            K::TRUNCATE => self.truncates(node),
            K::DELETE => self.tables(node, DangerKind::Delete, LockMode::RowExclusive, first(node)),
            K::UPDATE if !has_condition(node) => {
                self.tables(node, DangerKind::UpdateAll, LockMode::RowExclusive, first(node));
            }
            K::MERGE if node.descendants().any(|n| n.kind() == K::MERGE_DELETE) => {
                self.tables(node, DangerKind::Delete, LockMode::RowExclusive, first(node));
            }
            K::CREATE_INDEX if !has_token(node, K::CONCURRENTLY_KW) => {
                self.tables(node, DangerKind::BlockingIndex, LockMode::Share, first(node));
            }
            K::CREATE_TRIGGER => {
                let on = child(node, K::ON_RELATION).map(|on| names(&on)).unwrap_or_default();
                self.tables(node, DangerKind::LockTable, LockMode::ShareRowExclusive, on);
                return false;
            }
            K::REINDEX if !says_concurrently(node) => {
                let lock = LockMode::Share;
                let found = |name| Found {
                    kind: DangerKind::BlockingIndex,
                    rule: "require-concurrent-reindex",
                    name,
                    is_table: true,
                    lock: Some(lock),
                };
                let name = node.children().find(|n| n.kind() != K::REINDEX_OPTION_LIST).and_then(|n| last_ref(&n));
                self.danger(node, found(name));
            }
            K::VACUUM if is_full(node) => {
                self.tables(node, DangerKind::WriteAnew, LockMode::AccessExclusive, listed(node));
            }
            K::REPACK if !says_concurrently(node) => {
                self.tables(node, DangerKind::WriteAnew, LockMode::AccessExclusive, listed(node));
            }
            K::CLUSTER => {
                let of = child(node, K::CLUSTER_LEGACY).and_then(|legacy| child(&legacy, K::ON_PATH));
                let table = of.map_or_else(|| first(node), |on| names(&on));
                self.tables(node, DangerKind::WriteAnew, LockMode::AccessExclusive, table);
            }
            K::REFRESH if !has_token(node, K::CONCURRENTLY_KW) && child(node, K::WITH_NO_DATA).is_none() => {
                self.tables(node, DangerKind::WriteAnew, LockMode::AccessExclusive, first(node));
            }
            K::LOCK => self.locks(node),
            K::CALL | K::EXECUTE => self.unreadable(node),
            K::DO => block::read(self, node),
            K::EXPLAIN => return runs(node),
            K::SET | K::SELECT | K::ALTER_ROLE | K::ALTER_DATABASE => {
                if mentions_search_path(node) {
                    self.change(node, Change::SearchPath);
                }
            }
            // What they define does not run with them.
            K::CREATE_FUNCTION | K::CREATE_PROCEDURE | K::CREATE_RULE | K::CREATE_VIEW => return false,
            kind if is_creation(kind) => self.creates(node),
            _ => self.drops(node),
        }
        true
    }

    fn truncates(&mut self, node: &SyntaxNode) {
        let tables = listed(node);
        if child(node, SyntaxKind::CASCADE).is_some() {
            self.tables(node, DangerKind::TruncateOthers, LockMode::AccessExclusive, tables.clone());
        }
        self.tables(node, DangerKind::Truncate, LockMode::AccessExclusive, tables);
    }

    fn locks(&mut self, node: &SyntaxNode) {
        let mode = node.children().find_map(ast::LockModeClause::cast).and_then(|clause| clause.lock_mode());
        let mode = mode.map_or(Some(LockMode::AccessExclusive), |mode| {
            let said = text(mode.syntax(), " ").to_ascii_uppercase();
            LockMode::ALL.into_iter().find(|mode| mode.name() == said)
        });
        let mode = mode.unwrap_or(LockMode::AccessExclusive);
        if mode.keeps_writers_out() {
            self.tables(node, DangerKind::LockTable, mode, listed(node));
        }
    }

    fn creates(&mut self, node: &SyntaxNode) {
        use SyntaxKind as K;
        let within = child(node, K::INTO_CLAUSE).unwrap_or_else(|| node.clone());
        let Some(name) = within.children().find(|n| matches!(n.kind(), K::TABLE_NAME | K::VIEW)) else { return };
        let name = Name::new(&text(&name, ""));
        let change = if child(&within, K::TEMP).is_some() {
            Change::CreatesTemporary(name)
        } else if child(node, K::IF_NOT_EXISTS).is_some() {
            Change::PerhapsCreates(name)
        } else {
            Change::Creates(name)
        };
        self.change(node, change);
    }

    fn drops(&mut self, node: &SyntaxNode) {
        use SyntaxKind as K;
        let rule_of = match node.kind() {
            K::DROP_TABLE | K::DROP_FOREIGN_TABLE | K::DROP_MATERIALIZED_VIEW => {
                let tables = names(node);
                self.tables(node, DangerKind::DropTable, LockMode::AccessExclusive, tables.clone());
                for table in tables {
                    self.change(node, Change::Drops(table));
                }
                return;
            }
            K::DROP_SCHEMA => "ban-drop-schema",
            K::DROP_DATABASE => "ban-drop-database",
            K::DROP_OWNED => rule(DangerKind::DropOthers),
            _ if ast::Stmt::can_cast(node.kind())
                && child(node, K::CASCADE).is_some()
                && format!("{:?}", node.kind()).starts_with("DROP_") =>
            {
                rule(DangerKind::DropOthers)
            }
            _ => return,
        };
        let dropped = references(node);
        let found = |name| Found { kind: DangerKind::DropOthers, rule: rule_of, name, is_table: false, lock: None };
        if dropped.is_empty() {
            self.danger(node, found(None));
        }
        for name in dropped {
            self.danger(node, found(Some(name)));
        }
        // Whatever was in it or depended on it is gone as well.
        self.change(node, Change::SearchPath);
    }
}

fn is_creation(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(
        kind,
        K::CREATE_TABLE | K::CREATE_TABLE_AS | K::CREATE_FOREIGN_TABLE | K::CREATE_MATERIALIZED_VIEW | K::SELECT_INTO
    )
}

/// The child of that kind.
pub(super) fn child(node: &SyntaxNode, kind: SyntaxKind) -> Option<SyntaxNode> {
    node.children().find(|n| n.kind() == kind)
}

/// Whether the node itself has that word.
pub(super) fn has_token(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    node.children_with_tokens().any(|part| part.kind() == kind)
}

/// The words of a node with that between them, without comments.
pub(super) fn text(node: &SyntaxNode, between: &str) -> String {
    let tokens = node.descendants_with_tokens().filter_map(|part| part.into_token());
    let words = tokens.filter(|token| !matches!(token.kind(), SyntaxKind::WHITESPACE | SyntaxKind::COMMENT));
    words.map(|token| token.text().to_owned()).collect::<Vec<_>>().join(between)
}

/// Whether a node names a table, or what is used like one.
fn is_relation(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(kind, K::TABLE_NAME_REF | K::RELATION_NAME_REF | K::VIEW_REF)
}

/// The tables that a node names itself, in order, with `ONLY` and without.
pub(super) fn names(node: &SyntaxNode) -> Vec<Name> {
    use SyntaxKind as K;
    let inner = |n: SyntaxNode| match n.kind() {
        K::TABLE_RELATION_NAME | K::RELATION_NAME => n.children().find(|n| is_relation(n.kind())),
        kind => is_relation(kind).then_some(n),
    };
    node.children().filter_map(inner).map(|n| Name::new(&text(&n, ""))).collect()
}

/// The table that a statement is about.
pub(super) fn first(node: &SyntaxNode) -> Vec<Name> {
    names(node).into_iter().take(1).collect()
}

/// The tables of a statement that has a list of them.
fn listed(node: &SyntaxNode) -> Vec<Name> {
    use SyntaxKind as K;
    let list = node.children().find(|n| {
        matches!(n.kind(), K::TABLE_LIST | K::RELATION_LIST | K::TABLE_AND_COLUMNS_LIST)
    });
    let Some(list) = list else { return Vec::new() };
    if list.kind() == K::TABLE_AND_COLUMNS_LIST {
        return list.children().flat_map(|table| names(&table)).collect();
    }
    names(&list)
}

/// Whatever a statement names, of any kind.
pub(super) fn references(node: &SyntaxNode) -> Vec<Name> {
    let is_name = |n: &SyntaxNode| format!("{:?}", n.kind()).ends_with("_REF");
    let mut names = Vec::new();
    for part in node.children() {
        if is_name(&part) {
            names.push(Name::new(&text(&part, "")));
        } else if part.kind() != SyntaxKind::CASCADE {
            let inner = part.descendants().filter(|n| is_name(n) && n.parent().is_none_or(|up| !is_name(&up)));
            names.extend(inner.map(|n| Name::new(&text(&n, ""))));
        }
    }
    names
}

fn last_ref(node: &SyntaxNode) -> Option<Name> {
    references(node).pop()
}

/// Whether only some rows are meant. A condition that always holds is none.
fn has_condition(node: &SyntaxNode) -> bool {
    use SyntaxKind as K;
    let condition = node.children().find(|n| matches!(n.kind(), K::WHERE_CLAUSE | K::WHERE_CURRENT_OF));
    condition.is_some_and(|condition| {
        let said = text(&condition, "").to_ascii_lowercase();
        !matches!(said.as_str(), "wheretrue" | "where1=1" | "where(true)" | "where'1'='1'")
    })
}

fn says_concurrently(node: &SyntaxNode) -> bool {
    text(node, " ").split(' ').any(|word| word.eq_ignore_ascii_case("concurrently"))
}

fn is_full(node: &SyntaxNode) -> bool {
    if has_token(node, SyntaxKind::FULL_KW) {
        return true;
    }
    let options = child(node, SyntaxKind::VACUUM_OPTION_LIST);
    options.into_iter().flat_map(|list| list.children().collect::<Vec<_>>()).any(|option| {
        let said = text(&option, " ").to_ascii_lowercase();
        let mut words = said.split(' ');
        words.next() == Some("full") && !matches!(words.next(), Some("false" | "off" | "0" | "no" | "'false'" | "'off'"))
    })
}

/// Whether `EXPLAIN` runs what it explains.
fn runs(node: &SyntaxNode) -> bool {
    let is_statement = |n: &SyntaxNode| ast::Stmt::can_cast(n.kind());
    let options = node.children_with_tokens().take_while(|part| part.as_node().is_none_or(|n| !is_statement(n)));
    options.map(|part| part.to_string().to_ascii_lowercase()).any(|said| said.contains("analy"))
}

fn mentions_search_path(node: &SyntaxNode) -> bool {
    let said = node.descendants_with_tokens().filter_map(|part| part.into_token());
    said.into_iter().any(|token| token.text().to_ascii_lowercase().contains("search_path"))
        || (node.kind() == SyntaxKind::SET && text(node, " ").to_ascii_lowercase().starts_with("set schema"))
}

/// What PostgreSQL refuses inside a transaction: the rule, and what it is.
fn outside_only(node: &SyntaxNode) -> Option<(&'static str, &'static str)> {
    use SyntaxKind as K;
    const RULE: &str = "needs-no-transaction";
    let target = || node.children().find(|n| n.kind() != K::REINDEX_OPTION_LIST).map(|n| n.kind());
    match node.kind() {
        K::CREATE_INDEX if has_token(node, K::CONCURRENTLY_KW) => {
            Some(("ban-concurrent-index-creation-in-transaction", "CREATE INDEX CONCURRENTLY"))
        }
        K::DROP_INDEX if has_token(node, K::CONCURRENTLY_KW) => Some((RULE, "DROP INDEX CONCURRENTLY")),
        K::REINDEX if says_concurrently(node) => Some((RULE, "REINDEX CONCURRENTLY")),
        K::REINDEX => match target()? {
            K::REINDEX_TARGET_SCHEMA => Some((RULE, "REINDEX SCHEMA")),
            K::REINDEX_TARGET_DATABASE => Some((RULE, "REINDEX DATABASE")),
            K::REINDEX_TARGET_SYSTEM => Some((RULE, "REINDEX SYSTEM")),
            _ => None,
        },
        K::DETACH_CONCURRENTLY => Some((RULE, "DETACH PARTITION CONCURRENTLY")),
        K::VACUUM => Some((RULE, "VACUUM")),
        K::CREATE_DATABASE => Some((RULE, "CREATE DATABASE")),
        K::DROP_DATABASE => Some((RULE, "DROP DATABASE")),
        K::CREATE_TABLESPACE => Some((RULE, "CREATE TABLESPACE")),
        K::DROP_TABLESPACE => Some((RULE, "DROP TABLESPACE")),
        K::ALTER_SYSTEM => Some((RULE, "ALTER SYSTEM")),
        _ => None,
    }
}
