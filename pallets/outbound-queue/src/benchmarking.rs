//! Benchmarks of the queue's calls, and of what it does at the end of a block.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use super::*;
use ciro_bridge_primitives::{word_of, ChainKind, Destination, LaneId, Payload, ResultLeaf};
use ciro_primitives::ModelId;
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{
        fungible::{Balanced, Inspect},
        EnsureOrigin, Get,
    },
    BoundedVec,
};
use frame_system::RawOrigin;
use sp_runtime::{traits::One, Saturating};

fn funded<T: Config>(name: &'static str) -> T::AccountId {
    let account = account(name, 0, 0);
    let amount = T::LaneDeposit::get()
        .saturating_add(T::MessageFee::get())
        .saturating_add(T::Token::minimum_balance())
        .saturating_mul(100u32.into());
    let credit = T::Token::issue(amount);
    T::Token::resolve(&account, credit)
        .map_err(|_| "the account cannot be endowed")
        .unwrap();
    account
}

fn destination() -> Destination {
    Destination {
        kind: ChainKind::Starknet,
        chain_id: word_of(1u8),
        contract: word_of(2u8),
    }
}

fn opened<T: Config>() -> LaneId {
    let owner = RawOrigin::Signed(funded::<T>("owner"));
    Pallet::<T>::open_lane(owner.into(), destination()).expect("the lane can be opened");
    Pallet::<T>::lane_to(destination())
}

fn payload() -> Payload {
    Payload::RemoteResult {
        remote_job: [1; 32],
        model: ModelId([2; 32]),
        input_commitment: [3; 32],
        output_hash: [4; 32],
        payee: [5; 32],
    }
}

/// A lane that has had a message in an earlier block, in a block that has others queued: the dearest to add to.
fn busy<T: Config>() -> LaneId {
    let lane = opened::<T>();
    Pallet::<T>::send(lane, payload()).expect("the lane is open");
    let next = frame_system::Pallet::<T>::block_number().saturating_add(One::one());
    frame_system::Pallet::<T>::set_block_number(next);
    lane
}

fn last_nonce<T: Config>(lane: LaneId) -> u64 {
    Lanes::<T>::get(lane).expect("the lane is open").next_nonce
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn open_lane() {
        let owner = funded::<T>("owner");

        #[extrinsic_call]
        _(RawOrigin::Signed(owner), destination());

        assert!(Lanes::<T>::contains_key(
            Pallet::<T>::lane_to(destination())
        ));
    }

    #[benchmark]
    fn close_lane() {
        let lane = opened::<T>();
        let owner = Lanes::<T>::get(lane).expect("the lane is open").owner;

        #[extrinsic_call]
        _(RawOrigin::Signed(owner), lane);

        assert!(!Lanes::<T>::contains_key(lane));
    }

    #[benchmark]
    fn send_result() {
        let lane = busy::<T>();
        let sender = funded::<T>("sender");
        let job = T::BenchmarkHelper::proven_job();

        #[extrinsic_call]
        _(RawOrigin::Signed(sender), lane, job);

        assert_eq!(last_nonce::<T>(lane), 2);
    }

    #[benchmark]
    fn send_slash() {
        let lane = busy::<T>();
        let sender = funded::<T>("sender");
        let case = T::BenchmarkHelper::executed_case();

        #[extrinsic_call]
        _(RawOrigin::Signed(sender), lane, case);

        assert_eq!(last_nonce::<T>(lane), 2);
    }

    /// All but the proof, whose weight the market knows.
    #[benchmark]
    fn prove_remote() {
        let lane = busy::<T>();
        let sender = funded::<T>("sender");

        #[block]
        {
            Pallet::<T>::accepting(lane).expect("the lane is open");
            Pallet::<T>::post(&sender, lane, payload()).expect("the sender can pay");
        }

        assert_eq!(last_nonce::<T>(lane), 2);
    }

    #[benchmark]
    fn set_halted() {
        let origin = T::HaltOrigin::try_successful_origin().expect("someone may halt the bridge");

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, true);

        assert!(Halted::<T>::get());
    }

    #[benchmark]
    fn seal(m: Linear<0, { T::MaxMessages::get() }>, r: Linear<0, { T::MaxResults::get() }>) {
        let lane = opened::<T>();
        for _ in 0..m {
            Pallet::<T>::send(lane, payload()).expect("the lane is open");
        }
        let result = |job| ResultLeaf {
            job,
            model: ModelId([1; 32]),
            input_commitment: [2; 32],
            output_hash: [3; 32],
        };
        let results = (0..u64::from(r)).map(result).collect();
        Results::<T>::put(BoundedVec::truncate_from(results));

        #[block]
        {
            Pallet::<T>::seal();
        }

        assert_eq!(Sealed::<T>::get().messages == [0; 32], m == 0);
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ext(), crate::mock::Test);
}
