#!/usr/bin/env bash
# Measures the calls of Ciro's pallets in the WebAssembly runtime and writes their weights. Takes about an hour the first
# time, most of it to build polkadot-sdk's benchmark runner; afterwards some minutes. Run it on an idle machine.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
say() { echo "weights: $*"; }

say "building the proofs to measure with"
cargo build --release --workspace --bins
export CIRO_FIXTURES=$target/fixtures.scale
"$target/release/bench-fixtures" "$CIRO_FIXTURES"

say "building the runtime with its benchmarks"
# What substrate-wasm-builder passes; the builder itself would compile the native runtime once more.
RUSTFLAGS="-C target-cpu=mvp -C link-arg=--export-table -C link-arg=--export=__heap_base -C link-arg=--import-memory --cfg substrate_runtime" \
    cargo rustc --release -p ciro-runtime --lib --crate-type cdylib --target wasm32v1-none \
    --no-default-features --features runtime-benchmarks --target-dir "$target/benchmarks"
runtime=$target/benchmarks/wasm32v1-none/release/ciro_runtime.wasm

say "building the benchmark runner"
# Without it, a test runtime among polkadot-sdk's crates would be built for WebAssembly, too.
(cd runtime/bencher && SKIP_WASM_BUILD=1 cargo build --release --target-dir "$target/bencher")

pallets=(attesters cdc-pool job-market model-registry outbound-queue reputation slashing token-gateway validator-set
    worker-registry)
for pallet in "${pallets[@]}"; do
    say "measuring pallet-$pallet"
    "$target/bencher/release/ciro-bencher" --runtime "$runtime" --genesis-builder runtime \
        --genesis-builder-preset development --pallet "pallet_${pallet//-/_}" --extrinsic '*' \
        --steps "${STEPS:-9}" --repeat "${REPEAT:-10}" --heap-pages 4096 \
        --template scripts/weights.hbs --output "pallets/$pallet/src/weights.rs"
done
cargo fmt "${pallets[@]/#/-ppallet-}"
