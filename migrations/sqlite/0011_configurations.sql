-- The secrets of each environment: as they were when what runs there was started, and as they were last seen. Version ids
-- and keyed hashes by name, never a value.
CREATE TABLE configurations (
    service     TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    ran_with    TEXT,
    seen        TEXT,
    seen_at     INTEGER,
    PRIMARY KEY (service, environment)
);
