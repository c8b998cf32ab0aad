//! What a SQLite schema consists of. Tables are compared by what SQLite makes of them rather than by their text, which
//! keeps the traces of every change: columns (their order does not count), keys, indexes, and of the text the checks
//! and the words for which there is no pragma.

use super::error::DriverError;
use super::schema_postgres::left_out;
use slipway_core::migration::{Schema, SchemaObject};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Row as _, raw_sql};

const OBJECTS: &str = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'";
const COLUMNS: &str = "SELECT m.name, x.name, x.type, x.\"notnull\", x.dflt_value, x.pk, x.hidden FROM sqlite_schema m \
    JOIN pragma_table_xinfo(m.name) x WHERE m.type = 'table'";
/// Keys that SQLite keeps an index for without a text of its own.
const KEYS: &str = "SELECT m.name, i.origin, \
    (SELECT group_concat(quote(name), ', ') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) \
    FROM sqlite_schema m JOIN pragma_index_list(m.name) i WHERE m.type = 'table' AND i.origin <> 'c'";
const FOREIGN_KEYS: &str = "SELECT m.name, group_concat(k.\"from\", ', '), k.\"table\", group_concat(coalesce(k.\"to\", ''), ', '), \
    k.on_update, k.on_delete FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) k WHERE m.type = 'table' \
    GROUP BY m.name, k.id, k.\"table\", k.on_update, k.on_delete";

/// Reads the schema.
pub(super) async fn read(connection: &mut SqliteConnection) -> Result<Schema, DriverError> {
    let left_out = left_out();
    let counts = |table: &str| !left_out.contains(table) && !table.starts_with("sqlite_");
    let mut schema = Schema::default();
    for row in rows(connection, OBJECTS).await? {
        let [kind, name, table, sql] = texts(&row)?;
        if !counts(&table) {
            continue;
        }
        let part = matches!(kind.as_str(), "index" | "trigger");
        let full = if part { format!("{}.{}", quoted(&table), quoted(&name)) } else { quoted(&name) };
        let definition = if kind == "table" { table_definition(&sql) } else { words(&sql).join(" ") };
        schema.insert(SchemaObject::new(kind, full), definition);
    }
    for row in rows(connection, COLUMNS).await? {
        let [table, column, of_type, not_null, default, key, hidden] = texts(&row)?;
        if counts(&table) {
            let mut definition = of_type.to_ascii_uppercase();
            for (there, word) in [
                (not_null != "0", " NOT NULL".to_owned()),
                (!default.is_empty(), format!(" DEFAULT {default}")),
                (key != "0", format!(" KEY {key}")),
                (hidden != "0", " GENERATED".to_owned()),
            ] {
                definition.push_str(if there { &word } else { "" });
            }
            let object = SchemaObject::new("column", format!("{}.{}", quoted(&table), quoted(&column)));
            schema.insert(object, definition);
        }
    }
    let mut constraint = |table: &str, definition: String| {
        if counts(table) {
            // They have no names, so what they say stands for them.
            let object = SchemaObject::new("constraint", format!("{}.\"{definition}\"", quoted(table)));
            schema.insert(object, definition);
        }
    };
    for row in rows(connection, KEYS).await? {
        let [table, origin, columns] = texts(&row)?;
        constraint(&table, format!("{} ({columns})", if origin == "pk" { "PRIMARY KEY" } else { "UNIQUE" }));
    }
    for row in rows(connection, FOREIGN_KEYS).await? {
        let [table, from, other, to, update, delete] = texts(&row)?;
        let actions = format!("ON UPDATE {update} ON DELETE {delete}");
        constraint(&table, format!("FOREIGN KEY ({from}) REFERENCES {other} ({to}) {actions}"));
    }
    Ok(schema)
}

async fn rows(connection: &mut SqliteConnection, sql: &'static str) -> Result<Vec<SqliteRow>, DriverError> {
    Ok(raw_sql(AssertSqlSafe(sql)).fetch_all(connection).await?)
}

