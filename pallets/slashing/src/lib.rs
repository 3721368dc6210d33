//! # Slashing
//!
//! Who breaks the rules loses stake, reputation, and for a time the right to work: how much of each is in [`matrix`].
//!
//! A checked offence opens a case. It suspends the offender at once, and waits for [`Config::DeferralPeriod`]: so long
//! governance may cancel it, which lifts its suspension. Governance can open none. After that anyone may execute it, and
//! the chain does so itself with what a block has left. What time makes of a suspension is in [`history`].
//!
//! Offences come from three sides: other pallets that have checked evidence open cases as an [`OffenceDesk`],
//! equivocations come from `pallet_offences` by [`OnOffenceHandler`](sp_staking::offence::OnOffenceHandler), and anyone
//! reports downtime, which the registry of workers knows. One offence is one case: a second report of the same offender,
//! kind and block changes nothing.
//!
//! Double signing of so many validators together that they could have broken finality is a coordinated attack
//! ([`coordination`]): they lose everything, and are banned with all their keys. Nothing lifts a ban.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
pub mod coordination;
mod desk;
pub mod history;
mod impls;
pub mod matrix;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
mod types;
pub mod weights;

pub use desk::{BannedAccounts, BannedKeyHashes, UnderInvestigation};
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// FRAME's macros expand to `expect`; what is written here does not use it.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use crate::{coordination::Sightings, history::History};
    use alloc::vec::Vec;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use pallet_cdc_pool::StakeLedger;
    use pallet_reputation::ReputationLedger;
    use pallet_worker_registry::WorkerDirectory;
    use sp_runtime::{traits::Convert, Perbill};
    use sp_staking::SessionIndex;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// A case on this chain.
    pub type RecordOf<T> = SlashRecord<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

    /// Cases, suspensions and bans.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime supplies. Times are in blocks.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// The stake that answers for offences.
        type Stakes: StakeLedger<Self::AccountId, Balance, BlockNumberFor<Self>>;

        /// The reputation that offences cost.
        type Reputations: ReputationLedger<Self::AccountId>;

        /// Who knows how long an operator has been silent.
        type Workers: WorkerDirectory<Self::AccountId, BlockNumberFor<Self>>;

        /// How many validators there are.
        type ValidatorCount: Get<u32>;

        /// When a session began. For one that is not known any more, blocks that are no later.
        type Sessions: Convert<SessionIndex, SessionOrigin<BlockNumberFor<Self>>>;

        /// The keys that an account is known to use, hashed.
        type KeysOf: Convert<Self::AccountId, KeyHashes>;

        /// Who may cancel a pending case.
        type CancelOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// What [`StakeLedger::slash`] weighs at most.
        type SlashWeight: Get<Weight>;

        /// Blocks in a day.
        #[pallet::constant]
        type Day: Get<BlockNumberFor<Self>>;

        /// Blocks for which a case waits before it may be executed.
        #[pallet::constant]
        type DeferralPeriod: Get<BlockNumberFor<Self>>;

        /// Blocks for which an operator counts for half after a suspension.
        #[pallet::constant]
        type ProbationPeriod: Get<BlockNumberFor<Self>>;

        /// Blocks within which double signings belong together.
        #[pallet::constant]
        type CoordinationWindow: Get<BlockNumberFor<Self>>;

        /// Blocks after which double signing cannot be proved any more.
        #[pallet::constant]
        type EvidencePeriod: Get<BlockNumberFor<Self>>;

        /// Blocks of silence from which on an operator can be reported.
        #[pallet::constant]
        type DowntimeThreshold: Get<BlockNumberFor<Self>>;

        /// What the reporter of a downtime gets of the stake that is taken.
        #[pallet::constant]
        type ReporterShare: Get<Perbill>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;

        /// What the benchmarks need beyond this pallet.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: BenchmarkHelper<Self::AccountId>;
    }

    /// The number of the next case, and so how many were ever opened.
    #[pallet::storage]
    pub type NextCaseId<T: Config> = StorageValue<_, CaseId, ValueQuery>;

    /// The cases that are not pruned yet.
    #[pallet::storage]
    pub type Cases<T: Config> = StorageMap<_, Twox64Concat, CaseId, RecordOf<T>>;

    /// The case that an offence has opened, which is what makes a second report of it void.
    #[pallet::storage]
    pub type Known<T: Config> =
        StorageMap<_, Blake2_128Concat, (T::AccountId, OffenceKind, BlockNumberFor<T>), CaseId>;

    /// What is held against each operator.
    #[pallet::storage]
    pub type Histories<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, History<BlockNumberFor<T>>, ValueQuery>;

    /// The pending cases by their places, in the order in which they fall due.
    #[pallet::storage]
    pub type Queue<T: Config> = StorageMap<_, Twox64Concat, u64, CaseId>;

    /// The first place of the queue that may be taken, and the first that never was.
    #[pallet::storage]
    pub type QueueRange<T: Config> = StorageValue<_, (u64, u64), ValueQuery>;

    /// The double signings that may still turn out to belong together.
    #[pallet::storage]
    pub type DoubleSignings<T: Config> =
        StorageValue<_, Sightings<T::AccountId, BlockNumberFor<T>>, ValueQuery>;

    /// The keys that the offender of a pending coordinated attack had when it was accused of it.
    #[pallet::storage]
    pub type AccusedKeys<T: Config> = StorageMap<_, Twox64Concat, CaseId, KeyHashes>;

    /// Who may never work again, and the case that decided it.
    #[pallet::storage]
    pub type Banned<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, CaseId>;

    /// The hashes of keys that may never be used again, and the case that decided it.
    #[pallet::storage]
    pub type BannedKeys<T: Config> = StorageMap<_, Blake2_128Concat, KeyHash, CaseId>;

    /// What happened to cases.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A case was opened, and its offender suspended.
        CaseOpened {
            /// Its number.
            case: CaseId,
            /// Whom it is against.
            offender: T::AccountId,
            /// What the offender did.
            kind: OffenceKind,
            /// The share of the stake that will be taken.
            fraction: Perbill,
            /// The first block in which it may be executed.
            due: BlockNumberFor<T>,
            /// The last block of the suspension.
            until: BlockNumberFor<T>,
        },
        /// A pending case of double signing turned out to be part of a coordinated attack.
        CaseEscalated {
            /// The case.
            case: CaseId,
            /// Whom it is against.
            offender: T::AccountId,
            /// The first block in which it may be executed now.
            due: BlockNumberFor<T>,
        },
        /// Stake was taken.
        WorkerSlashed {
            /// Whose stake, and that of those who stake for it.
            worker: T::AccountId,
            /// How much, in plancks.
            amount: Balance,
        },
        /// A case was executed.
        SlashApplied {
            /// The case.
            case: CaseId,
            /// Whom it is against.
            offender: T::AccountId,
            /// What the offender did.
            kind: OffenceKind,
            /// The share of the stake that was taken.
            fraction: Perbill,
        },
        /// An operator was banned, with the keys that it is known to use.
        OperatorBanned {
            /// The operator.
            who: T::AccountId,
            /// The case that decided it.
            case: CaseId,
        },
        /// Governance cancelled a case. Its suspension is lifted and nothing is taken.
        CaseCancelled {
            /// The case.
            case: CaseId,
        },
        /// An old case was removed.
        CasePruned {
            /// The case.
            case: CaseId,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no such case.
        UnknownCase,
        /// The case has been executed or cancelled already.
        NotPending,
        /// Governance may still cancel the case.
        NotDue,
        /// None of the cases could be executed.
        NothingDue,
        /// The operator is inactive, or has not been silent for long enough.
        NotDown,
        /// This outage has been reported already.
        AlreadyReported,
        /// The case is still pending.
        NotClosed,
        /// The case is not old enough yet.
        RetentionNotOver,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            Self::check_constants();
        }

        fn on_idle(now: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::execute_due(now, remaining)
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Reports that an operator has sent no heartbeat for [`Config::DowntimeThreshold`] blocks or more, once for
        /// each outage. [`Config::ReporterShare`] of what will be taken goes to the caller, and the call costs no fee.
        ///
        /// # Errors
        /// [`Error::NotDown`], [`Error::AlreadyReported`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::report_downtime())]
        pub fn report_downtime(
            origin: OriginFor<T>,
            operator: T::AccountId,
        ) -> DispatchResultWithPostInfo {
            let reporter = ensure_signed(origin)?;
            let outage = T::Workers::outage(&operator)
                .filter(|outage| outage.blocks >= T::DowntimeThreshold::get())
                .ok_or(Error::<T>::NotDown)?;
            let since = outage.since;
            Self::open(
                &operator,
                OffenceKind::Downtime,
                since,
                since,
                Some(reporter),
            )
            .ok_or(Error::<T>::AlreadyReported)?;
            Ok(Pays::No.into())
        }

        /// Executes a case that is due: takes the stake and the reputation, and bans for a coordinated attack. Anyone
        /// may, and the call costs no fee.
        ///
        /// # Errors
        /// [`Error::UnknownCase`], [`Error::NotPending`], [`Error::NotDue`].
        ///
        /// # Weight
        /// Constant, with [`Config::SlashWeight`].
        #[pallet::call_index(1)]
        #[pallet::weight(Pallet::<T>::execution_weight())]
        pub fn execute_case(origin: OriginFor<T>, case: CaseId) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            Self::execute(case)?;
            Ok(Pays::No.into())
        }

        /// Executes those of the cases that are due, and passes over the others. The call costs no fee if it has
        /// passed over none.
        ///
        /// # Errors
        /// [`Error::NothingDue`].
        ///
        /// # Weight
        /// Grows with the number of cases; what is passed over is refunded but for a read.
        #[pallet::call_index(2)]
        #[pallet::weight(Pallet::<T>::execution_weight().saturating_mul(cases.len().max(1) as u64))]
        pub fn execute_cases(
            origin: OriginFor<T>,
            cases: BoundedVec<CaseId, ConstU32<MAX_BATCH>>,
        ) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            let given = cases.len() as u64;
            let executed = cases
                .into_iter()
                .filter(|case| Self::execute(*case).is_ok())
                .count() as u64;
            ensure!(executed > 0, Error::<T>::NothingDue);
            let passed_over = given.saturating_sub(executed);
            let weight = Self::execution_weight()
                .saturating_mul(executed)
                .saturating_add(T::WeightInfo::look_at_queue().saturating_mul(passed_over));
            let pays_fee = if passed_over == 0 {
                Pays::No
            } else {
                Pays::Yes
            };
            Ok((Some(weight), pays_fee).into())
        }

        /// Cancels a pending case: lifts its suspension, and takes nothing.
        ///
        /// # Errors
        /// The origin is not [`Config::CancelOrigin`], [`Error::UnknownCase`], [`Error::NotPending`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::cancel_case())]
        pub fn cancel_case(origin: OriginFor<T>, case: CaseId) -> DispatchResult {
            T::CancelOrigin::ensure_origin(origin)?;
            Self::cancel(case)
        }

        /// Removes a closed case that can matter no more: the longest suspension and a year have passed since it was
        /// opened. Anyone may, and the call costs no fee. A ban stays.
        ///
        /// # Errors
        /// [`Error::UnknownCase`], [`Error::NotClosed`], [`Error::RetentionNotOver`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::prune_case())]
        pub fn prune_case(origin: OriginFor<T>, case: CaseId) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            Self::prune(case)?;
            Ok(Pays::No.into())
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The case, if it is not pruned yet.
        pub fn case(case: CaseId) -> Option<RecordOf<T>> {
            Cases::<T>::get(case)
        }

        /// The latest cases against `who` that are pending or applied, oldest first, at most
        /// [`history::MAX_LISTED`].
        pub fn cases_of(who: T::AccountId) -> Vec<RecordOf<T>> {
            Histories::<T>::get(who)
                .entries
                .iter()
                .filter_map(|entry| Cases::<T>::get(entry.case))
                .collect()
        }

        /// Whether `who` may work.
        pub fn standing(who: T::AccountId) -> Standing<BlockNumberFor<T>> {
            <Self as OffenceDesk<_, _>>::standing(&who)
        }

        /// Whether `who` may never work again, for its own offence or for the keys that it uses.
        pub fn banned(who: T::AccountId) -> bool {
            Self::is_banned(&who)
        }
    }
}
