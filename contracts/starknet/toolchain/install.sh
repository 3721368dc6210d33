#!/usr/bin/env bash
# Installs the Cairo compiler that the contracts are built with, from PyPI alone, and prints the folder it is in:
#
#     toolchain/install.sh [FOLDER]        # ~/.cache/ciro/cairo-2.6.0 if none is named; nothing is done if it is there
#
# The package cairo-lang 0.13.1 carries StarkWare's static binaries of Cairo 2.6.0 for x86-64 and the core library, but for
# three of its files in nested folders: corelib/ beside this script supplies those.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$HOME/.cache/ciro/cairo-2.6.0}

if ! [ -x "$folder/bin/starknet-sierra-compile" ]; then
    echo "starknet: installing the Cairo 2.6.0 compiler into $folder" >&2
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    python3 -m pip download --quiet --no-deps --no-binary :all: --dest "$work" cairo-lang==0.13.1 >&2
    python3 -m zipfile -e "$work"/cairo-lang-*.zip "$work/src"
    cp -r "$work"/src/*/starkware/starknet/compiler/v1/sierra-compiler-major-1 "$work/cairo"
    cp -r "$here/corelib/." "$work/cairo/corelib/src/"
    chmod +x "$work"/cairo/bin/*
    mkdir -p "$(dirname "$folder")"
    rm -rf "$folder"
    cp -r "$work/cairo" "$folder"
fi
echo "$folder"
