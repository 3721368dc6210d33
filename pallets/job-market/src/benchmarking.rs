//! Benchmarks of the market's calls.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects
)]

use super::*;
use alloc::vec::Vec;
use ciro_primitives::{input_commitment, JobId, ModelId};
use frame_benchmarking::v2::*;
use frame_support::{
    pallet_prelude::*,
    traits::fungible::{Inspect, Mutate},
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_core::H256;
use sp_runtime::{
    traits::{One, Zero},
    Saturating,
};

fn funded<T: Config>(name: &'static str) -> T::AccountId {
    let account = account(name, 0, 0);
    let amount = T::MinJobPrice::get()
        .saturating_add(T::MinCollateral::get())
        .saturating_add(Pallet::<T>::deposit_for(&locator(), MAX_OUTPUT))
        .saturating_add(T::Token::minimum_balance())
        .saturating_mul(1_000u32.into());
    T::Token::mint_into(&account, amount).expect("the account can be endowed");
    account
}

/// The longest locator: the call's cost is constant in it, and so measured at its highest.
fn locator() -> Locator {
    alloc::vec![b'l'; MAX_LOCATOR as usize]
        .try_into()
        .expect("no longer than the bound")
}

#[benchmarks(where T: pallet_model_registry::Config)]
mod benchmarks {
    use super::*;

    /// Registers the fixture's model; the arguments of a job for it.
    fn request<T: Config + pallet_model_registry::Config>(
        fixture: &Fixture<T::AccountId>,
    ) -> (ModelId, u32, H256, Locator, BalanceOf<T>, BlockNumberFor<T>) {
        let owner = account("owner", 0, 0);
        let name = b"fixture".to_vec().try_into().expect("a short name");
        let key = fixture.key.clone();
        let deposit = pallet_model_registry::Pallet::<T>::deposit_for(&key, &name);
        let minimum = <T as pallet_model_registry::Config>::Token::minimum_balance();
        <T as pallet_model_registry::Config>::Token::mint_into(
            &owner,
            deposit.saturating_add(minimum),
        )
        .expect("the owner can be endowed");
        pallet_model_registry::Pallet::<T>::register(
            RawOrigin::Signed(owner).into(),
            key,
            name,
            Zero::zero(),
        )
        .expect("the fixture's key is valid");
        (
            ModelId(fixture.key.id()),
            fixture.batch,
            H256(input_commitment(fixture.batch, &fixture.input)),
            locator(),
            T::MinJobPrice::get(),
            T::MinJobDuration::get(),
        )
    }

    /// Makes the chain one that the fixture's proof is for, up to the job that it answers.
    fn submitted<T: Config + pallet_model_registry::Config>(
        fixture: &Fixture<T::AccountId>,
    ) -> (T::AccountId, JobId) {
        let genesis = T::Hash::decode(&mut &fixture.genesis[..]).expect("a hash of 32 bytes");
        frame_system::BlockHash::<T>::insert(BlockNumberFor::<T>::zero(), genesis);
        NextJobId::<T>::put(fixture.job);
        let (model, batch, commitment, locator, price, duration) = request::<T>(fixture);
        let requester = funded::<T>("requester");
        Pallet::<T>::submit_job(
            RawOrigin::Signed(requester.clone()).into(),
            model,
            batch,
            commitment,
            locator,
            price,
            duration,
        )
        .expect("a valid job");
        (requester, fixture.job)
    }

    fn claimed<T: Config + pallet_model_registry::Config>(
        fixture: &Fixture<T::AccountId>,
    ) -> (T::AccountId, T::AccountId, JobId) {
        let (requester, job) = submitted::<T>(fixture);
        let worker = funded::<T>("worker");
        Pallet::<T>::claim_job(RawOrigin::Signed(worker.clone()).into(), job)
            .expect("the job can be claimed");
        (requester, worker, job)
    }

    fn answer<A>(fixture: Fixture<A>) -> (A, Input, Output, Proof) {
        let input: Vec<u8> = fixture.input.iter().map(|value| *value as u8).collect();
        (
            fixture.payee,
            input.try_into().expect("the input is within bounds"),
            fixture
                .output
                .try_into()
                .expect("the output is within bounds"),
            fixture
                .proof
                .try_into()
                .expect("the proof is within bounds"),
        )
    }

    fn pass_deadline<T: Config>() {
        let now = frame_system::Pallet::<T>::block_number();
        let late = now
            .saturating_add(T::MinJobDuration::get())
            .saturating_add(One::one());
        frame_system::Pallet::<T>::set_block_number(late);
    }

    #[benchmark]
    fn submit_job() {
        let fixture = T::BenchmarkHelper::fixture(0, 0, 0);
        let (model, batch, commitment, locator, price, duration) = request::<T>(&fixture);
        let requester = funded::<T>("requester");

        #[extrinsic_call]
        _(
            RawOrigin::Signed(requester),
            model,
            batch,
            commitment,
            locator,
            price,
            duration,
        );

        assert_eq!(NextJobId::<T>::get(), 1);
    }

    #[benchmark]
    fn claim_job() {
        let (_, job) = submitted::<T>(&T::BenchmarkHelper::fixture(0, 0, 0));
        let worker = funded::<T>("worker");

        #[extrinsic_call]
        _(RawOrigin::Signed(worker), job);

        assert!(matches!(
            Jobs::<T>::get(job).unwrap().state,
            JobState::Assigned { .. }
        ));
    }

    #[benchmark]
    fn submit_result(
        p: Linear<0, { T::BenchmarkHelper::MAX_PROOF }>,
        i: Linear<0, { T::BenchmarkHelper::MAX_INPUT }>,
        o: Linear<0, { T::BenchmarkHelper::MAX_OUTPUT }>,
    ) {
        let fixture = T::BenchmarkHelper::fixture(p, i, o);
        let (_, worker, job) = claimed::<T>(&fixture);
        let (payee, input, output, proof) = answer(fixture);

        #[extrinsic_call]
        _(RawOrigin::Signed(worker), job, payee, input, output, proof);

        assert!(Results::<T>::contains_key(job), "the fixture's proof holds");
    }

    #[benchmark]
    fn release_job() {
        let (_, worker, job) = claimed::<T>(&T::BenchmarkHelper::fixture(0, 0, 0));

        #[extrinsic_call]
        _(RawOrigin::Signed(worker), job);

        assert_eq!(Jobs::<T>::get(job).unwrap().state, JobState::Submitted);
    }

    #[benchmark]
    fn cancel_job() {
        let (requester, job) = submitted::<T>(&T::BenchmarkHelper::fixture(0, 0, 0));

        #[extrinsic_call]
        _(RawOrigin::Signed(requester), job);

        assert!(!Jobs::<T>::get(job).unwrap().is_open());
    }

    #[benchmark]
    fn expire_job() {
        let (requester, _, job) = claimed::<T>(&T::BenchmarkHelper::fixture(0, 0, 0));
        pass_deadline::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(requester), job);

        assert!(!Jobs::<T>::get(job).unwrap().is_open());
    }

    #[benchmark]
    fn remove_job() {
        let fixture = T::BenchmarkHelper::fixture(0, 0, T::BenchmarkHelper::MAX_OUTPUT);
        let (requester, worker, job) = claimed::<T>(&fixture);
        let (payee, input, output, proof) = answer(fixture);
        let origin = RawOrigin::Signed(worker).into();
        Pallet::<T>::submit_result(origin, job, payee, input, output, proof)
            .expect("the fixture's proof holds");

        #[extrinsic_call]
        _(RawOrigin::Signed(requester), job);

        assert!(!Jobs::<T>::contains_key(job) && !Results::<T>::contains_key(job));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ext(), crate::mock::Test);
}
