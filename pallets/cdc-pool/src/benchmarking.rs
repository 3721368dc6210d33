//! Benchmarks of the calls, and of what other pallets have done here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects
)]

use super::*;
use frame_benchmarking::v2::*;
use frame_support::{
    pallet_prelude::*,
    traits::fungible::{Inspect, InspectHold, Mutate},
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_runtime::{Perbill, Saturating};

#[benchmarks]
mod benchmarks {
    use super::*;

    fn funded<T: Config>(name: &'static str, index: u32) -> T::AccountId {
        let account = account(name, index, 0);
        let amount = T::MinOperatorStake::get()
            .saturating_add(T::MinDelegation::get())
            .saturating_add(T::Token::minimum_balance())
            .saturating_mul(100);
        T::Token::mint_into(&account, amount).expect("the account can be endowed");
        account
    }

    /// An operator with twice the least stake of its own, and both roles.
    fn operator<T: Config>(index: u32) -> T::AccountId {
        let operator = funded::<T>("operator", index);
        let origin = RawOrigin::Signed(operator.clone());
        let amount = T::MinOperatorStake::get().saturating_mul(2);
        Pallet::<T>::stake(origin.clone().into(), amount).expect("there is room for an operator");
        Pallet::<T>::set_roles(origin.into(), true, true).expect("an operator may have roles");
        operator
    }

    /// An account that has staked for the operator: more than the minimum by a planck for each amount it may unbond.
    fn delegator<T: Config>(operator: &T::AccountId, index: u32) -> T::AccountId {
        let staker = funded::<T>("staker", index);
        let amount = T::MinDelegation::get().saturating_add(state::MAX_CHUNKS.into());
        let origin = RawOrigin::Signed(staker.clone()).into();
        Pallet::<T>::stake_for_worker(origin, operator.clone(), amount)
            .expect("the operator has room for a delegation");
        staker
    }

    /// Begins to unbond a planck as often as may be.
    fn unbond<T: Config>(operator: &T::AccountId, staker: &T::AccountId, times: u32) {
        for _ in 0..times {
            let origin = RawOrigin::Signed(staker.clone()).into();
            Pallet::<T>::unstake(origin, operator.clone(), 1).expect("a planck can be unbonded");
        }
    }

    fn credit<T: Config>(operator: &T::AccountId) {
        let amount = T::MinOperatorStake::get()
            .saturating_add(T::Token::minimum_balance())
            .saturating_mul(100);
        assert!(Pallet::<T>::reward(operator, amount) > 0);
    }

    fn pass_unbonding<T: Config>() {
        let now = frame_system::Pallet::<T>::block_number();
        frame_system::Pallet::<T>::set_block_number(now.saturating_add(T::UnbondingPeriod::get()));
    }

    #[benchmark]
    fn stake() {
        let who = funded::<T>("operator", 0);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), T::MinOperatorStake::get());

        assert!(Operators::<T>::contains_key(who));
    }

    #[benchmark]
    fn stake_for_worker() {
        let operator = operator::<T>(0);
        let staker = funded::<T>("staker", 0);

        #[extrinsic_call]
        _(
            RawOrigin::Signed(staker.clone()),
            operator.clone(),
            T::MinDelegation::get(),
        );

        assert!(Positions::<T>::contains_key(operator, staker));
    }

    #[benchmark]
    fn set_roles() {
        let operator = operator::<T>(0);

        #[extrinsic_call]
        _(RawOrigin::Signed(operator.clone()), true, false);

        assert!(!Operators::<T>::get(operator).unwrap().roles.validator);
    }

    #[benchmark]
    fn set_commission() {
        let operator = operator::<T>(0);

        #[extrinsic_call]
        _(RawOrigin::Signed(operator.clone()), T::MaxCommission::get());

        assert!(Operators::<T>::get(operator)
            .unwrap()
            .commission
            .rise
            .is_some());
    }

    #[benchmark]
    fn unstake() {
        let operator = operator::<T>(0);
        let staker = delegator::<T>(&operator, 0);
        unbond::<T>(&operator, &staker, state::MAX_CHUNKS - 1);

        #[extrinsic_call]
        _(RawOrigin::Signed(staker.clone()), operator.clone(), 1);

        let position = Positions::<T>::get(operator, staker).unwrap();
        assert_eq!(position.unbonding.len() as u32, state::MAX_CHUNKS);
    }

    #[benchmark]
    fn withdraw_unbonded() {
        // The most that happens: many amounts are ripe, the position goes, and its rewards are paid.
        let operator = operator::<T>(0);
        let staker = delegator::<T>(&operator, 0);
        credit::<T>(&operator);
        unbond::<T>(&operator, &staker, state::MAX_CHUNKS - 1);
        let rest = T::MinDelegation::get() + 1;
        let origin = RawOrigin::Signed(staker.clone()).into();
        Pallet::<T>::unstake(origin, operator.clone(), rest).expect("a staker may leave");
        pass_unbonding::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(staker.clone()), operator.clone());

        assert!(!Positions::<T>::contains_key(operator, staker));
    }

    #[benchmark]
    fn claim_rewards() {
        let operator = operator::<T>(0);
        let staker = delegator::<T>(&operator, 0);
        credit::<T>(&operator);

        #[extrinsic_call]
        _(RawOrigin::Signed(staker.clone()), operator.clone());

        assert_eq!(Pallet::<T>::pending_rewards(operator, staker), 0);
    }

    #[benchmark]
    fn operators(n: Linear<1, { T::MaxOperators::get() }>) {
        for index in 0..n {
            operator::<T>(index);
        }
        let found;

        #[block]
        {
            found = Pallet::<T>::operators(Role::Worker);
        }

        assert_eq!(found.len() as u32, n);
    }

    #[benchmark]
    fn reserve() {
        let operator = operator::<T>(0);

        #[block]
        {
            Pallet::<T>::reserve(&operator, 1).expect("the stake is free");
        }

        assert_eq!(Operators::<T>::get(operator).unwrap().reserved, 1);
    }

    #[benchmark]
    fn release() {
        let operator = operator::<T>(0);
        Pallet::<T>::reserve(&operator, 1).expect("the stake is free");

        #[block]
        {
            Pallet::<T>::release(&operator, 1);
        }

        assert_eq!(Operators::<T>::get(operator).unwrap().reserved, 0);
    }

    #[benchmark]
    fn forfeit() {
        let operator = operator::<T>(0);
        let amount = T::Token::minimum_balance().min(T::MinOperatorStake::get());
        Pallet::<T>::reserve(&operator, amount).expect("the stake is free");
        let to = account("requester", 0, 0);
        let taken;

        #[block]
        {
            taken = Pallet::<T>::forfeit(&operator, amount, Some(&to));
        }

        assert_eq!(taken, amount);
    }

    #[benchmark]
    fn slash(n: Linear<1, { T::MaxDelegations::get() + 1 }>) {
        let operator = operator::<T>(0);
        let stakers: alloc::vec::Vec<_> = (1..n)
            .map(|index| delegator::<T>(&operator, index))
            .collect();
        for staker in &stakers {
            unbond::<T>(&operator, staker, state::MAX_CHUNKS);
        }
        credit::<T>(&operator);
        let reporter = funded::<T>("reporter", 0);
        let since = BlockNumberFor::<T>::default();
        let half = Perbill::from_percent(50);

        #[block]
        {
            <Pallet<T> as StakeLedger<_, _, _>>::slash(
                &operator,
                half,
                since,
                Some((&reporter, half)),
            );
        }

        let held = T::Token::balance_on_hold(&HoldReason::Stake.into(), &operator);
        assert_eq!(held, T::MinOperatorStake::get());
    }

    #[benchmark]
    fn reward() {
        let operator = operator::<T>(0);
        let origin = RawOrigin::Signed(operator.clone()).into();
        Pallet::<T>::set_commission(origin, T::MaxCommission::get())
            .expect("the highest commission is allowed");
        pass_unbonding::<T>();

        #[block]
        {
            credit::<T>(&operator);
        }

        assert!(Pallet::<T>::pending_rewards(operator.clone(), operator) > 0);
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ext(), crate::mock::Test);
}
