//! Parameters of every pallet, a file a concern.

pub mod consensus;
pub mod market;
pub mod misc;
pub mod money;
pub mod system;
