//! # Validator set
//!
//! Who makes blocks and finalises them, and what they earn by it.
//!
//! Any operator may become a validator that has the role, session keys, enough stake of its own, and a good standing or
//! probation. Candidates are ranked by Stake · Reputation · Uptime ([`formulas::rank`]), and once in an era, every
//! [`Config::SessionsPerEra`] sessions, the best become the set: as many as the largest 3f + 1 that there are. Stake
//! decides who is in the set; within it every validator has one vote, in BABE, GRANDPA and BEEFY alike.
//!
//! A set that someone leaves by removing its session keys is elected anew at once.
//!
//! With fewer than four candidates rotation is refused and the set stays as it is: a chain that loses validators must not
//! go on with a set that bears no fault.
//!
//! A chain begins with the validators of its genesis block, which are *invited*: until there are four candidates for the
//! first time the set is the invited ones, and [`Config::InviteOrigin`] may change who they are. Whoever is suspended or
//! banned is left out, unless fewer than four would remain. From the first election on nobody is there by permission, and
//! nobody can be invited again.
//!
//! A session is planned anew only if its set differs from the last one's, or a validator has changed its keys or sits out
//! a session. Otherwise GRANDPA's authority set stays as it is, which keeps warp synchronisation short.
//!
//! At the end of an era validators are rewarded from the chain's emission ([`formulas::emission`]): their share of it,
//! [`Config::ValidatorShare`], is divided by the blocks that each has authored. The rest of the emission is not minted
//! here. Years are counted in blocks from genesis: a chain that stands still emits nothing.

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
pub mod formulas;
mod impls;
#[cfg(test)]
mod mock;
mod sessions;
#[cfg(test)]
mod tests;
mod types;
pub mod weights;

pub use pallet::*;
pub use sessions::{Sessions, ValidatorCount};
pub use types::*;
pub use weights::WeightInfo;

