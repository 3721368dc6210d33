//! For tests of the bridge: [`Validators`] that sign what they are told to, a [`Chain`] of which every proof can be had, a
//! [`Scene`] in which a client meets it, and every [`Case`] in which a client must refuse. All of them trust their caller,
//! and panic where it asks for what there is not.

mod chain;
mod negative;
mod scene;
mod validators;

pub use chain::{block_hash, Block, Chain};
pub use negative::{cases, Call, Case};
pub use scene::{
    busy_block, destination, lane, Scene, CONTRACTS, EVM_CHAIN, EXPIRY, STARKNET_CHAIN, START,
};
pub use validators::Validators;
