//! Governance tunes parameters within their bounds.

use crate::{call, call_as, development};
use ciro_runtime::{
    configs::parameters::{
        dynamic::{bridge, economy, market},
        Ranged, RuntimeParameters,
    },
    constants::{MILLIUNIT, UNIT},
    origins::Origin,
    Runtime, RuntimeOrigin,
};
use codec::{Decode, Encode};
use frame_support::{assert_noop, assert_ok, traits::Get};
use sp_keyring::Sr25519Keyring::Alice;
use sp_runtime::DispatchError;

fn set_min_job_price(price: u128) -> pallet_parameters::Call<Runtime> {
    pallet_parameters::Call::set_parameter {
        key_value: RuntimeParameters::Market(market::Parameters::MinJobPrice(
            market::MinJobPrice,
            Some(Ranged::clamped(price)),
        )),
    }
}

/// Whether `P` takes every value of `bounds` that is tried, and none beside them.
fn holds<P, const MIN: u128, const MAX: u128>(_: P) -> bool
where
    P: Get<Ranged<MIN, MAX>>,
{
    let decodes = |value: u128| Ranged::<MIN, MAX>::decode(&mut &value.encode()[..]).is_ok();
    decodes(MIN)
        && decodes(MAX)
        && MIN.checked_sub(1).is_none_or(|below| !decodes(below))
        && !decodes(MAX + 1)
        && !decodes(u128::MAX)
        && decodes(P::get().into())
}

#[test]
fn values_out_of_their_bounds_do_not_decode() {
    development().execute_with(|| {
        assert!(holds(economy::CiroPrice));
        assert!(holds(market::MinJobPrice));
        assert!(holds(market::PlatformFee));
        assert!(holds(market::FeeBurnShare));
        assert!(holds(bridge::MessageFee));
    });
}

#[test]
fn parameters_start_where_the_economy_does() {
    development().execute_with(|| {
        assert_eq!(u128::from(economy::CiroPrice::get()), 1_000_000);
        assert_eq!(u128::from(market::MinJobPrice::get()), UNIT);
        assert_eq!(u128::from(market::PlatformFee::get()), 250);
        assert_eq!(u128::from(market::FeeBurnShare::get()), 3_000);
        assert_eq!(u128::from(bridge::MessageFee::get()), 100 * MILLIUNIT);
    });
}

#[test]
fn a_clamped_value_lies_within_its_bounds() {
    type OneToTen = Ranged<1, 10>;
    for (value, clamped) in [(0, 1), (1, 1), (5, 5), (10, 10), (11, 10), (u128::MAX, 10)] {
        assert_eq!(u128::from(OneToTen::clamped(value)), clamped);
    }
}

#[test]
fn only_root_and_the_general_admin_set_parameters() {
    development().execute_with(|| {
        let set = || set_min_job_price(2 * UNIT);
        assert_noop!(call(Alice, set()), DispatchError::BadOrigin);
        assert_noop!(call_as(Origin::Emergency, set()), DispatchError::BadOrigin);
        assert_ok!(call_as(Origin::GeneralAdmin, set()));
        assert_ok!(call_as(RuntimeOrigin::root(), set()));
    });
}

#[test]
fn the_market_reads_its_minimum_price() {
    development().execute_with(|| {
        let min = || <Runtime as pallet_job_market::Config>::MinJobPrice::get();
        assert_eq!(min(), UNIT);
        assert_ok!(call_as(Origin::GeneralAdmin, set_min_job_price(0)));
        assert_eq!(min(), 100 * MILLIUNIT);
    });
}
