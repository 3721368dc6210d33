//! The way back over the bridge: who is believed about other chains, and how CIRO leaves and comes.

use crate::{
    configs::{ethereum::ProvenByEthereum, treasury::ToTreasury},
    constants::{DAYS, UNIT},
    origins::{Emergency, Paced, RootOr},
    AccountId, Balance, Balances, BlockNumber, OutboundQueue, Runtime, Timestamp, TokenGateway,
};
use ciro_bridge_primitives::{Destination, LaneId};
use frame_support::traits::{tokens::currency::ActiveIssuanceOf, ConstU128, ConstU32, Get};
use frame_system::EnsureRoot;
use sp_runtime::traits::Convert;

/// Least bond of an attester: as much as a validator stakes at least.
pub const MIN_ATTESTER_BOND: Balance = 10_000 * UNIT;
/// How long an attester's vote for an executed message can cost its bond.
pub const ATTESTATION_EVIDENCE_PERIOD: BlockNumber = 7 * DAYS;
/// How long the bond of an attester who leaves stays on hold: a day longer.
pub const ATTESTER_UNBONDING_PERIOD: BlockNumber = 8 * DAYS;
/// Blocks for which the limits of a remote token hold.
pub const TRANSFER_WINDOW: BlockNumber = DAYS;

impl pallet_attesters::Config for Runtime {
    type Token = Balances;
    type SlashDestination = ToTreasury;
    type InviteOrigin = EnsureRoot<AccountId>;
    type SafetyOrigin = RootOr<Emergency>;
    type Receiver = TokenGateway;
    type LightClient = ProvenByEthereum;
    type MinBond = ConstU128<MIN_ATTESTER_BOND>;
    type EvidencePeriod = Paced<ConstU32<ATTESTATION_EVIDENCE_PERIOD>>;
    type UnbondingPeriod = Paced<ConstU32<ATTESTER_UNBONDING_PERIOD>>;
    type WeightInfo = pallet_attesters::weights::SubstrateWeight<Runtime>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarks::Remotes;
}

impl pallet_token_gateway::Config for Runtime {
    type Token = Balances;
    type Outbox = OutboundQueue;
    type Lanes = OpenLanes;
    type Clock = Timestamp;
    type ManagerOrigin = EnsureRoot<AccountId>;
    type SafetyOrigin = RootOr<Emergency>;
    type Window = Paced<ConstU32<TRANSFER_WINDOW>>;
    type WeightInfo = pallet_token_gateway::weights::SubstrateWeight<Runtime>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarks::Remotes;
}

/// Where the lanes of the outbound queue lead to.
pub struct OpenLanes;

impl Convert<LaneId, Option<Destination>> for OpenLanes {
    fn convert(lane: LaneId) -> Option<Destination> {
        pallet_outbound_queue::Lanes::<Runtime>::get(lane).map(|lane| lane.destination)
    }
}

/// What a vote's turnout is measured by: all CIRO but what the treasury holds. What is on other chains can come back
/// and vote, and so counts: otherwise sending CIRO away would make votes easier to pass.
pub struct Electorate;

impl Get<Balance> for Electorate {
    fn get() -> Balance {
        ActiveIssuanceOf::<Balances, AccountId>::get().saturating_add(TokenGateway::elsewhere())
    }
}
