-- The anchors of the audit log that were put into channels: one for each day, as `2026-11-24`.
CREATE TABLE audit_anchors (
    day   TEXT    PRIMARY KEY,
    count INTEGER NOT NULL
) WITHOUT ROWID;

-- How often accounts of nobody have come in an hour (hours since 1970). The first time of each is in the audit log at
-- once, how often it came again when the hour is over; an empty account stands for all beyond a limit.
CREATE TABLE audit_strangers (
    hour  INTEGER NOT NULL,
    who   TEXT    NOT NULL,
    times INTEGER NOT NULL,
    PRIMARY KEY (hour, who)
) WITHOUT ROWID;
