//! # Model registry
//!
//! Which models may be run on the chain, what a proof of each is verified against, the least that a run costs, and the
//! owner's share of what it pays.
//!
//! A model is identified by the hash of its verifying key, which binds protocol version, preset, shapes and the root of
//! its weights: whoever registers a key first owns its entry, and no entry can be changed to compute something else.
//! An entry costs a deposit, held from its owner for as long as it exists.
//!
//! Other pallets see models through [`ModelDirectory`], and keep a model registered for as long as a job needs it.

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
mod impls;
pub mod migrations;
#[cfg(test)]
mod mock;
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
    use ciro_primitives::ModelId;
    use ciro_zkml_air::VerifyingKey;
    use frame_support::{
        pallet_prelude::*,
        traits::{
            fungible::{Inspect, Mutate, MutateHold},
            tokens::{Fortitude, Precision, Restriction},
        },
    };
    use frame_system::pallet_prelude::*;
    use sp_runtime::{traits::Zero, Permill};

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

    /// An amount of the chain's token, in plancks.
    pub type BalanceOf<T> =
        <<T as Config>::Token as Inspect<<T as frame_system::Config>::AccountId>>::Balance;

    /// A registered model on this chain.
    pub type ModelInfoOf<T> = ModelInfo<<T as frame_system::Config>::AccountId, BalanceOf<T>>;

    /// The registry.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime supplies.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// The token that deposits are held in.
        type Token: Mutate<Self::AccountId> + MutateHold<Self::AccountId, Reason: From<HoldReason>>;

        /// Deposit for a model, whatever its size, in plancks. At least the existential deposit.
        #[pallet::constant]
        type DepositBase: Get<BalanceOf<Self>>;

        /// Deposit for each byte of a model's name and key, in plancks.
        #[pallet::constant]
        type DepositPerByte: Get<BalanceOf<Self>>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Why the registry holds funds.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The deposit for an entry, for as long as it exists.
        #[codec(index = 0)]
        ModelDeposit,
    }

    /// The registered models.
    #[pallet::storage]
    pub type Models<T: Config> = StorageMap<_, Blake2_128Concat, ModelId, ModelInfoOf<T>>;

    /// What happened to models.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A model was registered.
        ModelRegistered {
            /// Its identity.
            model: ModelId,
            /// Who registered it.
            owner: T::AccountId,
            /// What people call it.
            name: ModelName,
            /// The least that a job must pay for each sample, in plancks.
            price_floor: BalanceOf<T>,
            /// The owner's share of what a job pays.
            royalty: Permill,
        },
        /// The least that a job must pay changed, for jobs submitted from now on.
        PriceFloorChanged {
            /// The model.
            model: ModelId,
            /// The new floor for each sample, in plancks.
            price_floor: BalanceOf<T>,
        },
        /// The owner's share of what a job pays changed, for jobs submitted from now on.
        RoyaltyChanged {
            /// The model.
            model: ModelId,
            /// The new share.
            royalty: Permill,
        },
        /// A model, with its deposit, now belongs to another account.
        ModelTransferred {
            /// The model.
            model: ModelId,
            /// The former owner.
            from: T::AccountId,
            /// The owner from now on.
            to: T::AccountId,
        },
        /// A model was removed and its deposit released.
        ModelDeregistered {
            /// The model.
            model: ModelId,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The name is empty or not UTF-8.
        InvalidName,
        /// The key is not one that proofs can be verified against.
        InvalidKey,
        /// A model with this key is registered already.
        AlreadyRegistered,
        /// There is no such model.
        UnknownModel,
        /// Only the model's owner may do this.
        NotOwner,
        /// The model belongs to this account already.
        AlreadyOwner,
        /// Jobs that need the model are not settled yet.
        JobsOpen,
        /// The royalty is more than half of what a job pays.
        RoyaltyTooHigh,
    }

    #[pallet::extra_constants]
    impl<T: Config> Pallet<T> {
        /// Highest royalty of a model, as a share of what a job pays.
        #[pallet::constant_name(MaxRoyalty)]
        fn max_royalty() -> Permill {
            MAX_ROYALTY
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                T::DepositBase::get() >= T::Token::minimum_balance(),
                "a deposit below the existential deposit could not be released to every account"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Registers the model that `key` verifies, under the caller's ownership.
        ///
        /// Its identity is the key's hash. `price_floor` is the least that a job must pay for each sample, in plancks;
        /// `royalty` is the owner's share of what a job pays. A deposit of [`Config::DepositBase`] and
        /// [`Config::DepositPerByte`] for each byte of name and key is held from the caller.
        ///
        /// # Errors
        /// [`Error::InvalidName`], [`Error::InvalidKey`], [`Error::RoyaltyTooHigh`], [`Error::AlreadyRegistered`], or
        /// the deposit cannot be held.
        ///
        /// # Weight
        /// Constant: name and key are of bounded size.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register())]
        pub fn register(
            origin: OriginFor<T>,
            key: VerifyingKey,
            name: ModelName,
            price_floor: BalanceOf<T>,
            royalty: Permill,
        ) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            ensure!(
                !name.is_empty() && core::str::from_utf8(&name).is_ok(),
                Error::<T>::InvalidName
            );
            ensure!(royalty <= MAX_ROYALTY, Error::<T>::RoyaltyTooHigh);
            key.validate().map_err(|_| Error::<T>::InvalidKey)?;
            let model = ModelId(key.id());
            ensure!(
                !Models::<T>::contains_key(model),
                Error::<T>::AlreadyRegistered
            );

            let deposit = Self::deposit_for(&key, &name);
            T::Token::hold(&HoldReason::ModelDeposit.into(), &owner, deposit)?;
            let info = ModelInfo {
                owner: owner.clone(),
                name: name.clone(),
                price_floor,
                royalty,
                key,
                deposit,
                open_jobs: 0,
            };
            Models::<T>::insert(model, info);
            Self::deposit_event(Event::ModelRegistered {
                model,
                owner,
                name,
                price_floor,
                royalty,
            });
            Ok(())
        }

        /// Sets the least that a job must pay for each sample, in plancks. Jobs submitted before keep their price.
        ///
        /// # Errors
        /// [`Error::UnknownModel`], [`Error::NotOwner`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::set_price_floor())]
        pub fn set_price_floor(
            origin: OriginFor<T>,
            model: ModelId,
            price_floor: BalanceOf<T>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::try_mutate_owned(model, &who, |info| {
                info.price_floor = price_floor;
                Ok(())
            })?;
            Self::deposit_event(Event::PriceFloorChanged { model, price_floor });
            Ok(())
        }

        /// Gives the model to `new_owner`, and with it the deposit, which stays on hold.
        ///
        /// # Errors
        /// [`Error::UnknownModel`], [`Error::NotOwner`], [`Error::AlreadyOwner`], or the deposit cannot be moved
        /// because `new_owner` does not exist or the deposit is frozen.
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::transfer_ownership())]
        pub fn transfer_ownership(
            origin: OriginFor<T>,
            model: ModelId,
            new_owner: T::AccountId,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            ensure!(who != new_owner, Error::<T>::AlreadyOwner);
            Self::try_mutate_owned(model, &who, |info| {
                T::Token::transfer_on_hold(
                    &HoldReason::ModelDeposit.into(),
                    &who,
                    &new_owner,
                    info.deposit,
                    Precision::Exact,
                    Restriction::OnHold,
                    Fortitude::Polite,
                )?;
                info.owner = new_owner.clone();
                Ok(())
            })?;
            Self::deposit_event(Event::ModelTransferred {
                model,
                from: who,
                to: new_owner,
            });
            Ok(())
        }

        /// Removes the model and releases its deposit.
        ///
        /// # Errors
        /// [`Error::UnknownModel`], [`Error::NotOwner`], [`Error::JobsOpen`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::deregister())]
        pub fn deregister(origin: OriginFor<T>, model: ModelId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let info = Models::<T>::get(model).ok_or(Error::<T>::UnknownModel)?;
            ensure!(info.owner == who, Error::<T>::NotOwner);
            ensure!(info.open_jobs.is_zero(), Error::<T>::JobsOpen);

            // Best effort: an entry must be removable even if some of its deposit has been taken by force.
            let reason = HoldReason::ModelDeposit.into();
            T::Token::release(&reason, &who, info.deposit, Precision::BestEffort)?;
            Models::<T>::remove(model);
            Self::deposit_event(Event::ModelDeregistered { model });
            Ok(())
        }

        /// Sets the owner's share of what a job pays. Jobs submitted before keep theirs.
        ///
        /// # Errors
        /// [`Error::RoyaltyTooHigh`], [`Error::UnknownModel`], [`Error::NotOwner`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::set_royalty())]
        pub fn set_royalty(
            origin: OriginFor<T>,
            model: ModelId,
            royalty: Permill,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            ensure!(royalty <= MAX_ROYALTY, Error::<T>::RoyaltyTooHigh);
            Self::try_mutate_owned(model, &who, |info| {
                info.royalty = royalty;
                Ok(())
            })?;
            Self::deposit_event(Event::RoyaltyChanged { model, royalty });
            Ok(())
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The model registered as `model`, if there is one.
        pub fn model(model: ModelId) -> Option<ModelInfoOf<T>> {
            Models::<T>::get(model)
        }
    }
}
