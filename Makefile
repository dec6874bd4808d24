# `make help` lists what can be made. System and Python packages install themselves; see .ci/setup.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := $(CURDIR)/.build/venv
PYTHON := $(VENV)/bin/python
PYTEST := $(PYTHON) -m pytest -c Tests/Integration/pytest.ini -o cache_dir=$(CURDIR)/.build/pytest Tests/Integration
RUFF := $(VENV)/bin/ruff --config Tests/Integration/ruff.toml
SWIFT_SOURCES := Package.swift $(wildcard Sources Tests)
PYTHON_SOURCES := $(wildcard Tests/Integration Tests/Fuzz Benchmarks)
DEBUG := $(CURDIR)/.build/debug/wedlive
RELEASE := $(CURDIR)/.build/release/wedlive
IMPORTS := --explicit-target-dependency-import-check error

# Arguments that a person gives: make run ARGS="--data /tmp/x", make bench ROW=segments,
# make soak MINUTES=60, make interop ONLY=obs, make fuzz TARGET=chunks SECONDS=60
ARGS ?=
ROW ?= all
MINUTES ?= 60
ONLY ?=
# Files of integration tests that run at a time: they wait for most of the time. 0: one, in one process.
WORKERS ?= 2
SECONDS ?= 600
TARGET ?=
# The program for run and cluster-up: where one is named (BINARY=/usr/local/bin/wedlive) none is built.
BINARY ?=
PROGRAM = $(or $(BINARY),$(RELEASE))

.PHONY: help setup run test unit integration check build release format lint sanitize fuzz \
	bench soak soak-ladder soak-cluster interop certs docs

help: ## list these
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

setup: ## install the system packages that building needs (the other targets do this themselves)
	@.ci/setup build

run: $(if $(BINARY),,setup) ## build a release, or take BINARY=path, and start `standalone --demo` (ARGS="...")
	@$(if $(BINARY),,swift build -c release --product wedlive --color-diagnostics)
	@exec $(PROGRAM) standalone --demo $(ARGS)

build: setup ## debug build of everything, tests too
	@swift build --build-tests $(IMPORTS)

release: setup ## release build; a warning fails it
	@swift build -c release --product wedlive --color-diagnostics $(IMPORTS)

test: unit integration ## all tests: Swift's, then real clients against the binary

unit: build ## Swift's tests only (ARGS="--filter RTMPTests")
	@.ci/unit $(ARGS)

integration: build ## real clients against the debug binary (ARGS="-k publish", WORKERS=0)
	@.ci/setup test
	@BINARY=$${BINARY:-$(DEBUG)} $(PYTEST) -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

interop: release ## every client there is, and the long runs (about 40 min; ONLY="obs" picks)
	@.ci/setup test interop
	@BINARY=$${BINARY:-$(RELEASE)} $(PYTEST) \
		-m "interop or not interop" $(if $(ONLY),-k "$(ONLY)") $(ARGS)

check: format-check lint test release ## what CI runs

.PHONY: format-check
format-check:
	@.ci/setup build test
	@$(RUFF) format --quiet --check $(PYTHON_SOURCES)

format: ## format Swift and Python in place
	@.ci/setup build test
	@swift format format --in-place --parallel --recursive $(SWIFT_SOURCES)
	@$(RUFF) format --quiet $(PYTHON_SOURCES)

lint: ## style of Swift, Python and shell; silent when all is well
	@.ci/setup build test
	@swift format lint --strict --parallel --recursive $(SWIFT_SOURCES)
	@$(RUFF) check --quiet $(PYTHON_SOURCES)
	@$(VENV)/bin/mypy --config-file Tests/Integration/mypy.ini --python-executable $(PYTHON) \
		--no-error-summary $(PYTHON_SOURCES)
	@$(VENV)/bin/shellcheck .ci/run .ci/setup .ci/unit Tests/Fuzz/run cluster/local/run \
	  cluster/compose/prepare
	@$(VENV)/bin/hadolint cluster/Dockerfile

# Children with a memory limit and a seccomp filter can't carry a sanitizer, so tests of them are left
# out. Leaks are not looked for: Swift keeps bits of its own in pointers, which then count as lost.
SANITIZED := --no-parallel --disable-xctest --skip 'Worker process'
sanitize: setup ## Swift's tests under the address and the thread sanitizer (about 20 min)
	@ASAN_OPTIONS=detect_leaks=0 \
		swift test --scratch-path .build-address --sanitize=address $(SANITIZED)
	@TSAN_OPTIONS=suppressions=$(CURDIR)/Tests/thread-sanitizer.txt \
		swift test --scratch-path .build-thread --sanitize=thread $(SANITIZED)

fuzz: setup ## libFuzzer for SECONDS (600) on each target, or on TARGET alone; fails on a finding
	@Tests/Fuzz/run $(SECONDS) $(TARGET)

bench: release ## measure against nginx, HAProxy, Varnish, write Benchmarks/results.md (ROW=segments for one)
	@.ci/setup test bench
	@$(PYTHON) Benchmarks/run.py --wedlive $(RELEASE) --row $(ROW) $(ARGS)

soak: release ## 50 reconnecting publishers and 500 viewers for MINUTES (60); judges memory and errors
	@.ci/setup test
	@$(PYTHON) Tests/Integration/soak.py --wedlive $(RELEASE) --minutes $(MINUTES) $(ARGS)

soak-ladder: release ## four streams encoded, recorded and switched for MINUTES (60); judges memory
	@.ci/setup test
	@$(PYTHON) Tests/Integration/soak_ladder.py --wedlive $(RELEASE) --minutes $(MINUTES) $(ARGS)

soak-cluster: release ## origins killed every two minutes for MINUTES (60); compares every frame
	@.ci/setup test
	@$(PYTHON) Tests/Integration/soak_cluster.py --wedlive $(RELEASE) --minutes $(MINUTES) $(ARGS)

cache-tests: release ## http-tests/cache-tests against `wedlive edge` (SUITE=checkout of it)
	@.ci/setup test cache-tests
	@$(PYTHON) Tests/Integration/cache_tests.py --wedlive $(RELEASE) --suite "$(SUITE)" $(ARGS)

h2spec: release ## summerwind/h2spec against `wedlive edge` (H2SPEC=path of the program)
	@.ci/setup test
	@$(PYTHON) Tests/Integration/h2spec.py --wedlive $(RELEASE) --h2spec "$(H2SPEC)" $(ARGS)

cluster-up: $(if $(BINARY),,release) ## a cluster on this machine: Redis, 2 origins, 2 edges, a balancer, a demo (BINARY=path)
	@.ci/setup test cluster
	@cluster/local/run up $(PROGRAM)

cluster-down: ## end it
	@cluster/local/run down

certs: release ## make a development CA and certificates in certs/
	@$(RELEASE) certs $(ARGS)

docs: build ## the documentation as a site in .build/docs
	@swift package dump-symbol-graph --minimum-access-level package >/dev/null
	@docc convert Sources/wedlive/Documentation.docc \
		--additional-symbol-graph-dir $$(ls -d .build/*/symbolgraph | head -1) --output-dir .build/docs
	@echo "docs: open .build/docs (docc preview serves it)"
