#!/usr/bin/env bash
# Installs starknet-devnet, on which the contracts are tested, from crates.io and prints the program's path:
#
#     ./devnet.sh [FOLDER]        # ~/.cache/ciro/devnet if none is named; nothing is done if it is there
#
# It is optimised where it executes Cairo and not elsewhere, which takes half of the time to build.
set -euo pipefail
folder=${1:-$HOME/.cache/ciro/devnet}

if ! [ -x "$folder/bin/starknet-devnet" ]; then
    echo "starknet: building starknet-devnet 0.10.1 into $folder, once: about twenty CPU minutes" >&2
    export CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=256
    hot=()
    for crate in ark-ec ark-ff blockifier cairo-vm lambdaworks-math num-bigint starknet-crypto starknet-types-core; do
        hot+=(--config "profile.release.package.\"$crate\".opt-level=3")
    done
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    CARGO_TARGET_DIR=$work cargo install --quiet --locked starknet-devnet --version 0.10.1 --root "$folder" "${hot[@]}" >&2
fi
echo "$folder/bin/starknet-devnet"
