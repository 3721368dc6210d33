//! # Worker registry
//!
//! Who works for the chain, what their machines can do, and whether they are there.
//!
//! A worker registers with a deposit, held for as long as it is registered, with what its machine can do, which nobody
//! checks, and with a heartbeat key, which is its alone. In every window of [`Config::HeartbeatPeriod`] blocks it
//! sends one heartbeat, signed by that key. A heartbeat costs no fee: what keeps it from being abused is that only the
//! one that is due is let into the transaction pool. Nodes send the heartbeats of the keys in their keystores, of type
//! [`HEARTBEAT_KEY_TYPE`], by themselves; any other process may send the same call.
//!
//! From its heartbeats follow a worker's uptime over the last 30 days and its outages, by the pure functions of
//! [`presence`]. Other pallets see workers through [`WorkerDirectory`].

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
mod heartbeat;
mod impls;
#[cfg(test)]
mod mock;
pub mod presence;
#[cfg(test)]
mod tests;
mod types;
pub mod weights;

pub use heartbeat::*;
pub use impls::MAX_LISTED;
pub use pallet::*;
pub use presence::{Clock, Presence, COUNTED_DAYS};
pub use types::*;
pub use weights::WeightInfo;

// FRAME's macros expand to `expect`; what is written here does not use it.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::{
        pallet_prelude::*,
        traits::{
            fungible::{Inspect, Mutate, MutateHold},
            tokens::Precision,
            Contains,
        },
    };
    use frame_system::{
        ensure_authorized, offchain::CreateAuthorizedTransaction, pallet_prelude::*,
    };
    use sp_runtime::Perbill;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// An amount of the chain's token, in plancks.
    pub type BalanceOf<T> =
        <<T as Config>::Token as Inspect<<T as frame_system::Config>::AccountId>>::Balance;

    /// A registered worker on this chain.
    pub type WorkerOf<T> = Worker<BalanceOf<T>, BlockNumberFor<T>>;

    /// The registry.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime supplies. Each of the `Contains` may read storage once.
    #[pallet::config]
    pub trait Config: CreateAuthorizedTransaction<Call<Self>> + frame_system::Config {
        /// The token that deposits are held in.
        type Token: Mutate<Self::AccountId> + MutateHold<Self::AccountId, Reason: From<HoldReason>>;

        /// Deposit of a worker, in plancks. At least the existential deposit.
        #[pallet::constant]
        type RegistrationDeposit: Get<BalanceOf<Self>>;

        /// Most workers that may be registered.
        #[pallet::constant]
        type MaxWorkers: Get<u32>;

        /// Blocks of a window, in each of which one heartbeat is due.
        #[pallet::constant]
        type HeartbeatPeriod: Get<BlockNumberFor<Self>>;

        /// Windows of a day, by which uptime is counted. More than zero.
        #[pallet::constant]
        type WindowsPerDay: Get<u16>;

        /// Priority of heartbeats in the transaction pool: high enough that full blocks do not make workers look
        /// absent.
        #[pallet::constant]
        type HeartbeatPriority: Get<TransactionPriority>;

        /// Accounts that may not register.
        type Banned: Contains<Self::AccountId>;

        /// Heartbeat keys that nobody may use.
        type BannedKeys: Contains<HeartbeatKey>;

        /// Workers that may not leave: with work or stake bound to them, or a case open against them.
        type Busy: Contains<Self::AccountId>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Why the registry holds funds.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The deposit of a worker, for as long as it is registered.
        #[codec(index = 0)]
        Registration,
    }

    /// The registered workers; at most [`Config::MaxWorkers`].
    #[pallet::storage]
    pub type Workers<T: Config> = CountedStorageMap<_, Blake2_128Concat, T::AccountId, WorkerOf<T>>;

    /// The worker that each heartbeat key belongs to.
    #[pallet::storage]
    pub type KeyOwner<T: Config> = StorageMap<_, Blake2_128Concat, HeartbeatKey, T::AccountId>;

    /// What happened to workers.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A worker registered.
        WorkerRegistered {
            /// Its account.
            who: T::AccountId,
            /// What its machine can do.
            capabilities: Capabilities,
            /// What its heartbeats are signed with.
            heartbeat_key: HeartbeatKey,
        },
        /// A worker changed what it says of its machine, or its key.
        WorkerUpdated {
            /// The worker.
            who: T::AccountId,
            /// What its machine can do.
            capabilities: Capabilities,
            /// What its heartbeats are signed with.
            heartbeat_key: HeartbeatKey,
        },
        /// A worker announced its absence.
        WorkerDeactivated {
            /// The worker.
            who: T::AccountId,
        },
        /// A worker is back.
        WorkerReactivated {
            /// The worker.
            who: T::AccountId,
        },
        /// A worker left and its deposit was released.
        WorkerDeregistered {
            /// The worker.
            who: T::AccountId,
        },
        /// A heartbeat came.
        HeartbeatReceived {
            /// The worker.
            who: T::AccountId,
            /// The window that it was due in.
            window: Window,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The account is registered already.
        AlreadyRegistered,
        /// The account is not registered.
        NotRegistered,
        /// No more workers can be registered.
        TooManyWorkers,
        /// The account is banned.
        Banned,
        /// The heartbeat key is banned.
        KeyBanned,
        /// The heartbeat key belongs to a worker already.
        KeyTaken,
        /// A text is not UTF-8.
        InvalidCapabilities,
        /// The worker is deactivated.
        NotActive,
        /// The worker is active already.
        AlreadyActive,
        /// The worker has work or stake bound to it.
        Busy,
        /// The heartbeat's window has not begun yet.
        WindowNotBegun,
        /// The heartbeat's window is over.
        WindowOver,
        /// The heartbeat of this window has come already, or the worker registered in this window.
        AlreadyHeard,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            Self::check_constants();
        }

        fn offchain_worker(now: BlockNumberFor<T>) {
            Self::send_heartbeats(now);
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Registers the caller as a worker whose heartbeats are signed with `heartbeat_key`. A deposit of
        /// [`Config::RegistrationDeposit`] is held. The first heartbeat is due in the next window.
        ///
        /// # Errors
        /// [`Error::InvalidCapabilities`], [`Error::AlreadyRegistered`], [`Error::Banned`], [`Error::TooManyWorkers`],
        /// [`Error::KeyBanned`], [`Error::KeyTaken`], or the deposit cannot be held.
        ///
        /// # Weight
        /// Constant: capabilities are of bounded size.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register())]
        pub fn register(
            origin: OriginFor<T>,
            capabilities: Capabilities,
            heartbeat_key: HeartbeatKey,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            ensure!(capabilities.is_valid(), Error::<T>::InvalidCapabilities);
            ensure!(
                !Workers::<T>::contains_key(&who),
                Error::<T>::AlreadyRegistered
            );
            ensure!(!T::Banned::contains(&who), Error::<T>::Banned);
            ensure!(
                Workers::<T>::count() < T::MaxWorkers::get(),
                Error::<T>::TooManyWorkers
            );
            Self::take_key(&heartbeat_key, &who)?;
            let deposit = T::RegistrationDeposit::get();
            T::Token::hold(&HoldReason::Registration.into(), &who, deposit)?;
            let worker = Worker {
                capabilities: capabilities.clone(),
                heartbeat_key: heartbeat_key.clone(),
                deposit,
                presence: Presence::begin(Self::now()),
            };
            Workers::<T>::insert(&who, worker);
            Self::deposit_event(Event::WorkerRegistered {
                who,
                capabilities,
                heartbeat_key,
            });
            Ok(())
        }

        /// Changes what the caller says of its machine.
        ///
        /// # Errors
        /// [`Error::InvalidCapabilities`], [`Error::NotRegistered`].
        ///
        /// # Weight
        /// Constant: capabilities are of bounded size.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::update())]
        pub fn update(origin: OriginFor<T>, capabilities: Capabilities) -> DispatchResult {
            let who = ensure_signed(origin)?;
            ensure!(capabilities.is_valid(), Error::<T>::InvalidCapabilities);
            Self::try_mutate(&who, |worker| {
                worker.capabilities = capabilities;
                Self::deposit_event(Event::updated(&who, worker));
                Ok(())
            })
        }

        /// Has the caller's heartbeats signed with another key from now on. The old one is free for others.
        ///
        /// # Errors
        /// [`Error::NotRegistered`], [`Error::KeyBanned`], [`Error::KeyTaken`], be it by the caller itself.
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::set_heartbeat_key())]
        pub fn set_heartbeat_key(
            origin: OriginFor<T>,
            heartbeat_key: HeartbeatKey,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::try_mutate(&who, |worker| {
                Self::take_key(&heartbeat_key, &who)?;
                KeyOwner::<T>::remove(&worker.heartbeat_key);
                worker.heartbeat_key = heartbeat_key;
                Self::deposit_event(Event::updated(&who, worker));
                Ok(())
            })
        }

        /// Announces the caller's absence: it gets no work and is in no outage until it is reactivated. Its uptime
        /// falls all the same.
        ///
        /// # Errors
        /// [`Error::NotRegistered`], [`Error::NotActive`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::deactivate())]
        pub fn deactivate(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::try_mutate(&who, |worker| {
                ensure!(worker.presence.is_active(), Error::<T>::NotActive);
                worker.presence.pause(Self::now());
                Ok(())
            })?;
            Self::deposit_event(Event::WorkerDeactivated { who });
            Ok(())
        }

        /// Ends the caller's absence. A silence from before it goes on until a heartbeat ends it.
        ///
        /// # Errors
        /// [`Error::NotRegistered`], [`Error::AlreadyActive`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::reactivate())]
        pub fn reactivate(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::try_mutate(&who, |worker| {
                ensure!(!worker.presence.is_active(), Error::<T>::AlreadyActive);
                worker.presence.resume(Self::now());
                Ok(())
            })?;
            Self::deposit_event(Event::WorkerReactivated { who });
            Ok(())
        }

        /// Removes the caller from the registry, frees its key and releases its deposit.
        ///
        /// # Errors
        /// [`Error::NotRegistered`], [`Error::Busy`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::deregister())]
        pub fn deregister(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let worker = Workers::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
            ensure!(!T::Busy::contains(&who), Error::<T>::Busy);

            // Best effort: a worker must be able to leave even if some of its deposit has been taken by force.
            let reason = HoldReason::Registration.into();
            T::Token::release(&reason, &who, worker.deposit, Precision::BestEffort)?;
            KeyOwner::<T>::remove(&worker.heartbeat_key);
            Workers::<T>::remove(&who);
            Self::deposit_event(Event::WorkerDeregistered { who });
            Ok(())
        }

        /// Tells that `who` is there, in the current `window`. Costs no fee and needs no account: `signature` is that
        /// of [`ciro_primitives::heartbeat_payload`] by the worker's heartbeat key.
        ///
        /// # Errors
        /// [`Error::WindowOver`], [`Error::WindowNotBegun`], [`Error::NotRegistered`], [`Error::NotActive`],
        /// [`Error::AlreadyHeard`]. For these, and for a wrong signature, the transaction is invalid: it gets into no
        /// block.
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::heartbeat())]
        #[pallet::weight_of_authorize(T::WeightInfo::authorize_heartbeat())]
        #[pallet::authorize(|_source, who, window, signature| {
            Self::authorize_heartbeat(who, *window, signature)
        })]
        pub fn heartbeat(
            origin: OriginFor<T>,
            who: T::AccountId,
            window: Window,
            // Checked before the call is dispatched.
            _signature: HeartbeatSignature,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            let mut worker = Self::awaited(&who, window)?;
            worker.presence.hear(Self::now(), &Self::clock());
            Workers::<T>::insert(&who, worker);
            Self::deposit_event(Event::HeartbeatReceived { who, window });
            Ok(())
        }
    }

    impl<T: Config> Event<T> {
        fn updated(who: &T::AccountId, worker: &WorkerOf<T>) -> Self {
            Self::WorkerUpdated {
                who: who.clone(),
                capabilities: worker.capabilities.clone(),
                heartbeat_key: worker.heartbeat_key.clone(),
            }
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The worker, if it is registered.
        pub fn worker(who: T::AccountId) -> Option<WorkerOf<T>> {
            Workers::<T>::get(who)
        }

        /// The share of the worker's due heartbeats of the last 30 days that came.
        pub fn uptime(who: T::AccountId) -> Perbill {
            <Self as WorkerDirectory<_, _>>::uptime(&who)
        }

        /// How long the worker has been silent, if for more than a window.
        pub fn outage(who: T::AccountId) -> Option<Outage<BlockNumberFor<T>>> {
            <Self as WorkerDirectory<_, _>>::outage(&who)
        }

        /// Up to `limit` active workers of a region, at most 100, after the account `from`: the last one of a list is
        /// where the next begins. The order is fixed but means nothing.
        pub fn workers_in(
            region: Region,
            from: Option<T::AccountId>,
            limit: u32,
        ) -> Vec<(T::AccountId, Capabilities)> {
            Self::listed(region, from, limit)
        }
    }
}
