//! Stands in for `dashmap` 6 so that stwo's verifier links where there is no `std`.
#![no_std]

#[cfg(not(target_arch = "wasm32"))]
pub use dashmap_native::*;