/// The row's first values as text; nothing for NULL.
fn texts<const N: usize>(row: &SqliteRow) -> Result<[String; N], sqlx::Error> {
    let mut texts = std::array::from_fn(|_| String::new());
    for (at, text) in texts.iter_mut().enumerate() {
        let value = row.try_get_unchecked::<Option<String>, _>(at)?;
        *text = value.unwrap_or_default();
    }
    Ok(texts)
}

/// The name, in quotes where the words of a difference would not show where it ends.
fn quoted(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.is_empty();
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// What of a table's text no pragma tells: its checks, generated values and collations, in an order of their own.
fn table_definition(sql: &str) -> String {
    let words = words(sql);
    let is = |at: usize, word: &str| words.get(at).is_some_and(|found: &&str| found.eq_ignore_ascii_case(word));
    let mut clauses = Vec::new();
    for at in 0..words.len() {
        if (is(at, "check") || is(at, "as")) && is(at + 1, "(") {
            clauses.push(format!("{} {}", words[at].to_ascii_uppercase(), in_parentheses(&words[at + 1..])));
        }
        if is(at, "collate") {
            clauses.push(format!("COLLATE {}", words.get(at + 1).unwrap_or(&"").to_ascii_uppercase()));
        }
        for word in ["autoincrement", "strict", "virtual"] {
            clauses.extend(is(at, word).then(|| word.to_ascii_uppercase()));
        }
        clauses.extend((is(at, "without") && is(at + 1, "rowid")).then(|| "WITHOUT ROWID".to_owned()));
    }
    clauses.sort();
    ["table".to_owned()].into_iter().chain(clauses).collect::<Vec<_>>().join(" ")
}

fn in_parentheses(words: &[&str]) -> String {
    let mut depth = 0_usize;
    let mut inside = Vec::new();
    for word in words {
        match *word {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        inside.push(*word);
        if depth == 0 {
            break;
        }
    }
    inside.join(" ")
}

/// The words and signs of a text, without comments and white space; what is quoted stays whole.
fn words(sql: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(c) = rest.chars().next() {
        let end = |closing: char| {
            let mut from = c.len_utf8();
            // A doubled quote is one inside.
            loop {
                match rest[from..].find(closing) {
                    None => return rest.len(),
                    Some(at) => from += at + closing.len_utf8(),
                }
                if closing == ']' || !rest[from..].starts_with(closing) {
                    return from;
                }
                from += closing.len_utf8();
            }
        };
        let in_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.');
        let (size, counts) = match c {
            '-' if rest.starts_with("--") => (rest.find('\n').unwrap_or(rest.len()), false),
            '/' if rest.starts_with("/*") => (rest.find("*/").map_or(rest.len(), |at| at + 2), false),
            '\'' | '"' | '`' => (end(c), true),
            '[' => (end(']'), true),
            c if in_word(c) => (rest.find(|c| !in_word(c)).unwrap_or(rest.len()), true),
            c => (c.len_utf8(), true),
        };
        found.extend(counts.then_some(&rest[..size]));
        rest = rest[size..].trim_start();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_tables_text_counts_what_no_pragma_tells() {
        let one = "CREATE TABLE t (a TEXT COLLATE nocase, -- a CHECK (no)\n b INT CHECK ( b>0 ), CHECK (a <> ')'), \
                   c AS (b + 1)) STRICT";
        assert_eq!(table_definition(one), "table AS ( b + 1 ) CHECK ( a < > ')' ) CHECK ( b > 0 ) COLLATE NOCASE STRICT");
        let other = "CREATE TABLE \"t\"(a TEXT COLLATE NOCASE, b INT, c AS(b+1), CHECK(b > 0),CHECK(a<>')'))STRICT";
        assert_eq!(table_definition(other), table_definition(one));
        assert_eq!(table_definition("CREATE TABLE t (\"check\" TEXT DEFAULT 'it''s CHECK (1)')"), "table");
    }
}
