# `make demo` and `make test` set up everything they need in .venv; a second run is quick.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_ARGS ?=
CASE ?=
SCALE ?= 1
MINUTES ?= 60
BENCH_ARGS ?=
SEEDS ?= 1
HOURS ?= 1
SCENARIO ?= all
KAFKA ?=
DRY_RUN ?=

# Where this is set, each of the hundreds of programs that tests start would compile all of ours again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo unit test test-all test-installation test-long test-simulation test-fuzz simulate faults soak check chart lock audit kafka-jars release bench bench-latency bench-polls bench-scale bench-go bench-npm guard clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    a local Apache Kafka, the service and all four simulated providers   (DEMO_ARGS=\"--seconds 20\")"
	@echo "make unit    after every save: no Kafka, no sockets; a minute"
	@echo "make test    everything that must hold, on real parts and two cores; 13 minutes"
	@echo "make test-all  that and its parts, each of which runs alone; 2 hours"
	@echo "     test-installation  Caddy, restarts, rights and TLS at brokers, a Kafka from pip, the packages; 3 minutes"
	@echo "     test-long        what is long by nature: the faults' core, 1,500 watches, each login, the page; 15 minutes"
	@echo "     test-simulation  every scenario and every break of the simulation; 8 minutes"
	@echo "     test-fuzz        many new examples where tests make their own; 15 minutes"
	@echo "     faults           the fault matrix at its full size; 80 minutes"
	@echo "make simulate  pollers, receiver and inbox for hours of virtual time (SEEDS=10 HOURS=6 SCENARIO=business,receiver_mixed)"
	@echo "make faults  kill, freeze, starve and cut off every part under load    (CASE=kafka_away SCALE=0.3)"
	@echo "make soak    steady load with a fault now and then                     (MINUTES=60)"
	@echo "make check   format, lint, types, import contracts, dependencies, every test can be imported"
	@echo "make bench   what a callback costs, next to a bare aiohttp handler and its peers  (BENCH_ARGS=\"--only smsbus\")"
	@echo "make bench-latency  how long a callback waits for its 200"
	@echo "make bench-polls  what a poll costs, next to a bare aiohttp client, and a commit of states"
	@echo "make bench-scale  one and two receivers; one, two and three pollers with 100,000 watches"
	@echo "make bench-go, make bench-npm  build the contenders that need Go or Node.js"
	@echo "make guard   one minute: has a callback become much slower?"
	@echo "make chart   generate what is generated of deploy/: the values' schema, the manifests without Helm"
	@echo "make lock    pin the dependencies again, with hashes"
	@echo "make audit   known weaknesses of what is pinned (asks PyPI); nothing depends on it"
	@echo "make kafka-jars  pin another version of the local Kafka                (KAFKA=4.1.2)"
	@echo "make release  build what a release consists of, publish nothing        (DRY_RUN=yes)"

$(VENV)/ready: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "smsbus needs Python 3.11 or newer; choose one: make PYTHON=python3.12 …"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "this Python cannot create a virtual environment: apt-get install python3-venv"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(VENV)/ready
	$(BIN)/smsbus demo $(DEMO_ARGS)

unit: $(VENV)/ready
	$(BIN)/pytest --quiet --numprocesses auto --dist worksteal -m "not loopback" tests/unit

# Waiting is most of it, so there are more processes than cores. A file stays in one.
TOGETHER := --numprocesses 4 --dist loadfile --no-loadscope-reorder

test: $(VENV)/ready
	$(BIN)/pytest --quiet $(TOGETHER) -m "not long and not installation"

simulate: $(VENV)/ready
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --hours $(HOURS) --scenario $(SCENARIO)

test-all: test test-installation test-long test-simulation test-fuzz faults

# Runs for every commit, as `make test` does.
test-installation: $(VENV)/ready
	$(BIN)/pytest --quiet $(TOGETHER) -m "installation and not long"

# Each part notes in docs/proof/runs.md when it last passed.
test-long: $(VENV)/ready
	$(BIN)/python -m tests.runs test-long -- $(BIN)/pytest --quiet $(TOGETHER) -m long --ignore tests/simulation

test-simulation: $(VENV)/ready
	$(BIN)/python -m tests.runs test-simulation -- $(BIN)/pytest --quiet tests/simulation

