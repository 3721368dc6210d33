# `make` lists the targets. Each one that builds makes the machine ready first (scripts/setup.sh).

export CARGO_TARGET_DIR ?= $(CURDIR)/target
release := $(CARGO_TARGET_DIR)/release
cargo := environment=$$(scripts/setup.sh) && eval "$$environment" && cargo

.DEFAULT_GOAL := help
.PHONY: help demo test build bench-zkml bench-chain bench-bridge weights fmt lint clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

demo: build ## a chain, a worker and real jobs: proved, verified, paid; and a cheat refused
	@$(release)/demo

test: ## formatting, build, lints, unit, property and end-to-end tests
	@scripts/test.sh

build: ## bin/ciro, bin/ciro-node, bin/ciro-worker and bin/ciro-bridge
	@$(cargo) build --release --workspace --bins
	@mkdir -p bin && install -C $(addprefix $(release)/,ciro ciro-node ciro-worker ciro-bridge) bin

bench-zkml: build ## proving and verifying, in figures, beside EZKL: JSON and zkml/BENCHMARKS.md
	@scripts/bench-zkml.sh

bench-chain: build ## jobs that a chain verifies and pays for an hour: JSON and bench/CHAIN.md; ARGS="--minutes 1 --nodes 4"
	@$(release)/bench-chain --kept $(CARGO_TARGET_DIR)/bench-chain --out $(CARGO_TARGET_DIR)/bench-chain.json $(ARGS)

bench-bridge: ## what the contracts on other chains cost: contracts/COSTS.md
	@scripts/bench-bridge.sh

weights: ## measure the runtime's calls and write its weights
	@environment=$$(scripts/setup.sh) && eval "$$environment" && scripts/weights.sh

fmt: ## format the code
	@cargo fmt --all

lint: ## what `make test` has to say about the code without running it
	@cargo fmt --all --check
	@$(cargo) clippy --release --workspace --all-targets -- -D warnings

clean: ## remove what was built
	@cargo clean && rm -rf bin e2e/polkadot-js/node_modules
