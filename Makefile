# Every command of this workspace; `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-browser test-system test-oldest test-install nightly mutate simulate lint format bench bench-agent bench-isolation bench-report bench-report-formats bench-ingest bench-pages bench-postgresql power-loss tamper fuzz proof soak package verify-html bench-verify-html docs manuals lock clean

BIN := .venv/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate
PYTEST := $(BIN)/pytest
JOBS ?= 2
OLDEST ?= python3.10
OUTAGES ?= 2000
HOURS ?= 1
SEED ?= 1
SAMPLE ?= 500
LARGE ?= /var/cache/detak-test-stores/large
ARGS ?=

# The first Python on the PATH that is new enough; `make PYTHON=/path/to/python3 …` names another.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell $(name) -c '$(NEW_ENOUGH)' 2>/dev/null && echo $(name))))

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s%s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  make test ARGS='-k journal' hands ARGS to pytest; JOBS=$(JOBS) is the number of tests at a time."

demo: .venv/ready ## Run a collector and four agents on this machine, with something to break
	@exec $(BIN)/python config/demo/demo.py

test: .venv/ready-for-development ## Run every test that this machine can run, in random order
	$(PYTEST) -n $(JOBS) --dist worksteal $(ARGS)

test-browser: .venv/ready-for-development ## Run the tests that drive a real Chromium
	$(PYTEST) -n $(JOBS) -m browser $(ARGS)

test-system: .venv/ready-for-development ## Run the tests that start real processes
	$(PYTEST) -n $(JOBS) -m system $(ARGS)

test-oldest: .venv-oldest/ready ## Run the tests of agent and wire on Python 3.10 (OLDEST=/path/to/python3.10)
	.venv-oldest/bin/pytest -n $(JOBS) tests/wire tests/agent $(ARGS)

test-install: .venv/ready-for-development ## Lead an installation through its whole life in freshly booted systems, from the packages on (as root)
	@$(MAKE) package ARGS='--machine amd64'
	@mkdir -p build; code=0; \
	DETAK_REQUIRE_PEERS=1 DETAK_NIGHTLY=1 $(PYTEST) -n $(JOBS) -o faulthandler_timeout=900 $(ARGS) tests/system/test_install_life*.py \
	    | tee build/test-install.txt || code=$$?; \
	count() { tail -n 1 build/test-install.txt | grep -oE "[0-9]+ $$1" | grep -oE '^[0-9]+' || echo 0; }; \
	echo "$$(count passed) passed, $$(($$(count failed) + $$(count error))) failed"; \
	exit $$code

nightly: .venv/ready-for-development ## Run the long proofs: the suite thrice with more examples, big simulations, mutation
	$(BIN)/python bench/pages_store.py $(LARGE)
	$(MAKE) test-install
	for round in 1 2 3; do DETAK_REQUIRE_PEERS=1 DETAK_NIGHTLY=1 DETAK_LARGE_STORE=$(LARGE) $(PYTEST) -n $(JOBS) -o faulthandler_timeout=1800 --hypothesis-profile=nightly --ignore-glob='*/test_install_life*' $(ARGS); done
	$(BIN)/python bench/simulate.py --outages 50000 --seed $(SEED) --jobs $(JOBS)
	$(BIN)/python bench/simulate.py --outages 1000000 --seed $(SEED) --jobs $(JOBS) --generated
	$(MAKE) mutate power-loss fuzz tamper
	$(MAKE) proof ARGS='--peers'
	$(MAKE) soak
	$(MAKE) bench-isolation ARGS='--minutes 60'

mutate: .venv/ready-for-development ## Break the engine in SAMPLE=500 places, one at a time, and list what no test notices
	$(BIN)/python bench/mutate.py --sample $(SAMPLE) --seed $(SEED) --jobs $(JOBS) $(ARGS)

