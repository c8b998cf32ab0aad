-- Accounts that people have linked to themselves, beside those in the configuration: one per person and chat.
CREATE TABLE links (
    identity     TEXT    PRIMARY KEY,
    person       TEXT    NOT NULL,
    platform     TEXT    NOT NULL,
    linked_at    INTEGER NOT NULL,
    confirmed_by TEXT    NOT NULL,
    UNIQUE (person, platform)
) WITHOUT ROWID;

-- What people have asked for and not confirmed yet: one per person. Of its code only the SHA-256 is kept.
CREATE TABLE link_codes (
    person TEXT PRIMARY KEY,
    code   TEXT NOT NULL UNIQUE,
    state  TEXT NOT NULL
) WITHOUT ROWID;

-- Wrong codes that accounts have typed lately.
CREATE TABLE link_tries (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    identity TEXT    NOT NULL,
    at       INTEGER NOT NULL
);
CREATE INDEX link_tries_by_identity ON link_tries (identity, at);
CREATE INDEX link_tries_by_age ON link_tries (at);

-- When something is due of an environment's lock. The first look after this finds out for all of them.
ALTER TABLE environments ADD COLUMN due_at INTEGER;
UPDATE environments SET due_at = 0;
CREATE INDEX environments_due ON environments (due_at) WHERE due_at IS NOT NULL;
