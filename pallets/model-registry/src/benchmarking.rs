//! Benchmarks of the registry's calls.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects
)]

use super::*;
use ciro_primitives::ModelId;
use ciro_zkml_air::{Preset, VerifyingKey};
use frame_benchmarking::v2::*;
use frame_support::traits::fungible::{Inspect, Mutate};
use frame_system::RawOrigin;
use sp_runtime::{Permill, Saturating};

fn key() -> VerifyingKey {
    VerifyingKey {
        version: VerifyingKey::CURRENT_VERSION,
        preset: Preset::Chain,
        log_lanes: 4,
        log_sizes: [0, 10, 8, 12, 16, 0, 0, 0, 0, 0, 0, 0],
        log_positions: 0,
        log_block: 0,
        inputs: 64,
        input_width: 64,
        outputs: 10,
        output_width: 10,
        constant_reads: 3,
        root: [7; 32],
        interface: [7; 32],
    }
}

/// The longest name: the call's cost is constant in it, and so measured at its highest.
fn name() -> ModelName {
    alloc::vec![b'n'; MAX_NAME as usize]
        .try_into()
        .expect("no longer than the bound")
}

#[benchmarks]
mod benchmarks {
    use super::*;

    fn funded<T: Config>(who: &'static str) -> T::AccountId {
        let account = account(who, 0, 0);
        let deposit = Pallet::<T>::deposit_for(&key(), &name());
        let amount = T::Token::minimum_balance()
            .saturating_add(deposit)
            .saturating_mul(4u32.into());
        T::Token::mint_into(&account, amount).expect("the account can be endowed");
        account
    }

    fn registered<T: Config>() -> (T::AccountId, ModelId) {
        let owner = funded::<T>("owner");
        let origin = RawOrigin::Signed(owner.clone()).into();
        Pallet::<T>::register(origin, key(), name(), 1u32.into(), MAX_ROYALTY)
            .expect("a valid registration");
        (owner, ModelId(key().id()))
    }

    #[benchmark]
    fn register() {
        let owner = funded::<T>("owner");

        #[extrinsic_call]
        _(
            RawOrigin::Signed(owner),
            key(),
            name(),
            1u32.into(),
            MAX_ROYALTY,
        );

        assert!(Models::<T>::contains_key(ModelId(key().id())));
    }

    #[benchmark]
    fn set_price_floor() {
        let (owner, model) = registered::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(owner), model, 2u32.into());

        assert_eq!(Models::<T>::get(model).unwrap().price_floor, 2u32.into());
    }

    #[benchmark]
    fn transfer_ownership() {
        let (owner, model) = registered::<T>();
        let new_owner = funded::<T>("new_owner");

        #[extrinsic_call]
        _(RawOrigin::Signed(owner), model, new_owner.clone());

        assert_eq!(Models::<T>::get(model).unwrap().owner, new_owner);
    }

    #[benchmark]
    fn deregister() {
        let (owner, model) = registered::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(owner), model);

        assert!(!Models::<T>::contains_key(model));
    }

    #[benchmark]
    fn set_royalty() {
        let (owner, model) = registered::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(owner), model, Permill::from_percent(5));

        assert_eq!(
            Models::<T>::get(model).unwrap().royalty,
            Permill::from_percent(5)
        );
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ext(), crate::mock::Test);
}
