# Two commands on a fresh machine with Python 3.11 and pip: `make all` and `make test`.
# Both set up .venv when it is missing or the pinned packages have changed, and only then.

.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

# The Python that makes .venv must not be the one in it, which comes first where .venv is activated.
OUTSIDE := $(shell echo "$$PATH" | tr : '\n' | grep -v -F -x "$(CURDIR)/.venv/bin" | paste -s -d : -)
ifeq ($(origin PYTHON),undefined)
PYTHON := $(or $(shell PATH="$(OUTSIDE)" command -v python3.11 python3.12 python3.13 python3 | head -n 1),python3)
endif
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.physicalcpu 2>/dev/null || echo 2)
# Further words for snakemake, e.g. make all ARGS="--configfile mine.yaml", and for pytest.
ARGS ?=

BIN := .venv/bin
# An environment is known by what it was made from and where, not by file times: a stamp carries the
# checksum in its name. The folder counts because scripts of an environment hold its absolute path.
PACKAGES := .venv/.packages-$(shell (pwd; cat requirements.lock) | cksum | tr ' ' '-')
PROJECT := .venv/.project-$(shell (pwd; cat pyproject.toml) | cksum | tr ' ' '-')
LINTERS := .venv-lint/.packages-$(shell (pwd; cat requirements-lint.lock) | cksum | tr ' ' '-')

# Rules run `python` and notebooks start kernels: all of it from .venv, whatever is active outside.
export PATH := $(CURDIR)/$(BIN):$(OUTSIDE)
export PYTHONNOUSERSITE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
# Snakemake ends before it reads anything where the user's folder for caches cannot be made.
ifneq ($(shell mkdir -p "$${XDG_CACHE_HOME:-$$HOME/.cache}/snakemake" 2>/dev/null && echo made),made)
export XDG_CACHE_HOME := $(CURDIR)/.snakemake/cache
endif

.PHONY: all
all: setup ## reproduce everything at the scale of config.yaml (CORES=8, ARGS="--configfile mine.yaml")
	@$(BIN)/python -m plausible.config --check-arguments $(ARGS)
	$(BIN)/snakemake --cores $(CORES) all $(ARGS)

.PHONY: test
test: setup ## run the tests on all cores (ARGS="-k verdicts")
	$(BIN)/python -m pytest --numprocesses $(CORES) --dist loadfile $(ARGS)

.PHONY: test-quick
test-quick: setup ## run the tests that take seconds: no workflow, no pictures of parts
	$(BIN)/python -m pytest --numprocesses $(CORES) --dist loadfile -m "not slow and not pictures" $(ARGS)

.PHONY: check
check: test all lint ## what the continuous integration runs: tests, demo scale, linters

.PHONY: faults
faults: setup ## kill, damage and mislead copies of this project; what is lost, wrong or unclear (ARGS="--only data")
	$(BIN)/python -m tests.faults $(ARGS)

.PHONY: check-slurm
check-slurm: setup ## one study on a real Slurm of this machine alone (root, Debian's slurm-wlm and munge)
	$(BIN)/python -m pip install --quiet --editable '.[slurm]'
	$(BIN)/python tests/slurm/check.py $(ARGS)

.PHONY: lint
lint: setup $(LINTERS) ## linters: ruff, ruff format, snakefmt, snakemake --lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	.venv-lint/bin/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

.PHONY: format
format: setup $(LINTERS) ## rewrite the code in the one format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	.venv-lint/bin/snakefmt Snakefile workflow

.PHONY: audit
audit: setup ## corrupt the tables of the reference run and list what no verdict notices (ARGS="--scale demo")
	$(BIN)/python -m plausible.reproduction.audit $(ARGS)

.PHONY: list
list: setup ## every result: its target, minutes and title (ARGS=--all: everything)
	@$(BIN)/python -m plausible.reproduction.listing $(ARGS)

.PHONY: keys
keys: setup ## every key of config.yaml: what is allowed, default, meaning
	@$(BIN)/python -m plausible.config

.PHONY: same
same: setup ## compare the tables of two runs or commits (ARGS="HEAD~1 HEAD --study song2020")
	@$(BIN)/python -m plausible.reproduction.same_results $(ARGS)

