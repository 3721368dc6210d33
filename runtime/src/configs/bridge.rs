//! The bridge to other chains: what a lane and a message cost, and who halts it.

use crate::{
    configs::{
        parameters::{dynamic::bridge, Value},
        treasury::ToTreasury,
    },
    constants::UNIT,
    origins::{Emergency, RootOr},
    Balance, Balances, JobMarket, OutboundQueue, Runtime, Slashing, Timestamp,
};
use ciro_bridge_primitives::BridgeLeaf;
use codec::{Decode, Encode, EncodeLike, Error, Input, Output};
use frame_support::traits::{ConstU128, ConstU32};
use sp_consensus_beefy::mmr::BeefyDataProvider;

/// Deposit for a lane: once the lane is used it stays for good, and so does the lane's entry.
pub const LANE_DEPOSIT: Balance = 10 * UNIT;
/// Most messages in a block.
pub const MAX_MESSAGES: u32 = 64;
/// Most results in a block: more than a block has time to pay for.
pub const MAX_RESULTS: u32 = 4_096;

impl pallet_outbound_queue::Config for Runtime {
    type Token = Balances;
    type FeeDestination = ToTreasury;
    type Clock = Timestamp;
    type Market = JobMarket;
    type Cases = Slashing;
    type HaltOrigin = RootOr<Emergency>;
    type LaneDeposit = ConstU128<LANE_DEPOSIT>;
    type MessageFee = Value<bridge::MessageFee>;
    type MaxMessages = ConstU32<MAX_MESSAGES>;
    type MaxResults = ConstU32<MAX_RESULTS>;
    type WeightInfo = pallet_outbound_queue::weights::SubstrateWeight<Runtime>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarks::Sendable;
}

/// What a leaf of the MMR carries besides the validators.
///
/// The first release's leaves carry an empty list of bytes. They must still decode: else their neighbours could not be
/// proven, and who then signed for another fork not be convicted. Nothing follows in a leaf, so that its end tells the
/// two apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LeafExtra {
    /// An empty list of bytes, in SCALE.
    Nothing,
    /// What the bridge adds.
    Bridge(BridgeLeaf),
}

impl Encode for LeafExtra {
    fn encode_to<O: Output + ?Sized>(&self, output: &mut O) {
        match self {
            Self::Nothing => output.push_byte(0),
            Self::Bridge(leaf) => leaf.encode_to(output),
        }
    }
}

impl EncodeLike for LeafExtra {}

impl Decode for LeafExtra {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        if input.remaining_len()? != Some(1) {
            return BridgeLeaf::decode(input).map(Self::Bridge);
        }
        match input.read_byte()? {
            0 => Ok(Self::Nothing),
            _ => Err("neither nothing nor the bridge's part of a leaf".into()),
        }
    }
}

/// What every leaf from now on carries.
pub struct LeafOfBridge;

impl BeefyDataProvider<LeafExtra> for LeafOfBridge {
    fn extra_data() -> LeafExtra {
        LeafExtra::Bridge(OutboundQueue::extra_data())
    }
}
