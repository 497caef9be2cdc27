# make demo    the whole chain on the sample slide (about seven minutes on two cores); writes to demo/
# make test    lint, types, import rules and every test
# make lint    lint, types and import rules
# make docs    docs/settings.md anew from the settings classes
# make setup   the environment alone: .venv, system packages (Debian), pinned constraints
#
# PYTHON=python3.12 chooses the interpreter; PIP_ARGS="..." is handed on to pip; TEST_WORKERS=1 tests in one process.

PYTHON ?= python3
PIP_ARGS ?=
TEST_WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Two torch processes on few cores slow each other down tenfold by spinning.
export OMP_WAIT_POLICY := passive

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format docs clean

help:
	@sed -n '/^# make/s/^# //p' Makefile

setup: $(READY)

$(READY): pyproject.toml constraints.txt scripts/setup.sh
	@PYTHON="$(PYTHON)" PIP_ARGS="$(PIP_ARGS)" VENV="$(VENV)" bash scripts/setup.sh
	@touch $@

demo: $(READY)
	$(BIN)/python examples/demo.py --out demo

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# files are shared out to two processes, each with a window system of its own
test: lint
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)
	$(BIN)/python -m napari_c2lst.cli.reference

clean:
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
