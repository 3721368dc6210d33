//! Parameters of every pallet, a file a concern.

pub mod bridge;
pub mod consensus;
pub mod economy;
pub mod ethereum;
pub mod gateway;
pub mod governance;
pub mod market;
pub mod misc;
pub mod money;
pub mod parameters;
pub mod safety;
pub mod system;
pub mod treasury;
