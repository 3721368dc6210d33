//! The client that another chain runs of Ciro, as `bridge/PROTOCOL.md` lays it down: what contracts do in their own
//! languages, in the same order and with the same [errors](Error).
//!
//! A [`BeefyClient`] follows the validators from one set to the next, and knows the roots that they signed. Under a root it
//! proves leaves, messages and results. An [`Inbox`] is a contract's side of its lane: it takes every message once.
//!
//! Nothing here reads a clock: the time is passed in, in Unix seconds. No input makes it panic.

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

extern crate alloc;

mod client;
mod error;
mod inbox;
mod signature;

pub use client::{BeefyClient, CLOCK_DRIFT, DEFAULT_EXPIRY};
pub use error::Error;
pub use inbox::Inbox;
pub use signature::recover;
