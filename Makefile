# `make help` lists what there is. Everything lives in $(VENV); nothing outside this folder is touched.

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 4
PORT ?=
N ?= 20
SEED ?=

PY := $(VENV)/bin/python
# Part of the stamps' names: another Python means another virtual environment.
PYTHON_VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
RUNTIME := $(VENV)/.runtime-$(PYTHON_VERSION)
DEV := $(VENV)/.dev-$(PYTHON_VERSION)

# What is never imported need not be compiled; Python compiles the rest when it first imports it.
PIP_INSTALL = $(PY) -m pip install --quiet --no-input --no-compile --disable-pip-version-check --only-binary=:all: \
	--require-hashes
LOCK = .work/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url \
	--no-emit-find-links --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)
UV_VERSION := 0.13.9

# What is told of the whole bot, or of one of its parts over days.
STORIES = tests/e2e tests/crash tests/sandbox/test_demo.py \
	tests/store/test_storm.py tests/store/test_crash_stories.py tests/store/test_standby_process.py
# More at a time than there are processors: many of the tests wait for something.
PYTEST = $(PY) -m pytest --numprocesses=$(JOBS) --dist=worksteal -m 'not browser'

section = @printf '\n== %s\n' '$(1)'

# Some service managers and containers start without a home; pip and Chromium want one.
ifeq ($(strip $(HOME)),)
export HOME := $(CURDIR)/.work/home
endif

# Some environments forbid bytecode files: then each of the tests' many processes would compile the bot and the tests anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo dev test checks lint types imports bytecode unit stories torture bench browser screenshots format lock image clean

help: ## list these targets
	@echo 'make TARGET, where TARGET is one of:'
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '  %-11s %s\n' "$$name" "$$text"; done

demo: $(RUNTIME) ## the whole story on this machine, no account needed (PORT=8090 chooses the port)
	@$(PY) -m bot demo $(if $(PORT),--port $(PORT))

dev: $(DEV) ## what the checks need, installed into the virtual environment

# One after the other, whatever make was told: tests share the processors and the coverage files.
test: $(DEV) ## every check but the browser's: what a change must pass
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target checks
	@$(MAKE) --no-print-directory --jobs=1 unit
	@$(MAKE) --no-print-directory --jobs=1 stories

checks: types lint imports bytecode ## what needs no test to run: types, rules, format, floors

# Beside mypy, which keeps one processor busy: else each of pytest's processes would do it by itself, all at once.
bytecode: $(DEV) ## the bot and the tests compiled, as pytest wants them
	@$(PY) -m compileall -q bot
	@$(PY) -m pytest --collect-only -qq >/dev/null

lint: $(DEV) ## rules and format
	$(call section,Rules and format (ruff))
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check

types: $(DEV) ## types
	$(call section,Types (mypy))
	@$(PY) -m mypy

imports: $(DEV) ## the floors of the house
	$(call section,Floors (import-linter))
	@$(VENV)/bin/lint-imports --no-logo

# Measuring doubles a test's time, so the stories, which are the longest and of which none is needed to reach every
# branch, are left out of it. The core is held to every branch, the whole to 95 %; a total alone would hide a hole in the core.
unit: $(DEV) ## the rules of each room, with branch coverage (ARGS='…' goes to pytest)
	$(call section,Tests of each room (pytest))
	@rm -f .coverage .coverage.*
	@$(PYTEST) $(addprefix --ignore=,$(STORIES)) --cov --cov-report= $(ARGS)
	$(call section,Branch coverage: the core 100 %)
	@$(PY) -m coverage report --include='bot/core/*' --fail-under=100
	$(call section,Branch coverage: the whole 95 %)
	@$(PY) -m coverage report --fail-under=95

stories: $(DEV) ## the whole bot: end to end, in storms, killed and started again
	$(call section,Stories (pytest))
	@$(PYTEST) $(STORIES) $(ARGS)

torture: $(DEV) ## real bots killed at random over random histories (N=…, SEED=… repeats a run, POSTGRESQL=1)
	$(call section,Torture (SIGKILL))
	@PYTHONPATH=. $(PY) -m tests.crash.torture --histories $(N) --at-once $(JOBS) $(if $(SEED),--seed $(SEED)) $(if $(POSTGRESQL),--postgresql)

bench: $(DEV) ## what the bot takes, beside the least that any program would: ratios
	$(call section,Benchmarks)
	@PYTHONPATH=. $(PY) -m tests.benchmarks

browser: $(DEV) ## the demo's story in a real Chromium (CHROMIUM=… names another one)
	$(call section,Browser (Chromium))
	@command -v "$${CHROMIUM:-chromium}" >/dev/null || { echo 'Chromium is missing: apt install chromium' >&2; exit 1; }
	@$(PY) -m pytest --numprocesses=2 -m browser $(ARGS)

screenshots: $(DEV) ## the pictures of README and docs, taken from the demo and from a storm in that Chromium
	@PYTHONPATH=. $(PY) tests/project/screenshots.py
	@PYTHONPATH=. $(PY) tests/project/storm_pictures.py

format: $(DEV) ## put the code into the common format
	@$(PY) -m ruff check --fix
	@$(PY) -m ruff format

lock: .work/lock/bin/uv ## pin what pyproject.toml asks for (UPGRADE=1 takes the newest)
	@$(LOCK) pyproject.toml --extra postgresql -o requirements.txt
	@$(LOCK) pyproject.toml --extra postgresql --group dev -c requirements.txt -o requirements-dev.txt
	@$(LOCK) --group build -c requirements-dev.txt -o requirements-build.txt

image: ## the container image
	docker build --tag itempath-bot .

clean: ## take away what the targets above have made; the bot's database (data/) stays
	rm -rf $(VENV) .work build dist htmlcov .coverage .coverage.* .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNTIME): requirements.txt
	$(make-venv)
	@echo "Installing into $(VENV) …"
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(DEV): requirements-dev.txt
	$(make-venv)
	@echo "Installing into $(VENV), with what the checks need …"
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@ $(RUNTIME)

# Apart from $(VENV), which needs the locks that this writes.
.work/lock/bin/uv:
	@$(PYTHON) -m venv --clear .work/lock
	@.work/lock/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

define make-venv
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo "The bot needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo missing). Name another one: make PYTHON=python3.13 …" >&2; exit 1; }
@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	echo "'$(PYTHON)' cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
@$(PY) -c 'import pip, sys; sys.exit("%d.%d" % sys.version_info[:2] != "$(PYTHON_VERSION)")' 2>/dev/null \
	|| $(PYTHON) -m venv --clear $(VENV)
endef
