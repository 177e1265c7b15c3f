# What one does with this workspace; `make help` lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Where nobody says otherwise and nothing of one's own was fetched yet, there are the sample towns of `make demo` to be seen.
ifeq ($(CIVITAS_HOME)$(CIVITAS_TENANTS_DIR)$(CIVITAS_STORAGE_URL)$(DAGSTER_HOME)$(wildcard data/landing),)
ifneq ($(wildcard data/demo/tenants),)
dev: export CIVITAS_HOME := $(abspath data/demo)
dev: export CIVITAS_TENANTS_DIR := $(abspath data/demo/tenants)
dev: export CIVITAS_REACHABLE := 127.0.0.0/8
dev: SHOWN := The sample towns of make demo, in data/demo; your own are shown once one has run, or with CIVITAS_HOME=data make dev.
endif
endif
# Where the command looks for it, too: what a run from the shell has done is soon in the UI.
DAGSTER_HOME ?= $(abspath $(or $(CIVITAS_HOME),data))/dagster
PORT ?= 3000
UPGRADE ?=
EXAMPLES ?= 300
PIP_AUDIT ?= pip-audit
REUSE ?= reuse

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install production demo pictures dev dagster-home test test-quick conform storm lint lint-types lint-sql lint-definitions format models docs bench lock sbom vulnerabilities reuse dashboards clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## Make .venv from requirements.lock (PYTHON=python3.12 chooses the interpreter)

