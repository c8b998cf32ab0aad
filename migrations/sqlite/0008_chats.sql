-- Where an answer to a delivery is taken before it is looked for in the channel: JSON, forgotten once it is used.
ALTER TABLE inbox ADD COLUMN reply TEXT;
ALTER TABLE messages ADD COLUMN reply TEXT;
-- The message of the same channel in whose thread this one is.
ALTER TABLE messages ADD COLUMN thread_of TEXT;
-- Since when it may be in the channel although its id is not known: posting it was begun then, and no answer is on record.
ALTER TABLE messages ADD COLUMN posting_since INTEGER;
-- When it began to show the plan that it shows, in milliseconds since 1970.
ALTER TABLE messages ADD COLUMN shown_at INTEGER;
-- How often it was posted again because somebody had deleted it.
ALTER TABLE messages ADD COLUMN posted_again INTEGER NOT NULL DEFAULT 0;
CREATE INDEX messages_by_external_id ON messages (channel, external_id);
CREATE INDEX messages_behind ON messages (channel, id) WHERE wanted > published;

-- The reactions that stand for votes, as they were last seen: `at` is the chat's own time in microseconds, so that news
-- that comes late changes nothing.
CREATE TABLE reactions (
    channel  TEXT    NOT NULL,
    message  TEXT    NOT NULL,
    identity TEXT    NOT NULL,
    stance   TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    added    INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (channel, message, identity, stance, name)
) WITHOUT ROWID;
