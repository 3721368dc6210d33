//! Benchmarks of the calls, and of a message that comes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects
)]

use super::*;
use ciro_bridge_primitives::{LaneId, Message, Payload, Word};
use frame_benchmarking::v2::*;
use frame_support::traits::{
    fungible::{Inspect, Mutate},
    EnsureOrigin,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use pallet_attesters::ReceiveMessage;
use sp_runtime::Saturating;

#[benchmarks]
mod benchmarks {
    use super::*;

    /// What is sent at once.
    fn amount<T: Config>() -> Balance {
        T::Token::minimum_balance().saturating_mul(1_000)
    }

    /// Limits that let some such amounts pass, and have larger ones wait.
    fn limits<T: Config>() -> LimitsOf<T> {
        Limits {
            smallest: 1,
            largest: amount::<T>() * 10,
            most_outside: amount::<T>() * 100,
            out_per_window: amount::<T>() * 100,
            in_per_window: amount::<T>() * 100,
            delay_above: amount::<T>(),
            delay: 10u32.into(),
        }
    }

    fn someone() -> Word {
        let mut word = [0; 32];
        word[31] = 1;
        word
    }

    fn register<T: Config>(number: u32) -> LaneId {
        let lane = T::BenchmarkHelper::lane(number);
        let origin = T::ManagerOrigin::try_successful_origin().expect("someone may register");
        Pallet::<T>::register_remote(origin, lane, limits::<T>()).expect("the lane is open");
        lane
    }

    fn rich<T: Config>() -> T::AccountId {
        let who: T::AccountId = account("sender", 0, 0);
        T::Token::mint_into(&who, amount::<T>() * 1_000).expect("the account can be endowed");
        who
    }

    /// A remote with something outside.
    fn opened<T: Config>() -> LaneId {
        let lane = register::<T>(0);
        let origin = RawOrigin::Signed(rich::<T>()).into();
        Pallet::<T>::transfer_out(origin, lane, someone(), amount::<T>() * 10, MIN_LIFETIME)
            .expect("the limits suffice");
        lane
    }

    /// A burn for a third chain, which the limits of both let pass, has its amount wait if it is large.
    fn burn<T: Config>(lane: LaneId, nonce: u64, amount: Balance) -> Message {
        let payload = Payload::Burn {
            destination: T::BenchmarkHelper::lane(1),
            recipient: someone(),
            amount,
            refund: rich::<T>().into(),
        };
        Message {
            lane,
            nonce,
            payload,
        }
    }

    /// A lane and a nonce under which something waits for a third chain.
    fn waiting<T: Config>() -> (LaneId, u64) {
        let lane = opened::<T>();
        register::<T>(1);
        Pallet::<T>::receive(&burn::<T>(lane, 3, amount::<T>() * 2));
        assert!(Arrivals::<T>::contains_key(lane, 3));
        (lane, 3)
    }

    fn safety<T: Config>() -> T::RuntimeOrigin {
        T::SafetyOrigin::try_successful_origin().expect("someone may pause")
    }

    fn manager<T: Config>() -> T::RuntimeOrigin {
        T::ManagerOrigin::try_successful_origin().expect("someone manages the remotes")
    }

    #[benchmark]
    fn transfer_out() {
        let lane = opened::<T>();

        #[extrinsic_call]
        _(
            RawOrigin::Signed(rich::<T>()),
            lane,
            someone(),
            amount::<T>(),
            MIN_LIFETIME,
        );

        assert_eq!(Remotes::<T>::get(lane).unwrap().outside, amount::<T>() * 11);
    }

    #[benchmark]
    fn release() {
        let (lane, nonce) = waiting::<T>();
        let now = frame_system::Pallet::<T>::block_number();
        let later: BlockNumberFor<T> = now.saturating_add(10u32.into());
        frame_system::Pallet::<T>::set_block_number(later);

        #[extrinsic_call]
        _(RawOrigin::Signed(rich::<T>()), lane, nonce);

        assert!(!Arrivals::<T>::contains_key(lane, nonce));
    }

    #[benchmark]
    fn register_remote() {
        let lane = T::BenchmarkHelper::lane(0);

        #[extrinsic_call]
        _(manager::<T>() as T::RuntimeOrigin, lane, limits::<T>());

        assert!(Remotes::<T>::contains_key(lane));
    }

    #[benchmark]
    fn set_limits() {
        let lane = register::<T>(0);
        let other = Limits {
            largest: amount::<T>(),
            ..limits::<T>()
        };

        #[extrinsic_call]
        _(manager::<T>() as T::RuntimeOrigin, lane, other);

        assert_eq!(Remotes::<T>::get(lane).unwrap().limits, other);
    }

    #[benchmark]
    fn set_paused() {
        let lane = register::<T>(0);

        #[extrinsic_call]
        _(safety::<T>() as T::RuntimeOrigin, lane, true, true);

        assert!(Remotes::<T>::get(lane).unwrap().inbound_paused);
    }

    #[benchmark]
    fn set_halted() {
        #[extrinsic_call]
        _(safety::<T>() as T::RuntimeOrigin, true);

        assert!(Halted::<T>::get());
    }

    #[benchmark]
    fn suspend() {
        let (lane, nonce) = waiting::<T>();

        #[extrinsic_call]
        _(safety::<T>() as T::RuntimeOrigin, lane, nonce);

        assert!(Arrivals::<T>::get(lane, nonce).unwrap().suspended);
    }

    #[benchmark]
    fn resume() {
        let (lane, nonce) = waiting::<T>();
        Pallet::<T>::suspend(safety::<T>(), lane, nonce).expect("it waits");

        #[extrinsic_call]
        _(manager::<T>() as T::RuntimeOrigin, lane, nonce);

        assert!(!Arrivals::<T>::get(lane, nonce).unwrap().suspended);
    }

    #[benchmark]
    fn reject() {
        let (lane, nonce) = waiting::<T>();
        Pallet::<T>::suspend(safety::<T>(), lane, nonce).expect("it waits");

        #[extrinsic_call]
        _(manager::<T>() as T::RuntimeOrigin, lane, nonce);

        assert!(!Arrivals::<T>::contains_key(lane, nonce));
    }

    #[benchmark]
    fn receive() {
        // It goes on to a third chain.
        let lane = opened::<T>();
        let other = register::<T>(1);
        let message = burn::<T>(lane, 0, amount::<T>());

        #[block]
        {
            Pallet::<T>::receive(&message);
        }

        assert_eq!(Remotes::<T>::get(other).unwrap().outside, amount::<T>());
    }

    #[benchmark]
    fn refund() {
        // It cannot go on, and comes to an account that is new, in part.
        let lane = opened::<T>();
        let narrow = Limits {
            in_per_window: amount::<T>() / 2,
            ..limits::<T>()
        };
        Pallet::<T>::set_limits(manager::<T>(), lane, narrow).expect("the limits are consistent");
        register::<T>(1);
        Pallet::<T>::set_paused(safety::<T>(), T::BenchmarkHelper::lane(1), true, true)
            .expect("the remote is registered");
        let mut message = burn::<T>(lane, 0, amount::<T>());
        let new: T::AccountId = account("recipient", 0, 0);
        if let Payload::Burn { refund: to, .. } = &mut message.payload {
            *to = new.clone().into();
        }

        #[block]
        {
            Pallet::<T>::receive(&message);
        }

        assert_eq!(T::Token::balance(&new), amount::<T>() / 2);
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ext(), crate::mock::Test);
}
