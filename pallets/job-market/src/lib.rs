//! # Job market
//!
//! A requester submits a job: run this model on the input with this commitment. What an answer earns rises from a floor
//! to a ceiling, which goes on hold, until a worker claims the job; the claim fixes the price. A worker is an operator
//! whose stake stands for it, and part of that stake is reserved as collateral until the job is answered.
//!
//! Three levels of trust say when an answer counts ([`Verification`]):
//!
//! * `ZkMl`: with a proof, which the chain verifies within the same call. If it holds, the job is paid; if not, part of
//!   the collateral is burned, a case is opened against the worker, and the job is free again.
//! * `None`: unless someone disputes it within [`Config::ChallengePeriod`]. Then the burden of proof lies on the
//!   worker: a proof of the answer within [`Config::ProofPeriod`] wins the price and the challenger's fee; without one,
//!   or with a proof of another output, the worker's collateral is lost and the requester has the price back.
//! * `Redundant(k)`: if seven tenths of `k` workers say the same, each having committed to its output before any was
//!   revealed. Who is outvoted loses part of its collateral, but no case is opened: a majority is not evidence that the
//!   runtime could check, and colluding workers can be one.
//!
//! A proof is bound to the chain's genesis, the job and the payee ([`ciro_primitives::JobBinding`]), so that a proof
//! copied from the transaction pool earns its copier nothing. As a proof of many samples costs little more than one of
//! few, a worker may prove several jobs of one model together; that proof is bound to all of them in their order
//! ([`ciro_primitives::JobsBinding`]), and stands or falls as one.
//!
//! A claim has a term. Once it is over another worker may take the job over, and part of the late worker's collateral
//! is added to what the job pays. The best workers may claim first: the others wait up to [`Config::HeadStart`].
//!
//! Of every price the market keeps [`Config::PlatformFee`], part of which is burned, and the model's owner gets the
//! royalty that held when the job was submitted. An accepted proof costs no transaction fee. That gives nobody free
//! block space: who answers their own jobs still pays the market's share of at least [`Config::MinJobPrice`] for each.
//!
//! The life of a job is in [`state`], as pure functions. A requester's funds never leave the account before they are
//! paid: they are on hold there, and every settlement takes what is on hold, whatever else has happened to the account
//! since, so that no account's condition can strand a job.
//!
//! A worker should fetch the input and compare it with the commitment before claiming: giving a job back costs.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod config;
mod desk;
mod events;
mod funds;
mod impls;
mod invariants;
pub mod migrations;
#[cfg(test)]
mod mock;
mod results;
pub mod state;
#[cfg(test)]
mod tests;
mod types;
pub mod weights;

