//! # Token gateway
//!
//! CIRO leaves Ciro by being burnt here and minted there, and comes back by being burnt there and minted here.
//!
//! Each chain has a *remote*: a CiroToken that a lane leads to. For each the books say how much is **outside**: what
//! has left for it and not come back. A remote can bring back no more than that, whatever messages say. Together with
//! what has arrived and is not paid out yet, and with what is issued on Ciro, that is all CIRO there is
//! ([`CanonicalSupply`]).
//!
//! * **Out**: [`Pallet::transfer_out`] burns, and sends a `Mint`. If that is not delivered in time, a `Return` brings
//!   it back.
//! * **In**: of a `Burn` or a `Return` that the attesters or a light client confirm, the amount is taken off what is
//!   outside at once. Then it is minted to whom it is for, or goes on to a third chain; if it cannot go on, it is
//!   minted to the account that was named for that case.
//! * **What cannot be paid out now waits**, and is paid out by [`Pallet::release`], which anyone may call: what is
//!   large, what a window has no room for (a part is paid as soon as there is some), what comes while its remote is
//!   paused or the gateway halted, what is too little to open its account. Nothing is lost, and nothing keeps what
//!   comes later waiting.
//! * What a remote brings that it never got waits too, and is not *covered*: it counts nowhere, and is paid out only if
//!   the remote has as much outside by then.
//!
//! [`Config::SafetyOrigin`] may pause, halt, and suspend what waits; to undo this is up to [`Config::ManagerOrigin`]
//! where money moves by it: it resumes what was suspended if the message was true, or rejects it. What is rejected has
//! never been burnt there, and is outside again.

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
mod inbound;
mod invariants;
#[cfg(test)]
mod mock;
mod outbound;
#[cfg(test)]
mod tests;
mod types;
pub mod weights;

