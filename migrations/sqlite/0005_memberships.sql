-- Who was last seen where members of teams are kept outside of the configuration: a JSON list of ids as that place
-- gives them, and when. `trouble` is JSON: why it cannot be read now.
CREATE TABLE memberships (
    source  TEXT PRIMARY KEY,
    members TEXT,
    seen_at INTEGER,
    trouble TEXT
) WITHOUT ROWID;