simulate: .venv/ready ## Play OUTAGES=2000 of SEED=1 in virtual time against the truth (ARGS=--generated: the engine alone)
	$(BIN)/python bench/simulate.py --outages $(OUTAGES) --seed $(SEED) --jobs $(JOBS) $(ARGS)

lint: .venv/ready-for-development ## Check style, types and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --python-version 3.10 wire agent
	$(BIN)/lint-imports

format: .venv/ready-for-development ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: .venv/ready ## Measure what the documents' numbers claim
	$(BIN)/python bench/wire.py

bench-agent: .venv/ready-for-development ## Measure what an agent costs a node, beside the agents people know
	$(BIN)/python bench/agent_backlog.py
	$(BIN)/python bench/agent.py $(ARGS)

bench-isolation: .venv/ready-for-development ## Prove for a while that no check of an agent holds up another, however hostile
	$(BIN)/python bench/isolation.py $(ARGS)

bench-report: .venv/ready ## Measure what a year's report costs over 100, 300 and 1,000 services
	$(BIN)/python bench/report.py $(ARGS)

bench-report-formats: .venv/ready ## Measure what writing a year's report costs in each format
	$(BIN)/python bench/report_formats.py $(ARGS)

bench-ingest: .venv/ready ## Measure what a collector takes on one core, with and without TLS; fails where a requirement is missed
	$(BIN)/python bench/ingest.py $(ARGS)

bench-pages: .venv/ready-for-development ## Ask for the pages of 200 services, 1,000 nodes and two years, in six minutes
	$(BIN)/python bench/pages.py $(ARGS)

bench-postgresql: .venv/ready-for-development ## Measure what a beat and a node-month cost in a PostgreSQL store
	$(BIN)/python bench/postgresql.py $(ARGS)

bench-verify-html: .venv/ready-for-development ## Check a year of 200 services by detak-verify.pyz and in a browser
	$(BIN)/python bench/verify_html.py $(ARGS)

tamper: .venv/ready-for-development ## Alter a real store's ledger in 10,000 ways, and find every one
	$(BIN)/python bench/tamper.py --jobs $(JOBS) $(ARGS)

fuzz: .venv/ready-for-development ## Throw 1.2 million mutated inputs at every reader of foreign bytes, and requests at every endpoint
	$(BIN)/python bench/fuzz.py --seed $(SEED) --jobs $(JOBS) $(ARGS)

power-loss: .venv/ready ## Prove that what is acknowledged survives a loss of power, in every state a disk may be left in
	$(BIN)/python bench/power_loss.py --seed $(SEED) --jobs $(JOBS) $(ARGS)

proof: .venv/ready-for-development ## Break real programs in nearly sixty ways, 300 outages, and hold the figures against the truth (as root)
	$(BIN)/python bench/proof.py --seed $(SEED) $(ARGS)

soak: .venv/ready-for-development ## Let a pair, 2,000 simulated nodes and ten real ones run for HOURS=1 while all kinds of things go wrong
	$(BIN)/python bench/soak.py --hours $(HOURS) --seed $(SEED) $(ARGS)

package: .venv/ready ## Build packages (.deb, .rpm), wheels and detak-verify.pyz into dist/ (ARGS='--machine amd64 --release 2')
	@rm -rf dist
	@export SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null || echo 315532800); \
	for part in wire agent collector; do \
	    (cd $$part && ../$(BIN)/python -m hatchling build -d ../dist); \
	done
	@$(BIN)/python packaging/verify.py -o dist/detak-verify.pyz
	@export SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null || echo 315532800); \
	$(BIN)/python packaging/builder -o dist $(ARGS)

verify-html: .venv/ready ## Build detak-verify.html into dist/: a bundle checked in any browser, offline (fetches Pyodide by npm)
	@$(BIN)/python packaging/verify_html.py -o dist/detak-verify.html

docs: .venv/ready-for-development ## Build the documents as a site into build/docs/site; fails where a link leads nowhere
	@$(BIN)/python packaging/manuals/make_site.py build/docs

