//! What a migration does to the tables of the database itself, seen from its own session. Tables that an earlier one
//! of the same plan creates do not count: they will be as empty there.

use super::server::rows;
use crate::database::error::DriverError;
use crate::database::schema_postgres::left_out;
use slipway_core::migration::format::literal;
use slipway_core::migration::{LockMode, Statement, Touched};
use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow};
use std::collections::BTreeMap;

/// The locks that this session holds on tables, and how the tables are.
const LOCKS: &str = "SELECT l.relation::bigint, l.mode, pg_catalog.pg_relation_filenode(l.relation)::bigint, \
    pg_catalog.pg_stat_get_xact_numscans(l.relation) FROM pg_catalog.pg_locks l WHERE l.pid = pg_catalog.pg_backend_pid() \
    AND l.locktype = 'relation' AND l.granted";
/// Each index with its table.
const INDEXES: &str = "SELECT indexrelid::bigint, indrelid::bigint FROM pg_catalog.pg_index";

/// A table as it was last seen.
struct Table {
    name: String,
    /// The file with its rows; a new one when they are written anew.
    filenode: Option<i64>,
    /// How often this session has read all of it.
    scans: i64,
    lock: LockMode,
    rewritten: bool,
    scanned: bool,
}

/// The tables that the copy had at first, by their numbers.
pub(super) type Known = BTreeMap<i64, String>;

/// All tables that are there now.
pub(super) async fn known(connection: &mut PgConnection) -> Result<Known, DriverError> {
    let rows = rows(connection, tables()).await?;
    Ok(rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, sqlx::Error>>()?)
}

/// The known tables, by their numbers.
pub(super) struct Watch {
    tables: BTreeMap<i64, Table>,
    indexes: BTreeMap<i64, i64>,
}

/// Whether a table's name, as it is told, says its schema.
pub(super) fn has_schema(name: &str) -> bool {
    let mut quoted = false;
    name.chars().any(|c| {
        quoted ^= c == '"';
        c == '.' && !quoted
    })
}

impl Watch {
    /// Looks at the known tables.
    pub(super) async fn begin(connection: &mut PgConnection, known: &Known) -> Result<Self, DriverError> {
        let mut watch = Self { tables: BTreeMap::new(), indexes: BTreeMap::new() };
        let rows = if known.is_empty() { Vec::new() } else { rows(connection, tables()).await? };
        for row in rows {
            // By the name that the database itself knows, should an earlier migration have given it another.
            let Some(name) = known.get(&row.try_get(0)?) else { continue };
            let table = Table {
                name: name.clone(),
                filenode: row.try_get(2)?,
                scans: row.try_get(3)?,
                lock: LockMode::AccessShare,
                rewritten: false,
                scanned: false,
            };
            watch.tables.insert(row.try_get(0)?, table);
        }
        Ok(watch)
    }

    /// Looks at all indexes too, for statements that leave no locks to be seen.
    pub(super) async fn note_indexes(&mut self, connection: &mut PgConnection) -> Result<(), DriverError> {
        self.indexes = indexes(connection).await?;
        Ok(())
    }

    /// Looks at what the statement did, in the transaction that it ran in.
    pub(super) async fn look(
        &mut self,
        connection: &mut PgConnection,
        statement: &Statement,
    ) -> Result<(), DriverError> {
        if self.tables.is_empty() {
            return Ok(());
        }
        let found = rows(connection, LOCKS).await?;
        // The strongest lock first, then what was done under it.
        let mut seen: BTreeMap<i64, (Option<i64>, i64)> = BTreeMap::new();
        for row in &found {
            let oid: i64 = row.try_get(0)?;
            let Some(table) = self.tables.get_mut(&oid) else { continue };
            table.lock = table.lock.max(mode(row)?);
            seen.insert(oid, (row.try_get(2)?, row.try_get(3)?));
        }
        for (oid, (filenode, scans)) in seen {
            let Some(table) = self.tables.get_mut(&oid) else { continue };
            table.saw(filenode, empties(statement));
            // Reading an empty table, as TRUNCATE does for the indexes, is no reading.
            table.scanned |= scans > table.scans && table.lock > LockMode::RowExclusive && !empties(statement);
            table.scans = scans;
        }
        Ok(())
    }