pub use invariants::CanonicalSupply;
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// FRAME's macros expand to `expect`; what is written here does not use it.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use ciro_bridge_primitives::{Destination, LaneId, Word};
    use frame_support::{
        pallet_prelude::*,
        traits::{
            fungible::{Inspect, Mutate},
            UnixTime,
        },
    };
    use frame_system::pallet_prelude::*;
    use pallet_outbound_queue::Outbox;
    use sp_runtime::traits::Convert;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// Limits on this chain.
    pub type LimitsOf<T> = Limits<BlockNumberFor<T>>;

    /// A remote on this chain.
    pub type RemoteOf<T> = Remote<BlockNumberFor<T>>;

    /// What has arrived on this chain.
    pub type ArrivalOf<T> = Arrival<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

    /// The gateway.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime supplies.
    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId: From<[u8; 32]> + Into<[u8; 32]>> {
        /// CIRO.
        type Token: Inspect<Self::AccountId, Balance = Balance> + Mutate<Self::AccountId>;

        /// By what messages leave.
        type Outbox: Outbox<Self::AccountId>;

        /// Where lanes lead to.
        type Lanes: Convert<LaneId, Option<Destination>>;

        /// The time.
        type Clock: UnixTime;

        /// Who registers remotes, sets their limits, and decides about what is suspended.
        type ManagerOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Who pauses, halts and suspends.
        type SafetyOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Blocks in a window, for which limits hold.
        #[pallet::constant]
        type Window: Get<BlockNumberFor<Self>>;

        /// Weights of the calls, and of a message that comes.
        type WeightInfo: WeightInfo;

        /// What the benchmarks need beyond this pallet.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: BenchmarkHelper;
    }

    /// The remotes, by the lanes that lead to them.
    #[pallet::storage]
    pub type Remotes<T: Config> = StorageMap<_, Blake2_128Concat, LaneId, RemoteOf<T>>;

    /// What has arrived and waits, by the lane and nonce of its message.
    #[pallet::storage]
    pub type Arrivals<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, LaneId, Twox64Concat, u64, ArrivalOf<T>>;

    /// What is outside, over all remotes, in plancks.
    #[pallet::storage]
    pub type TotalOutside<T: Config> = StorageValue<_, Balance, ValueQuery>;

    /// What is covered of all that waits, in plancks.
    #[pallet::storage]
    pub type Waiting<T: Config> = StorageValue<_, Balance, ValueQuery>;

    /// Whether nothing leaves, and whatever arrives waits.
    #[pallet::storage]
    pub type Halted<T: Config> = StorageValue<_, bool, ValueQuery>;

    /// What happened to tokens.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Tokens were burnt here, to be minted there.
        TokensBridged {
            /// The lane there.
            lane: LaneId,
            /// The message's number in it.
            nonce: u64,
            /// Whose they were. If they only pass through, who gets them if they come back.
            from: T::AccountId,
            /// Who gets them.
            recipient: Word,
            /// How many.
            amount: Balance,
            /// The last second in which they can be minted there.
            expiry: u64,
        },
        /// Tokens that were burnt there were minted here.
        TokensReceived {
            /// The lane that they came by.
            lane: LaneId,
            /// The message's number in it.
            nonce: u64,
            /// Who got them.
            to: T::AccountId,
            /// How many.
            amount: Balance,
        },
        /// Tokens have arrived and wait.
        TransferParked {
            /// The lane that they came by.
            lane: LaneId,
            /// The message's number in it.
            nonce: u64,
            /// How many wait.
            amount: Balance,
            /// Whether they were taken off what is outside.
            covered: bool,
            /// Why they wait.
            reason: DispatchError,
        },
        /// What waits is not paid out until governance has decided.
        TransferSuspended {
            /// The lane that it came by.
            lane: LaneId,
            /// The message's number in it.
            nonce: u64,
        },
        /// What was suspended may be paid out.
        TransferResumed {
            /// The lane that it came by.
            lane: LaneId,
            /// The message's number in it.
            nonce: u64,
        },
        /// What waited will never be paid out: its message was not true. The tokens are outside.
        TransferRejected {
            /// The lane that it came by.
            lane: LaneId,
            /// The message's number in it.
            nonce: u64,
            /// How many.
            amount: Balance,
        },
        /// Tokens can leave for another chain.
        RemoteRegistered {
            /// The lane there.
            lane: LaneId,
            /// What may pass.
            limits: LimitsOf<T>,
        },
        /// Other limits hold.
        LimitsChanged {
            /// The lane.
            lane: LaneId,
            /// What may pass.
            limits: LimitsOf<T>,
        },
        /// A remote was paused or goes on.
        PauseChanged {
            /// The lane.
            lane: LaneId,
            /// Whether nothing leaves for it.
            outbound: bool,
            /// Whether what arrives from it waits.
            inbound: bool,
        },
        /// The gateway was halted or goes on.
        HaltChanged {
            /// Whether it is halted now.
            halted: bool,
        },
    }

    /// Why a call was refused, or why what has arrived waits.
    #[pallet::error]
    pub enum Error<T> {
        /// The gateway is halted.
        Halted,
        /// This direction is paused.
        Paused,
        /// No remote is registered for the lane.
        UnknownRemote,
        /// A remote is registered for the lane already.
        AlreadyRegistered,
        /// The lane is not open.
        UnknownLane,
        /// By these limits nothing could pass, or what may leave at once could not leave in a window.
        BadLimits,
        /// No account there can have that address.
        InvalidRecipient,
        /// The lifetime must be between an hour and 30 days.
        LifetimeOutOfRange,
        /// Less than may leave at once.
        TooLittle,
        /// More than may leave at once.
        TooMuch,
        /// The window has no room: try again in a later one.
        WindowFull,
        /// As much is outside as may be.
        TooMuchOutside,
        /// Nothing waits under this lane and nonce.
        NothingWaits,
        /// It is large, and must wait for some time.
        NotDue,
        /// Governance has to decide about it.
        Suspended,
        /// It is not suspended.
        NotSuspended,
        /// It is more than has left for where it comes from.
        NotCovered,
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
        /// Burns `amount` of the caller's free funds, and has it minted to `recipient` where `lane` leads to. What is
        /// not minted within `lifetime` seconds comes back. The caller keeps the existential deposit, and pays for the
        /// message.
        ///
        /// # Errors
        /// [`Error::Halted`], [`Error::UnknownRemote`], [`Error::Paused`], [`Error::InvalidRecipient`],
        /// [`Error::LifetimeOutOfRange`], [`Error::TooLittle`], [`Error::TooMuch`], [`Error::WindowFull`],
        /// [`Error::TooMuchOutside`], the outbound queue takes no message now, or the caller's funds do not suffice.
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::transfer_out())]
        pub fn transfer_out(
            origin: OriginFor<T>,
            lane: LaneId,
            recipient: Word,
            #[pallet::compact] amount: Balance,
            lifetime: u64,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            ensure!(
                (MIN_LIFETIME..=MAX_LIFETIME).contains(&lifetime),
                Error::<T>::LifetimeOutOfRange
            );
            Self::burn(&who, amount)?;
            T::Outbox::charge(&who)?;
            Self::send(lane, recipient, amount, lifetime, who)
        }

        /// Pays out what has arrived by the message of that lane and nonce, or as much of it as there is room for in
        /// this window. Anyone may.
        ///
        /// # Errors
        /// [`Error::NothingWaits`], [`Error::Halted`], [`Error::Suspended`], [`Error::Paused`], [`Error::NotCovered`],
        /// [`Error::NotDue`], [`Error::WindowFull`], or the account that is to be paid cannot hold it: most of all an
        /// account that does not exist, and the amount is below the existential deposit.
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::release().max(T::WeightInfo::refund()))]
        pub fn release(origin: OriginFor<T>, lane: LaneId, nonce: u64) -> DispatchResult {
            ensure_signed(origin)?;
            let arrival = Arrivals::<T>::get(lane, nonce).ok_or(Error::<T>::NothingWaits)?;
            Self::settle(lane, nonce, arrival)
        }

        /// Registers the CiroToken that a lane leads to. Make sure that it is one: what its chain burns is minted here.
        ///
        /// # Errors
        /// The origin is not [`Config::ManagerOrigin`], [`Error::AlreadyRegistered`], [`Error::UnknownLane`],
        /// [`Error::BadLimits`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::register_remote())]
        pub fn register_remote(
            origin: OriginFor<T>,
            lane: LaneId,
            limits: LimitsOf<T>,
        ) -> DispatchResult {
            T::ManagerOrigin::ensure_origin(origin)?;
            ensure!(
                !Remotes::<T>::contains_key(lane),
                Error::<T>::AlreadyRegistered
            );
            ensure!(T::Lanes::convert(lane).is_some(), Error::<T>::UnknownLane);
            ensure!(limits.are_consistent(), Error::<T>::BadLimits);
            let remote = Remote {
                limits,
                outside: 0,
                sent: Usage::default(),
                received: Usage::default(),
                outbound_paused: false,
                inbound_paused: false,
            };
            Remotes::<T>::insert(lane, remote);
            Self::deposit_event(Event::RemoteRegistered { lane, limits });
            Ok(())
        }

        /// Sets other limits. What waits for its time already goes on to wait for that.
        ///
        /// # Errors
        /// The origin is not [`Config::ManagerOrigin`], [`Error::UnknownRemote`], [`Error::BadLimits`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::set_limits())]
        pub fn set_limits(
            origin: OriginFor<T>,
            lane: LaneId,
            limits: LimitsOf<T>,
        ) -> DispatchResult {
            T::ManagerOrigin::ensure_origin(origin)?;
            ensure!(limits.are_consistent(), Error::<T>::BadLimits);
            Self::change(lane, |remote| remote.limits = limits)?;
            Self::deposit_event(Event::LimitsChanged { lane, limits });
            Ok(())
        }

        /// Pauses a remote, or lets it go on, each direction for itself.
        ///
        /// # Errors
        /// The origin is not [`Config::SafetyOrigin`], [`Error::UnknownRemote`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::set_paused())]
        pub fn set_paused(
            origin: OriginFor<T>,
            lane: LaneId,
            outbound: bool,
            inbound: bool,
        ) -> DispatchResult {
            T::SafetyOrigin::ensure_origin(origin)?;
            Self::change(lane, |remote| {
                remote.outbound_paused = outbound;
                remote.inbound_paused = inbound;
            })?;
            Self::deposit_event(Event::PauseChanged {
                lane,
                outbound,
                inbound,
            });
            Ok(())
        }

        /// Halts the gateway as a whole, or lets it go on.
        ///
        /// # Errors
        /// The origin is not [`Config::SafetyOrigin`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::set_halted())]
        pub fn set_halted(origin: OriginFor<T>, halted: bool) -> DispatchResult {
            T::SafetyOrigin::ensure_origin(origin)?;
            Halted::<T>::put(halted);
            Self::deposit_event(Event::HaltChanged { halted });
            Ok(())
        }

        /// Keeps what has arrived and waits from being paid out, until governance has decided whether its message is
        /// true.
        ///
        /// # Errors
        /// The origin is not [`Config::SafetyOrigin`], [`Error::NothingWaits`], [`Error::Suspended`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::suspend())]
        pub fn suspend(origin: OriginFor<T>, lane: LaneId, nonce: u64) -> DispatchResult {
            T::SafetyOrigin::ensure_origin(origin)?;
            Self::set_suspended(lane, nonce, true)?;
            Self::deposit_event(Event::TransferSuspended { lane, nonce });
            Ok(())
        }

        /// Lets what was suspended be paid out: its message is true.
        ///
        /// # Errors
        /// The origin is not [`Config::ManagerOrigin`], [`Error::NothingWaits`], [`Error::NotSuspended`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::resume())]
        pub fn resume(origin: OriginFor<T>, lane: LaneId, nonce: u64) -> DispatchResult {
            T::ManagerOrigin::ensure_origin(origin)?;
            Self::set_suspended(lane, nonce, false)?;
            Self::deposit_event(Event::TransferResumed { lane, nonce });
            Ok(())
        }

        /// Drops what was suspended: its message is not true, nothing was burnt there. So what was taken off what is
        /// outside is put back.
        ///
        /// # Errors
        /// The origin is not [`Config::ManagerOrigin`], [`Error::NothingWaits`], [`Error::NotSuspended`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(8)]
        #[pallet::weight(T::WeightInfo::reject())]
        pub fn reject(origin: OriginFor<T>, lane: LaneId, nonce: u64) -> DispatchResult {
            T::ManagerOrigin::ensure_origin(origin)?;
            Self::drop_suspended(lane, nonce)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The remote of that lane.
        pub fn remote(lane: LaneId) -> Option<RemoteOf<T>> {
            Remotes::<T>::get(lane)
        }

        /// All CIRO that there is, in plancks: see [`CanonicalSupply`].
        pub fn canonical_supply() -> Balance {
            CanonicalSupply::<T>::get()
        }

        /// What waits under that lane and nonce.
        pub fn arrival(lane: LaneId, nonce: u64) -> Option<ArrivalOf<T>> {
            Arrivals::<T>::get(lane, nonce)
        }

        /// What waits for an account, or would be paid to it if it cannot go on to a third chain, with its lanes and
        /// nonces.
        pub fn arrivals_of(who: T::AccountId) -> Vec<(LaneId, u64, ArrivalOf<T>)> {
            let is_for = |arrival: &ArrivalOf<T>| match &arrival.beneficiary {
                Beneficiary::Account(account) => *account == who,
                Beneficiary::Remote { refund, .. } => *refund == who,
            };
            Arrivals::<T>::iter()
                .filter(|(_, _, arrival)| is_for(arrival))
                .collect()
        }
    }
}
