-- What dry targets were last told to run. They run nothing.
CREATE TABLE dry_targets (
    name      TEXT    PRIMARY KEY,
    image     TEXT    NOT NULL,
    operation TEXT    NOT NULL,
    began_at  INTEGER NOT NULL
);
