-- Every policy set that was in force, complete, so that a decision can be understood later. `in_force_since` is set
-- by the engine in the transaction that puts it in force. `revision` is the commit that it was read at, `authors` the
-- GitHub logins of those who changed it since the one before, where it is kept in a repository; `anonymous` says that
-- there were others of whom nobody knows who they are.
CREATE TABLE policy_versions (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    hash           TEXT    NOT NULL,
    text           TEXT    NOT NULL,
    source         TEXT    NOT NULL,
    revision       TEXT,
    authors        TEXT    NOT NULL,
    anonymous      INTEGER NOT NULL DEFAULT 0,
    asked_by       TEXT    NOT NULL,
    loaded_at      INTEGER NOT NULL,
    in_force_since INTEGER
);
