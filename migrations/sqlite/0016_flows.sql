-- Continuous delivery of each environment that follows a branch: what was seen of it, what began, and why nothing does.
CREATE TABLE flows (
    service     TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    -- When it has to be looked at again; NULL: when something happens.
    due_at      INTEGER,
    PRIMARY KEY (service, environment)
);
CREATE INDEX flows_due ON flows (due_at) WHERE due_at IS NOT NULL;

-- What began by itself. A commit begins once, and once more after each pause that somebody ended.
CREATE TABLE flow_begun (
    service     TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    commit_sha  TEXT    NOT NULL,
    pauses      INTEGER NOT NULL,
    release     TEXT    NOT NULL UNIQUE REFERENCES releases (id),
    PRIMARY KEY (service, environment, commit_sha, pauses)
);
