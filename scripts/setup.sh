#!/usr/bin/env bash
# Makes this machine (Debian 12 or a relative of it) ready to build and test Ciro, says what it does on standard error,
# and prints the environment that cargo needs on standard output:
#
#     eval "$(scripts/setup.sh)"
#
# Everything is looked at each time, in a fraction of a second if nothing is to do.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "setup: $*" >&2; }
fail() { say "$@"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# System packages: what the build and the tests call, and the package that has it.
missing=()
while read -r package check; do
    eval "$check" >/dev/null 2>&1 || missing+=("$package")
done <<'PACKAGES'
build-essential have cc && have c++ && have make
clang have clang
cmake have cmake
curl have curl
git have git
libclang-dev ls /usr/lib/llvm-*/lib/libclang*.so* /usr/lib/*/libclang*.so*
libssl-dev pkg-config --exists openssl
nodejs have node
npm have npm
pkg-config have pkg-config
protobuf-compiler have protoc
python3 have python3
python3-pip python3 -m pip --version
PACKAGES
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" != 0 ] || ! have apt-get; then
        fail "these packages are missing: ${missing[*]}. As root: apt-get install ${missing[*]}"
    fi
    say "installing ${missing[*]}"
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
fi

# Rust, as rust-toolchain.toml names it.
oldest=1.91
have cargo || fail "Rust is missing. Install it with: curl --proto =https -sSf https://sh.rustup.rs | sh"
if have rustup && ! { rustc --version && cargo fmt --version && cargo clippy --version; } >/dev/null 2>&1; then
    say "installing the Rust toolchain of rust-toolchain.toml"
    rustup toolchain install >&2
fi
version=$(rustc --version | cut -d' ' -f2)
[ "$(printf '%s\n' "$oldest" "$version" | sort -V | head -n1)" = "$oldest" ] ||
    fail "Rust $oldest or later is needed and this is $version: rustup update"
wasm=$(scripts/wasm-target.sh)

# The npm packages of the polkadot.js test.
node=$(node -p 'process.versions.node.split(".")[0]')
[ "$node" -ge 18 ] || fail "Node.js 18 or later is needed and this is $node"
if ! [ e2e/polkadot-js/node_modules/.package-lock.json -nt e2e/polkadot-js/package-lock.json ]; then
    say "installing the npm packages of e2e/polkadot-js"
    npm ci --prefix e2e/polkadot-js --no-audit --no-fund --loglevel=error >&2
    touch e2e/polkadot-js/node_modules/.package-lock.json
fi

echo "$wasm"
