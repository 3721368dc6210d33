//! What governance tunes without a new runtime, each within fixed bounds.
//!
//! A value outside its bounds cannot be written down: it does not decode, so neither a referendum nor the sudo key can
//! carry it.

use crate::{
    constants::{MILLIUNIT, UNIT},
    origins::{GeneralAdmin, RootOr},
    Balance, Runtime, RuntimeEvent,
};
use codec::{Decode, DecodeWithMemTracking, Encode, Error, Input, MaxEncodedLen};
use core::marker::PhantomData;
use frame_support::{
    dynamic_params::{dynamic_pallet_params, dynamic_params},
    traits::{dynamic_params::Key, AsEnsureOriginWithArg, Get},
};
use scale_info::{Type, TypeInfo};
use sp_runtime::Permill;

/// A million micro-dollars.
const DOLLAR: u128 = 1_000_000;

/// All parameters, by what they are about.
#[dynamic_params(RuntimeParameters, pallet_parameters::Parameters::<Runtime>)]
pub mod dynamic {
    use super::*;

    /// Money as the economy counts it.
    #[dynamic_pallet_params]
    #[codec(index = 0)]
    pub mod economy {
        /// Price of one CIRO in 10^-6 USD: at first a dollar. 100 to 10^9.
        #[codec(index = 0)]
        pub static CiroPrice: Ranged<100, { 1_000 * DOLLAR }> = Ranged::clamped(DOLLAR);
    }

    /// The job market.
    #[dynamic_pallet_params]
    #[codec(index = 1)]
    pub mod market {
        /// Lowest price of a job in 10^-18 CIRO: at first one CIRO. 0.1 to 100 CIRO.
        #[codec(index = 0)]
        pub static MinJobPrice: Ranged<{ 100 * MILLIUNIT }, { 100 * UNIT }> = Ranged::clamped(UNIT);

        /// What the platform keeps of a job's price, in basis points: at first 250. 0 to 1,000.
        #[codec(index = 1)]
        pub static PlatformFee: Ranged<0, 1_000> = Ranged::clamped(250);

        /// What is burned of the platform's fee, in basis points: at first 3,000. 3,000 to 8,000.
        #[codec(index = 2)]
        pub static FeeBurnShare: Ranged<3_000, 8_000> = Ranged::clamped(3_000);
    }

    /// The bridge.
    #[dynamic_pallet_params]
    #[codec(index = 2)]
    pub mod bridge {
        /// What a message to another chain costs in 10^-18 CIRO, besides its transaction's fee: at first 0.1 CIRO.
        /// 0.01 to 100 CIRO.
        #[codec(index = 0)]
        pub static MessageFee: Ranged<{ 10 * MILLIUNIT }, { 100 * UNIT }> =
            Ranged::clamped(100 * MILLIUNIT);
    }
}

/// A number from `MIN` to `MAX`, both included. It is encoded as a `u128`; others do not decode.
#[derive(Clone, PartialEq, Eq, Debug, Encode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Ranged<const MIN: u128, const MAX: u128>(u128);

impl<const MIN: u128, const MAX: u128> Ranged<MIN, MAX> {
    /// `value`, or the bound that it exceeds.
    pub const fn clamped(value: u128) -> Self {
        Self(if value < MIN {
            MIN
        } else if value > MAX {
            MAX
        } else {
            value
        })
    }
}

impl<const MIN: u128, const MAX: u128> Decode for Ranged<MIN, MAX> {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        let value = u128::decode(input)?;
        if (MIN..=MAX).contains(&value) {
            Ok(Self(value))
        } else {
            Err("out of range".into())
        }
    }
}

impl<const MIN: u128, const MAX: u128> TypeInfo for Ranged<MIN, MAX> {
    type Identity = u128;

    fn type_info() -> Type {
        u128::type_info()
    }
}

impl<const MIN: u128, const MAX: u128> From<Ranged<MIN, MAX>> for u128 {
    fn from(Ranged(value): Ranged<MIN, MAX>) -> Self {
        value
    }
}

/// The parameter `P` as a plain number, for the pallet that reads it.
pub struct Value<P>(PhantomData<P>);

impl<P: Key + Get<P::Value>> Get<Balance> for Value<P>
where
    P::Value: Into<Balance>,
{
    fn get() -> Balance {
        <P as Get<P::Value>>::get().into()
    }
}

/// The parameter `P`, which counts basis points, as a share.
pub struct Share<P>(PhantomData<P>);

impl<P: Key + Get<P::Value>> Get<Permill> for Share<P>
where
    P::Value: Into<u128>,
{
    fn get() -> Permill {
        Permill::from_rational(<P as Get<P::Value>>::get().into(), 10_000)
    }
}

impl pallet_parameters::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeParameters = RuntimeParameters;
    type AdminOrigin = AsEnsureOriginWithArg<RootOr<GeneralAdmin>>;
    type WeightInfo = ();
}