    /// Looks at what a statement left behind that ran outside a transaction of ours.
    pub(super) async fn look_after(
        &mut self,
        connection: &mut PgConnection,
        statement: &Statement,
    ) -> Result<(), DriverError> {
        self.look(connection, statement).await?;
        for row in rows(connection, tables()).await? {
            if let Some(table) = self.tables.get_mut(&row.try_get(0)?)
                && table.saw(row.try_get(2)?, empties(statement))
            {
                table.lock = LockMode::AccessExclusive;
            }
        }
        let now = indexes(connection).await?;
        // What is built or dropped concurrently. Any other way leaves its lock to be seen, or is a block that ends its
        // own transaction, of which only this much is known.
        let lock = if statement.is_one_concurrently() { LockMode::ShareUpdateExclusive } else { LockMode::Share };
        let built = now.iter().filter(|(index, _)| !self.indexes.contains_key(index)).map(|(_, table)| (*table, true));
        let gone = self.indexes.iter().filter(|(index, _)| !now.contains_key(index)).map(|(_, table)| (*table, false));
        for (oid, scanned) in built.chain(gone) {
            if let Some(table) = self.tables.get_mut(&oid) {
                table.lock = table.lock.max(lock);
                table.scanned |= scanned;
            }
        }
        self.indexes = now;
        Ok(())
    }

    /// The tables that are locked beyond reading and writing, those that are locked most first.
    pub(super) fn touched(self) -> Vec<Touched> {
        let tables = self.tables.into_values();
        let touched = tables.filter(|table| table.lock > LockMode::RowExclusive || table.rewritten);
        let mut touched: Vec<_> = touched
            .map(|table| Touched {
                table: table.name,
                lock: table.lock,
                rewritten: table.rewritten,
                scanned: table.scanned,
                size: None,
            })
            .collect();
        touched.sort_by(|a, b| b.lock.cmp(&a.lock).then_with(|| a.table.cmp(&b.table)));
        touched
    }
}

impl Table {
    /// Whether its rows are in another file than before.
    fn saw(&mut self, filenode: Option<i64>, emptied: bool) -> bool {
        // None: it is dropped, or has no rows of its own.
        let moved = filenode.is_some() && filenode != self.filenode;
        if moved {
            self.filenode = filenode;
            self.rewritten |= !emptied;
        }
        moved
    }
}

/// A new, empty file is not the writing of every row. What else a piece of several statements does is not to hide
/// behind it.
fn empties(statement: &Statement) -> bool {
    statement.is_one("truncate")
}

fn mode(row: &PgRow) -> Result<LockMode, sqlx::Error> {
    let said: String = row.try_get(1)?;
    let said = said.trim_end_matches("Lock");
    let is = |mode: &LockMode| mode.name().replace(' ', "").eq_ignore_ascii_case(said);
    Ok(LockMode::ALL.into_iter().find(is).unwrap_or(LockMode::AccessShare))
}

fn tables() -> String {
    let left_out: Vec<_> = left_out().into_iter().map(literal).collect();
    format!(
        "SELECT c.oid::bigint, CASE n.nspname WHEN 'public' THEN '' ELSE pg_catalog.quote_ident(n.nspname) || '.' END \
         || pg_catalog.quote_ident(c.relname), pg_catalog.pg_relation_filenode(c.oid)::bigint, \
         pg_catalog.pg_stat_get_xact_numscans(c.oid) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n \
         ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' \
         AND n.nspname <> 'information_schema' AND c.relname NOT IN ({})",
        left_out.join(", ")
    )
}

async fn indexes(connection: &mut PgConnection) -> Result<BTreeMap<i64, i64>, DriverError> {
    let rows = rows(connection, INDEXES).await?;
    Ok(rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, sqlx::Error>>()?)
}
