# Everything runs from a virtual environment in .venv, installed from a lock with hashes.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2

.PHONY: demo test test-long bench fuzz lint lock clean

demo: .venv/installed ## play the main job on this machine, offline
	$(BIN)/por demo

test: .venv/installed ## style, types, structure and every test but the long ones
	$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not long"

test-long: .venv/installed .venv/spark ## the tests that take minutes (Spark needs Java 17)
	$(BIN)/python -m pytest -m long

bench: .venv/installed ## measure, side by side in one run, as ratios
	$(BIN)/python -m tests.bench

fuzz: .venv/installed ## throw changed proofs at the parser (SECONDS=60 SEED=n)
	$(BIN)/python -m tests.fuzz

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Making the virtual environment .venv and installing from requirements.lock (about a minute)"
	@$(PYTHON) -m venv .venv || { echo "The venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/spark: requirements-spark.lock .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-spark.lock
	@touch $@

lock: ## write the lock files anew from pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --extra all --extra dev \
	  --prerelease if-necessary-or-explicit --no-emit-package reserve-verifier --quiet \
	  --custom-compile-command "make lock" --output-file requirements.lock pyproject.toml
	uv pip compile --universal --python-version 3.11 --generate-hashes --extra spark --constraint requirements.lock \
	  --no-emit-package reserve-verifier --quiet --custom-compile-command "make lock" \
	  --output-file requirements-spark.lock pyproject.toml

clean:
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
