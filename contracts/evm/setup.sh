#!/usr/bin/env bash
# Makes contracts/evm ready to build and test: Foundry, the Solidity compiler and OpenZeppelin from npm, as pinned in
# package-lock.json. Says what it does on standard error; nothing is fetched if all is there.
set -euo pipefail
cd "$(dirname "$0")"

installed=node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ package-lock.json -nt "$installed" ]; then
    echo "setup: installing the npm packages of contracts/evm" >&2
    npm ci --no-audit --no-fund --loglevel=error >&2
    touch "$installed"
fi
