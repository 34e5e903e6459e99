# The targets of spyglass; `make help` prints the sentences behind ##.
PYTHON ?= python3
DEMO_SECONDS ?= 60
JOBS ?= auto
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup programs browser demo down check test test-frameworks gen lock clean

help: ## Print this list.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

setup: .venv/.done ## Make .venv with everything that is needed to run, test and develop.

.venv/.done: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("spyglass needs Python 3.11 or newer; run: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

programs: setup ## Build the Go programs of the stack (once; about ten minutes on two cores).
	$(BIN)/spyglass programs build

# The demo's texts are invented, so they may be shown; the collector applies the same setting to every sender.
demo: export SPYGLASS_CONTENT ?= full
demo: programs ## Start the stack, run a demo fleet for a minute, print what arrived and write a report.
	$(BIN)/spyglass up --detach
	$(BIN)/spyglass demo --seconds $(DEMO_SECONDS) --report spyglass-report.html

down: setup ## Stop the stack.
	$(BIN)/spyglass down

check: setup ## Lint, check types, and compare generated files with their sources.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/spyglass normalise check
	$(BIN)/spyglass dashboards check
	$(BIN)/python docs/build.py check
	test -z "$$(gofmt -l deploy/go/collector/normalise deploy/go/collector/privacy deploy/go/collector/room deploy/go/collector/steady)" || { gofmt -d deploy/go/collector; exit 1; }

test: programs browser ## Run all tests.
	$(BIN)/pytest --numprocesses $(JOBS) --dist loadgroup

comma := ,
test-frameworks: programs ## Run real frameworks, each in its own environment (ONLY=a,b some of them, NEWEST=1 the newest).
	$(BIN)/python -m tests.frameworks $(subst $(comma), ,$(ONLY)) $(if $(NEWEST),--newest)

browser: # The tests of pages run in a real Chromium.
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
	|| { echo "installing Chromium from Debian's packages" && apt-get update -qq && apt-get install -qq --yes --no-install-recommends chromium >/dev/null; } \
	|| { echo "The tests of pages need Chromium, which could not be installed: install the package chromium."; exit 1; }

gen: setup ## Write all generated files again.
	$(BIN)/spyglass normalise build
	$(BIN)/spyglass dashboards build
	$(BIN)/python -m spyglass.probes.document
	$(BIN)/python docs/build.py

lock: setup ## Resolve requirements.lock, and those of tests/frameworks, again.
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra all --group dev pyproject.toml --output-file requirements.lock
	$(BIN)/python -m tests.frameworks.environments

clean: ## Remove .venv and what tools leave behind; data and built programs stay.
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
