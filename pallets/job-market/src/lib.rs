//! # Job market
//!
//! A requester submits a job: run this model on the input with this commitment, for this price, which goes on hold. A
//! worker claims it with collateral on hold, runs the model, and submits output and proof. The chain verifies the proof
//! within the same call: if it holds, the price is paid out and the collateral released; if not, part of the collateral
//! is burned and the job is free again. Nothing else pays.
//!
//! A proof is bound to the chain's genesis, the job and the payee ([`ciro_primitives::JobBinding`]), so that a proof
//! copied from the transaction pool earns its copier nothing.
//!
//! The life of a job is in [`state`], as pure functions. Funds never leave their owner's account before they are paid:
//! they are on hold there, and every settlement takes what is on hold, whatever else has happened to the account since,
//! so that no account's condition can strand a job.
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
mod impls;
#[cfg(test)]
mod mock;
pub mod state;
#[cfg(test)]
mod tests;
mod types;
pub mod weights;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// FRAME's macros expand to `expect`; what is written here does not use it.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use crate::impls::signed;
    use crate::state::{Action, Refusal};
    use alloc::vec::Vec;
    use ciro_primitives::{output_hash, JobId, ModelId};
    use ciro_zkml_verifier::{Statement, Tensor, VerifyingKey};
    use frame_support::{
        pallet_prelude::*,
        traits::fungible::{Inspect, Mutate, MutateHold},
    };
    use frame_system::pallet_prelude::*;
    use pallet_model_registry::ModelDirectory;
    use sp_core::H256;
    use sp_runtime::{Permill, Saturating};

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// An amount of the chain's token, in plancks.
    pub type BalanceOf<T> =
        <<T as Config>::Token as Inspect<<T as frame_system::Config>::AccountId>>::Balance;

    /// A job on this chain.
    pub type JobOf<T> =
        Job<<T as frame_system::Config>::AccountId, BalanceOf<T>, BlockNumberFor<T>>;

    /// The market.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime supplies. Amounts are in plancks, times in blocks.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId: Into<[u8; 32]>, Hash: Into<[u8; 32]>>
    {
        /// The token that prices, deposits and collateral are held in.
        type Token: Mutate<Self::AccountId> + MutateHold<Self::AccountId, Reason: From<HoldReason>>;

        /// Where models are looked up.
        type Models: ModelDirectory<Self::AccountId, BalanceOf<Self>>;

        /// What decides whether a proof is one: [`StarkVerifier`] on every real chain.
        type Verifier: VerifyProof;

        /// Lowest price of a job, whatever the model asks. At least the existential deposit.
        #[pallet::constant]
        type MinJobPrice: Get<BalanceOf<Self>>;

        /// Fewest blocks from submission to deadline.
        #[pallet::constant]
        type MinJobDuration: Get<BlockNumberFor<Self>>;

        /// Most blocks from submission to deadline.
        #[pallet::constant]
        type MaxJobDuration: Get<BlockNumberFor<Self>>;

        /// Lowest collateral of a claim. No share of it that is cut or left may be below the existential deposit.
        #[pallet::constant]
        type MinCollateral: Get<BalanceOf<Self>>;

        /// Collateral of a claim as a share of the job's price.
        #[pallet::constant]
        type CollateralRatio: Get<Permill>;

        /// Share of the collateral that is burned with a refused proof.
        #[pallet::constant]
        type InvalidProofCut: Get<Permill>;

        /// Share of the collateral that goes to the requester when the worker gives the job back.
        #[pallet::constant]
        type ReleaseCut: Get<Permill>;

        /// Share of the collateral that goes to the requester when a claimed job expires.
        #[pallet::constant]
        type ExpiryCut: Get<Permill>;

        /// Blocks after which anyone may remove a settled job.
        #[pallet::constant]
        type RetentionPeriod: Get<BlockNumberFor<Self>>;

        /// Deposit for a job, whatever its size. At least the existential deposit.
        #[pallet::constant]
        type DepositBase: Get<BalanceOf<Self>>;

        /// Deposit for each byte of a job's locator and output.
        #[pallet::constant]
        type DepositPerByte: Get<BalanceOf<Self>>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;

        /// Real proofs for the benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: BenchmarkHelper<Self::AccountId>;
    }

    /// Why the market holds funds.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The price of an open job, held from its requester.
        #[codec(index = 0)]
        Escrow,
        /// The storage deposit of a job, held from its requester until it is removed.
        #[codec(index = 1)]
        JobDeposit,
        /// What a worker stakes on answering a claimed job.
        #[codec(index = 2)]
        Collateral,
    }

    /// The number of the next job, and so how many were ever submitted.
    #[pallet::storage]
    pub type NextJobId<T: Config> = StorageValue<_, JobId, ValueQuery>;

    /// The jobs that are not removed yet.
    #[pallet::storage]
    pub type Jobs<T: Config> = StorageMap<_, Twox64Concat, JobId, JobOf<T>>;

    /// The proven outputs of paid jobs that are not removed yet.
    #[pallet::storage]
    pub type Results<T: Config> = StorageMap<_, Twox64Concat, JobId, Output>;

    /// What happened to jobs.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A job was submitted and its price put on hold.
        JobSubmitted {
            /// Its number.
            job: JobId,
            /// Who pays.
            requester: T::AccountId,
            /// The model to run.
            model: ModelId,
            /// Samples in the input.
            batch: u32,
            /// What the input hashes to.
            input_commitment: H256,
            /// What a proven result earns.
            price: BalanceOf<T>,
            /// The last block in which a result is taken.
            deadline: BlockNumberFor<T>,
        },
        /// A worker took a job on.
        JobClaimed {
            /// The job.
            job: JobId,
            /// The worker.
            worker: T::AccountId,
            /// What the worker has on hold for it.
            collateral: BalanceOf<T>,
        },
        /// A result was proven and stored.
        JobCompleted {
            /// The job.
            job: JobId,
            /// Who proved it.
            worker: T::AccountId,
            /// [`ciro_primitives::output_hash`] of the output.
            output_hash: H256,
        },
        /// A job's price was paid out.
        PaymentReleased {
            /// The job.
            job: JobId,
            /// Who was paid.
            payee: T::AccountId,
            /// How much.
            amount: BalanceOf<T>,
        },
        /// A proof did not hold. The job is free to be claimed again.
        ResultRefused {
            /// The job.
            job: JobId,
            /// Who submitted the proof.
            worker: T::AccountId,
            /// What is wrong with it.
            reason: RefusalReason,
            /// What was burned of the collateral.
            cut: BalanceOf<T>,
        },
        /// A worker gave a job back. It is free to be claimed again.
        JobReleased {
            /// The job.
            job: JobId,
            /// Who gave it back.
            worker: T::AccountId,
            /// What the requester got of the collateral.
            cut: BalanceOf<T>,
        },
        /// The requester withdrew a job and has the price back.
        JobCancelled {
            /// The job.
            job: JobId,
        },
        /// A job's deadline passed and the requester has the price back.
        JobExpired {
            /// The job.
            job: JobId,
            /// Who had claimed it, if anyone had.
            worker: Option<T::AccountId>,
            /// What the requester got of the collateral.
            cut: BalanceOf<T>,
        },
        /// A settled job, with its result, was removed and its deposit released.
        JobRemoved {
            /// The job.
            job: JobId,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no such job.
        UnknownJob,
        /// There is no such model.
        UnknownModel,
        /// A job holds 1 to 64 samples.
        InvalidBatch,
        /// The batch's input would be larger than a call can carry.
        InputTooLarge,
        /// The batch's output would be larger than a call can carry.
        OutputTooLarge,
        /// The price is below the model's floor or the market's minimum.
        PriceTooLow,
        /// The duration is outside the market's limits.
        InvalidDuration,
        /// The job is not waiting for a worker.
        NotSubmitted,
        /// The job is not assigned to the caller.
        NotAssignedToCaller,
        /// The caller did not request the job.
        NotRequester,
        /// The job is settled already.
        AlreadySettled,
        /// The job is not settled yet.
        NotSettled,
        /// The deadline has passed.
        DeadlinePassed,
        /// The deadline has not passed yet.
        DeadlineNotPassed,
        /// Until the retention period is over only the requester may remove the job.
        RetentionNotOver,
        /// The input's length is not that of the job's batch.
        WrongInputLength,
        /// The output's length is not that of the job's batch.
        WrongOutputLength,
        /// The input is not the one that the requester committed to.
        InputMismatch,
    }

    impl<T> From<Refusal> for Error<T> {
        fn from(refusal: Refusal) -> Self {
            match refusal {
                Refusal::PriceTooLow => Self::PriceTooLow,
                Refusal::InvalidDuration => Self::InvalidDuration,
                Refusal::NotSubmitted => Self::NotSubmitted,
                Refusal::NotAssignedToCaller => Self::NotAssignedToCaller,
                Refusal::NotRequester => Self::NotRequester,
                Refusal::AlreadySettled => Self::AlreadySettled,
                Refusal::NotSettled => Self::NotSettled,
                Refusal::DeadlinePassed => Self::DeadlinePassed,
                Refusal::DeadlineNotPassed => Self::DeadlineNotPassed,
                Refusal::RetentionNotOver => Self::RetentionNotOver,
            }
        }
    }

    #[pallet::extra_constants]
    impl<T: Config> Pallet<T> {
        /// Most samples that a job may hold.
        #[pallet::constant_name(MaxBatch)]
        fn max_batch() -> u32 {
            ciro_primitives::MAX_BATCH
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
        /// Asks for `model` to be run on the `batch` samples whose [`ciro_primitives::input_commitment`] is given, and
        /// puts `price` on hold for whoever proves a result at most `duration` blocks from now.
        ///
        /// `locator` tells workers where to fetch the input. A storage deposit is held too, until the job is removed:
        /// [`Config::DepositBase`] and [`Config::DepositPerByte`] for each byte of locator and output.
        ///
        /// # Errors
        /// [`Error::InvalidBatch`], [`Error::UnknownModel`], [`Error::InputTooLarge`], [`Error::OutputTooLarge`],
        /// [`Error::PriceTooLow`], [`Error::InvalidDuration`], or the caller cannot have price and deposit held: the
        /// funds are lacking or frozen.
        ///
        /// # Weight
        /// Constant: the locator is of bounded size.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::submit_job())]
        pub fn submit_job(
            origin: OriginFor<T>,
            model: ModelId,
            batch: u32,
            input_commitment: H256,
            locator: Locator,
            price: BalanceOf<T>,
            duration: BlockNumberFor<T>,
        ) -> DispatchResult {
            let requester = ensure_signed(origin)?;
            let deposit = Self::check_size(&model, batch, &locator, price)?;
            let now = frame_system::Pallet::<T>::block_number();
            let job = Job {
                requester,
                model,
                batch,
                input_commitment,
                locator,
                price,
                deposit,
                deadline: now.saturating_add(duration),
                state: JobState::Submitted,
            };
            Self::begin(job, now)
        }

        /// Takes a job on, with collateral on hold: [`Config::CollateralRatio`] of the price, at least
        /// [`Config::MinCollateral`].
        ///
        /// # Errors
        /// [`Error::UnknownJob`], [`Error::NotSubmitted`], [`Error::DeadlinePassed`] in the deadline's block already,
        /// or the caller cannot have the collateral held: the funds are lacking or frozen.
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::claim_job())]
        pub fn claim_job(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let worker = ensure_signed(origin)?;
            let claim = Action::Claim {
                worker: worker.clone(),
            };
            let (claimed, _) = Self::advance(job, claim)?;
            if let Some(JobState::Assigned { collateral, .. }) = claimed.map(|job| job.state) {
                Self::deposit_event(Event::JobClaimed {
                    job,
                    worker,
                    collateral,
                });
            }
            Ok(())
        }

        /// Answers a claimed job: `output` is what the model gives for `input`, and `proof` proves it, bound to this
        /// chain, this job and `payee`.
        ///
        /// If the proof holds, the price goes to `payee`, the collateral is released, the output is stored, and the
        /// call costs no fee. If not, the call succeeds all the same, with a fee: [`Config::InvalidProofCut`] of the
        /// collateral is burned, the rest released, and the job is free to be claimed again.
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
            let (key, batch, input) = Self::check_answer(job, &worker, &input, &output)?;
            let statement = Statement {
                binding: &Self::binding(job, payee.clone()),
                batch,
                input: Tensor::Public(&input),
                output: Tensor::Public(&output),
            };
            match T::Verifier::verify(&key, &statement, &proof) {
                Ok(()) => {
                    let accept = Action::Accept {
                        worker: worker.clone(),
                        payee: payee.clone(),
                    };
                    let (_, amount) = Self::advance(job, accept)?;
                    let output_hash = output_hash(batch, &output).into();
                    Results::<T>::insert(job, output);
                    Self::deposit_event(Event::JobCompleted {
                        job,
                        worker,
                        output_hash,
                    });
                    Self::deposit_event(Event::PaymentReleased { job, payee, amount });
                    Ok(Pays::No.into())
                }
                Err(reason) => {
                    let refuse = Action::Refuse {
                        worker: worker.clone(),
                    };
                    let (_, cut) = Self::advance(job, refuse)?;
                    Self::deposit_event(Event::ResultRefused {
                        job,
                        worker,
                        reason,
                        cut,
                    });
                    Ok(Pays::Yes.into())
                }
            }
        }

        /// Gives a claimed job back before its deadline. [`Config::ReleaseCut`] of the collateral goes to the
        /// requester, the rest is released, and the job is free to be claimed again.
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
            let (_, cut) = Self::advance(job, release)?;
            Self::deposit_event(Event::JobReleased { job, worker, cut });
            Ok(())
        }

        /// Withdraws a job that nobody has claimed. The price is released.
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

        /// Settles a job whose deadline has passed; anyone may. The price is released to the requester. If the job was
        /// claimed, [`Config::ExpiryCut`] of the collateral goes to the requester too, and the rest is released.
        ///
        /// # Errors
        /// [`Error::UnknownJob`], [`Error::AlreadySettled`], [`Error::DeadlineNotPassed`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::expire_job())]
        pub fn expire_job(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            ensure_signed(origin)?;
            let (expired, cut) = Self::advance(job, Action::Expire)?;
            let worker = match expired.map(|job| job.state) {
                Some(JobState::Expired { worker, .. }) => worker,
                _ => None,
            };
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
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The job, if it is not removed yet.
        pub fn job(job: JobId) -> Option<JobOf<T>> {
            Jobs::<T>::get(job)
        }

        /// The proven output of a paid job that is not removed yet.
        pub fn result(job: JobId) -> Option<Vec<i32>> {
            Results::<T>::get(job).map(Into::into)
        }

        /// Up to `limit` jobs that may be claimed, at most 100, ascending, among the 10,000 ids from `from` on.
        pub fn open_jobs(from: JobId, limit: u32) -> Vec<(JobId, JobOf<T>)> {
            Self::claimable(from, limit)
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
