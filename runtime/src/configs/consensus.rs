//! Who makes blocks and who finalises them: BABE, GRANDPA, BEEFY over the MMR, and the sessions that they share.
//!
//! Equivocations are reported with evidence that the runtime checks itself. An offender sits out the rest of its session
//! and the next one, and answers with its stake.

use crate::{
    configs::{
        bridge::{LeafExtra, LeafOfBridge},
        economy::MIN_VALIDATOR_STAKE,
    },
    constants::{DAYS, EPOCH_SLOTS, MAX_SUPPLY, SLOT_MILLISECONDS, UNIT},
    origins::SlotsOfEpoch,
    AccountId, AuthorityDiscovery, Babe, Balances, Beefy, BeefyMmr, CdcPool, Grandpa, Historical,
    Offences, Reputation, Runtime, RuntimeEvent, Session, Slashing, ValidatorSet, WorkerRegistry,
};
use alloc::vec::Vec;
use frame_support::{
    parameter_types,
    traits::{ConstU128, ConstU32, ConstU64},
    weights::Weight,
};
use frame_system::EnsureRoot;
use pallet_session::{
    disabling::UpToLimitWithReEnablingDisablingStrategy,
    historical::{self, NoteHistoricalRoot},
    FindAccountFromAuthorIndex,
};
use pallet_validator_set::Capacity;
use pallet_worker_registry::Workers;
use sp_consensus_babe::{AllowedSlots, BabeEpochConfiguration};
use sp_consensus_beefy::{ecdsa_crypto::AuthorityId as BeefyId, mmr::MmrLeafVersion};
use sp_runtime::{
    impl_opaque_keys,
    traits::{Convert, ConvertInto, Keccak256, OpaqueKeys},
    Perbill,
};
use sp_session::MembershipProof;
use sp_staking::{
    offence::{OffenceDetails, OffenceSeverity, OnOffenceHandler},
    SessionIndex,
};

/// Most validators that a session may have.
pub const MAX_AUTHORITIES: u32 = 100;
/// Most validators that are elected: 3 · 21 + 1.
pub const MAX_VALIDATORS: u32 = 64;
/// Sessions after which validators are elected anew and rewarded: an hour.
pub const SESSIONS_PER_ERA: SessionIndex = 6;
/// Sessions for which an equivocation can still be proved: a week.
pub const EVIDENCE_SESSIONS: u32 = 7 * 24 * 6;
/// How slots are given out: a validator wins a primary slot with a chance of one in four in all; every other slot
/// falls to a secondary validator, so that none stays empty.
pub const EPOCH_CONFIGURATION: BabeEpochConfiguration = BabeEpochConfiguration {
    c: (1, 4),
    allowed_slots: AllowedSlots::PrimaryAndSecondaryVRFSlots,
};

impl_opaque_keys! {
    /// The keys that a validator signs with, one for each protocol.
    pub struct SessionKeys {
        /// sr25519: block production.
        pub babe: Babe,
        /// ed25519: finality.
        pub grandpa: Grandpa,
        /// ECDSA: finality that other chains can check.
        pub beefy: Beefy,
        /// sr25519: publishing the validator's network address.
        pub authority_discovery: AuthorityDiscovery,
    }
}

/// Blocks for which a pending equivocation report stays valid.
pub type ReportLongevity = ConstU64<{ EVIDENCE_SESSIONS as u64 * EPOCH_SLOTS as u64 }>;

impl pallet_timestamp::Config for Runtime {
    type Moment = u64;
    type OnTimestampSet = Babe;
    type MinimumPeriod = ConstU64<{ SLOT_MILLISECONDS / 2 }>;
    type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_babe::Config for Runtime {
    type EpochDuration = SlotsOfEpoch;
    type ExpectedBlockTime = ConstU64<SLOT_MILLISECONDS>;
    type EpochChangeTrigger = pallet_babe::ExternalTrigger;
    type DisabledValidators = Session;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<MAX_AUTHORITIES>;
    type MaxNominators = ConstU32<0>;
    type KeyOwnerProof = MembershipProof;
    type EquivocationReportSystem =
        pallet_babe::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
}

impl pallet_grandpa::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<MAX_AUTHORITIES>;
    type MaxNominators = ConstU32<0>;
    type MaxSetIdSessionEntries = ConstU64<{ EVIDENCE_SESSIONS as u64 }>;
    type KeyOwnerProof = MembershipProof;
    type EquivocationReportSystem =
        pallet_grandpa::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
}

impl pallet_beefy::Config for Runtime {
    type BeefyId = BeefyId;
    type MaxAuthorities = ConstU32<MAX_AUTHORITIES>;
    type MaxNominators = ConstU32<0>;
    type MaxSetIdSessionEntries = ConstU64<{ EVIDENCE_SESSIONS as u64 }>;
    type OnNewValidatorSet = BeefyMmr;
    type AncestryHelper = BeefyMmr;
    type WeightInfo = ();
    type KeyOwnerProof = MembershipProof;
    type EquivocationReportSystem =
        pallet_beefy::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
}

