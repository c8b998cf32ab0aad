-- Deployments that are to be asked for later. `state` is the whole of one as JSON; the other columns are what is looked for.
CREATE TABLE intents (
    id          TEXT    NOT NULL PRIMARY KEY,
    service     TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    requester   TEXT    NOT NULL,
    condition   TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    asked_at    INTEGER NOT NULL,
    -- When it is to be looked at, whatever happens before. NULL: it has ended.
    due_at      INTEGER,
    -- When its CI is looked at next. NULL: it waits for something else, or has ended.
    look_at     INTEGER,
    -- The release that it began. Each begins one at most.
    release     TEXT UNIQUE REFERENCES releases (id)
) WITHOUT ROWID;
CREATE INDEX intents_waiting ON intents (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX intents_looks ON intents (look_at) WHERE look_at IS NOT NULL;
-- Each has one message in each channel, which is brought up to date there.
CREATE INDEX messages_of_intents ON messages (key) WHERE key >= 'intent/' AND key < 'intent0';
