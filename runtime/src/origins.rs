//! The origins that a referendum can speak with, each for one kind of decision, and the pace of the chain.
//!
//! A referendum is bound to the origin that its call wants; [`crate::tracks`] says what it takes to pass.

pub use pallet::*;

use crate::{constants::EPOCH_SLOTS, AccountId, Balance, BlockNumber, Runtime, RuntimeOrigin};
use core::marker::PhantomData;
use frame_support::{
    parameter_types,
    traits::{EitherOf, EnsureOrigin, Get},
};
use frame_system::EnsureRoot;

/// By how much shorter periods are on a quick chain: a day is ten blocks, twenty seconds.
const QUICKER: BlockNumber = 4_320;
/// By how much smaller deposits are on a quick chain: its accounts have little to bond.
const CHEAPER: Balance = 100;

/// The origins, and whether the chain is quick. There is nothing to call.
// FRAME's macros expand to `expect`; what is written here does not use it.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use frame_support::pallet_prelude::*;

    #[pallet::config]
    pub trait Config: frame_system::Config {}

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// Whether votes, unbonding, challenges and cases take minutes in place of days, so that developers can try one
    /// from end to end. Only genesis sets it, and only that of development chains.
    #[pallet::storage]
    pub type Quick<T> = StorageValue<_, bool, ValueQuery>;

    /// Slots of a session, if not [`EPOCH_SLOTS`](crate::constants::EPOCH_SLOTS): tests of what new validators bring with
    /// them would wait long. Only genesis sets it, as nodes ask for it once, at the first block.
    #[pallet::storage]
    pub type EpochSlots<T> = StorageValue<_, u32, OptionQuery>;

    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// See [`Quick`].
        pub quick: bool,
        /// See [`EpochSlots`]. At least two.
        pub epoch_slots: Option<u32>,
        #[serde(skip)]
        pub _config: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            assert!(
                self.epoch_slots.is_none_or(|slots| slots > 1),
                "a session has at least two slots"
            );
            Quick::<T>::put(self.quick);
            EpochSlots::<T>::set(self.epoch_slots);
        }
    }

    /// For whom a referendum speaks, if not for Root.
    #[pallet::origin]
    #[derive(
        Clone,
        Copy,
        PartialEq,
        Eq,
        Debug,
        Encode,
        Decode,
        DecodeWithMemTracking,
        MaxEncodedLen,
        TypeInfo,
    )]
    pub enum Origin {
        /// Tunes the parameters of the chain within their bounds.
        #[codec(index = 0)]
        GeneralAdmin,
        /// Drops a case against an operator before it is slashed.
        #[codec(index = 1)]
        SlashCanceller,
        /// Spends small amounts from the treasury.
        #[codec(index = 2)]
        SmallSpender,
        /// Spends large amounts from the treasury.
        #[codec(index = 3)]
        BigSpender,
        /// Stops and restarts parts of the chain, and cancels referenda.
        #[codec(index = 4)]
        Emergency,
    }
}

parameter_types! {
    pub const GeneralAdmin: Origin = Origin::GeneralAdmin;
    pub const SlashCanceller: Origin = Origin::SlashCanceller;
    pub const SmallSpender: Origin = Origin::SmallSpender;
    pub const BigSpender: Origin = Origin::BigSpender;
    pub const Emergency: Origin = Origin::Emergency;
}

/// Lets the origin `Wanted` pass, and no other.
pub struct Only<Wanted>(PhantomData<Wanted>);

impl<Wanted: Get<Origin>> EnsureOrigin<RuntimeOrigin> for Only<Wanted> {
    type Success = ();

    fn try_origin(origin: RuntimeOrigin) -> Result<(), RuntimeOrigin> {
        let found: Result<Origin, RuntimeOrigin> = origin.clone().into();
        match found {
            Ok(found) if found == Wanted::get() => Ok(()),
            _ => Err(origin),
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn try_successful_origin() -> Result<RuntimeOrigin, ()> {
        Ok(Wanted::get().into())
    }
}

/// Lets Root and the origin `Wanted` pass.
pub type RootOr<Wanted> = EitherOf<EnsureRoot<AccountId>, Only<Wanted>>;

/// Slots of a session on this chain.
pub struct SlotsOfEpoch;

impl Get<u64> for SlotsOfEpoch {
    fn get() -> u64 {
        EpochSlots::<Runtime>::get().unwrap_or(EPOCH_SLOTS).into()
    }
}

/// A period or a deposit: `Full`, or a part of it on a quick chain.
pub struct Paced<Full>(PhantomData<Full>);

impl<Full: Get<BlockNumber>> Get<BlockNumber> for Paced<Full> {
    fn get() -> BlockNumber {
        paced_period(Full::get())
    }
}

impl<Full: Get<Balance>> Get<Balance> for Paced<Full> {
    fn get() -> Balance {
        paced_deposit(Full::get())
    }
}

/// A period in blocks at the chain's pace; never less than a block.
pub fn paced_period(full: BlockNumber) -> BlockNumber {
    if Quick::<Runtime>::get() {
        (full / QUICKER).max(1)
    } else {
        full
    }
}

/// A deposit at the chain's pace.
pub fn paced_deposit(full: Balance) -> Balance {
    if Quick::<Runtime>::get() {
        full / CHEAPER
    } else {
        full
    }
}
