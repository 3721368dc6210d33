#!/usr/bin/env bash
# What `make test` and the continuous integration run. Stops at the first stage that fails; the last line is the tests'.
set -euo pipefail
cd "$(dirname "$0")/.."

stage() {
    local name=$1 start=$SECONDS
    shift
    echo "== $name"
    "$@"
    echo "== $name: done in $(((SECONDS - start) / 60)) min $(((SECONDS - start) % 60)) s"
}

# Runs tests and keeps what they print. Those after them run all the same if they fail.
tests() {
    "$@" 2>&1 | tee -a "$log" || failed=1
}

# Adds up the closing lines of cargo's test programs, of forge and of node's test runner.
total() {
    awk '/^test result:/ { n += 1; passed += $4; failed += $6; ignored += $8 }
        /^Ran [0-9]+ test suites? in / { n += 1; passed += $(NF - 9); failed += $(NF - 6); ignored += $(NF - 4) }
        /^# tests / { n += 1 }
        /^# pass / { passed += $3 }
        /^# fail / { failed += $3 }
        END { printf "%d passed; %d failed; %d ignored; %d test programs", passed, failed, ignored, n }' "$log"
}

failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
ready() { environment=$(scripts/setup.sh) && eval "$environment"; }
stage "setup" ready
stage "formatting" cargo fmt --all --check
stage "build" cargo build --release --workspace --bins
stage "build of the tests" cargo test --release --workspace --no-run
stage "lints" cargo clippy --release --workspace --all-targets -- -D warnings
stage "demo" "${CARGO_TARGET_DIR:-target}/release/demo"
stage "tests of the EVM contracts" tests contracts/evm/test.sh
stage "tests of the Starknet contracts" tests contracts/starknet/test.sh
stage "tests" tests cargo test --release --workspace --no-fail-fast
if [ "$failed" != 0 ]; then
    echo "test result: FAILED. $(total); $((SECONDS / 60)) min"
    exit 1
fi
echo "test result: ok. $(total); $((SECONDS / 60)) min"
