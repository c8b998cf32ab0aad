# Two commands do everything: `make demo` and `make test`. See README.md.

CARGO ?= cargo
BUILT := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
BIN := $(BUILT)/debug

# Other tools, beside which ours are tested and timed. They are installed below the target directory.
DBMATE_VERSION := 2.36.0
SQLX_CLI_VERSION := 0.9.0
# What providers publish of their interfaces.
BOTOCORE_VERSION := 1.44.8
GITHUB_OPENAPI_VERSION := 23.0.2
TOOLS := $(abspath $(BUILT))/tools
DBMATE := $(TOOLS)/dbmate-$(DBMATE_VERSION)/node_modules/.bin/dbmate
SQLX_CLI := $(TOOLS)/sqlx-cli-$(SQLX_CLI_VERSION)/bin/sqlx
BOTOCORE := $(TOOLS)/botocore-$(BOTOCORE_VERSION)
BOTOCORE_MODELS := apprunner/2020-05-15 ecr/2015-09-21 ecs/2014-11-13 logs/2014-03-28 secretsmanager/2017-10-17
GITHUB_OPENAPI := $(TOOLS)/github-openapi-$(GITHUB_OPENAPI_VERSION)/node_modules/@octokit/openapi/generated/api.github.com.json

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\n  make demo FAIL=ci|image|migrate|deploy|health   what each failure looks like\n'
	@printf '  make demo REPO=/path/to/a/git/repository        with your own commits and goose migrations\n'
	@printf '  make demo SQLITE=1                              with SQLite although PostgreSQL is there\n'
	@printf '  make demo CHAT=slack|slack-socket               in the sandbox'"'"'s Slack, over HTTP or Socket Mode\n'
	@printf '  make demo CHAT=discord|discord-http             in the sandbox'"'"'s Discord, over its gateway or HTTP too\n'
	@printf '  make demo CHAT=both                             in Slack and Discord at once, approved in Discord\n'
	@printf '  make demo TARGET=ecs-express|dry|both           on ECS Express Mode, on nothing, on two targets in turn\n'
	@printf '  make demo STORY=rollback                        gone back past a migration, which is taken back last\n'
	@printf '  make demo STORY=flow                            from a merge to production without a command for it\n'
	@printf '  make demo CHAT=slack INTERACTIVE=1              the same on a page in your browser\n'
	@printf '  make demo INTERACTIVE=1                         type the commands and approvals yourself\n'

.PHONY: build
build:
	@$(CARGO) build --locked --quiet --workspace --bins

.PHONY: demo
demo: build ## Play a release in the terminal: no account, no network
	@$(BIN)/slipway-sandbox $(if $(FAIL),--fail '$(FAIL)') $(if $(REPO),--repository '$(REPO)') $(if $(SQLITE),--sqlite) $(if $(CHAT),--chat '$(CHAT)') $(if $(TARGET),--target '$(TARGET)') $(if $(INTERACTIVE),--interactive) $(if $(STORY),--story '$(STORY)')

.PHONY: run
run: build ## Run the bot with ./slipway.toml
	$(BIN)/slipway serve

# Most tests wait most of the time, so twice as many run at once as there are processors; RUST_TEST_THREADS says otherwise.
.PHONY: test
test: build ## Run all tests (PostgreSQL's initdb must be installed; it says so if not)
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || \
		{ echo 'The tests need PostgreSQL: apt-get install postgresql (or brew install postgresql)' >&2; exit 1; }
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-$$((2 * $$(getconf _NPROCESSORS_ONLN)))} \
		$(CARGO) test --locked --workspace --all-targets

$(DBMATE):
	@command -v npm >/dev/null || \
		{ echo 'The tests beside dbmate need npm: apt-get install npm (or brew install node)' >&2; exit 1; }
	npm install --silent --no-audit --no-fund --prefix $(TOOLS)/dbmate-$(DBMATE_VERSION) dbmate@$(DBMATE_VERSION)

$(SQLX_CLI):
	$(CARGO) install --locked --quiet --root $(TOOLS)/sqlx-cli-$(SQLX_CLI_VERSION) --version $(SQLX_CLI_VERSION) \
		--no-default-features --features postgres,rustls sqlx-cli

$(BOTOCORE)/models:
	@command -v pip >/dev/null || { echo 'The published models of AWS need pip: apt-get install python3-pip' >&2; exit 1; }
	pip download --quiet --disable-pip-version-check --no-deps --dest $(BOTOCORE) botocore==$(BOTOCORE_VERSION)
	mkdir -p $(BOTOCORE)/new
	python3 -m zipfile -e $(BOTOCORE)/botocore-$(BOTOCORE_VERSION)-*.whl $(BOTOCORE)/wheel
	for model in $(BOTOCORE_MODELS); do \
		gunzip -c $(BOTOCORE)/wheel/botocore/data/$$model/service-2.json.gz > $(BOTOCORE)/new/$${model%%/*}.json || exit 1; \
	done
	rm -rf $(BOTOCORE)/wheel
	mv $(BOTOCORE)/new $@

$(GITHUB_OPENAPI):
	npm install --silent --no-audit --no-fund --prefix $(TOOLS)/github-openapi-$(GITHUB_OPENAPI_VERSION) @octokit/openapi@$(GITHUB_OPENAPI_VERSION)

.PHONY: interop
interop: build $(DBMATE) $(BOTOCORE)/models $(GITHUB_OPENAPI) ## Beside dbmate, sqlx, and what AWS and GitHub publish (needs npm and pip)
	SLIPWAY_DBMATE=$(DBMATE) SLIPWAY_BOTOCORE=$(BOTOCORE)/models SLIPWAY_GITHUB_OPENAPI=$(GITHUB_OPENAPI) \
		$(CARGO) test --locked -p slipway-sandbox --features interop --test interop

.PHONY: bench-migrations
bench-migrations: $(DBMATE) $(SQLX_CLI) ## Time migrations beside psql, dbmate and sqlx-cli
	$(CARGO) build --locked --profile bench --bin slipway
	SLIPWAY_DBMATE=$$(ls $(TOOLS)/dbmate-$(DBMATE_VERSION)/node_modules/@dbmate/*/bin/dbmate) SLIPWAY_SQLX=$(SQLX_CLI) \
		$(CARGO) bench --locked -p slipway-sandbox --bench migrations

.PHONY: bench
bench: ## Time the policy: a decision, a vote, the complete "why", loading
	$(CARGO) bench --locked -p slipway-core --bench policy

.PHONY: lint
lint: ## Check formatting, clippy with warnings denied, and dependencies
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	.ci/dependencies

.PHONY: fmt
fmt: ## Format the code
	$(CARGO) fmt --all
