# `make demo` and `make test` set up everything they need in .venv; a second run is quick.
PYTHON ?= python3
BIN := .venv/bin
DEMO_ARGS ?=

.PHONY: demo test check lock bench clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    a local Apache Kafka, the service and a simulated PingMe   (DEMO_ARGS=\"--seconds 20\")"
	@echo "make test    everything that must hold, on real parts"
	@echo "make check   format, lint, types, import contracts, dependencies"
	@echo "make bench   receiver CPU per callback against a bare aiohttp handler"
	@echo "make lock    pin the dependencies again, with hashes"

.venv/ready: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "smsbus needs Python 3.11 or newer; say which one: make PYTHON=python3.12 …"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "this Python cannot make a virtual environment: apt-get install python3-venv"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: .venv/ready
	$(BIN)/smsbus demo $(DEMO_ARGS)

test: .venv/ready
	$(BIN)/pytest

check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

bench: .venv/ready
	$(BIN)/python -m bench.receiver_cpu

lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra local pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra local --group dev pyproject.toml -o requirements-dev.lock

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
