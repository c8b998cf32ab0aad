//! Which tables are new: nothing is in them yet, and nobody waits for them.

use super::DangerKind;
use std::collections::BTreeSet;

/// A table's name is cut after this many characters.
const NAME_LIMIT_CHARS: usize = 80;

/// A table as a statement names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::migration) struct Name {
    /// As it is written, cut where it is too long. Untrusted text.
    pub(crate) written: String,
    key: String,
}

impl Name {
    pub(crate) fn new(written: &str) -> Self {
        Self { written: written.chars().take(NAME_LIMIT_CHARS).collect(), key: key(written) }
    }

    /// The name that a table gets by `RENAME TO`: it stays in its schema.
    pub(crate) fn renamed(&self, name: &str) -> Self {
        let new = key(name);
        let key = match self.key.rsplit_once('.') {
            Some((schema, _)) => format!("{schema}.{new}"),
            None => new,
        };
        Self { written: name.chars().take(NAME_LIMIT_CHARS).collect(), key }
    }

    /// What is the same for all spellings.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    fn is_qualified(&self) -> bool {
        self.key.contains('.')
    }
}

/// One spelling for all that name the same table: `Users`, `public.users` and `"users"` are one.
pub(crate) fn key(written: &str) -> String {
    let mut key = String::new();
    let mut chars = written.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                key.push('"');
            }
            '"' => quoted = !quoted,
            // A dot inside a name is none between names.
            '.' if quoted => key.push('\u{1}'),
            c if quoted => key.push(c),
            c => key.extend(c.to_lowercase()),
        }
    }
    match key.strip_prefix("public.") {
        Some(name) if !name.contains('.') => name.to_owned(),
        _ => key,
    }
}

/// What happens to tables in the course of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::migration) enum Change {
    /// It is there from now on, and empty.
    Creates(Name),
    /// The same, if it was not there before.
    PerhapsCreates(Name),
    /// The same for this session only, hiding others of that name.
    CreatesTemporary(Name),
    /// What is known of the name holds no more.
    Drops(Name),
    /// The first is called the second from now on.
    Renames(Name, Name),
    /// Names without a schema mean other tables from now on.
    SearchPath,
}

/// The tables that are new at a point of what is pending.
#[derive(Clone, Debug, Default)]
pub(in crate::migration) struct Tables {
    new: BTreeSet<String>,
    /// Created `IF NOT EXISTS`.
    perhaps: BTreeSet<String>,
    temporary: BTreeSet<String>,
}

impl Tables {
    /// Those that earlier migrations create.
    pub(crate) fn of(new: &BTreeSet<String>) -> Self {
        Self { new: new.iter().map(|name| key(name)).collect(), ..Self::default() }
    }

    /// What is left when the session ends.
    pub(crate) fn end_session(&mut self) {
        self.temporary.clear();
    }

    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Creates(name) => {
                self.new.insert(name.key);
            }
            Change::PerhapsCreates(name) => {
                self.perhaps.insert(name.key);
            }
            Change::CreatesTemporary(name) => {
                self.temporary.insert(name.key);
            }
            Change::Drops(name) => {
                if name.is_qualified() || !self.temporary.remove(&name.key) {
                    self.new.remove(&name.key);
                    self.perhaps.remove(&name.key);
                }
            }
            Change::Renames(from, to) => {
                self.perhaps.remove(&to.key);
                let was_new = self.new.remove(&from.key);
                self.perhaps.remove(&from.key);
                if was_new {
                    self.new.insert(to.key);
                } else {
                    self.new.remove(&to.key);
                }
            }
            Change::SearchPath => {
                *self = Self::default();
            }
        }
    }

    /// Whether something of that kind costs nothing there, because the table is new. Where it may have been there
    /// before, its data may be lost.
    pub(crate) fn excuse(&self, name: &Name, kind: DangerKind) -> bool {
        self.new.contains(&name.key)
            || self.temporary.contains(&name.key)
            || (self.perhaps.contains(&name.key) && !kind.is_destructive())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_table_has_one_key() {
        for same in ["users", "USERS", "\"users\"", "public.users", "Public.\"users\""] {
            assert_eq!(key(same), "users", "{same}");
        }
        for other in ["\"Users\"", "app.users", "\"public.users\"", "a.public.users"] {
            assert_ne!(key(other), "users", "{other}");
        }
        assert_eq!(key("\"a\"\"b\""), "a\"b");
    }
}
