#!/usr/bin/env bash
# Compiles the contracts: target/NAME.sierra.json is what a network is told of one, target/NAME.casm.json what it runs.
# Nothing is done if neither sources nor compiler have changed since the last time.
set -euo pipefail
cd "$(dirname "$0")"

compiler=$(toolchain/install.sh)
stamp=$(cat cairo_project.toml toolchain/install.sh $(find src toolchain/corelib -name '*.cairo' | sort) | sha256sum)
[ "$(cat target/stamp 2>/dev/null)" = "$stamp" ] && exit 0

mkdir -p target
while read -r module contract; do
    echo "starknet: compiling $contract" >&2
    "$compiler/bin/starknet-compile" --contract-path "ciro::$module::$contract" . "target/$contract.sierra.json"
    "$compiler/bin/starknet-sierra-compile" "target/$contract.sierra.json" "target/$contract.casm.json"
done <<'CONTRACTS'
beefy_client BeefyClient
cdc_pool CDCPool
ciro_token CiroToken
job_manager JobManager
result_registry ResultRegistry
CONTRACTS
echo "$stamp" >target/stamp
