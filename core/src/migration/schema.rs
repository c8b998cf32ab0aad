//! What a database's schema consists of, so that two can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How long a definition may be that is shown when it differs.
const SHOWN_DEFINITION_LIMIT_CHARS: usize = 160;

/// What belongs to a table, and is named `schema.table.name`.
const PARTS_OF_TABLES: [&str; 6] = ["column", "constraint", "index", "trigger", "policy", "rule"];
/// What has such parts.
const TABLES: [&str; 3] = ["table", "view", "materialized view"];

/// What kind of thing, and its name: `("column", "public.users.bio")`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchemaObject {
    /// `table`, `column`, `index`, `constraint`, `view`, `function`, `trigger`, `sequence`, `type`, …
    pub kind: String,
    /// Its full name, quoted where it must be. That of a column, a constraint, an index, a trigger, a policy or a rule
    /// begins with its table's.
    pub name: String,
}

impl SchemaObject {
    /// An object of that kind and name.
    #[must_use]
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind: kind.into(), name: name.into() }
    }

    /// The table that it belongs to, and its own name.
    fn in_table(&self) -> Option<(&str, &str)> {
        if !PARTS_OF_TABLES.contains(&self.kind.as_str()) {
            return None;
        }
        let mut quoted = false;
        let mut split = None;
        for (at, c) in self.name.char_indices() {
            match c {
                '"' => quoted = !quoted,
                '.' if !quoted => split = Some(at),
                _ => {}
            }
        }
        split.map(|at| (&self.name[..at], &self.name[at + 1..]))
    }
}

/// A schema: each object with its definition, in the database's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    objects: BTreeMap<SchemaObject, String>,
}

/// One difference between two schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaDifference {
    /// Which object.
    pub object: SchemaObject,
    /// Its definition in the schema that is expected; `None`: it should not be there.
    pub expected: Option<String>,
    /// Its definition in the schema that was found; `None`: it is not there.
    pub found: Option<String>,
}

impl Schema {
    /// Puts an object in.
    pub fn insert(&mut self, object: SchemaObject, definition: String) {
        self.objects.insert(object, definition);
    }

    /// Its objects.
    pub fn objects(&self) -> impl Iterator<Item = (&SchemaObject, &str)> {
        self.objects.iter().map(|(object, definition)| (object, definition.as_str()))
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// How `self`, which was found, differs from what is expected, by object. Of a table that only one of them has,
    /// the columns, indexes and so on are not told one by one.
    #[must_use]
    pub fn differences_from(&self, expected: &Self) -> Vec<SchemaDifference> {
        let mut all = self.changes_since(expected);
        let of_one: BTreeSet<String> = all
            .iter()
            .filter(|difference| TABLES.contains(&difference.object.kind.as_str()) && difference.is_of_one())
            .map(|difference| difference.object.name.clone())
            .collect();
        all.retain(|difference| difference.object.in_table().is_none_or(|(table, _)| !of_one.contains(table)));
        all
    }

    /// All that differs from an earlier state, object by object, for [`Self::undo`].
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> Vec<SchemaDifference> {
        let all: BTreeSet<_> = self.objects.keys().chain(before.objects.keys()).collect();
        let differ = all.into_iter().filter(|object| self.objects.get(*object) != before.objects.get(*object));
        differ
            .map(|object| SchemaDifference {
                object: object.clone(),
                expected: before.objects.get(object).cloned(),
                found: self.objects.get(object).cloned(),
            })
            .collect()
    }

    /// Makes of this state the one that [`Self::changes_since`] compared it with.
    pub fn undo(&mut self, changes: &[SchemaDifference]) {
        for change in changes {
            match &change.expected {
                Some(definition) => self.objects.insert(change.object.clone(), definition.clone()),
                None => self.objects.remove(&change.object),
            };
        }
    }
}

impl SchemaDifference {
    /// Whether the object is in only one of the two schemas.
    fn is_of_one(&self) -> bool {
        self.expected.is_none() || self.found.is_none()
    }
}

/// `table public.users: column bio is missing`. Contains names and definitions from the database: untrusted text.
impl fmt::Display for SchemaDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { object, expected, found } = self;
        match object.in_table() {
            Some((table, name)) => write!(f, "table {table}: {} {name} ", object.kind)?,
            None => write!(f, "{} {} ", object.kind, object.name)?,
        }
        let is_short = |text: &String| {
            !text.contains('\n') && !text.is_empty() && text.chars().count() <= SHOWN_DEFINITION_LIMIT_CHARS
        };
        match (expected, found) {
            (_, None) => f.write_str("is missing"),
            (None, Some(_)) => f.write_str("should not be there"),
            (Some(expected), Some(found)) if is_short(expected) && is_short(found) => {
                write!(f, "is \"{found}\" instead of \"{expected}\"")
            }
            (Some(_), Some(_)) => f.write_str("is defined differently"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(objects: &[(&str, &str, &str)]) -> Schema {
        let mut schema = Schema::default();
        for (kind, name, definition) in objects {
            schema.insert(SchemaObject::new(*kind, *name), (*definition).to_owned());
        }
        schema
    }

    fn told(found: &Schema, expected: &Schema) -> Vec<String> {
        found.differences_from(expected).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn differences_are_told_in_words() {
        let expected = schema(&[
            ("table", "public.users", "table"),
            ("column", "public.users.bio", "text"),
            ("column", "public.users.\"full.name\"", "text"),
            ("index", "public.users.users_email", "CREATE INDEX users_email ON public.users USING btree (email)"),
            ("function", "public.f(integer)", "one\ntwo"),
        ]);
        let found = schema(&[
            ("table", "public.users", "table"),
            ("column", "public.users.\"full.name\"", "text NOT NULL"),
            ("column", "public.users.age", "integer"),
            ("index", "public.users.users_email", "CREATE UNIQUE INDEX users_email ON public.users USING btree (email)"),
            ("function", "public.f(integer)", "one\nthree"),
        ]);
        assert_eq!(
            told(&found, &expected),
            [
                "table public.users: column \"full.name\" is \"text NOT NULL\" instead of \"text\"",
                "table public.users: column age should not be there",
                "table public.users: column bio is missing",
                "function public.f(integer) is defined differently",
                "table public.users: index users_email is \"CREATE UNIQUE INDEX users_email ON public.users USING btree \
                 (email)\" instead of \"CREATE INDEX users_email ON public.users USING btree (email)\"",
            ]
        );
        assert_eq!(told(&expected, &expected), [""; 0]);
    }

    #[test]
    fn a_table_that_one_has_is_told_once() {
        let with = schema(&[
            ("table", "public.users", "table"),
            ("column", "public.users.id", "integer"),
            ("index", "public.users.by_id", "…"),
            ("column", "public.users_old.id", "integer"),
        ]);
        let without = schema(&[]);
        assert_eq!(
            told(&without, &with),
            ["table public.users_old: column id is missing", "table public.users is missing"]
        );
        assert_eq!(told(&with, &without)[1], "table public.users should not be there");
    }

    #[test]
    fn changes_can_be_undone() {
        let before = schema(&[("table", "a", "1"), ("table", "b", "1"), ("column", "a.x", "1")]);
        let after = schema(&[("table", "b", "2"), ("table", "c", "1"), ("column", "c.x", "1")]);
        let mut undone = after.clone();
        undone.undo(&after.changes_since(&before));
        assert_eq!(undone, before);
    }
}
