//! Benchmarks of the registry's calls.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects
)]

use super::*;
use alloc::vec;
use frame_benchmarking::v2::*;
use frame_support::{
    pallet_prelude::*,
    traits::{
        fungible::{Inspect, Mutate},
        Authorize,
    },
};
use frame_system::RawOrigin;
use sp_application_crypto::RuntimeAppPublic;
use sp_runtime::Saturating;

/// The longest texts: the cost of the calls is constant in them, and so measured at its highest.
fn capabilities() -> Capabilities {
    Capabilities {
        gpu_model: vec![b'g'; MAX_GPU_MODEL as usize]
            .try_into()
            .expect("no longer than the bound"),
        memory: u32::MAX,
        gflops: u32::MAX,
        region: Region::Other,
        peer_address: vec![b'p'; MAX_PEER_ADDRESS as usize]
            .try_into()
            .expect("no longer than the bound"),
    }
}

fn funded<T: Config>() -> T::AccountId {
    let who = account("worker", 0, 0);
    let amount = T::Token::minimum_balance()
        .saturating_add(T::RegistrationDeposit::get())
        .saturating_mul(4u32.into());
    T::Token::mint_into(&who, amount).expect("the account can be endowed");
    who
}

#[benchmarks]
mod benchmarks {
    use super::*;

    fn registered<T: Config>() -> T::AccountId {
        let who = funded::<T>();
        let key = HeartbeatKey::generate_pair(None);
        Pallet::<T>::register(RawOrigin::Signed(who.clone()).into(), capabilities(), key)
            .expect("a valid registration");
        who
    }

    /// A registered worker whose heartbeat is due after a month of silence, which has the most counters to clear.
    fn awaited<T: Config>() -> (T::AccountId, Window, HeartbeatSignature) {
        let who = registered::<T>();
        let window = u32::from(T::WindowsPerDay::get()) * COUNTED_DAYS as u32;
        frame_system::Pallet::<T>::set_block_number(
            T::HeartbeatPeriod::get().saturating_mul(window.into()),
        );
        let key = Workers::<T>::get(&who)
            .expect("just registered")
            .heartbeat_key;
        let payload = Pallet::<T>::payload(&who, window);
        let signature = key.sign(&payload).expect("the key was generated here");
        (who, window, signature)
    }

    #[benchmark]
    fn register() {
        let who = funded::<T>();
        let key = HeartbeatKey::generate_pair(None);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), capabilities(), key);

        assert!(Workers::<T>::contains_key(who));
    }

    #[benchmark]
    fn update() {
        let who = registered::<T>();
        let mut changed = capabilities();
        changed.memory = 1;

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), changed.clone());

        assert_eq!(Workers::<T>::get(who).unwrap().capabilities, changed);
    }

    #[benchmark]
    fn set_heartbeat_key() {
        let who = registered::<T>();
        let key = HeartbeatKey::generate_pair(None);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), key.clone());

        assert_eq!(KeyOwner::<T>::get(key), Some(who));
    }

    #[benchmark]
    fn deactivate() {
        let who = registered::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));

        assert!(!<Pallet<T> as WorkerDirectory<_, _>>::is_active(&who));
    }

    #[benchmark]
    fn reactivate() {
        let who = registered::<T>();
        let origin = RawOrigin::Signed(who.clone());
        Pallet::<T>::deactivate(origin.clone().into()).expect("the worker is active");

        #[extrinsic_call]
        _(origin);

        assert!(<Pallet<T> as WorkerDirectory<_, _>>::is_active(&who));
    }

    #[benchmark]
    fn deregister() {
        let who = registered::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));

        assert!(!Workers::<T>::contains_key(who));
    }

    #[benchmark]
    fn heartbeat() {
        let (who, window, signature) = awaited::<T>();

        #[extrinsic_call]
        _(RawOrigin::Authorized, who.clone(), window, signature);

        assert_eq!(Workers::<T>::get(who).unwrap().presence.received[0], 1);
    }

    #[benchmark]
    fn authorize_heartbeat() {
        let (who, window, signature) = awaited::<T>();
        let call = Call::<T>::heartbeat {
            who,
            window,
            signature,
        };

        #[block]
        {
            call.authorize(TransactionSource::External)
                .expect("the call can be authorised")
                .expect("the heartbeat is valid");
        }
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ext(), crate::mock::Test);
}
