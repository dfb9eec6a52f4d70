# Tidemill's commands for people and for the runner. Each does all of its own set-up: `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Outside the checkout, so that several checkouts, people and the runner share what takes long to compile.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/tidemill/target
export PATH := $(HOME)/.cargo/bin:$(PATH)
# Where cargo puts what it builds; all targets use one profile, so that nothing heavy is compiled twice.
BIN = $(CARGO_TARGET_DIR)/release/tidemill
EXAMPLES = $(patsubst %/pipeline.toml,%,$(wildcard examples/*/pipeline.toml))

.PHONY: help demo build modules test bench bench-kafka torture torture-kafka simulate fuzz doctor

help: ## What there is to make
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

demo: build ## Eight days of real flights through WebAssembly, as a table
	@$(BIN) build examples/flights/pipeline.toml
	@echo; echo '$$ tidemill run examples/flights/pipeline.toml'
	@$(BIN) run examples/flights/pipeline.toml
	@echo; echo 'More in examples/flights/out: hours, late flights, rolling worst delays, working days of aircraft.'

build: ## The `tidemill` command, into CARGO_TARGET_DIR
	@scripts/setup build
	@cargo build --release --locked -p tidemill-cli

modules: build ## The modules of all examples, beside their pipeline files
	@for example in $(EXAMPLES); do $(BIN) build $$example/pipeline.toml; done

test: ## Everything that the runner checks
	@scripts/test

bench: build ## Figures, as a table and in target/bench.json; ONLY=name for some of them
	@cargo build --release --locked -p tidemill-bench
	@cargo build --release --locked --target wasm32-unknown-unknown --manifest-path bench/functions/Cargo.toml \
	  --config 'profile.release.lto=true' --config 'profile.release.codegen-units=1' \
	  --config 'profile.release.strip="debuginfo"'
	@TIDEMILL_CHECKOUT=$(CURDIR) TIDEMILL_COMMAND=$(BIN) \
	  TIDEMILL_BENCH_MODULE=$(CARGO_TARGET_DIR)/wasm32-unknown-unknown/release/bench_functions.wasm \
	  $(CARGO_TARGET_DIR)/release/tidemill-bench $(ONLY)

bench-kafka: ## The same of a real Kafka on this machine; ONLY=name for some of them
	@$(MAKE) --no-print-directory bench ONLY="$(or $(ONLY),kafka)"

torture: build ## Kills the command N times (SEED) and compares what it publishes; ONLY=moment for some, ROUND=n for one round
	@cargo build --release --locked -p tidemill-torture
	@mkdir -p $(CARGO_TARGET_DIR)/torture
	@TIDEMILL_CHECKOUT=$(CURDIR) TIDEMILL_COMMAND=$(BIN) TIDEMILL_TORTURE=$(CARGO_TARGET_DIR)/torture \
	  N=$(N) SEED=$(SEED) ONLY=$(ONLY) ROUND=$(ROUND) $(CARGO_TARGET_DIR)/release/tidemill-torture

torture-kafka: build ## The same between topics of a real Kafka: kills, stops, disturbed connections, brokers that go
	@scripts/setup test
	@cargo build --release --locked -p tidemill-torture
	@mkdir -p $(CARGO_TARGET_DIR)/torture
	@TIDEMILL_CHECKOUT=$(CURDIR) TIDEMILL_COMMAND=$(BIN) TIDEMILL_TORTURE=$(CARGO_TARGET_DIR)/torture \
	  N=$(N) SEED=$(SEED) ONLY=$(ONLY) ROUND=$(ROUND) $(CARGO_TARGET_DIR)/release/tidemill-torture kafka

simulate: ## Simulates SEEDS stories of crashes on one thread, CASES more with one at every effect; SEED=n for one
	@scripts/simulate

fuzz: ## Fuzz targets, a minute each (FUZZ_SECONDS); ONLY=name for some of them
	@scripts/fuzz $(ONLY)

doctor: ## What is missing, and the command that mends it
	@scripts/setup doctor
