# make demo      set up what painting needs, and paint a first video
# make install   set up TensorFlow too: all engines, training, export
# make test      set up what the checks need too, and run the tests; make test-all: the slow ones too
# make browser   build the page that `vst export web` writes (needs Node.js)
# make bench     measure the speed: bench-results/speed.json and speed.md
# PYTHON=…       a Python that TensorFlow ships wheels for (default: the newest of 3.13 … 3.10 found)
# JOBS=N         test files that run side by side (default: 2, in test-all 3)

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.10 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& { command -v $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo install test test-all browser test-browser lint bench clean venv dev

demo: venv
	$(BIN)/vst demo --output out

install: $(VENV)/.installed-all

# A file's tests stay in one process: they share the clips that its fixtures make.
JOBS ?= 2
PYTEST = $(BIN)/python -m pytest -n $(JOBS) --dist loadfile

test: dev lint
	$(PYTEST) -m "not slow and not huge"

# Writes its tables of faults and bad input into docs/reliability.md and the README.
# A third process works while others wait for servers and processes that they killed.
test-all: JOBS := 3
test-all: dev lint
	$(PYTEST) --no-loadscope-reorder --write-reliability

# The page that `vst export web` writes, built into the package; needs Node.js from 20 on.
NODE_MODULES := browser/node_modules/.package-lock.json
browser: $(NODE_MODULES)
	cd browser && npm run build

# The browser's timeline and score reader against Python's cases.
test-browser: $(NODE_MODULES)
	cd browser && npm test

$(NODE_MODULES): browser/package-lock.json
	cd browser && npm ci --silent

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# About half an hour on two idle cores; SHARED is the folder of Magenta's models. QUICK=1: a trial.
SHARED ?= ../shared
bench: install
	$(BIN)/python bench/run_all.py --shared $(SHARED) --out bench-results $(if $(QUICK),--quick)

# With the tested versions, pip has nothing to search for: without them it gives up on `dev` after minutes.
PIP_INSTALL := $(BIN)/python -m pip install -q -c packaging/constraints.txt
# In an editable installation the code of this folder runs. Each of the three contains the one before.
venv: $(VENV)/.installed
dev: $(VENV)/.installed-dev

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python from 3.10 to 3.13 was found; install one, or run: make PYTHON=/path/to/python $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) has no venv module; on Debian and Ubuntu: apt install python3-venv"; rm -rf $(VENV); exit 1; }

$(VENV)/.installed: pyproject.toml packaging/constraints.txt $(BIN)/python
	$(PIP_INSTALL) -e .
	@touch $@

$(VENV)/.installed-all: pyproject.toml packaging/constraints.txt requirements.txt $(BIN)/python
	$(PIP_INSTALL) -r requirements.txt -e .
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-dev: pyproject.toml packaging/constraints.txt $(BIN)/python
	$(PIP_INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) out bench-results build dist *.egg-info
