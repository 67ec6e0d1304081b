# Two commands matter: `make up` runs the whole chain on this machine, `make test` runs every test that can run here.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help install up down test lint bench clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo '  ARGS passes flags on: make up ARGS="--port 8051 --rate 500"'

$(VENV)/.run: setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python must be 3.11 or newer; got %d.%d; try make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dashboard,local]'
	@touch $@

$(VENV)/.test: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dashboard,local,test]'
	@touch $@

install: $(VENV)/.test ## make .venv with everything in it

up: $(VENV)/.run ## run the whole chain here; Ctrl-C stops it
	@$(BIN)/loglake up $(ARGS)

down: $(VENV)/.run ## stop what `make up ARGS=--detach` left running
	@$(BIN)/loglake down $(ARGS)

test: $(VENV)/.test ## run every test that can run here, two files at a time, and say what was skipped
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/.test ## format, style, types, the one arrow, the templates
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint cloudformation/*.yaml

bench: $(VENV)/.test ## measure against the named peers, as ratios in one run
	$(BIN)/python -m benchmarks $(ARGS)

clean: ## remove .venv and caches; never the data directory
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
