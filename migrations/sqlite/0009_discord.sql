-- Messages that go on in another one, because their chat takes no more changes of them: what happens under them is still about
-- the same release.
CREATE TABLE earlier_messages (
    channel     TEXT NOT NULL,
    external_id TEXT NOT NULL,
    key         TEXT NOT NULL,
    PRIMARY KEY (channel, external_id)
) WITHOUT ROWID;
CREATE INDEX earlier_messages_by_key ON earlier_messages (channel, key);

-- Whether a delivery has an answer is looked for by where that goes.
CREATE INDEX messages_by_reply ON messages (reply) WHERE reply IS NOT NULL;

-- The session with the gateway of a chat, so that the next start goes on where this one stopped: `seq` is the newest
-- event that is durable.
CREATE TABLE gateway_sessions (
    platform    TEXT    NOT NULL PRIMARY KEY,
    application TEXT    NOT NULL,
    session     TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    resume_url  TEXT    NOT NULL
) WITHOUT ROWID;
