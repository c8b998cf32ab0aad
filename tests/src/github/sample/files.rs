//! The files of the sample's commits.

type Files = &'static [(&'static str, &'static str)];

pub(super) const SKELETON: Files = &[
    ("README.md", "# goals\n\nGoals, and how far one is with them.\n"),
    ("go.mod", "module acme.dev/goals\n\ngo 1.24\n"),
    ("main.go", MAIN),
    ("internal/health/health.go", HEALTH),
    ("Dockerfile", DOCKERFILE),
    ("makefile", "test:\n\tgo test ./...\n"),
    (".github/workflows/build.yaml", WORKFLOW),
];

pub(super) const GOALS: Files = &[
    ("migrations/20250901090000_users.sql", USERS_SQL),
    ("migrations/20250901090100_goals.sql", GOALS_SQL),
    (
        "internal/goals/goals.go",
        "package goals\n\n// Goal is something somebody wants to reach.\ntype Goal struct {\n\tID    int64\n\tTitle string\n\tDone  bool\n}\n",
    ),
];

pub(super) const REMINDERS: Files = &[(
    "internal/reminders/reminders.go",
    "package reminders\n\nimport \"time\"\n\n// StaleAfter is how long a goal may stay untouched.\nconst StaleAfter = 14 * 24 * time.Hour\n",
)];

pub(super) const FASTER: Files = &[(
    "internal/goals/list.go",
    "package goals\n\n// PageSize is how many goals are read at a time.\nconst PageSize = 50\n",
)];

pub(super) const BIO: Files = &[
    ("migrations/20251028101500_users_bio.sql", BIO_SQL),
    (
        "internal/users/bio.go",
        "package users\n\n// BioLimit is how many characters a bio may have.\nconst BioLimit = 280\n",
    ),
];

pub(super) const LIKES: Files = &[
    ("migrations/20251104120000_likes.sql", LIKES_SQL),
    (
        "internal/likes/likes.go",
        "package likes\n\n// Like is one person's liking of one update.\ntype Like struct {\n\tUserID   int64\n\tUpdateID int64\n}\n",
    ),
];

pub(super) const LINKS: Files = &[(
    "internal/users/links.go",
    "package users\n\n// LinksLimit is how many links a profile may have.\nconst LinksLimit = 5\n",
)];

pub(super) const ORDER: Files = &[(
    "internal/comments/order.go",
    "package comments\n\n// Less puts answers right after what they answer.\nfunc Less(a, b []int64) bool {\n\tfor i := range min(len(a), len(b)) {\n\t\tif a[i] != b[i] {\n\t\t\treturn a[i] < b[i]\n\t\t}\n\t}\n\treturn len(a) < len(b)\n}\n",
)];

pub(super) const THREADS: Files = &[(
    "internal/comments/threads.go",
    "package comments\n\n// DepthLimit is how deep threads go.\nconst DepthLimit = 4\n",
)];

pub(super) const PAGES: Files = &[(
    "internal/goals/pages.go",
    "package goals\n\n// PagesLimit is how many pages one request may ask for.\nconst PagesLimit = 20\n",
)];

pub(super) const TAGS: Files = &[
    ("migrations/20251112093000_goal_tags.sql", TAGS_SQL),
    (
        "internal/goals/tags.go",
        "package goals\n\n// TagsLimit is how many tags a goal may have.\nconst TagsLimit = 10\n",
    ),
];

const MAIN: &str = "package main

import (
\t\"log\"
\t\"net/http\"

\t\"acme.dev/goals/internal/health\"
)

func main() {
\thttp.HandleFunc(\"/healthz\", health.Handle)
\tlog.Fatal(http.ListenAndServe(\":8080\", nil))
}
";

const HEALTH: &str = "// Package health says whether the service can work.
package health

import \"net/http\"

// Handle answers 200.
func Handle(w http.ResponseWriter, _ *http.Request) {
\tw.WriteHeader(http.StatusOK)
}
";

const DOCKERFILE: &str = "FROM golang:1.24 AS build
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -o /goals .

FROM gcr.io/distroless/static
COPY --from=build /goals /goals
ENTRYPOINT [\"/goals\"]
";

const WORKFLOW: &str = "name: build

on:
  push:
    branches: [main]
  workflow_dispatch:

jobs:
  test:
    runs-on: ubuntu-latest
    services:
      postgres:
        image: postgres:16
        env: { POSTGRES_PASSWORD: postgres }
        ports: [\"5432:5432\"]
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-go@v5
      - name: Migrate a throw-away database
        run: go run github.com/pressly/goose/v3/cmd/goose@v3 -dir migrations up
        env:
          GOOSE_DRIVER: postgres
          GOOSE_DBSTRING: postgres://postgres:postgres@localhost:5432/postgres?sslmode=disable
      - run: go test ./...

  build:
    name: build image
    needs: test
    runs-on: ubuntu-latest
    permissions: { id-token: write, contents: read }
    steps:
      - uses: actions/checkout@v4
      - uses: aws-actions/configure-aws-credentials@v4
        with: { role-to-assume: \"${{ vars.AWS_ROLE }}\", aws-region: us-west-2 }
      - uses: aws-actions/amazon-ecr-login@v2
        id: ecr
      - run: |
          docker build --tag \"$REGISTRY/goals:$GITHUB_SHA\" .
          docker push \"$REGISTRY/goals:$GITHUB_SHA\"
        env: { REGISTRY: \"${{ steps.ecr.outputs.registry }}\" }
";

const USERS_SQL: &str = "-- +goose Up
CREATE TABLE users (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    tagline TEXT,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- +goose Down
DROP TABLE users;
";

const GOALS_SQL: &str = "-- +goose Up
CREATE TABLE goals (
    id BIGINT PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id),
    title TEXT NOT NULL,
    done BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE TABLE updates (
    id BIGINT PRIMARY KEY,
    goal_id BIGINT NOT NULL REFERENCES goals (id),
    text TEXT NOT NULL
);

-- +goose Down
DROP TABLE updates;
DROP TABLE goals;
";

/// Without a way down, as it happens.
const BIO_SQL: &str = "-- +goose Up
ALTER TABLE users ADD COLUMN bio TEXT;
ALTER TABLE users DROP COLUMN tagline;
";

const LIKES_SQL: &str = "-- +goose Up
CREATE TABLE likes (
    user_id BIGINT NOT NULL REFERENCES users (id),
    update_id BIGINT NOT NULL REFERENCES updates (id),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (user_id, update_id)
);
CREATE INDEX likes_by_update ON likes (update_id);

-- +goose Down
DROP INDEX likes_by_update;
DROP TABLE likes;
";

const TAGS_SQL: &str = "-- +goose Up
CREATE TABLE goal_tags (
    goal_id BIGINT NOT NULL REFERENCES goals (id),
    tag TEXT NOT NULL,
    PRIMARY KEY (goal_id, tag)
);
CREATE INDEX goal_tags_by_tag ON goal_tags (tag);

-- +goose Down
DROP INDEX goal_tags_by_tag;
DROP TABLE goal_tags;
";
