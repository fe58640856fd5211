# Two commands for a newcomer: `make demo` and `make test`. Both set up .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint docs bench clean

demo: $(VENV)/.installed
	$(BIN)/vectable demo --out demo

test: $(VENV)/.test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto

lint: $(VENV)/.test $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The book, into site/: runs the code of every page and draws its pictures; needs no network once set up.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

TABLES := adult lesson_table rossmann entity_embeddings states_map flights_map

# Beside the peers, in an environment of their own; needs a C++ compiler, and VECTABLE_DATA for MovieLens.
bench: .venv-bench/.installed
	for name in lesson_run folds bayes_folds bayes_random bayes_cold bayes_scale recommend latency scale hymenoptera $(TABLES); do \
		.venv-bench/bin/python benchmarks/$$name.py; done

.venv-bench/.installed: benchmarks/requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv-bench
	CXXFLAGS="-O3 -march=native -DUSEAVX -DUSEOMP -fopenmp" LDFLAGS="-fopenmp" .venv-bench/bin/python -m pip install \
		--quiet --no-cache-dir --no-binary libmf --requirement benchmarks/requirements.txt --editable .
	touch $@

clean:
	rm -rf $(VENV) .venv-bench dist demo site

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@

$(VENV)/.lint: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[lint]'
	touch $@

$(VENV)/.docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $@
