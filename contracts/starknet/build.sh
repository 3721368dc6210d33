#!/usr/bin/env bash
# Compiles the contracts: target/NAME.sierra.json is what a network is told of one, target/NAME.casm.json what it runs.
# Nothing is done if neither sources nor compiler have changed since the last time.
set -euo pipefail
cd "$(dirname "$0")"

compiler=$(toolchain/install.sh)
stamp=$(cat build.sh cairo_project.toml $(find src tests toolchain -name '*.cairo' | sort) | sha256sum)
[ "$(cat target/stamp 2>/dev/null)" = "$stamp" ] && exit 0

compile() {
    name=${1##*::}
    echo "starknet: compiling $name" >&2
    "$compiler/bin/starknet-compile" --contract-path "$1" . "target/$name.sierra.json"
    "$compiler/bin/starknet-sierra-compile" "target/$name.sierra.json" "target/$name.casm.json"
}
export -f compile
export compiler
rm -rf target
mkdir target
xargs -P "$(nproc)" -n 1 bash -c 'set -e; compile "$0"' <<'CONTRACTS'
ciro::beefy_client::BeefyClient
ciro::cdc_pool::CDCPool
ciro::ciro_token::CiroToken
ciro::job_manager::JobManager
ciro::result_registry::ResultRegistry
ciro_tests::Probe
CONTRACTS
echo "$stamp" >target/stamp
