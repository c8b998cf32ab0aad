-- Questions whose answers are outside, such as what a database says of its migrations. Each has a message that is not
-- wanted before its answer is there.
CREATE TABLE lookups (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    channel  TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    question TEXT    NOT NULL,
    asked_at INTEGER NOT NULL
);