use frame_support::pallet_macros::import_section;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// FRAME's macros expand to `expect`; what is written here does not use it.
#[allow(clippy::expect_used)]
#[import_section(config::config)]
#[import_section(events::events)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use crate::impls::signed;
    use crate::state::Action;
    use alloc::vec::Vec;
    use ciro_primitives::{JobId, ModelId, MAX_BATCH};
    use ciro_zkml_verifier::{Statement, Tensor, VerifyingKey};
    use frame_support::{
        pallet_prelude::*,
        traits::{
            fungible::{BalancedHold, Credit, Inspect, Mutate, MutateHold},
            OnUnbalanced,
        },
    };
    use frame_system::pallet_prelude::*;
    use pallet_cdc_pool::StakeLedger;
    use pallet_model_registry::ModelDirectory;
    use pallet_reputation::ReputationLedger;
    use pallet_slashing::OffenceDesk;
    use pallet_worker_registry::WorkerDirectory;
    use sp_core::H256;
    use sp_runtime::Permill;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

    /// An amount of the chain's token, in plancks.
    pub type BalanceOf<T> =
        <<T as Config>::Token as Inspect<<T as frame_system::Config>::AccountId>>::Balance;

    /// What a requester asks of this chain.
    pub type JobSpecOf<T> = JobSpec<BalanceOf<T>, BlockNumberFor<T>>;

    /// A job on this chain.
    pub type JobOf<T> =
        Job<<T as frame_system::Config>::AccountId, BalanceOf<T>, BlockNumberFor<T>>;

    /// The market.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The number of the next job, and so how many were ever submitted.
    #[pallet::storage]
    pub type NextJobId<T: Config> = StorageValue<_, JobId, ValueQuery>;

    /// The jobs that are not removed yet.
    #[pallet::storage]
    pub type Jobs<T: Config> = StorageMap<_, Twox64Concat, JobId, JobOf<T>>;

    /// The outputs of answered, disputed and paid jobs that are not removed yet.
    #[pallet::storage]
    pub type Results<T: Config> = StorageMap<_, Twox64Concat, JobId, Output>;

    /// The different outputs that the workers of a redundant job have revealed, by hash, until the vote is over.
    #[pallet::storage]
    pub type Revealed<T: Config> = StorageDoubleMap<_, Twox64Concat, JobId, Identity, H256, Output>;

    /// The paid jobs of level `None` whose output was proven, until they are removed.
    #[pallet::storage]
    pub type Proven<T: Config> = StorageMap<_, Twox64Concat, JobId, ()>;

    /// How many jobs each worker owes an answer.
    #[pallet::storage]
    pub type Workload<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u32, ValueQuery>;

    #[pallet::extra_constants]
    impl<T: Config> Pallet<T> {
        /// Most samples that a job may hold, and a proof of several jobs.
        #[pallet::constant_name(MaxBatch)]
        fn max_batch() -> u32 {
            MAX_BATCH
        }

        /// Most values that a job's input may hold, over the whole batch.
        #[pallet::constant_name(MaxInput)]
        fn max_input() -> u32 {
            MAX_INPUT
        }

        /// Most values that a job's output may hold, over the whole batch.
        #[pallet::constant_name(MaxOutput)]
        fn max_output() -> u32 {
            MAX_OUTPUT
        }

        /// Longest proof, in bytes.
        #[pallet::constant_name(MaxProof)]
        fn max_proof() -> u32 {
            MAX_PROOF
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            Self::check_constants();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Asks for a model to be run on the samples whose [`ciro_primitives::input_commitment`] is given, and puts the
        /// ceiling of its price on hold for whoever answers until the deadline.
        ///
        /// `locator` tells workers where to fetch the input. A storage deposit is held too, until the job is removed:
        /// [`Config::DepositBase`] and [`Config::DepositPerByte`] for each byte of locator and output; of a redundant
        /// job for as many outputs as it has seats.
        ///
        /// # Errors
        /// [`Error::InvalidBatch`], [`Error::UnknownModel`], [`Error::InputTooLarge`], [`Error::OutputTooLarge`],
        /// [`Error::InvalidPrice`], [`Error::PriceTooLow`], [`Error::InvalidDuration`], [`Error::InvalidSeats`], or the
        /// caller cannot have price and deposit held: the funds are lacking or frozen.
        ///
        /// # Weight
        /// Constant: the locator is of bounded size.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::submit_job())]
        pub fn submit_job(origin: OriginFor<T>, spec: JobSpecOf<T>) -> DispatchResult {
            let requester = ensure_signed(origin)?;
            Self::begin(requester, spec)
        }

        /// Takes a job, or a seat of a redundant job, on. The price is fixed with the claim, or with the last seat, and
        /// what is on hold above it released. Collateral is reserved of the caller's own stake:
        /// [`Config::CollateralRatio`] of what it earns, at least [`Config::MinCollateral`].
        ///
        /// # Errors
        /// [`Error::UnknownJob`], [`Error::WorkerInactive`], [`Error::NotAWorker`], [`Error::BarredFromWork`],
        /// [`Error::TooManyJobs`], [`Error::RequirementsNotMet`], [`Error::NotSubmitted`], [`Error::DeadlinePassed`] in
        /// the deadline's block already, [`Error::TooEarly`], [`Error::AlreadyAssigned`], or the caller's own stake is
        /// too low.
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::claim_job())]
        pub fn claim_job(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let worker = ensure_signed(origin)?;
            Self::claim(job, worker)
        }

        /// Answers a claimed job of any level: `output` is what the model gives for `input`, and `proof` proves it,
        /// bound to this chain, this job and `payee`.
        ///
        /// If the proof holds, `payee` is paid, the collateral is released, the output is stored, and the call costs no
        /// fee. If not, the call succeeds all the same, with a fee: [`Config::InvalidProofCut`] of the collateral is
        /// burned, the rest released, a case is opened against the caller, and the job is free to be claimed again.
        ///
        /// # Errors
        /// Nothing happens to the job if the call is malformed: [`Error::UnknownJob`], [`Error::NotAssignedToCaller`],
        /// [`Error::DeadlinePassed`], [`Error::UnknownModel`], [`Error::WrongInputLength`],
        /// [`Error::WrongOutputLength`], [`Error::InputMismatch`].
        ///
        /// # Weight
        /// Grows with the lengths of proof, input and output.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::submit_result(
            proof.len() as u32,
            input.len() as u32,
            output.len() as u32,
        ))]
        pub fn submit_result(
            origin: OriginFor<T>,
            job: JobId,
            payee: T::AccountId,
            input: Input,
            output: Output,
            proof: Proof,
        ) -> DispatchResultWithPostInfo {
            let worker = ensure_signed(origin)?;
            let binding = Self::binding(job, payee.clone());
            Self::settle_by_proof(&[job], &binding, worker, payee, &input, &output, &proof)
        }

        /// Gives a claimed job, or a seat of a redundant job that has others free, back before the deadline. A share of
        /// the collateral goes to the requester, the rest is released, and the job is free to be claimed again: at the
        /// price that it was claimed at. The share grows from [`Config::ReleaseCut`] to [`Config::ExpiryCut`] over the
        /// claim's term; a seat's does not grow.
        ///
        /// # Errors
        /// [`Error::UnknownJob`], [`Error::NotAssignedToCaller`], [`Error::DeadlinePassed`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::release_job())]
        pub fn release_job(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let worker = ensure_signed(origin)?;
            let release = Action::Release {
                worker: worker.clone(),
            };
            let cut = Self::advance(job, release)?.cut;
            Self::deposit_event(Event::JobReleased { job, worker, cut });
            Ok(())
        }

        /// Withdraws a job that nobody has claimed. What is on hold for it is released.
        ///
        /// # Errors
        /// [`Error::UnknownJob`], [`Error::NotRequester`], [`Error::NotSubmitted`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::cancel_job())]
        pub fn cancel_job(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let requester = ensure_signed(origin)?;
            Self::advance(job, Action::Cancel { requester })?;
            Self::deposit_event(Event::JobCancelled { job });
            Ok(())
        }

        /// Settles a job whose deadline has passed without an answer; anyone may. What is on hold for it is released to
        /// the requester. If the job was claimed, [`Config::ExpiryCut`] of the collateral goes to the requester too,
        /// and the rest is released.
        ///
        /// # Errors
        /// [`Error::UnknownJob`], [`Error::AlreadyAnswered`], [`Error::AlreadySettled`], [`Error::DeadlineNotPassed`].
        ///
        /// # Weight
        /// Constant: of the seats of a redundant job, [`MAX_SEATS`] at most are taken.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::expire_job())]
        pub fn expire_job(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            ensure_signed(origin)?;
            let expired = Self::advance(job, Action::Expire)?;
            let worker = match expired.job.map(|job| job.state) {
                Some(JobState::Expired { worker, .. }) => worker,
                _ => None,
            };
            let cut = expired.cut;
            Self::deposit_event(Event::JobExpired { job, worker, cut });
            Ok(())
        }

        /// Removes a settled job and its result, and releases the requester's deposit. The requester may at any time,
        /// anyone once [`Config::RetentionPeriod`] is over.
        ///
        /// # Errors
        /// [`Error::UnknownJob`], [`Error::NotSettled`], [`Error::RetentionNotOver`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::remove_job())]
        pub fn remove_job(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let by = ensure_signed(origin)?;
            Self::advance(job, Action::Remove { by })?;
            Self::deposit_event(Event::JobRemoved { job });
            Ok(())
        }

        /// Submits several jobs as [`Pallet::submit_job`] does one: all of them or, if any is refused, none.
        ///
        /// # Errors
        /// Those of [`Pallet::submit_job`], for the first job that has one.
        ///
        /// # Weight
        /// Grows with the number of jobs.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::submit_jobs(specs.len() as u32))]
        pub fn submit_jobs(
            origin: OriginFor<T>,
            specs: BoundedVec<JobSpecOf<T>, ConstU32<MAX_SPECS>>,
        ) -> DispatchResult {
            let requester = ensure_signed(origin)?;
            specs
                .into_iter()
                .try_for_each(|spec| Self::begin(requester.clone(), spec))
        }

        /// Takes a job over from a worker whose claim's term is over. [`Config::ExpiryCut`] of the late worker's
        /// collateral goes to the requester, and there on hold for whoever answers, unless the requester's account is
        /// in no condition to have it held; the rest is released. The caller's collateral is reserved as with a claim,
        /// but there is no head start: anyone had a claim's term before.
        ///
        /// # Errors
        /// [`Error::UnknownJob`], [`Error::NotLate`], [`Error::AlreadyAssigned`], [`Error::DeadlinePassed`] in the
        /// deadline's block already, [`Error::WorkerInactive`], [`Error::NotAWorker`], [`Error::BarredFromWork`],
        /// [`Error::TooManyJobs`], [`Error::RequirementsNotMet`], or the caller's own stake is too low.
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(8)]
        #[pallet::weight(T::WeightInfo::rescue())]
        pub fn rescue(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let worker = ensure_signed(origin)?;
            Self::take_over(job, worker)
        }

        /// Answers a claimed job of level `None`: `output` is what the model gives. Unless that is disputed within
        /// [`Config::ChallengePeriod`], `payee` can be paid by [`Pallet::finalise`]. The collateral stays reserved
        /// until then.
        ///
        /// # Errors
        /// [`Error::UnknownJob`], [`Error::NotAssignedToCaller`], [`Error::DeadlinePassed`], [`Error::AnswerNotTaken`],
        /// [`Error::UnknownModel`], [`Error::WrongOutputLength`].
        ///
        /// # Weight
        /// Grows with the length of the output.
        #[pallet::call_index(9)]
        #[pallet::weight(T::WeightInfo::submit_answer(output.len() as u32))]
        pub fn submit_answer(
            origin: OriginFor<T>,
            job: JobId,
            payee: T::AccountId,
            output: Output,
        ) -> DispatchResult {
            let worker = ensure_signed(origin)?;
            Self::answer(job, worker, payee, output)
        }

        /// Says that an answer is wrong, with [`Config::DisputeFee`] on hold; anyone may. The worker now has
        /// [`Config::ProofPeriod`] to prove it. If that succeeds the fee is the worker's, if not it is released, with
        /// [`Config::ChallengerShare`] of the worker's collateral.
        ///
        /// # Errors
        /// [`Error::UnknownJob`], [`Error::NotAnswered`], [`Error::PeriodOver`], or the caller cannot have the fee
        /// held: the funds are lacking or frozen.
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(10)]
        #[pallet::weight(T::WeightInfo::dispute())]
        pub fn dispute(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let challenger = ensure_signed(origin)?;
            let dispute = Action::Dispute {
                challenger: challenger.clone(),
            };
            let disputed = Self::advance(job, dispute)?;
            if let Some(JobState::Disputed { until, .. }) = disputed.job.map(|job| job.state) {
                Self::deposit_event(Event::AnswerDisputed {
                    job,
                    challenger,
                    until,
                });
            }
            Ok(())
        }

        /// Decides a dispute; anyone may: `output` is what the model gives for `input`, and `proof` proves it, bound to
        /// this chain, this job and `prover`, who may be anyone.
        ///
        /// If that is the answer, it is paid for and the challenger's fee goes to the worker. If not, a case is opened
        /// against the worker, its collateral goes to challenger and requester, the fee and what is on hold for the job
        /// are released. Either way the call costs no fee.
        ///
        /// # Errors
        /// [`Error::UnknownJob`], [`Error::NotDisputed`], [`Error::PeriodOver`], [`Error::UnknownModel`],
        /// [`Error::WrongInputLength`], [`Error::WrongOutputLength`], [`Error::InputMismatch`],
        /// [`Error::InvalidProof`].
        ///
        /// # Weight
        /// Grows with the lengths of proof, input and output.
        #[pallet::call_index(11)]
        #[pallet::weight(T::WeightInfo::submit_proof(
            proof.len() as u32,
            input.len() as u32,
            output.len() as u32,
        ))]
        pub fn submit_proof(
            origin: OriginFor<T>,
            job: JobId,
            prover: T::AccountId,
            input: Input,
            output: Output,
            proof: Proof,
        ) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            let disputed = Self::disputed(job)?;
            let binding = Self::binding(job, prover);
            Self::verify(&[disputed], &binding, &input, &output, &proof)?
                .map_err(|_| Error::<T>::InvalidProof)?;
            let upheld = Results::<T>::get(job).is_some_and(|answer| answer == output);
            Self::advance(job, Action::Prove { upheld })?;
            Ok(Pays::No.into())
        }

        /// Commits to an output of a redundant job whose seats are all taken: `commitment` is an
        /// [`ciro_primitives::answer_commitment`].
        ///
        /// # Errors
        /// [`Error::UnknownJob`], [`Error::NotVoting`], [`Error::NotAssignedToCaller`], [`Error::CommitmentNotTaken`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(12)]
        #[pallet::weight(T::WeightInfo::commit())]
        pub fn commit(origin: OriginFor<T>, job: JobId, commitment: H256) -> DispatchResult {
            let worker = ensure_signed(origin)?;
            let commit = Action::Commit {
                worker: worker.clone(),
                commitment,
            };
            Self::advance(job, commit)?;
            Self::deposit_event(Event::AnswerCommitted { job, worker });
            Ok(())
        }

        /// Reveals the output that the caller has committed to, once every worker has or the time to commit is over.
        ///
        /// # Errors
        /// [`Error::UnknownJob`], [`Error::UnknownModel`], [`Error::WrongOutputLength`], [`Error::NotVoting`],
        /// [`Error::NotAssignedToCaller`], [`Error::OutputNotTaken`], [`Error::PeriodOver`],
        /// [`Error::CommitmentMismatch`].
        ///
        /// # Weight
        /// Grows with the length of the output.
        #[pallet::call_index(13)]
        #[pallet::weight(T::WeightInfo::reveal(output.len() as u32))]
        pub fn reveal(
            origin: OriginFor<T>,
            job: JobId,
            output: Output,
            salt: [u8; 32],
        ) -> DispatchResult {
            let worker = ensure_signed(origin)?;
            Self::open_commitment(job, worker, output, salt)
        }

        /// Settles a job whose time has come; anyone may. An answer that nobody disputed is paid for. A disputed answer
        /// that nobody proved costs the worker its collateral, as with [`Pallet::submit_proof`]. The vote of a
        /// redundant job is counted: the workers who agree share the price; those who dissent, and in any case those
        /// who were silent, lose [`Config::ExpiryCut`] of their collateral to the requester; without agreement the
        /// requester has the price back.
        ///
        /// # Errors
        /// [`Error::UnknownJob`], [`Error::NothingToFinalise`], [`Error::PeriodNotOver`].
        ///
        /// # Weight
        /// Constant: that of [`MAX_SEATS`] votes.
        #[pallet::call_index(14)]
        #[pallet::weight(T::WeightInfo::finalise())]
        pub fn finalise(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::conclude(job)
        }

        /// Rates what was paid, once, with 1 to 5 stars, which moves the reputation of whose answer it is.
        ///
        /// # Errors
        /// [`Error::UnknownJob`], [`Error::NotRequester`], [`Error::InvalidStars`], [`Error::NotPaid`],
        /// [`Error::AlreadyRated`].
        ///
        /// # Weight
        /// Constant: that of [`MAX_SEATS`] workers.
        #[pallet::call_index(15)]
        #[pallet::weight(T::WeightInfo::rate())]
        pub fn rate(origin: OriginFor<T>, job: JobId, stars: u8) -> DispatchResult {
            let requester = ensure_signed(origin)?;
            Self::advance(job, Action::Rate { requester, stars })?;
            Self::deposit_event(Event::JobRated { job, stars });
            Ok(())
        }

        /// Answers several claimed jobs of one model by one proof. `input` and `output` are those of the jobs, one after
        /// the other in the order given; the proof is of all their samples, 1 to [`MAX_BATCH`] and no more than the
        /// model's key allows, and bound to this chain, these jobs in this order, and `payee`.
        ///
        /// If the proof holds, each job is settled as with [`Pallet::submit_result`], and the call costs no fee. If not,
        /// the call succeeds all the same, with a fee: [`Config::InvalidProofCut`] of each job's collateral is burned,
        /// the rest released, one case is opened against the caller, and all the jobs are free to be claimed again.
        ///
        /// # Errors
        /// Nothing happens to any of the jobs if the call is malformed: [`Error::DuplicateJob`], [`Error::UnknownJob`],
        /// [`Error::NotAssignedToCaller`], [`Error::DeadlinePassed`], [`Error::DifferentModels`],
        /// [`Error::UnknownModel`], [`Error::InvalidBatch`], [`Error::WrongInputLength`],
        /// [`Error::WrongOutputLength`], [`Error::InputMismatch`].
        ///
        /// # Weight
        /// Grows with the lengths of proof, input and output, and with the number of jobs.
        #[pallet::call_index(16)]
        #[pallet::weight(
            T::WeightInfo::submit_result(
                proof.len() as u32,
                input.len() as u32,
                output.len() as u32,
            )
            .saturating_add(T::WeightInfo::settle_jobs(jobs.len() as u32))
        )]
        pub fn submit_results(
            origin: OriginFor<T>,
            jobs: BoundedVec<JobId, ConstU32<MAX_BATCH>>,
            payee: T::AccountId,
            input: Input,
            output: Output,
            proof: Proof,
        ) -> DispatchResultWithPostInfo {
            let worker = ensure_signed(origin)?;
            let binding = Self::joint_binding(&jobs, payee.clone());
            Self::settle_by_proof(&jobs, &binding, worker, payee, &input, &output, &proof)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The job, if it is not removed yet.
        pub fn job(job: JobId) -> Option<JobOf<T>> {
            Jobs::<T>::get(job)
        }

        /// The output of an answered, disputed or paid job that is not removed yet.
        pub fn result(job: JobId) -> Option<Vec<i32>> {
            Results::<T>::get(job).map(Into::into)
        }

        /// Up to `limit` jobs of at least this priority that may be claimed or rescued, at most 100, ascending, among
        /// the 10,000 ids from `from` on.
        pub fn open_jobs(from: JobId, limit: u32, least: Priority) -> Vec<(JobId, JobOf<T>)> {
            Self::claimable(from, limit, least)
        }

        /// What a claim in this block would earn, or the last one earns, in plancks.
        pub fn price_now(job: JobId) -> Option<BalanceOf<T>> {
            let now = frame_system::Pallet::<T>::block_number();
            Some(Jobs::<T>::get(job)?.price_at(now))
        }

        /// The first block in which the worker may claim the job, by its merit now.
        pub fn eligible_from(job: JobId, worker: T::AccountId) -> Option<BlockNumberFor<T>> {
            let merit = T::Merit::merit(&worker);
            Some(Jobs::<T>::get(job)?.eligible_from(merit, &Self::terms()))
        }

        /// Whether the chain accepts `proof`: the model of `key`, run on `input` (`[batch][inputs]`, two's complement
        /// bytes), gives `output`. Needs no job, so that anyone can have a proof checked by the chain's own code.
        ///
        /// # Errors
        /// Says why the proof is refused.
        pub fn verify_proof(
            key: VerifyingKey,
            binding: Vec<u8>,
            batch: u32,
            input: Vec<u8>,
            output: Vec<i32>,
            proof: Vec<u8>,
        ) -> Result<(), RefusalReason> {
            let statement = Statement {
                binding: &binding,
                batch,
                input: Tensor::Public(&signed(&input)),
                output: Tensor::Public(&output),
            };
            T::Verifier::verify(&key, &statement, &proof)
        }
    }
}