impl pallet_mmr::Config for Runtime {
    const INDEXING_PREFIX: &'static [u8] = sp_mmr_primitives::INDEXING_PREFIX;
    // Keccak: the bridged chains compute it cheaply.
    type Hashing = Keccak256;
    type LeafData = BeefyMmr;
    type OnNewRoot = pallet_beefy_mmr::DepositBeefyDigest<Runtime>;
    type BlockHashProvider = pallet_mmr::DefaultBlockHashProvider<Runtime>;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = ();
}

parameter_types! {
    /// Version of the MMR leaf: the major part rises when older readers cannot decode it, the minor one when it grows.
    /// The bridge's clients know no other than this; leaves of the first release, which say the same and carry less
    /// ([`LeafExtra`]), lie before the blocks that they begin with.
    pub LeafVersion: MmrLeafVersion = MmrLeafVersion::new(0, 0);
}

impl pallet_beefy_mmr::Config for Runtime {
    type LeafVersion = LeafVersion;
    type BeefyAuthorityToMerkleLeaf = pallet_beefy_mmr::BeefyEcdsaToEthereum;
    type LeafExtra = LeafExtra;
    type BeefyDataProvider = LeafOfBridge;
    type WeightInfo = ();
}

impl pallet_authorship::Config for Runtime {
    type FindAuthor = FindAccountFromAuthorIndex<Self, Babe>;
    type EventHandler = ValidatorSet;
}

impl pallet_authority_discovery::Config for Runtime {
    type MaxAuthorities = ConstU32<MAX_AUTHORITIES>;
}

impl pallet_session::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type ValidatorId = AccountId;
    type ValidatorIdOf = ConvertInto;
    type ShouldEndSession = Babe;
    type NextSessionRotation = Babe;
    type SessionManager = NoteHistoricalRoot<Self, ValidatorSet>;
    type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
    type Keys = SessionKeys;
    type DisablingStrategy = UpToLimitWithReEnablingDisablingStrategy;
    type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
    type Currency = Balances;
    type KeyDeposit = ConstU128<UNIT>;
}

impl pallet_validator_set::Config for Runtime {
    type Stakes = CdcPool;
    type Reputations = Reputation;
    type Workers = WorkerRegistry;
    type Offences = Slashing;
    type Capacities = RatedCapacity;
    type Supply = pallet_token_gateway::CanonicalSupply<Runtime>;
    type InviteOrigin = EnsureRoot<AccountId>;
    type MaxValidators = ConstU32<MAX_VALIDATORS>;
    type MinValidatorStake = ConstU128<MIN_VALIDATOR_STAKE>;
    type SessionsPerEra = ConstU32<SESSIONS_PER_ERA>;
    type EvidenceSessions = ConstU32<EVIDENCE_SESSIONS>;
    type Year = ConstU32<{ 365 * DAYS }>;
    type MaxIssuance = ConstU128<MAX_SUPPLY>;
    type ValidatorShare = ValidatorShare;
    type WeightInfo = pallet_validator_set::weights::SubstrateWeight<Runtime>;
}

impl historical::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type FullIdentification = ();
    type FullIdentificationOf = AccountAlone;
}

impl pallet_offences::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type IdentificationTuple = historical::IdentificationTuple<Self>;
    type OnOffenceHandler = SitOut;
}

parameter_types! {
    /// The validators' share of what is emitted. The rest is not minted.
    pub const ValidatorShare: Perbill = Perbill::from_percent(50);
}

/// What a worker's machine can do, as its operator has registered it. The rating is the peak: none is measured yet.
pub struct RatedCapacity;

impl Convert<AccountId, Capacity> for RatedCapacity {
    fn convert(who: AccountId) -> Capacity {
        let gflops = Workers::<Runtime>::get(who).map_or(0, |worker| worker.capabilities.gflops);
        Capacity {
            gflops,
            peak_to_rated: 1_000_000,
        }
    }
}

/// A validator is fully identified by its account: no stake of others stands behind it.
pub struct AccountAlone;

impl Convert<AccountId, Option<()>> for AccountAlone {
    fn convert(_: AccountId) -> Option<()> {
        Some(())
    }
}

/// Disables offenders, a third of the validators at most, and opens a case against each.
pub struct SitOut;

impl OnOffenceHandler<AccountId, historical::IdentificationTuple<Runtime>, Weight> for SitOut {
    fn on_offence(
        offenders: &[OffenceDetails<AccountId, historical::IdentificationTuple<Runtime>>],
        slash_fractions: &[Perbill],
        session: SessionIndex,
    ) -> Weight {
        let mut weight = Slashing::on_offence(offenders, slash_fractions, session);
        for (details, fraction) in offenders.iter().zip(slash_fractions) {
            let (validator, ()) = &details.offender;
            Session::report_offence(validator.clone(), OffenceSeverity(*fraction));
            let db = <Runtime as frame_system::Config>::DbWeight::get();
            weight = weight.saturating_add(db.reads_writes(3, 1));
        }
        weight
    }
}
