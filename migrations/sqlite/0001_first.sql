-- The bot's own schema. Times are milliseconds since 1970 in UTC; bodies are JSON.

-- What came in, durable before its sender gets an acknowledgement. A delivery that comes twice has the same key.
CREATE TABLE inbox (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    delivery_key TEXT    NOT NULL UNIQUE,
    body         TEXT    NOT NULL,
    received_at  INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    consumed_at  INTEGER,
    -- Why it was given up, for deliveries that could not be handled.
    problem      TEXT
);
CREATE INDEX inbox_waiting ON inbox (id) WHERE consumed_at IS NULL;

CREATE TABLE releases (
    id          TEXT    PRIMARY KEY,
    service     TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    phase       TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    event_count INTEGER NOT NULL,
    asked_at    INTEGER NOT NULL,
    started_at  INTEGER,
    ended_at    INTEGER
);
-- At most one release runs per service and environment, whatever the engine believes.
CREATE UNIQUE INDEX releases_one_running ON releases (service, environment) WHERE phase = 'running';
CREATE INDEX releases_by_environment ON releases (service, environment, asked_at);
CREATE INDEX releases_open ON releases (id) WHERE ended_at IS NULL;

CREATE TABLE release_events (
    release TEXT    NOT NULL REFERENCES releases (id),
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    event   TEXT    NOT NULL,
    PRIMARY KEY (release, seq)
) WITHOUT ROWID;

CREATE TABLE environments (
    service     TEXT NOT NULL,
    environment TEXT NOT NULL,
    state       TEXT NOT NULL,
    PRIMARY KEY (service, environment)
) WITHOUT ROWID;

-- What must be done outside. An intent is written before an action and stays.
CREATE TABLE effects (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    release     TEXT    NOT NULL REFERENCES releases (id),
    kind        TEXT    NOT NULL,
    body        TEXT    NOT NULL,
    state       TEXT    NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'leased', 'done', 'abandoned')),
    not_before  INTEGER NOT NULL,
    lease_owner TEXT,
    lease_until INTEGER,
    attempts    INTEGER NOT NULL DEFAULT 0,
    failures    INTEGER NOT NULL DEFAULT 0,
    intent      TEXT,
    created_at  INTEGER NOT NULL
);
CREATE INDEX effects_due ON effects (not_before) WHERE state IN ('pending', 'leased');
CREATE INDEX effects_by_release ON effects (release);

-- What the channels show. A card has no body: it is drawn from its release when it is published.
CREATE TABLE messages (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    channel     TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    release     TEXT REFERENCES releases (id),
    only_for    TEXT,
    body        TEXT,
    wanted      INTEGER NOT NULL DEFAULT 1,
    published   INTEGER NOT NULL DEFAULT 0,
    external_id TEXT,
    not_before  INTEGER NOT NULL DEFAULT 0,
    failures    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (channel, key)
);
CREATE INDEX messages_unpublished ON messages (not_before) WHERE wanted > published;
CREATE INDEX messages_by_release ON messages (release);

CREATE TABLE audit (
    seq    INTEGER PRIMARY KEY,
    record TEXT NOT NULL
);

-- The terminal chat keeps its messages here, as Slack keeps its own. `seq` grows with each change of a message.
CREATE TABLE terminal_messages (
    seq      INTEGER NOT NULL UNIQUE,
    channel  TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    only_for TEXT,
    body     TEXT    NOT NULL,
    PRIMARY KEY (channel, key)
) WITHOUT ROWID;
