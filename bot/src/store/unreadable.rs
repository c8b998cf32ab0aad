//! Rows that this version cannot read, as a later one may have written them, and that are passed over. They are found again at
//! each look and logged once.

use super::{Store, StoreError};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use tracing::error;

/// How many are remembered. When there are more, all are logged once again.
const LOGGED_LIMIT: usize = 1_000;

/// What has been logged by this process.
#[derive(Debug, Default)]
pub(super) struct Logged(Mutex<BTreeSet<String>>);

impl Logged {
    fn is_first(&self, what: String) -> bool {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() >= LOGGED_LIMIT && !logged.contains(&what) {
            logged.clear();
        }
        logged.insert(what)
    }
}

impl Store {
    /// What was read of a row; `None` where it cannot be read.
    pub(super) fn unless_unreadable<T>(&self, row: &str, read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error @ StoreError::Unreadable { .. }) => {
                if self.logged.is_first(format!("{row}: {error}")) {
                    error!(row, %error, "a row is passed over");
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// A column that holds another kind of value than this version writes.
pub(super) fn column(what: &'static str, error: &sqlx::Error) -> StoreError {
    StoreError::Unreadable { what, error: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_logged_once_and_only_so_many_are_remembered() {
        let logged = Logged::default();
        assert!(logged.is_first("a".into()));
        assert!(!logged.is_first("a".into()));
        for other in 1..LOGGED_LIMIT {
            assert!(logged.is_first(format!("{other}")));
        }
        assert!(!logged.is_first("a".into()));
        assert!(logged.is_first("one more".into()));
        assert_eq!(logged.0.lock().unwrap().len(), 1);
    }
}
