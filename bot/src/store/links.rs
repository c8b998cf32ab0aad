//! Accounts that people have linked to themselves, and how far those are that will be.

use super::unreadable::column;
use super::{Store, StoreError, Tx, from_json, sql, to_json};
use jiff::Timestamp;
use slipway_core::ids::PersonId;
use slipway_core::link::{CodeHash, Link, Pending};
use slipway_core::person::{Identity, Platform};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteExecutor};

/// How many links are read. There is one per person and chat; what is beyond that belongs to nobody.
const LINKS_LIMIT: u32 = 10_000;

fn read(row: &SqliteRow) -> Result<Link, StoreError> {
    const WHAT: &str = "a linked account";
    let text = |at: usize| row.try_get::<String, _>(at).map_err(|error| column(WHAT, &error));
    let linked_at_ms = row.try_get(2).map_err(|error| column(WHAT, &error))?;
    let linked_at = Timestamp::from_millisecond(linked_at_ms);
    Ok(Link {
        identity: from_json(WHAT, &text(0)?)?,
        person: PersonId::new(text(1)?),
        linked_at: linked_at
            .map_err(|error| StoreError::Unreadable { what: "the time of a link", error: error.to_string() })?,
        confirmed_by: from_json(WHAT, &text(3)?)?,
    })
}

async fn all(store: &Store, from: impl SqliteExecutor<'_>) -> Result<Vec<Link>, StoreError> {
    let rows = sqlx::query(sql::LINKS_ALL).bind(LINKS_LIMIT).fetch_all(from).await?;
    let mut links = Vec::with_capacity(rows.len());
    for row in &rows {
        let person: String = row.try_get(1).unwrap_or_default();
        // Without it an account belongs to nobody, which holds up nobody else.
        links.extend(store.unless_unreadable(&format!("a link of {person:?}"), read(row))?);
    }
    Ok(links)
}

impl Store {
    /// Every link that can be read, as the transaction sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn links_within(&self, tx: &mut Tx) -> Result<Vec<Link>, StoreError> {
        all(self, &mut **tx).await
    }

    /// Every link that can be read, as last committed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn links(&self) -> Result<Vec<Link>, StoreError> {
        all(self, &self.read).await
    }

    /// Adds a link.
    ///
    /// # Errors
    /// When the store fails, the account is linked, or the person has another one in that chat.
    pub async fn link_put(&self, tx: &mut Tx, link: &Link) -> Result<(), StoreError> {
        sqlx::query(sql::LINK_PUT)
            .bind(to_json(&link.identity)?)
            .bind(link.person.as_str())
            .bind(link.identity.platform().key())
            .bind(link.linked_at.as_millisecond())
            .bind(to_json(&link.confirmed_by)?)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Takes a person's link in a chat away. Gives it, if there was one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn link_remove(
        &self,
        tx: &mut Tx,
        person: &PersonId,
        platform: Platform,
    ) -> Result<Option<Link>, StoreError> {
        let removed = sqlx::query(sql::LINK_REMOVE).bind(person.as_str()).bind(platform.key());
        removed.fetch_optional(&mut **tx).await?.as_ref().map(read).transpose()
    }

    /// Keeps what a person has asked for, in the place of what they asked for before.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn link_code_put(&self, tx: &mut Tx, pending: &Pending) -> Result<(), StoreError> {
        sqlx::query(sql::LINK_CODE_PUT)
            .bind(pending.person.as_str())
            .bind(pending.code.as_str())
            .bind(to_json(pending)?)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// What somebody has asked for and got this code.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn link_code_find(&self, tx: &mut Tx, code: &CodeHash) -> Result<Option<Pending>, StoreError> {
        self.pending(tx, sql::LINK_CODE_FIND, code.as_str()).await
    }

    /// What a person has asked for.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn link_code_of(&self, tx: &mut Tx, person: &PersonId) -> Result<Option<Pending>, StoreError> {
        self.pending(tx, sql::LINK_CODE_OF, person.as_str()).await
    }

    async fn pending(&self, tx: &mut Tx, query: &'static str, by: &str) -> Result<Option<Pending>, StoreError> {
        let state: Option<String> = sqlx::query_scalar(query).bind(by).fetch_optional(&mut **tx).await?;
        state.map(|state| from_json("a link that is asked for", &state)).transpose()
    }

    /// Forgets what a person has asked for: it is done, or refused.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn link_code_forget(&self, tx: &mut Tx, person: &PersonId) -> Result<(), StoreError> {
        sqlx::query(sql::LINK_CODE_FORGET).bind(person.as_str()).execute(&mut **tx).await?;
        Ok(())
    }

    /// How many wrong codes an account has typed since a moment. What is older is forgotten.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn link_tries_since(&self, tx: &mut Tx, who: &Identity, since_ms: i64) -> Result<usize, StoreError> {
        sqlx::query(sql::LINK_TRIES_FORGET).bind(since_ms).execute(&mut **tx).await?;
        let count: i64 =
            sqlx::query_scalar(sql::LINK_TRIES_SINCE).bind(to_json(who)?).bind(since_ms).fetch_one(&mut **tx).await?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Counts a wrong code.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn link_try_put(&self, tx: &mut Tx, who: &Identity, now_ms: i64) -> Result<(), StoreError> {
        sqlx::query(sql::LINK_TRY_PUT).bind(to_json(who)?).bind(now_ms).execute(&mut **tx).await?;
        Ok(())
    }
}
