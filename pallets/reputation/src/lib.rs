//! # Reputation
//!
//! One score for each account, from 0 to [`MAX_SCORE`], from which other pallets tell whom to trust with work.
//!
//! There are no calls: a score changes only when another pallet notes an event through [`ReputationLedger`], and by
//! [`ReputationReason`] alone. An account without events has [`INITIAL_SCORE`], to which every score drifts back: each
//! [`Config::DecayPeriod`] without an event takes a tenth of the distance. This is worked out when a score is read, so
//! that it costs nothing before; the arithmetic is in [`score`](mod@score), as pure functions.
//!
//! The history of an account is kept apart from its score, which is thus cheap to read. Neither is ever removed: an
//! entry comes into being only with paid work or stake, and could otherwise be shed by waiting.

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

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod impls;
#[cfg(test)]
mod mock;
pub mod score;
#[cfg(test)]
mod tests;
mod types;
pub mod weights;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// FRAME's macros expand to `expect`; what is written here does not use it.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use sp_runtime::traits::Zero;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The ledger.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime supplies.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// Blocks without an event after which a score drifts towards [`INITIAL_SCORE`] by a tenth of the distance.
        /// More than zero.
        #[pallet::constant]
        type DecayPeriod: Get<BlockNumberFor<Self>>;

        /// Weights of what other pallets call.
        type WeightInfo: WeightInfo;
    }

    /// The scores of accounts with events, as they were after the last one.
    #[pallet::storage]
    pub type Reputations<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, Reputation<BlockNumberFor<T>>>;

    /// The last events of each account.
    #[pallet::storage]
    pub type Histories<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, History<BlockNumberFor<T>>, ValueQuery>;

    /// What happened to scores.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An event was noted.
        ReputationUpdated {
            /// Whose score it is.
            who: T::AccountId,
            /// The score now.
            score: Score,
            /// What happened.
            reason: ReputationReason,
        },
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                !T::DecayPeriod::get().is_zero(),
                "a score cannot decay in no time"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The account's score now.
        pub fn score(who: T::AccountId) -> Score {
            Self::score_of(&who)
        }

        /// The level of the account's score now: 1 to 5.
        pub fn level(who: T::AccountId) -> u8 {
            score::level(Self::score_of(&who))
        }

        /// The account's last events, the latest last.
        pub fn history(who: T::AccountId) -> History<BlockNumberFor<T>> {
            Histories::<T>::get(who)
        }
    }
}