FUZZED := tests/property/test_lane.py tests/integration/test_fast_lane_sameness.py
test-fuzz: $(VENV)/ready
	FUZZ_MINUTES=10 $(BIN)/python -m tests.runs test-fuzz -- $(BIN)/pytest --quiet $(TOGETHER) tests/fuzz $(FUZZED)

# What is run at its full size becomes the results of docs/fault-testing.md; anything less only prints its table.
FULL := $(if $(filter-out 1,$(SCALE)),,yes)
faults: $(VENV)/ready
	$(BIN)/python -m tests.faults $(CASE) --scale $(SCALE) $(if $(FULL),--json docs/proof/matrix.json)
	$(if $(FULL),$(BIN)/python -m tests.faults.figures)

soak: $(VENV)/ready
	$(BIN)/python -m tests.faults.soak --minutes $(MINUTES) --json docs/proof/soak.json --plot docs/proof/soak.png

check: $(VENV)/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest --collect-only -qqq  # every test can still be imported
	$(BIN)/lint-imports
	$(BIN)/deptry .
	cd testing && ../$(BIN)/deptry .

# A whole run becomes the figures of bench/README.md; a part of one only prints its table.
bench: $(VENV)/ready .venv-bench/ready
	$(BIN)/python -m bench.cpu $(or $(BENCH_ARGS),--keep)
	$(if $(BENCH_ARGS),,$(BIN)/python -m bench.readme_tables)

bench-latency: $(VENV)/ready
	$(BIN)/python -m bench.latency $(or $(BENCH_ARGS),--keep)
	$(if $(BENCH_ARGS),,$(BIN)/python -m bench.readme_tables)

bench-polls: $(VENV)/ready
	$(BIN)/python -m bench.polls $(or $(BENCH_ARGS),--keep)
	$(if $(BENCH_ARGS),,$(BIN)/python -m bench.readme_tables)

bench-scale: $(VENV)/ready .venv-bench/ready
	$(BIN)/python -m bench.cpu --only smsbus --only "smsbus --workers 2" --rounds 3
	$(BIN)/python -m bench.pollers_scale

bench-go: .venv-bench/ready
	cd bench/peers/bento && go build -trimpath -o $(CURDIR)/.venv-bench/bin/bento .

bench-npm:
	npm ci --omit=dev --prefix bench/peers/fastify

guard: $(VENV)/ready
	$(BIN)/python -m bench.guard

.venv-bench/ready: bench/requirements.lock
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check --require-hashes -r bench/requirements.lock
	@touch $@

chart: $(VENV)/ready
	$(BIN)/python -m tests.chart

# Kafka's jars are not on PyPI: docs/releasing.md says who looks after those.
AUDITED := requirements.lock requirements-local.lock requirements-build.lock requirements-dev.lock bench/requirements.lock
audit: .venv-audit/ready
	.venv-audit/bin/pip-audit --strict --disable-pip --require-hashes $(addprefix --requirement ,$(AUDITED))

.venv-audit/ready: deploy/audit.lock
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/pip install --quiet --disable-pip-version-check --require-hashes -r deploy/audit.lock || \
	  { echo "make audit needs the network; without: docs/releasing.md#audit-the-dependencies"; exit 1; }
	@touch $@

kafka-jars: $(VENV)/ready
	@test -n "$(KAFKA)" || { echo "which one? make kafka-jars KAFKA=4.1.2"; exit 2; }
	$(BIN)/python -m deploy.kafka_jars $(KAFKA)

release: $(VENV)/ready
	$(BIN)/python -m deploy.release $(if $(DRY_RUN),--dry-run)

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock:
	$(COMPILE) --extra local --group dev pyproject.toml -o requirements-dev.lock
	$(COMPILE) -c requirements-dev.lock --extra local pyproject.toml -o requirements-local.lock
	$(COMPILE) -c requirements-dev.lock pyproject.toml -o requirements.lock
	$(COMPILE) -c requirements-dev.lock --group build -o requirements-build.lock
	$(COMPILE) -c requirements-dev.lock bench/requirements.in -o bench/requirements.lock
	$(COMPILE) deploy/audit.in -o deploy/audit.lock

clean:
	rm -rf .venv* bench/peers/fastify/node_modules build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
