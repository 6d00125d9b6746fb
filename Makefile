# `make help` lists the targets. Each target runs its own setup.
.DEFAULT_GOAL := help
SHELL := /bin/bash
UV := $(shell command -v uv || echo .venv-uv/bin/uv)
RUN := $(UV) run --no-sync
CARGO := cargo --locked
CRATE := --manifest-path rust_core/Cargo.toml
FUZZ := --manifest-path rust_core/fuzz/Cargo.toml
PEOPLE ?= 200000
SCALE ?= small
MINUTES ?= 60

.PHONY: help setup demo serve bench test lint test-rust test-python test-wheel fuzz soak format clean

help: ## Lists these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: .venv/.ready ## Installs missing packages and builds the engine

.venv/.ready: pyproject.toml uv.lock rust_core/Cargo.toml rust_core/Cargo.lock $(shell find rust_core/src protos -type f -name '*.rs' -o -name '*.proto' -o -name 'backend.py')
	@scripts/system-packages
	@command -v $(UV) >/dev/null || { python3 -m venv .venv-uv && .venv-uv/bin/pip install --quiet uv; }
	$(UV) sync --locked --all-extras
	@touch $@

demo: setup ## Imports two data sets, evaluates segments and delivers a campaign (PEOPLE=200000 JSON=file)
	$(RUN) quanyu demo --people $(PEOPLE) $(if $(JSON),--json $(JSON))

serve: setup ## Runs all services in one process on 127.0.0.1:7400, data in ./data
	$(RUN) quanyu serve

bench: setup ## Compares Quanyu with ClickHouse, DuckDB, Polars and pyroaring (SCALE=tiny|small|full|wide JSON=file)
	$(UV) sync --locked --all-extras --group clickhouse --quiet
	$(RUN) python -m loadtests.bench --scale $(SCALE) $(if $(JSON),--json $(JSON))

test: lint test-rust test-python test-wheel fuzz ## Runs all checks and tests

lint: setup ## Checks formatting, types, import layers and warnings
	$(RUN) ruff check . && $(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports
	$(CARGO) fmt $(CRATE) --check
	$(CARGO) fmt $(FUZZ) --check
	$(CARGO) clippy $(CRATE) --all-targets --quiet -- -D warnings

test-rust: ## Runs the tests of the engine, without Python
	$(CARGO) test $(CRATE) --lib --quiet

test-python: setup ## Runs the unit, integration and end-to-end tests
	$(RUN) pytest -n auto --maxprocesses 4 --dist loadfile

test-wheel: setup ## Builds a wheel from the sdist and checks that it contains the stubs and starts
	scripts/check-wheel

fuzz: ## Fuzzes all code that reads untrusted bytes, under AddressSanitizer (FUZZ_SECONDS=n: n seconds of new inputs for each target)
	@scripts/system-packages
	@scripts/fuzz

soak: setup ## Runs property tests, oracles and fuzzers with fresh seeds for MINUTES=60; saves failures in soak-failures/
	@RUN="$(RUN)" MINUTES=$(MINUTES) scripts/soak

format: setup ## Formats all code
	$(RUN) ruff check --fix . ; $(RUN) ruff format .
	$(CARGO) fmt $(CRATE)
	$(CARGO) fmt $(FUZZ)

clean: ## Removes all build output; keeps ./data
	rm -rf .venv .venv-uv dist build rust_core/target rust_core/fuzz/target services/quanyu/api services/quanyu/*.so