// FRAME's macros expand to `expect`; what is written here does not use it.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use pallet_cdc_pool::StakeLedger;
    use pallet_reputation::ReputationLedger;
    use pallet_session::historical;
    use pallet_slashing::{OffenceDesk, SessionOrigin};
    use pallet_worker_registry::WorkerDirectory;
    use sp_runtime::{traits::Convert, Perbill};
    use sp_staking::SessionIndex;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// Candidates, eras and rewards.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime supplies. Amounts are in plancks.
    #[pallet::config]
    pub trait Config:
        frame_system::Config
        + pallet_session::Config<ValidatorId = <Self as frame_system::Config>::AccountId>
        + historical::Config
    {
        /// The stake of operators.
        type Stakes: StakeLedger<Self::AccountId, Balance, BlockNumberFor<Self>>;

        /// The reputation of operators.
        type Reputations: ReputationLedger<Self::AccountId>;

        /// The presence of operators.
        type Workers: WorkerDirectory<Self::AccountId, BlockNumberFor<Self>>;

        /// The standing of operators.
        type Offences: OffenceDesk<Self::AccountId, BlockNumberFor<Self>>;

        /// What a worker's machine can do.
        type Capacities: Convert<Self::AccountId, Capacity>;

        /// All of the token that there is, on this chain or another.
        type Supply: Get<Balance>;

        /// Who may invite validators before the first election.
        type InviteOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Most validators: 3f + 1 for some f ≥ 1.
        #[pallet::constant]
        type MaxValidators: Get<u32>;

        /// Least stake of its own that a candidate must have.
        #[pallet::constant]
        type MinValidatorStake: Get<Balance>;

        /// Sessions in an era.
        #[pallet::constant]
        type SessionsPerEra: Get<SessionIndex>;

        /// Sessions for which an equivocation can still be proved.
        #[pallet::constant]
        type EvidenceSessions: Get<SessionIndex>;

        /// Blocks in a year.
        #[pallet::constant]
        type Year: Get<BlockNumberFor<Self>>;

        /// The most that there may ever be.
        #[pallet::constant]
        type MaxIssuance: Get<Balance>;

        /// The validators' share of the emission.
        #[pallet::constant]
        type ValidatorShare: Get<Perbill>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The validators that need no stake before the first election, in ascending order.
    #[pallet::storage]
    pub type Invited<T: Config> =
        StorageValue<_, BoundedVec<T::AccountId, T::MaxValidators>, ValueQuery>;

    /// The block of the last election, if there has been one.
    #[pallet::storage]
    pub type LastElection<T: Config> = StorageValue<_, BlockNumberFor<T>>;

    /// The block in which the present era began.
    #[pallet::storage]
    pub type EraStart<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery>;

    /// The year of the last emission, counted from 0, and the supply when its first era was rewarded, in plancks.
    #[pallet::storage]
    pub type YearBase<T: Config> = StorageValue<_, (u32, Balance)>;

    /// How many blocks of the present era each validator has authored.
    #[pallet::storage]
    pub type Authored<T: Config> = StorageMap<_, Twox64Concat, T::AccountId, u32, ValueQuery>;

    /// When the sessions began of which an equivocation can still be proved.
    #[pallet::storage]
    pub type SessionOrigins<T: Config> =
        StorageMap<_, Twox64Concat, SessionIndex, SessionOrigin<BlockNumberFor<T>>>;

    /// What happened to the set.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A set was elected that differs from the last one.
        ValidatorsElected {
            /// The session from which on it is to serve.
            session: SessionIndex,
            /// How many validators it has.
            validators: u32,
            /// How many candidates there were.
            candidates: u32,
        },
        /// There are too few candidates for an election: the set stays as it is, or before the first election is that
        /// of the invited.
        RotationRefused {
            /// How many candidates there are.
            candidates: u32,
        },
        /// An era has ended and its validators were rewarded.
        EraRewarded {
            /// The era, counted from 0.
            era: u32,
            /// The emission of the era, all shares of it.
            emission: Balance,
            /// What the validators were credited with, which was minted.
            rewarded: Balance,
        },
        /// A validator was invited.
        ValidatorInvited {
            /// Who.
            who: T::AccountId,
        },
        /// A validator is not invited any more.
        ValidatorUninvited {
            /// Who.
            who: T::AccountId,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// There has been an election: nobody is a validator by permission any more.
        BootstrapOver,
        /// The validator is invited already.
        AlreadyInvited,
        /// The validator is not invited.
        NotInvited,
        /// Who is invited must have set session keys before.
        NoKeys,
        /// As many are invited as there may be validators.
        TooMany,
        /// The last one with keys cannot be uninvited.
        LastValidator,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            Self::check_constants();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Invites a validator, from the next era on, before the first election.
        ///
        /// # Errors
        /// The origin is not [`Config::InviteOrigin`], [`Error::BootstrapOver`], [`Error::NoKeys`],
        /// [`Error::AlreadyInvited`], [`Error::TooMany`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(0)]
        #[pallet::weight(<T as Config>::WeightInfo::invite())]
        pub fn invite(origin: OriginFor<T>, who: T::AccountId) -> DispatchResult {
            T::InviteOrigin::ensure_origin(origin)?;
            ensure!(!LastElection::<T>::exists(), Error::<T>::BootstrapOver);
            ensure!(Self::has_keys(&who), Error::<T>::NoKeys);
            Invited::<T>::try_mutate(|invited| {
                let place = invited
                    .binary_search(&who)
                    .err()
                    .ok_or(Error::<T>::AlreadyInvited)?;
                invited
                    .try_insert(place, who.clone())
                    .map_err(|_| Error::<T>::TooMany)
            })?;
            Self::deposit_event(Event::ValidatorInvited { who });
            Ok(())
        }

        /// Takes an invitation back, from the next era on, before the first election.
        ///
        /// # Errors
        /// The origin is not [`Config::InviteOrigin`], [`Error::BootstrapOver`], [`Error::NotInvited`],
        /// [`Error::LastValidator`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(1)]
        #[pallet::weight(<T as Config>::WeightInfo::uninvite())]
        pub fn uninvite(origin: OriginFor<T>, who: T::AccountId) -> DispatchResult {
            T::InviteOrigin::ensure_origin(origin)?;
            ensure!(!LastElection::<T>::exists(), Error::<T>::BootstrapOver);
            Invited::<T>::try_mutate(|invited| {
                let place = invited
                    .binary_search(&who)
                    .map_err(|_| Error::<T>::NotInvited)?;
                invited.remove(place);
                let is_any_left = invited.iter().any(Self::has_keys);
                ensure!(is_any_left, Error::<T>::LastValidator);
                Ok::<_, DispatchError>(())
            })?;
            Self::deposit_event(Event::ValidatorUninvited { who });
            Ok(())
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The candidates, best first.
        pub fn candidates() -> Vec<Candidate<T::AccountId>> {
            Self::ranked()
        }

        /// Security(n) = Σ Stake · Reputation · Uptime of the n validators, in plancks.
        pub fn security() -> Balance {
            Self::security_of_set()
        }

        /// S(n, f) of the `n` best candidates, or of all if they are fewer, with `f` that cheat.
        pub fn scaling(n: u32, f: u32) -> Scaling {
            Self::scaling_of_best(n, f)
        }

        /// How much of the workers' peak performance can be relied on, in parts per million.
        pub fn efficiency() -> u32 {
            Self::efficiency_of_workers()
        }

        /// What the present era has emitted so far, all shares of it, in plancks.
        pub fn emission() -> Balance {
            Self::emission_of_era()
        }
    }
}
