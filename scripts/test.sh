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

# Cargo closes every test program with a line of its own; this adds them up.
tests() {
    cargo test --release --workspace --no-fail-fast 2>&1 | tee "$log" || failed=1
    total=$(awk '/^test result:/ { n += 1; passed += $4; failed += $6; ignored += $8 }
        END { printf "%d passed; %d failed; %d ignored; %d test programs", passed, failed, ignored, n }' "$log")
}

failed=0
total=
log=$(mktemp)
trap 'rm -f "$log"' EXIT
ready() { environment=$(scripts/setup.sh) && eval "$environment"; }
stage "setup" ready
stage "formatting" cargo fmt --all --check
stage "build" cargo build --release --workspace --bins
stage "build of the tests" cargo test --release --workspace --no-run
stage "lints" cargo clippy --release --workspace --all-targets -- -D warnings
stage "tests" tests
if [ "$failed" != 0 ]; then
    echo "test result: FAILED. $total; $((SECONDS / 60)) min"
    exit 1
fi
echo "test result: ok. $total; $((SECONDS / 60)) min"