manuals: .venv/ready-for-development ## Write man pages, shell completion and docs/commands.md anew from the programs and documents
	@$(BIN)/python packaging/manuals/make_manuals.py

lock: .venv/ready ## Pin what the pyproject files ask for in requirements/*.txt (ARGS=--upgrade: its newest releases)
	$(INSTALL) uv
	$(LOCK) $(ARGS) --python-version 3.10 --no-emit-package detak-wire agent/pyproject.toml -o requirements/agent.txt
	$(LOCK) $(ARGS) --python-version 3.11 --no-emit-package detak-wire -c requirements/agent.txt \
	    --extra ldap --extra notify --extra seal collector/pyproject.toml agent/pyproject.toml -o requirements/collector.txt
	$(LOCK) $(ARGS) --python-version 3.10 --no-emit-package detak-wire --no-emit-package detak-agent \
	    -c requirements/agent.txt --extra all agent/pyproject.toml -o requirements/drivers.txt
	$(LOCK) $(ARGS) --python-version 3.10 -c requirements/agent.txt requirements/build.in -o requirements/build.txt
	$(LOCK) $(ARGS) --python-version 3.10 -c requirements/agent.txt -c requirements/build.txt \
	    -c requirements/collector.txt -c requirements/drivers.txt requirements/dev.in -o requirements/dev.txt
	$(LOCK) $(ARGS) --python-version 3.11 -c requirements/agent.txt -c requirements/build.txt \
	    -c requirements/collector.txt -c requirements/drivers.txt -c requirements/dev.txt requirements/docs.in -o requirements/docs.txt
	$(LOCK) $(ARGS) --python-version 3.11 -c requirements/agent.txt -c requirements/build.txt -c requirements/collector.txt \
	    -c requirements/drivers.txt -c requirements/dev.txt -c requirements/docs.txt requirements/fleet.in -o requirements/fleet.txt

clean: ## Remove everything that was made here, the virtual environment too
	rm -rf .venv .venv-oldest .demo dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find wire agent collector tests bench config -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/ready: requirements/collector.txt requirements/build.txt wire/pyproject.toml agent/pyproject.toml collector/pyproject.toml
	@if [ -z "$(PYTHON)" ]; then \
	    echo "Detak needs Python 3.11 or newer, and none is on the PATH (tried python3, python3.13, python3.12, python3.11)." >&2; \
	    echo "Install one, or name it: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; \
	    exit 1; \
	fi
	@if [ ! -x $(BIN)/pip ]; then \
	    echo "Making .venv with $$($(PYTHON) --version) …"; \
	    rm -rf .venv; \
	    $(PYTHON) -m venv .venv || { echo "$(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }; \
	fi
	@echo "Installing Detak into .venv …"
	@$(INSTALL) --require-hashes -r requirements/collector.txt -r requirements/build.txt
	@$(INSTALL) --no-build-isolation --no-deps -e wire -e agent -e collector
	@touch $@

.venv/ready-for-development: .venv/ready requirements/drivers.txt requirements/dev.txt requirements/docs.txt
	@echo "Installing what tests and linters need into .venv …"
	@$(INSTALL) --require-hashes -r requirements/drivers.txt -r requirements/dev.txt -r requirements/docs.txt
	@touch $@

.venv-oldest/ready: requirements/agent.txt requirements/drivers.txt requirements/build.txt requirements/dev.txt wire/pyproject.toml agent/pyproject.toml
	@$(OLDEST) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 10))' || \
	    { echo "$(OLDEST) is no Python 3.10; name one: make OLDEST=/path/to/python3.10 $(MAKECMDGOALS)" >&2; exit 1; }
	@rm -rf .venv-oldest
	@$(OLDEST) -m venv .venv-oldest
	@.venv-oldest/bin/pip install --quiet --disable-pip-version-check --require-hashes \
	    -r requirements/agent.txt -r requirements/drivers.txt -r requirements/build.txt -r requirements/dev.txt
	@.venv-oldest/bin/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e wire -e agent
	@touch $@
