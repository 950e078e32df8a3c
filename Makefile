# Each target sets up what it needs itself, and skips what is there already: see devcluster/setup.py.
#   make demo [KEEP=1] [DEMO_LANG=zh]     make test [ARGS="tests/volumes -x"]     make bench [ARGS=...]

PYTHON ?= python3
# Side by side, a file of tests stays in one process: many wait for clusters and servers, so more than there are cores.
# In their own order: xdist would begin with files of many tests, and end with those that take minutes.
WORKERS ?= 3
RUN := .venv/bin/python
SETUP := @$(PYTHON) -m devcluster.setup
export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo pictures test test-fast lint format bench bench-full docs release clean

help: ## say what there is
	@echo "make TARGET, where TARGET is one of"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

setup: ## install Debian packages, .venv and the control plane, and do nothing else
	$(SETUP) test

demo: ## a claim that stays Pending, and its cure, for real; KEEP=1 leaves it running
	$(SETUP) cluster
	@KEEP=$(KEEP) DEMO_LANG=$(DEMO_LANG) $(RUN) -m devcluster.demo

pictures: ## README's pictures, recorded from the demo: docs/pictures/
	$(SETUP) cluster
	@$(RUN) -m devcluster.pictures
	@$(RUN) -m deploy  # KubeSphere's extension shows some of them

test: ## all tests, against the real parts; ARGS="-k word" are pytest's
	$(SETUP) test
	@$(RUN) -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder --durations 20 $(ARGS)

test-fast: ## what needs no cluster, no server, no root and no patience: for every day, in less than a minute
	$(SETUP) lint
	@$(RUN) -m pytest --fast --numprocesses $(WORKERS) --dist loadfile -rfE $(ARGS)

lint: ## style, types and the layers of the house
	$(SETUP) lint
	@$(RUN) -m ruff check
	@$(RUN) -m ruff format --check
	@$(RUN) -m mypy
	@.venv/bin/lint-imports

format: ## put the code in the form that lint wants
	$(SETUP) lint
	@$(RUN) -m ruff check --fix
	@$(RUN) -m ruff format

bench: ## is it as fast as it should be? Five minutes; a table, and build/bench.json
	$(SETUP) cluster
	@$(RUN) -m benchmarks $(ARGS)

bench-full: ## the same with more claims, and starts, memory, waits and profiles
	$(SETUP) cluster
	@$(RUN) -m benchmarks --full $(ARGS)

docs: ## the documentation as a site, into build/site; every link is checked
	$(SETUP) lint
	@$(RUN) -m website $(ARGS)

release: ## everything that people get, into dist/: the command, the image, packages; for amd64 and arm64
	$(SETUP) release
	@$(RUN) -m release $(ARGS)

clean: ## stop the dev cluster; remove .venv and everything that was made here (~/.cache/berth stays)
	@$(PYTHON) -m devcluster down --quiet
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache src/*.egg-info
	@find . -name __pycache__ -prune -exec rm -rf {} +
