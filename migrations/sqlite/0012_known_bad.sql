-- Releases that somebody has marked as known to be bad are looked for by their commit whenever one of it is judged.
CREATE INDEX releases_known_bad ON releases (service, state ->> '$.commit') WHERE state ->> '$.known_bad.by' IS NOT NULL;
