-- What was suggested for an environment, or began there by itself: each commit once. `open`: something may become of it
-- although the environment before runs something else by now.
CREATE TABLE promotions (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    service     TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    "commit"    TEXT    NOT NULL,
    open        INTEGER NOT NULL,
    state       TEXT    NOT NULL,
    UNIQUE (service, environment, "commit")
);
CREATE INDEX promotions_open ON promotions (service, environment) WHERE open = 1;
