//! Benchmarks of the calls.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects
)]

use super::*;
use alloc::vec::Vec;
use ciro_bridge_primitives::{LaneId, Message};
use frame_benchmarking::v2::*;
use frame_support::traits::{
    fungible::{Inspect, Mutate},
    EnsureOrigin, Get,
};
use frame_system::RawOrigin;
use sp_runtime::Saturating;

#[benchmarks]
mod benchmarks {
    use super::*;

    fn funded<T: Config>(index: u32) -> T::AccountId {
        let who = account("attester", index, 0);
        let amount = T::MinBond::get().saturating_add(T::Token::minimum_balance());
        T::Token::mint_into(&who, amount.saturating_mul(2)).expect("the account can be endowed");
        who
    }

    /// Attesters of these numbers.
    fn joined<T: Config>(indices: core::ops::Range<u32>) -> Vec<T::AccountId> {
        let admit = |index| {
            let who = funded::<T>(index);
            Pallet::<T>::do_invite(&who).expect("the account is unknown");
            Pallet::<T>::do_join(&who, T::MinBond::get()).expect("there is room");
            who
        };
        indices.map(admit).collect()
    }

    /// A chain without the attesters of its genesis.
    fn empty<T: Config>() {
        for who in Members::<T>::get() {
            Pallet::<T>::do_leave(&who).expect("it is an attester");
        }
    }

    fn cast<T: Config>(who: &T::AccountId, lane: LaneId, nonce: u64, number: u32) {
        let payload = T::BenchmarkHelper::payload(number);
        let origin = RawOrigin::Signed(who.clone()).into();
        Pallet::<T>::attest(origin, lane, nonce, payload).expect("the vote is taken");
    }

    fn pass_evidence<T: Config>() {
        let now = frame_system::Pallet::<T>::block_number();
        let later = now
            .saturating_add(T::EvidencePeriod::get())
            .saturating_add(1u32.into());
        frame_system::Pallet::<T>::set_block_number(later);
    }

    /// A lane, two of whose messages were executed so long ago that their ballots may go.
    fn aged<T: Config>() -> LaneId {
        empty::<T>();
        let lane = T::BenchmarkHelper::lane();
        let first = joined::<T>(100..101);
        cast::<T>(&first[0], lane, 0, 0);
        cast::<T>(&first[0], lane, 1, 0);
        pass_evidence::<T>();
        empty::<T>();
        lane
    }

    #[benchmark]
    fn invite() {
        let origin = T::InviteOrigin::try_successful_origin().expect("someone may invite");
        let who: T::AccountId = account("attester", 0, 0);

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, who.clone());

        assert!(Attesters::<T>::contains_key(who));
    }

    #[benchmark]
    fn remove() {
        let origin = T::InviteOrigin::try_successful_origin().expect("someone may remove");
        empty::<T>();
        let who = joined::<T>(0..MAX_MEMBERS)[0].clone();

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, who.clone());

        assert!(!Members::<T>::get().contains(&who));
    }

    #[benchmark]
    fn join() {
        empty::<T>();
        joined::<T>(1..MAX_MEMBERS);
        let who = funded::<T>(0);
        Pallet::<T>::do_invite(&who).expect("the account is unknown");

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), T::MinBond::get());

        assert!(Members::<T>::get().contains(&who));
    }

    #[benchmark]
    fn leave() {
        empty::<T>();
        let who = joined::<T>(0..MAX_MEMBERS)[0].clone();

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));

        assert!(!Members::<T>::get().contains(&who));
    }

    #[benchmark]
    fn withdraw_bond() {
        empty::<T>();
        let who = joined::<T>(0..1)[0].clone();
        Pallet::<T>::do_leave(&who).expect("it is an attester");
        let now = frame_system::Pallet::<T>::block_number();
        let later = now.saturating_add(T::UnbondingPeriod::get());
        frame_system::Pallet::<T>::set_block_number(later);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));

        assert!(!Attesters::<T>::contains_key(who));
    }

    #[benchmark]
    fn attest() {
        // The vote that executes the message, as the last of all attesters'; two old ballots go.
        let lane = aged::<T>();
        let members = joined::<T>(0..MAX_MEMBERS);
        let needed = threshold(MAX_MEMBERS) as usize;
        for who in &members[needed..] {
            cast::<T>(who, lane, 2, 1);
        }
        for who in &members[1..needed] {
            cast::<T>(who, lane, 2, 0);
        }
        let message = Message {
            lane,
            nonce: 2,
            payload: T::BenchmarkHelper::payload(0),
        };
        let executed;

        #[block]
        {
            executed = Pallet::<T>::vote(members[0].clone(), &message).expect("the vote is taken");
        }

        assert!(executed);
    }

    #[benchmark]
    fn contradict() {
        empty::<T>();
        let lane = T::BenchmarkHelper::lane();
        let members = joined::<T>(0..MAX_MEMBERS);
        for who in &members[..threshold(MAX_MEMBERS) as usize - 1] {
            cast::<T>(who, lane, 0, 0);
        }
        let message = Message {
            lane,
            nonce: 0,
            payload: T::BenchmarkHelper::payload(1),
        };

        #[block]
        {
            Pallet::<T>::vote(members[0].clone(), &message).expect("the vote is taken");
        }

        assert!(!Attesters::<T>::contains_key(&members[0]));
    }

    #[benchmark]
    fn prove() {
        // As many liars as there are votes, half of whom have left; two old ballots go.
        let lane = aged::<T>();
        for round in 0..MAX_VOTES / MAX_MEMBERS {
            let first = round * MAX_MEMBERS;
            for (index, who) in joined::<T>(first..first + MAX_MEMBERS).iter().enumerate() {
                cast::<T>(who, lane, 2, 1 + first + index as u32);
            }
            empty::<T>();
        }
        let message = Message {
            lane,
            nonce: 2,
            payload: T::BenchmarkHelper::payload(0),
        };

        #[block]
        {
            Pallet::<T>::accept_proven(&message).expect("nothing was executed");
        }

        let anyone: T::AccountId = account("attester", 0, 0);
        assert!(!Attesters::<T>::contains_key(anyone));
        assert!(Lanes::<T>::get(lane).has(2));
    }

    #[benchmark]
    fn set_halted() {
        let origin = T::SafetyOrigin::try_successful_origin().expect("someone may halt");

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, true);

        assert!(Halted::<T>::get());
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ext(), crate::mock::Test);
}