# The lock's own entry for uv is installed first, with pip; uv then installs the rest several times faster.
# uv does not read pip's configuration: where only pip knows the way to an index, pip installs the same pins.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, but $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Name another one: make install PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	  echo "$(PYTHON) has no venv module; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@rm -f $(STAMP)
	@echo "Installing $$(grep -c '^[a-z].*==' requirements.lock) pinned packages into $(VENV), about a minute ..."
	@$(PYTHON) -m venv $(VENV)
	@awk '/^[a-z]/ {wanted = /^uv==/} wanted' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install -qq --no-deps --require-hashes -r $(VENV)/uv.lock
	@$(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock \
	  || $(BIN)/python -m pip install -qq --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@touch $(STAMP)

# Another environment than that of `make install`: whoever changes from one to the other removes .venv first.
production: ## Make .venv with what a deployment needs, from deploy/requirements.lock with its hashes, and nothing else
	@test ! -e $(STAMP) || { echo "$(VENV) is one for development; remove it first" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --no-deps --require-hashes -r deploy/requirements.lock
	@$(BIN)/python -m pip install -qq --no-deps .
	@$(BIN)/python -m compileall -qq $(VENV)

demo: install ## Publish sample towns from sample servers, without any network, and query them
	@$(BIN)/civitas demo

pictures: install ## Take the pictures of the documentation from the sample towns of make demo, with Chromium
	@$(BIN)/python scripts/take_pictures.py

dev: install dagster-home ## Start the Dagster UI and daemon on this machine; schedules start stopped (PORT=3000)
	$(if $(SHOWN),@echo "$(SHOWN)")
	@VIRTUAL_ENV="$(CURDIR)/$(VENV)" PATH="$(CURDIR)/$(BIN):$$PATH" DAGSTER_HOME="$(DAGSTER_HOME)" \
	  CIVITAS_UI_URL="$${CIVITAS_UI_URL:-http://localhost:$(PORT)}" CIVITAS_SCHEDULES="$${CIVITAS_SCHEDULES:-stopped}" DAGSTER_DISABLE_TELEMETRY=1 \
	  exec python -m civitas_assets.webserver.develop dev --use-active-venv --port $(PORT)

# Two processes that meet in a fresh home would race for its tables: one makes them beforehand.
dagster-home: install
	@case "$(DAGSTER_HOME)" in /*) ;; *) echo "DAGSTER_HOME must be an absolute path: $(DAGSTER_HOME)" >&2; exit 1 ;; esac
	@test -e "$(DAGSTER_HOME)/dagster.yaml" || { \
	  mkdir -p "$(DAGSTER_HOME)" \
	  && cp "deploy/dagster$${CIVITAS_DAGSTER_URL:+-postgres}.yaml" "$(DAGSTER_HOME)/dagster.yaml" \
	  && DAGSTER_HOME="$(DAGSTER_HOME)" $(BIN)/dagster instance migrate > "$(DAGSTER_HOME)/migrate.log" 2>&1; } || { \
	  cat "$(DAGSTER_HOME)/migrate.log" >&2; rm -f "$(DAGSTER_HOME)/dagster.yaml"; exit 1; }

# Three at a time, as those that wait for servers leave a core to others; and whatever the environment says, what a
# hundred processes import is compiled once.
test: install ## Run the tests, on two cores
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

test-quick: install ## Run the tests that need no servers, while one works
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n 2 --dist loadfile -m "not integration and not slow"

conform: install ## Try many documents that standards allow on the connectors (EXAMPLES=300)
	@CIVITAS_CONFORMANCE_EXAMPLES=$(EXAMPLES) $(BIN)/pytest -n 2 tests/conformance

dashboards: install ## Make Grafana's own front end of its npm packages, for the tests that open the dashboards
	@$(BIN)/python -m testbed.grafana_front

storm: install ## Kill, stop, fill up and mislead runs by seeds, and compare with calm ones (STORM_STEPS=40 STORM_SEEDS="1 2")
	@STORM_STEPS="$${STORM_STEPS:-40}" STORM_SEEDS="$${STORM_SEEDS:-1}" $(BIN)/pytest -n 2 -q tests/storm

# What takes a minute at the same time as what takes another.
lint: install dagster-home ## Check format, style, types, the direction of imports, SQL and Dagster's definitions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory --jobs 2 lint-types lint-sql lint-definitions

lint-types: install
	$(BIN)/mypy

lint-sql: install
	$(BIN)/sqlfluff lint --disable-progress-bar dbt_project

lint-definitions: install dagster-home
	@VIRTUAL_ENV="$(CURDIR)/$(VENV)" PATH="$(CURDIR)/$(BIN):$$PATH" DAGSTER_HOME="$(DAGSTER_HOME)" \
	  dg check defs --use-active-venv

format: install ## Bring Python and SQL into the common format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/sqlfluff fix --disable-progress-bar dbt_project

models: install ## Renew staging models from record types, and docs/models from the contracts of shared models
	@$(BIN)/civitas models --write

docs: install ## Make the documentation as a site in dist/docs
	@$(BIN)/python -m sphinx -q -W --keep-going -b html docs dist/docs
	@echo "open dist/docs/index.html"

bench: install ## Measure throughput and print the table of results
	@$(BIN)/python -m benchmarks

lock: install ## Renew requirements.lock from pyproject.toml, keeping pins that still fit (UPGRADE=--upgrade moves them all)
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --extra dev --extra bench --extra kubernetes \
	  --generate-hashes --no-strip-extras --fork-strategy fewest --no-emit-index-url --no-emit-find-links \
	  --custom-compile-command "make lock" --quiet $(UPGRADE) --output-file requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --extra kubernetes --extra parkapi --constraint requirements.lock \
	  --generate-hashes --no-strip-extras --fork-strategy fewest --no-emit-index-url --no-emit-find-links --no-annotate \
	  --custom-compile-command "make lock" --quiet --output-file deploy/requirements.lock
	@echo "requirements.lock is renewed; 'make install sbom' brings .venv and docs/dependencies up to it."

sbom: install ## Renew the bill of materials, the table of licences and what is known of vulnerabilities in docs/dependencies
	@$(BIN)/python scripts/describe_dependencies.py
	@$(BIN)/python scripts/write_vex.py

vulnerabilities: ## Ask what is known of vulnerabilities in deploy/requirements.lock (PIP_AUDIT=pip-audit, not installed here)
	@command -v $(PIP_AUDIT) > /dev/null || { \
	  echo "pip-audit is not here; install it in an environment of its own, and name it: PIP_AUDIT=..." >&2; exit 1; }
	@$(PIP_AUDIT) --strict --disable-pip --require-hashes --requirement deploy/requirements.lock

reuse: ## Ask the REUSE tool whether every file has a licence and a copyright (REUSE=reuse, not installed here)
	@command -v $(REUSE) > /dev/null || { \
	  echo "reuse is not here; install it in an environment of its own, and name it: REUSE=..." >&2; exit 1; }
	@$(REUSE) lint

clean: ## Remove .venv, build output and caches; data/ stays
	rm -rf $(VENV) dist dbt_project/target dbt_project/logs logs
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
