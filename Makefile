# make dataset   builds the sample dataset, and prints its paths   (CONFIG=configs/solo.cfg: another one)
# make demo      starts the web demo   (COLORIZER=data/quick/colorizer.safetensors: with your own colorizer)
# make test      runs the linter, the type checker and the tests
# make lint      runs the linter and the type checker only
# make bench     runs the benchmarks and writes their tables to benchmarks/results/
# make clean     removes the environment and everything that was built, downloads included

PYTHON ?= python3
CONFIG ?= luigi.cfg
COLORIZER ?=
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := dataset
.PHONY: dataset demo test lint bench clean

dataset: $(VENV)/installed
	@LUIGI_CONFIG_PATH=$(CONFIG) $(BIN)/senga build

demo: $(VENV)/installed
	@$(BIN)/senga demo $(if $(COLORIZER),--colorizer "$(COLORIZER)")

test: lint
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

lint: $(VENV)/installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(VENV)/installed-dev
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script --save || exit 1; done

clean:
	rm -rf $(VENV) data build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "Senga needs Python 3.10 or newer: run make with PYTHON=/path/to/python3.11, for example."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "Python could not make an environment: on Debian and Ubuntu, install the package python3-venv."; exit 1; }

$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing Senga into $(VENV); the first time this takes a minute or more, most of it for PyTorch."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@echo "Installing what the tests need."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	@touch $@