.PHONY: schemas
schemas: setup ## renew the JSON schemas of the study files after a change of settings
	$(BIN)/python -m plausible.reproduction.schemas $(ARGS)

.PHONY: docs
docs: setup ## build the documentation, examples run: docs/_build/index.html
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet docs docs/_build $(ARGS)

.PHONY: docs-links
docs-links: setup ## ask every address outside that the documentation names (needs a network)
	$(BIN)/python -m sphinx -b linkcheck --quiet docs docs/_build/links

.PHONY: bench
bench: setup ## measure our speed (benchmarks/README.md)
	$(BIN)/python benchmarks/run.py $(ARGS)

.PHONY: reference
reference: setup ## make results/reference and reports/reference from a finished paper-scale run
	$(BIN)/python -m plausible.reproduction.reference $(ARGS)

.PHONY: archive
archive: setup ## one file of a finished run, to publish (ARGS="--scale demo --output run.zip")
	$(BIN)/python -m plausible.reproduction.archive $(ARGS)

.PHONY: verify
verify: setup ## check such a file and judge its tables again (ARCHIVE=run.zip)
	$(BIN)/python -m plausible.reproduction.archive --verify $(or $(ARCHIVE),$(error say which: make verify ARCHIVE=run.zip))

.PHONY: unlock
unlock: setup ## after snakemake was killed: take its lock away, then `make all` goes on
	$(BIN)/snakemake --unlock

.PHONY: setup
setup: $(PACKAGES) $(PROJECT) ## set up .venv from requirements.lock (the other targets do it too)

$(PACKAGES):
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else \
	"Python 3.11 to 3.13 is needed, found %d.%d: make PYTHON=/path/to/python3.11" % v)'
	@echo "Setting up .venv with the packages of requirements.lock (a few minutes, once)"
	@# Without the module ensurepip (Debian's python3-venv), the pip outside fills the environment.
	@if $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
	  $(PYTHON) -m venv --clear .venv; \
	else \
	  $(PYTHON) -m venv --clear --without-pip .venv; \
	  $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; \
	fi
	@# A package index may answer with an old list for a minute.
	@for pause in 20 60 0; do \
	  $(BIN)/python -m pip install --quiet --requirement requirements.lock && exit 0; \
	  [ $$pause = 0 ] || { echo "Not all packages were found; again in $$pause s"; sleep $$pause; }; \
	done; exit 1
	@touch $@

$(PROJECT): | $(PACKAGES)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@rm -f .venv/.project-* && touch $@

$(LINTERS): | $(PACKAGES)
	@echo "Setting up .venv-lint with the packages of requirements-lint.lock"
	$(BIN)/python -m venv --clear .venv-lint
	.venv-lint/bin/python -m pip install --quiet --requirement requirements-lint.lock
	@touch $@

.PHONY: lock
lock: ## renew requirements.lock with the newest versions that pyproject.toml allows
	$(PYTHON) -m venv --clear .venv-lock
	.venv-lock/bin/python -m pip install --quiet setuptools '.[workflow,nir,docs,dev]'
	@(sed -n '/^#/p' requirements.lock; .venv-lock/bin/python -m pip freeze --all \
	  | grep -v -i -E '^(#|-e|pip==|plausible)' | sed 's/+cpu$$//') > requirements.new
	@mv requirements.new requirements.lock && rm -rf .venv-lock

.PHONY: clean
clean: ## remove results, reports and logs of this machine (not the reference run, not .venv)
	find results reports -mindepth 1 -maxdepth 1 ! -name reference -exec rm -rf {} + 2>/dev/null || true
	rm -rf logs docs/_build benchmarks/out .snakemake .pytest_cache .ruff_cache .hypothesis

.PHONY: help
help: ## show this list
	@echo "make all reproduces everything; make test runs the tests. All targets:"
	@sed -n -E 's/^([a-z-]+):[^#]*## (.*)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14
	@echo "One study or one result, inside .venv: snakemake --cores 8 thuesen2022_table1 (make list)"
