# The developers' verbs. `make demo` and `make test` need nothing but Python 3.11+: they make .venv themselves.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo serve test test-all check bench tables clean

demo: $(VENV)/.ready
	$(BIN)/hangtag demo

serve: $(VENV)/.ready  ## the page and the HTTP service, until Ctrl-C
	$(BIN)/hangtag serve

test: $(VENV)/.ready  ## fast tests on drawn data, no network
	$(BIN)/python -m pytest -q -n 2 -m "not real and not slow"

test-all: $(VENV)/.ready  ## and those on the real data, and the slow ones
	$(BIN)/python -m pytest -q -n 2

check: $(VENV)/.ready
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/mypy
	$(BIN)/python benchmarks/tables.py --check

bench: $(VENV)/.ready
	$(BIN)/python benchmarks/recipes.py
	$(BIN)/python benchmarks/light.py

tables: $(VENV)/.ready
	$(BIN)/python benchmarks/tables.py

# The exact versions CI runs. On PyPI the Linux wheel of torch is the CUDA build; for the CPU alone see the README.
$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
