# Everything runs from .venv, built from requirements.lock: Python, make and git are all that is assumed.

BIN := .venv/bin
READY := .venv/.ready
COVERAGE ?= 85
JOBS ?= 3
PYTEST_ARGS ?=
NAMES ?=
FAULTS ?=
UV ?= uv
OSV ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench faults mutate bundle bundle-test audit lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)$$/  make \1	\2/p' Makefile

setup: $(READY) ## .venv with the locked packages and nhip itself; PYTHON=… chooses the interpreter

# A candidate is run, not only looked up: version managers leave commands on the PATH that cannot start.
$(READY): pyproject.toml requirements.lock Makefile
	@found=; \
	for candidate in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python); do \
	  if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then found=$$candidate; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "setup: no Python 3.11 or later with venv and ensurepip found (tried: $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python))." >&2; \
	  echo "Install one (Debian, Ubuntu: also python3-venv) or name it: make $(or $(MAKECMDGOALS),setup) PYTHON=/path/to/python3.12" >&2; \
	  exit 1; \
	fi; \
	echo "setup: $$("$$found" --version) -> .venv"; \
	"$$found" -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## real dossiers through the whole pipeline on this machine; prints the wall's address
	$(BIN)/nhip demo

check: $(READY) ## lint, format, types, the rooms rule
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# Most tests wait for Kafka, the engine or a browser: three at a time need half the time of one on two cores.
test: check ## check, then all tests with coverage; COVERAGE=85 is the gate, JOBS=3 at a time, PYTEST_ARGS narrows
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --cov --cov-report=term --cov-fail-under=$(COVERAGE) $(PYTEST_ARGS)

bench: $(READY) ## measure this machine
	$(BIN)/python -m benchmarks

faults: $(READY) ## kill, hang, cut and fill everything under load, 100 seeds; FAULTS="--seed 42 --seeds 1" repeats one
	$(BIN)/python -m tests.faults --page docs/faults.md --report docs/faults.json $(FAULTS)

# An environment beside the project's: mutmut and Faust ask for different versions of click.
build/mutmut/.ready: $(READY) tests/mutation/requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --target build/mutmut --upgrade \
	  -r tests/mutation/requirements.lock
	@touch $@

mutate: build/mutmut/.ready ## change contract and streams bit by bit: do the tests notice? NAMES=contract.units narrows
	PYTHONPATH=build/mutmut $(BIN)/python -m tests.mutation $(NAMES)

bundle: $(READY) ## dist/nhip-….tar.gz: everything for a machine without internet, with check sums and list of parts
	$(BIN)/python -m deploy.bundle

bundle-test: ## install and run the newest archive of dist/ with the network cut
	$(BIN)/python -m deploy.bundle.prove

audit: $(READY) ## known vulnerabilities of all packages; OSV=FOLDER looks packages and jars up offline
	$(BIN)/python -m deploy.bundle.audit $(if $(OSV),--osv $(OSV))

# uv resolves for all platforms at once. Where the machine takes packages from stays out of the lock.
lock: $(READY) ## requirements.lock anew from pyproject.toml; UPGRADE=--upgrade takes the newest
	@uv="$(UV)"; scratch=; \
	if ! command -v "$$uv" >/dev/null 2>&1; then \
	  scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	  $(BIN)/python -m venv "$$scratch" && "$$scratch/bin/pip" install --quiet uv; uv="$$scratch/bin/uv"; \
	fi; \
	env -u UV_FIND_LINKS "$$uv" pip compile $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header --all-extras --group dev pyproject.toml --output-file requirements.lock --quiet
	env -u UV_FIND_LINKS "$$uv" pip compile $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header tests/mutation/requirements.in --output-file tests/mutation/requirements.lock --quiet
	@! grep -nE '://|^-' requirements.lock tests/mutation/requirements.lock || \
	  { echo "lock: the lines above name a place: remove them" >&2; exit 1; }

clean: ## remove all that make and the tools made here; running data elsewhere stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build htmlcov
	rm -f .coverage .coverage.*
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
