# Two commands for a newcomer: `make demo` and `make test`. Both set up .venv first. `make help` lists the others.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable

.PHONY: help demo test test-slow lint docs bench pins clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 16

demo: $(VENV)/.installed  ## train on the films that ship, and look at the model (seconds)
	$(BIN)/vectable demo --out demo

test: $(VENV)/.test  ## the tests but the slow ones (minutes)
	$(BIN)/python -m pytest --numprocesses auto -m "not slow"

test-slow: $(VENV)/.test  ## the slow ones alone
	$(BIN)/python -m pytest --numprocesses auto -m slow

# tools/type_ignores.py: the two numbers only ever go down, to 10 and 0.
lint: $(VENV)/.test $(VENV)/.lint  ## style, types, floors of the house; what pre-commit runs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python tools/type_ignores.py --at-most 47 --without-reason 46 src

docs: $(VENV)/.docs  ## the book, into site/: runs the code of every page; needs no network once set up
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

TABLES := adult lesson_table rossmann entity_embeddings states_map flights_map

bench: .venv-bench/.installed  ## compare with the peers, in .venv-bench; needs a C++ compiler, and VECTABLE_DATA for MovieLens
	for name in lesson_run folds bayes_folds bayes_random bayes_cold bayes_scale recommend latency scale hymenoptera $(TABLES); do \
		.venv-bench/bin/python benchmarks/$$name.py; done

# Versions already there stay unless pyproject.toml asks for others; UPGRADE=--upgrade takes the newest of all.
pins: $(VENV)/.dev  ## write constraints.txt anew from pyproject.toml
	UV_CUSTOM_COMPILE_COMMAND="make pins" $(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--no-emit-package vectable --no-annotate $(UPGRADE) --quiet --output-file constraints.txt

.venv-bench/.installed: benchmarks/requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv-bench
	CXXFLAGS="-O3 -march=native -DUSEAVX -DUSEOMP -fopenmp" LDFLAGS="-fopenmp" .venv-bench/bin/python -m pip install \
		--quiet --no-cache-dir --no-binary libmf --requirement benchmarks/requirements.txt --editable .
	touch $@

clean:  ## remove what the other targets made
	rm -rf $(VENV) .venv-bench dist demo site

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) .
	touch $@

$(VENV)/.test: $(VENV)/.installed
	$(INSTALL) '.[test]'
	touch $@

$(VENV)/.lint: $(VENV)/.test
	$(INSTALL) '.[lint]'
	touch $@

$(VENV)/.docs: $(VENV)/.installed
	$(INSTALL) '.[docs]'
	touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(INSTALL) '.[dev]'
	touch $@
