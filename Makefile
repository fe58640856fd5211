# Two commands for a newcomer: `make demo` and `make test`. Both set up .venv first. `make help` lists the others.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable

.PHONY: help demo test test-slow lint docs look bench lowest release mutants pins hooks clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 16

demo: $(VENV)/.installed  ## train on the films that ship, and look at the model (seconds)
	$(BIN)/vectable demo --out demo

test: $(VENV)/.test  ## the tests but the slow ones (minutes)
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m "not slow"

test-slow: $(VENV)/.test-slow  ## the slow ones alone
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m slow

# tools/type_ignores.py: the two numbers only ever go down, to 10 and 0.
lint: $(VENV)/.test $(VENV)/.lint  ## style, types, floors of the house; what pre-commit runs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python tools/type_ignores.py --at-most 10 src
	$(BIN)/python tools/phrases.py src docs mkdocs.yml README.md CONTRIBUTING.md

docs: $(VENV)/.docs  ## the book, into site/: runs the code of every page; needs no network once set up
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	$(BIN)/python tools/check_links.py site

look: docs $(VENV)/.test-slow  ## look at the book in Chromium: what is clipped, too faint or not found
	$(BIN)/python tools/look_at_book.py site

# With torch as constraints.txt has it: torch's older builds for a CPU alone are not on PyPI.
LOWEST := public_names frames files categorify ratings collab bayes artifact tabular table_encoders parquet_table onnx \
	estimators vision image_models workbooks lab_pieces compiled cli

lowest: .venv-lowest/.installed  ## tests of each room with the lowest versions that pyproject.toml allows
	.venv-lowest/bin/python -m pytest --numprocesses auto --dist worksteal -m "not slow" $(LOWEST:%=tests/test_%.py)

# docs/releasing.md says the rest.
release: $(VENV)/.dev  ## build wheel and archive, install each with the lowest and the newest dependencies, and use them
	$(BIN)/python tools/check_release.py

# Minutes a file and more: a few files, `make mutants FILES="training/losses.py" SAMPLE=10`, or all overnight.
SAMPLE := 3
mutants: $(VENV)/.dev  ## change single lines of the package and see which tests notice; report in mutants/
	OMP_NUM_THREADS=1 $(BIN)/python tools/mutants.py --sample $(SAMPLE) $(FILES)

TABLES := adult tables lesson_table rossmann entity_embeddings states_map flights_map

bench: .venv-bench/.installed  ## compare with the peers, in .venv-bench; needs a C++ compiler, and VECTABLE_DATA for MovieLens
	for name in lesson_run folds bayes_folds bayes_random bayes_cold bayes_scale recommend latency scale hymenoptera $(TABLES); do \
		.venv-bench/bin/python benchmarks/$$name.py; done

# Versions already there stay unless pyproject.toml asks for others; UPGRADE=--upgrade takes the newest of all.
PINS := UV_CUSTOM_COMPILE_COMMAND="make pins" $(BIN)/uv pip compile pyproject.toml --no-emit-package vectable --no-annotate --quiet
pins: $(VENV)/.dev  ## write constraints.txt and constraints-lowest.txt from pyproject.toml
	$(PINS) --extra dev --universal --python-version 3.11 $(UPGRADE) --output-file constraints.txt
	grep -E '^torch(vision)?==' constraints.txt | $(PINS) --extra test --python-version 3.11 --resolution lowest-direct \
		--upgrade --constraint - --output-file constraints-lowest.txt

hooks: $(VENV)/.dev  ## run make lint before each commit from now on
	$(BIN)/pre-commit install

.venv-bench/.installed: benchmarks/requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv-bench
	CXXFLAGS="-O3 -march=native -DUSEAVX -DUSEOMP -fopenmp" LDFLAGS="-fopenmp" .venv-bench/bin/python -m pip install \
		--quiet --no-cache-dir --no-binary libmf --requirement benchmarks/requirements.txt --editable .
	touch $@

.venv-lowest/.installed: pyproject.toml constraints-lowest.txt
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --constraint constraints-lowest.txt --editable '.[test]'
	touch $@

clean:  ## remove what the other targets made
	rm -rf $(VENV) .venv-bench .venv-lowest .cache dist demo site mutants

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) .
	touch $@

$(VENV)/.test: $(VENV)/.installed
	$(INSTALL) '.[test]'
	touch $@

$(VENV)/.test-slow: $(VENV)/.test
	$(INSTALL) '.[test-slow]'
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
