#!/usr/bin/env bash
# Makes sure that Rust can compile the runtime to wasm (target wasm32v1-none), and prints the environment that the
# runtime's build needs for it, which is none as a rule:
#
#     eval "$(scripts/wasm-target.sh)"
#
# Rustup has the target, or fetches it. Where it cannot (no way to its server), Debian's own compiler steps in for the
# wasm part alone: the packages rustc-web and rust-web-src build `core` and `alloc` for the target once, and rustup
# learns that compiler under the name ciro-wasm.
set -euo pipefail
target=wasm32v1-none
libraries=/usr/lib/rustlib/$target/lib

say() { echo "wasm-target: $*" >&2; }

has_target() { [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; }
has_debian_compiler() {
    command -v wasm-ld >/dev/null && [ -x /usr/bin/cargo ] && [ -d /usr/lib/rustlib/src/rust/library ]
}

if has_target; then exit; fi
if command -v rustup >/dev/null; then
    say "adding $target to the Rust toolchain"
    if rustup target add "$target" >&2 && has_target; then exit; fi
fi

say "rustup does not have $target: taking Debian's compiler for it"
if ! has_debian_compiler; then
    if [ "$(id -u)" != 0 ]; then
        say "as root: apt-get install rustc-web cargo-web rust-web-src lld"
        exit 1
    fi
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        rustc-web cargo-web rust-web-src lld >&2
fi
if ! ls "$libraries"/libcore-*.rlib >/dev/null 2>&1; then
    say "building core and alloc for $target"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir "$work/src"
    printf '#![no_std]\nextern crate alloc;\n' >"$work/src/lib.rs"
    cat >"$work/Cargo.toml" <<'MANIFEST'
[package]
name = "sysroot"
version = "0.0.0"
edition = "2021"
[profile.release]
lto = "off"
MANIFEST
    # The runtime is linked with link-time optimisation, which needs bitcode in every library.
    (cd "$work" && RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc CARGO_TARGET_DIR=$work/target \
        CARGO_TARGET_WASM32V1_NONE_RUSTFLAGS="-C embed-bitcode=yes" \
        /usr/bin/cargo build --quiet --release --target "$target" -Z build-std=core,alloc >&2)
    mkdir -p "$libraries"
    for library in core alloc compiler_builtins; do
        cp "$work/target/$target/release/deps/lib$library"-*.rlib "$libraries/"
    done
fi
rustup toolchain list | grep -q '^ciro-wasm' || rustup toolchain link ciro-wasm /usr >&2
echo "export WASM_BUILD_TOOLCHAIN=ciro-wasm"
echo "export CARGO_TARGET_WASM32V1_NONE_LINKER=wasm-ld"
