//! # Stake pool

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod types;

pub use types::*;
