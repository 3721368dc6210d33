#!/usr/bin/env bash
# Makes contracts/evm ready to build and test: Foundry, the Solidity compiler and OpenZeppelin from npm, as pinned in
# package-lock.json, and bin/forge, bin/anvil and bin/cast. Says what it does on standard error; nothing is fetched if all
# is there.
set -euo pipefail
cd "$(dirname "$0")"

installed=node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ package-lock.json -nt "$installed" ]; then
    echo "setup: installing the npm packages of contracts/evm" >&2
    npm ci --no-audit --no-fund --loglevel=error >&2
    touch "$installed"
fi

# The packages' own commands lose the exit status: these are the programs themselves, of which npm installs this platform's.
mkdir -p bin
for tool in forge anvil cast; do
    ln -sfrn node_modules/@foundry-rs/$tool-*/bin/$tool bin/$tool
done
