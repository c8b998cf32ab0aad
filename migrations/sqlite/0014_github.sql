-- When a webhook of a repository came last. It says nothing but that looking is worth while, and how often one has to
-- look without one.
CREATE TABLE github_heard (
    repository TEXT    NOT NULL PRIMARY KEY,
    at         INTEGER NOT NULL
);
