//! What a database's schema consists of, so that two can be compared.

use std::collections::BTreeMap;

/// What kind of thing, and its name: `("column", "public.users.bio")`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchemaObject {
    /// `table`, `column`, `index`, `constraint`, `view`, `function`, `trigger`, `sequence`, `type`, …
    pub kind: String,
    /// Its full name.
    pub name: String,
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

    /// How `self`, which was found, differs from what is expected, by object.
    #[must_use]
    pub fn differences_from(&self, expected: &Self) -> Vec<SchemaDifference> {
        let all: std::collections::BTreeSet<_> = self.objects.keys().chain(expected.objects.keys()).collect();
        let differ = all.into_iter().filter(|object| self.objects.get(*object) != expected.objects.get(*object));
        differ
            .map(|object| SchemaDifference {
                object: object.clone(),
                expected: expected.objects.get(object).cloned(),
                found: self.objects.get(object).cloned(),
            })
            .collect()
    }
}
