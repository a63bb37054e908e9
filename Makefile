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
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not real and not slow"

test-all: $(VENV)/.ready  ## and those on the real data, and the slow ones
	$(BIN)/python -m pytest -q -n 2 --dist worksteal

check: $(VENV)/.ready
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/mypy
	$(BIN)/python benchmarks/tables.py --check

# What fits in an hour on two quiet cores; each says in its first lines how to run it at length.
PEER ?= .venv-peer
bench: $(VENV)/.ready $(PEER)/.ready
	$(BIN)/python benchmarks/light.py
	$(BIN)/python benchmarks/demo.py --runs 1
	$(BIN)/python benchmarks/kernels.py
	$(BIN)/python benchmarks/report.py
	$(BIN)/python benchmarks/recipes.py --recipes lenet5,brownlee,three_conv,custom_cnn,mlp
	$(BIN)/python benchmarks/inference.py --peer-python $(PEER)/bin/python --rounds 1
	$(BIN)/python benchmarks/three_conv_vs_keras.py --peer-python $(PEER)/bin/python --rounds 1 --jit off
	$(BIN)/python benchmarks/time_to_accuracy.py --peer-python $(PEER)/bin/python --rounds 1 --peers 1 --quarter-hours 1 --jit off

tables: $(VENV)/.ready
	$(BIN)/python benchmarks/tables.py

# The exact versions CI runs. On PyPI the Linux wheel of torch is the CUDA build; for the CPU alone see the README.
$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

$(PEER)/.ready: benchmarks/peers/requirements.txt
	$(PYTHON) -m venv $(PEER)
	$(PEER)/bin/python -m pip install --quiet -r benchmarks/peers/requirements.txt
	touch $@

clean:
	rm -rf $(VENV) $(PEER) build dist .pytest_cache .mypy_cache .ruff_cache
