//! # Slashing

#![cfg_attr(not(feature = "std"), no_std)]

mod types;

pub use types::*;
