//! Who makes blocks and who finalises them: BABE, GRANDPA, BEEFY over the MMR, and the sessions that they share.
//!
//! The validators are those of the genesis block. Equivocations are reported with evidence that the runtime checks
//! itself; an offender sits out the rest of its session and the next one.

use crate::{
    constants::{EPOCH_SLOTS, SLOT_MILLISECONDS, UNIT},
    AccountId, AuthorityDiscovery, Babe, Balances, Beefy, BeefyMmr, Grandpa, Historical, Offences,
    Runtime, RuntimeEvent, Session,
};
use alloc::vec::Vec;
use frame_support::{
    parameter_types,
    traits::{ConstU128, ConstU32, ConstU64},
    weights::Weight,
};
use pallet_session::{
    disabling::UpToLimitWithReEnablingDisablingStrategy,
    historical::{self, NoteHistoricalRoot},
    DisabledValidators, FindAccountFromAuthorIndex, NextKeys, QueuedKeys, Validators,
};
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
    type EpochDuration = ConstU64<{ EPOCH_SLOTS as u64 }>;
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
    pub LeafVersion: MmrLeafVersion = MmrLeafVersion::new(0, 0);
}

impl pallet_beefy_mmr::Config for Runtime {
    type LeafVersion = LeafVersion;
    type BeefyAuthorityToMerkleLeaf = pallet_beefy_mmr::BeefyEcdsaToEthereum;
    // Nothing leaves the chain yet.
    type LeafExtra = Vec<u8>;
    type BeefyDataProvider = ();
    type WeightInfo = ();
}

impl pallet_authorship::Config for Runtime {
    type FindAuthor = FindAccountFromAuthorIndex<Self, Babe>;
    type EventHandler = ();
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
    type SessionManager = NoteHistoricalRoot<Self, GenesisValidators>;
    type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
    type Keys = SessionKeys;
    type DisablingStrategy = UpToLimitWithReEnablingDisablingStrategy;
    type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
    type Currency = Balances;
    type KeyDeposit = ConstU128<UNIT>;
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

/// A validator is fully identified by its account: no stake of others stands behind it.
pub struct AccountAlone;

impl Convert<AccountId, Option<()>> for AccountAlone {
    fn convert(_: AccountId) -> Option<()> {
        Some(())
    }
}

/// Keeps the validators of the genesis block, session after session.
///
/// A session is planned anew, with the same validators, only if one of them has changed its keys or sits out a
/// session: that notes the new keys for later evidence, and lets the disabled back in. Otherwise GRANDPA's authority
/// set stays as it is, which keeps warp synchronisation short.
pub struct GenesisValidators;

impl pallet_session::SessionManager<AccountId> for GenesisValidators {
    fn new_session_genesis(_: SessionIndex) -> Option<Vec<AccountId>> {
        // Genesis has put the keys, but not yet the validators that own them.
        let mut validators: Vec<_> = NextKeys::<Runtime>::iter_keys().collect();
        validators.sort();
        Some(validators)
    }

    fn new_session(_: SessionIndex) -> Option<Vec<AccountId>> {
        let keys_changed = || {
            QueuedKeys::<Runtime>::get()
                .iter()
                .any(|(validator, keys)| NextKeys::<Runtime>::get(validator).as_ref() != Some(keys))
        };
        let plan_anew = !DisabledValidators::<Runtime>::get().is_empty() || keys_changed();
        plan_anew.then(Validators::<Runtime>::get)
    }

    fn start_session(_: SessionIndex) {}

    fn end_session(ended: SessionIndex) {
        Historical::prune_up_to(ended.saturating_sub(EVIDENCE_SESSIONS));
    }
}

impl historical::SessionManager<AccountId, ()> for GenesisValidators {
    fn new_session_genesis(index: SessionIndex) -> Option<Vec<(AccountId, ())>> {
        <Self as pallet_session::SessionManager<_>>::new_session_genesis(index).map(identified)
    }

    fn new_session(index: SessionIndex) -> Option<Vec<(AccountId, ())>> {
        <Self as pallet_session::SessionManager<_>>::new_session(index).map(identified)
    }

    fn start_session(index: SessionIndex) {
        <Self as pallet_session::SessionManager<_>>::start_session(index)
    }

    fn end_session(index: SessionIndex) {
        <Self as pallet_session::SessionManager<_>>::end_session(index)
    }
}

/// Each validator with its full identification.
fn identified(validators: Vec<AccountId>) -> Vec<(AccountId, ())> {
    validators
        .into_iter()
        .map(|validator| (validator, ()))
        .collect()
}

/// Disables offenders, a third of the validators at most.
pub struct SitOut;

impl OnOffenceHandler<AccountId, historical::IdentificationTuple<Runtime>, Weight> for SitOut {
    fn on_offence(
        offenders: &[OffenceDetails<AccountId, historical::IdentificationTuple<Runtime>>],
        slash_fractions: &[Perbill],
        _: SessionIndex,
    ) -> Weight {
        let mut weight = Weight::zero();
        for (details, fraction) in offenders.iter().zip(slash_fractions) {
            let (validator, ()) = &details.offender;
            Session::report_offence(validator.clone(), OffenceSeverity(*fraction));
            let db = <Runtime as frame_system::Config>::DbWeight::get();
            weight = weight.saturating_add(db.reads_writes(3, 1));
        }
        weight
    }
}
