#!/usr/bin/env bash
# Builds the contracts and tests them on devnets of their own: about two minutes, once the compiler and the devnet are in
# ~/.cache/ciro. Costs go to target/costs.json. SEED=n repeats random sequences; arguments name test files to run alone.
set -euo pipefail
cd "$(dirname "$0")"

./devnet.sh >/dev/null
./build.sh
if ! [ node_modules/.package-lock.json -nt package-lock.json ]; then
    echo "starknet: installing the npm packages of the tests" >&2
    npm ci --no-audit --no-fund --loglevel=error >&2
    touch node_modules/.package-lock.json
fi
[ $# -gt 0 ] || set -- tests/*.test.mjs
node --test --test-concurrency="$(nproc)" "$@"
