//! Benchmarks of the market's calls.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use super::*;
use alloc::vec::Vec;
use ciro_primitives::{answer_commitment, input_commitment, output_hash, JobId, ModelId};
use frame_benchmarking::v2::*;
use frame_support::{
    pallet_prelude::*,
    traits::fungible::{Inspect, Mutate},
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_core::H256;
use sp_runtime::{
    traits::{One, Zero},
    Permill, Saturating,
};

const SALT: [u8; 32] = [7; 32];

fn funded<T: Config>(name: &'static str, index: u32) -> T::AccountId {
    let account = account(name, index, 0);
    let amount = T::MinJobPrice::get()
        .saturating_add(T::DisputeFee::get())
        .saturating_add(Pallet::<T>::deposit_for(&locator(), MAX_OUTPUT))
        .saturating_add(T::Token::minimum_balance())
        .saturating_mul(1_000u32.into());
    T::Token::mint_into(&account, amount).expect("the account can be endowed");
    account
}

fn worker<T: Config>(index: u32) -> T::AccountId {
    let worker = funded::<T>("worker", index);
    T::BenchmarkHelper::enrol(&worker);
    worker
}

/// The longest locator: the call's cost is constant in it, and so measured at its highest.
fn locator() -> Locator {
    alloc::vec![b'l'; MAX_LOCATOR as usize]
        .try_into()
        .expect("no longer than the bound")
}

/// Lets so many blocks pass, and one more.
fn pass<T: Config>(blocks: BlockNumberFor<T>) {
    let now = frame_system::Pallet::<T>::block_number();
    let late = now.saturating_add(blocks).saturating_add(One::one());
    frame_system::Pallet::<T>::set_block_number(late);
}

#[benchmarks(where T: pallet_model_registry::Config)]
mod benchmarks {
    use super::*;

    /// Registers the fixture's model; what to ask of it.
    fn spec<T: Config + pallet_model_registry::Config>(
        fixture: &Fixture<T::AccountId>,
        verification: Verification,
    ) -> JobSpecOf<T> {
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
            Permill::from_percent(10),
        )
        .expect("the fixture's key is valid");
        JobSpec {
            model: ModelId(fixture.key.id()),
            batch: fixture.batch,
            input_commitment: H256(input_commitment(fixture.batch, &fixture.input)),
            locator: locator(),
            price: Auction {
                floor: T::MinJobPrice::get(),
                ceiling: T::MinJobPrice::get().saturating_mul(2u32.into()),
                ramp: 1_000,
            },
            duration: T::MaxJobDuration::get(),
            verification,
            priority: Priority::Normal,
            requirements: Default::default(),
        }
    }

    /// Makes the chain one that the fixture's proof is for, up to the job that it answers, which anyone may claim.
    fn submitted<T: Config + pallet_model_registry::Config>(
        fixture: &Fixture<T::AccountId>,
        verification: Verification,
    ) -> (T::AccountId, JobId) {
        let genesis = T::Hash::decode(&mut &fixture.genesis[..]).expect("a hash of 32 bytes");
        frame_system::BlockHash::<T>::insert(BlockNumberFor::<T>::zero(), genesis);
        NextJobId::<T>::put(fixture.job);
        let spec = spec::<T>(fixture, verification);
        let requester = funded::<T>("requester", 0);
        Pallet::<T>::submit_job(RawOrigin::Signed(requester.clone()).into(), spec)
            .expect("a valid job");
        pass::<T>(T::HeadStart::get());
        (requester, fixture.job)
    }

    fn claimed<T: Config + pallet_model_registry::Config>(
        fixture: &Fixture<T::AccountId>,
        verification: Verification,
    ) -> (T::AccountId, T::AccountId, JobId) {
        let (requester, job) = submitted::<T>(fixture, verification);
        let worker = worker::<T>(0);
        Pallet::<T>::claim_job(RawOrigin::Signed(worker.clone()).into(), job)
            .expect("the job can be claimed");
        (requester, worker, job)
    }

    fn answered<T: Config + pallet_model_registry::Config>(
        fixture: &Fixture<T::AccountId>,
    ) -> (T::AccountId, JobId) {
        let (_, worker, job) = claimed::<T>(fixture, Verification::None);
        let origin = RawOrigin::Signed(worker.clone()).into();
        Pallet::<T>::submit_answer(origin, job, worker.clone(), output(fixture))
            .expect("the job can be answered");
        (worker, job)
    }

    /// A job of the most seats, of which so many are taken.
    fn seated<T: Config + pallet_model_registry::Config>(
        fixture: &Fixture<T::AccountId>,
        seats: u32,
    ) -> (T::AccountId, Vec<T::AccountId>, JobId) {
        let (requester, job) = submitted::<T>(fixture, Verification::Redundant(MAX_SEATS as u8));
        let workers: Vec<_> = (0..seats).map(worker::<T>).collect();
        for worker in &workers {
            Pallet::<T>::claim_job(RawOrigin::Signed(worker.clone()).into(), job)
                .expect("a seat is free");
        }
        (requester, workers, job)
    }

    /// What the nth worker says: most agree on the fixture's output, and each of the others has one of its own, which
    /// costs the most.
    fn said<A>(fixture: &Fixture<A>, nth: usize) -> Output {
        let mut output = fixture.output.clone();
        if nth >= state::quorum(MAX_SEATS as usize) {
            output[0] = nth as i32;
        }
        Output::truncate_from(output)
    }

    /// A job all of whose workers have committed to what they say.
    fn committed<T: Config + pallet_model_registry::Config>(
        fixture: &Fixture<T::AccountId>,
    ) -> (T::AccountId, Vec<T::AccountId>, JobId) {
        let (requester, workers, job) = seated::<T>(fixture, MAX_SEATS);
        for (nth, worker) in workers.iter().enumerate() {
            let hash = H256(output_hash(fixture.batch, &said(fixture, nth)));
            let commitment = H256(answer_commitment(&hash.0, &SALT, &worker.clone().into()));
            Pallet::<T>::commit(RawOrigin::Signed(worker.clone()).into(), job, commitment)
                .expect("the vote has begun");
        }
        (requester, workers, job)
    }

    /// A job all of whose workers have said what they had to.
    fn revealed<T: Config + pallet_model_registry::Config>(
        fixture: &Fixture<T::AccountId>,
    ) -> (T::AccountId, JobId) {
        let (requester, workers, job) = committed::<T>(fixture);
        for (nth, worker) in workers.into_iter().enumerate() {
            let origin = RawOrigin::Signed(worker).into();
            Pallet::<T>::reveal(origin, job, said(fixture, nth), SALT)
                .expect("everyone has committed");
        }
        (requester, job)
    }

    fn output<A>(fixture: &Fixture<A>) -> Output {
        Output::truncate_from(fixture.output.clone())
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

    fn smallest<T: Config>() -> Fixture<T::AccountId> {
        T::BenchmarkHelper::fixture(0, 0, 0)
    }

    #[benchmark]
    fn submit_job() {
        let spec = spec::<T>(&smallest::<T>(), Verification::ZkMl);
        let requester = funded::<T>("requester", 0);

        #[extrinsic_call]
        _(RawOrigin::Signed(requester), spec);

        assert_eq!(NextJobId::<T>::get(), 1);
    }

    /// The last of the most seats: every other worker's moves with it.
    #[benchmark]
    fn claim_job() {
        let (_, _, job) = seated::<T>(&smallest::<T>(), MAX_SEATS - 1);
        let worker = worker::<T>(MAX_SEATS);

        #[extrinsic_call]
        _(RawOrigin::Signed(worker), job);

        assert!(matches!(
            Jobs::<T>::get(job).unwrap().state,
            JobState::Voting { .. }
        ));
    }

    #[benchmark]
    fn submit_result(
        p: Linear<0, { T::BenchmarkHelper::MAX_PROOF }>,
        i: Linear<0, { T::BenchmarkHelper::MAX_INPUT }>,
        o: Linear<0, { T::BenchmarkHelper::MAX_OUTPUT }>,
    ) {
        let fixture = T::BenchmarkHelper::fixture(p, i, o);
        let (_, worker, job) = claimed::<T>(&fixture, Verification::ZkMl);
        let (payee, input, output, proof) = answer(fixture);

        #[extrinsic_call]
        _(RawOrigin::Signed(worker), job, payee, input, output, proof);

        assert!(Results::<T>::contains_key(job), "the fixture's proof holds");
    }

    #[benchmark]
    fn release_job() {
        let (_, worker, job) = claimed::<T>(&smallest::<T>(), Verification::ZkMl);

        #[extrinsic_call]
        _(RawOrigin::Signed(worker), job);

        assert_eq!(Jobs::<T>::get(job).unwrap().state, JobState::Submitted);
    }

    #[benchmark]
    fn cancel_job() {
        let (requester, job) = submitted::<T>(&smallest::<T>(), Verification::ZkMl);

        #[extrinsic_call]
        _(RawOrigin::Signed(requester), job);

        assert!(!Jobs::<T>::get(job).unwrap().is_open());
    }

    /// With all seats but one taken.
    #[benchmark]
    fn expire_job() {
        let (requester, _, job) = seated::<T>(&smallest::<T>(), MAX_SEATS - 1);
        pass::<T>(T::MaxJobDuration::get());

        #[extrinsic_call]
        _(RawOrigin::Signed(requester), job);

        assert!(!Jobs::<T>::get(job).unwrap().is_open());
    }

    #[benchmark]
    fn remove_job() {
        let fixture = T::BenchmarkHelper::fixture(0, 0, T::BenchmarkHelper::MAX_OUTPUT);
        let (requester, worker, job) = claimed::<T>(&fixture, Verification::ZkMl);
        let (payee, input, output, proof) = answer(fixture);
        let origin = RawOrigin::Signed(worker).into();
        Pallet::<T>::submit_result(origin, job, payee, input, output, proof)
            .expect("the fixture's proof holds");

        #[extrinsic_call]
        _(RawOrigin::Signed(requester), job);

        assert!(!Jobs::<T>::contains_key(job) && !Results::<T>::contains_key(job));
    }

    #[benchmark]
    fn submit_jobs(n: Linear<1, { MAX_SPECS }>) {
        let spec = spec::<T>(&smallest::<T>(), Verification::ZkMl);
        let requester = funded::<T>("requester", 0);
        let specs = BoundedVec::truncate_from(alloc::vec![spec; n as usize]);

        #[extrinsic_call]
        _(RawOrigin::Signed(requester), specs);

        assert_eq!(NextJobId::<T>::get(), u64::from(n));
    }

    #[benchmark]
    fn rescue() {
        let (_, _, job) = claimed::<T>(&smallest::<T>(), Verification::ZkMl);
        pass::<T>(T::ClaimTerm::get());
        let rescuer = worker::<T>(1);

        #[extrinsic_call]
        _(RawOrigin::Signed(rescuer), job);

        assert!(!Jobs::<T>::get(job).unwrap().bounty.is_zero());
    }

    #[benchmark]
    fn submit_answer(o: Linear<0, { T::BenchmarkHelper::MAX_OUTPUT }>) {
        let fixture = T::BenchmarkHelper::fixture(0, 0, o);
        let (_, worker, job) = claimed::<T>(&fixture, Verification::None);
        let payee = worker.clone();
        let output = output(&fixture);

        #[extrinsic_call]
        _(RawOrigin::Signed(worker), job, payee, output);

        assert!(Results::<T>::contains_key(job));
    }

    #[benchmark]
    fn dispute() {
        let (_, job) = answered::<T>(&smallest::<T>());
        let challenger = funded::<T>("challenger", 0);

        #[extrinsic_call]
        _(RawOrigin::Signed(challenger), job);

        assert!(matches!(
            Jobs::<T>::get(job).unwrap().state,
            JobState::Disputed { .. }
        ));
    }

    #[benchmark]
    fn submit_proof(
        p: Linear<0, { T::BenchmarkHelper::MAX_PROOF }>,
        i: Linear<0, { T::BenchmarkHelper::MAX_INPUT }>,
        o: Linear<0, { T::BenchmarkHelper::MAX_OUTPUT }>,
    ) {
        let fixture = T::BenchmarkHelper::fixture(p, i, o);
        let (worker, job) = answered::<T>(&fixture);
        let challenger = funded::<T>("challenger", 0);
        Pallet::<T>::dispute(RawOrigin::Signed(challenger).into(), job)
            .expect("the answer can be disputed");
        let (prover, input, output, proof) = answer(fixture);

        #[extrinsic_call]
        _(RawOrigin::Signed(worker), job, prover, input, output, proof);

        assert!(matches!(
            Jobs::<T>::get(job).unwrap().state,
            JobState::Paid { .. }
        ));
    }

    #[benchmark]
    fn commit() {
        let (_, mut workers, job) = seated::<T>(&smallest::<T>(), MAX_SEATS);
        let last = workers.pop().expect("all seats are taken");

        #[extrinsic_call]
        _(RawOrigin::Signed(last), job, H256::zero());

        assert!(matches!(
            Jobs::<T>::get(job).unwrap().state,
            JobState::Voting { .. }
        ));
    }

    #[benchmark]
    fn reveal(o: Linear<0, { T::BenchmarkHelper::MAX_OUTPUT }>) {
        let fixture = T::BenchmarkHelper::fixture(0, 0, o);
        let (_, mut workers, job) = committed::<T>(&fixture);
        let last = workers.pop().expect("all seats are taken");
        let output = said(&fixture, workers.len());

        #[extrinsic_call]
        _(RawOrigin::Signed(last), job, output, SALT);

        assert_eq!(Revealed::<T>::iter_prefix(job).count(), 1);
    }

    #[benchmark]
    fn finalise() {
        let fixture = T::BenchmarkHelper::fixture(0, 0, T::BenchmarkHelper::MAX_OUTPUT);
        let (requester, job) = revealed::<T>(&fixture);

        #[extrinsic_call]
        _(RawOrigin::Signed(requester), job);

        assert!(Results::<T>::contains_key(job));
    }

    #[benchmark]
    fn rate() {
        let (requester, job) = revealed::<T>(&smallest::<T>());
        Pallet::<T>::finalise(RawOrigin::Signed(requester.clone()).into(), job)
            .expect("the vote is over");

        #[extrinsic_call]
        _(RawOrigin::Signed(requester), job, 5);

        assert!(matches!(
            Jobs::<T>::get(job).unwrap().state,
            JobState::Paid { rated: true, .. }
        ));
    }

    /// What [`Pallet::submit_results`] does besides the verification of its proof, which is measured with
    /// `submit_result`: it pays for so many jobs. Each has a requester of its own, which costs the most.
    #[benchmark]
    fn settle_jobs(n: Linear<1, { T::BenchmarkHelper::MAX_JOBS }>) {
        let fixture = smallest::<T>();
        let spec = spec::<T>(&fixture, Verification::ZkMl);
        let worker = worker::<T>(0);
        let origin = || RawOrigin::Signed(worker.clone()).into();
        let ids: Vec<JobId> = (0..u64::from(n)).collect();
        for index in 0..n {
            let requester = RawOrigin::Signed(funded::<T>("requester", index));
            Pallet::<T>::submit_job(requester.into(), spec.clone()).expect("a valid job");
        }
        pass::<T>(T::HeadStart::get());
        for id in &ids {
            Pallet::<T>::claim_job(origin(), *id).expect("the job can be claimed");
        }
        let one = fixture.output.iter().copied();
        let outputs: Vec<i32> = (0..n).flat_map(|_| one.clone()).collect();
        let payee = account("payee", 0, 0);

        #[block]
        {
            let jobs = Pallet::<T>::assigned(&ids, &worker).expect("the jobs are the worker's");
            Pallet::<T>::accept(&ids, &jobs, worker, payee, &Output::truncate_from(outputs))
                .expect("the jobs are open");
        }

        assert!(ids.iter().all(|id| Results::<T>::contains_key(id)));
        assert!(Jobs::<T>::iter_values().all(|job| !job.is_open()));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ext(), crate::mock::Test);
}
