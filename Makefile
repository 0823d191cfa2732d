# Every target sets up what it needs in .venv, says what it does, and does it only once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Two worker processes: one for each core of a small machine.
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo test fuzz lint format wheel clean

help:  ## what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY)  ## the virtual environment with everything in it

$(READY): pyproject.toml
	@echo "== Setting up $(VENV): a Python environment with torch and everything neuralamp needs (a few minutes, once)"
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		|| { echo "Python 3.11, 3.12 or 3.13 is needed; $$($(PYTHON) --version) is here. Say which: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@echo "== 1 of 2: torch 2.13.0"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	@echo "== 2 of 2: neuralamp and its tools"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(READY)

demo: $(READY)  ## a capture of a made-up amp from a made-up riff, trained and played, in under two minutes
	$(BIN)/neuralamp demo

test: $(READY)  ## every test; recordings are found in NEURALAMP_DATA, by default ../shared/data
	$(BIN)/python -m pytest --quiet --numprocesses $(WORKERS) --dist loadgroup -m "not alone"
	$(BIN)/python -m pytest --quiet -m alone

fuzz: $(READY)  ## 20000 hostile files for every reader, about twenty minutes; what fails is kept in tests/fuzz/kept
	$(BIN)/python -m tests.fuzz

lint: $(READY)  ## style, types, and that imports go down only
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)  ## put the code in the one format
	$(BIN)/ruff check --fix --quiet
	$(BIN)/ruff format

wheel: $(READY)  ## a wheel in dist/
	$(BIN)/python -m build --wheel

clean:  ## away with what was made
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache neuralamp-demo
