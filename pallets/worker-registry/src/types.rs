//! What operators say about themselves, and what is known of their presence.

use crate::{HeartbeatKey, Presence};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_runtime::Perbill;

/// Longest name of a GPU model, in bytes.
pub const MAX_GPU_MODEL: u32 = 48;
/// Longest peer address, in bytes.
pub const MAX_PEER_ADDRESS: u32 = 128;

/// What a worker's machine can do.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Capabilities {
    /// The GPU's name as its driver gives it, in UTF-8; empty if there is none.
    pub gpu_model: BoundedVec<u8, ConstU32<MAX_GPU_MODEL>>,
    /// Memory of the GPU, or of the machine if it has none, in MiB.
    pub memory: u32,
    /// Arithmetic throughput in units of 10^9 operations a second.
    pub gflops: u32,
    /// Where the machine stands.
    pub region: Region,
    /// Where other peers reach it: a multiaddress as text.
    pub peer_address: BoundedVec<u8, ConstU32<MAX_PEER_ADDRESS>>,
}

impl Capabilities {
    /// Whether both texts are UTF-8, and so can be shown to people.
    pub fn is_valid(&self) -> bool {
        [self.gpu_model.as_slice(), self.peer_address.as_slice()]
            .into_iter()
            .all(|text| core::str::from_utf8(text).is_ok())
    }

    /// Whether the machine does what is asked.
    pub fn meet(&self, requirements: &Requirements) -> bool {
        (!requirements.gpu || !self.gpu_model.is_empty())
            && self.memory >= requirements.memory
            && self.gflops >= requirements.gflops
            && requirements
                .region
                .is_none_or(|region| region == self.region)
    }
}

/// A part of the world.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Region {
    /// North America.
    #[codec(index = 0)]
    NorthAmerica,
    /// Europe.
    #[codec(index = 1)]
    Europe,
    /// Asia and the Pacific.
    #[codec(index = 2)]
    AsiaPacific,
    /// Everywhere else.
    #[codec(index = 3)]
    Other,
}

/// What a job asks of the machine that runs it.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Requirements {
    /// Whether there must be a GPU.
    pub gpu: bool,
    /// Least memory, in MiB.
    pub memory: u32,
    /// Least arithmetic throughput, in units of 10^9 operations a second.
    pub gflops: u32,
    /// Where it must stand; `None` for anywhere.
    pub region: Option<Region>,
}

/// A registered worker.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Worker<Balance, BlockNumber> {
    /// What its machine can do, as it says itself.
    pub capabilities: Capabilities,
    /// What its heartbeats are signed with.
    pub heartbeat_key: HeartbeatKey,
    /// What it has on hold for the registration, in plancks.
    pub deposit: Balance,
    /// What is known of its presence.
    pub presence: Presence<BlockNumber>,
}

/// A silence of an operator that has been heard before.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Outage<BlockNumber> {
    /// The block of the last heartbeat, which tells one outage from another.
    pub since: BlockNumber,
    /// Blocks that have passed since.
    pub blocks: BlockNumber,
}

/// What other pallets may know of operators.
pub trait WorkerDirectory<AccountId, BlockNumber> {
    /// Whether the account is registered and active.
    fn is_active(who: &AccountId) -> bool;

    /// Whether the account is registered, active, and its machine does what is asked.
    fn meets(who: &AccountId, requirements: &Requirements) -> bool;

    /// The share of due heartbeats of the last 30 days that came. Of an operator that registered later, those since.
    fn uptime(who: &AccountId) -> Perbill;

    /// How long a registered, active operator has been silent.
    fn outage(who: &AccountId) -> Option<Outage<BlockNumber>>;
}
