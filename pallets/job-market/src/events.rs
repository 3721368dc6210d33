//! What the market tells its users: a part of [`crate::pallet`].

use frame_support::pallet_macros::pallet_section;

/// Events and errors, imported into the pallet as they stand here.
#[pallet_section]
mod events {
    /// What happened to jobs.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A job was submitted and the ceiling of its price put on hold.
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
            /// What an answer earns.
            price: Auction<BalanceOf<T>>,
            /// What makes an answer count.
            verification: Verification,
            /// How urgent it is.
            priority: Priority,
            /// The last block in which an answer is taken.
            deadline: BlockNumberFor<T>,
        },
        /// A worker took a job on, or the last free seat of it, which fixed the price.
        JobClaimed {
            /// The job.
            job: JobId,
            /// The worker.
            worker: T::AccountId,
            /// What an answer earns.
            price: BalanceOf<T>,
            /// What is reserved of the worker's stake for it.
            collateral: BalanceOf<T>,
            /// The last block before another worker may take it over, or in which commitments are taken.
            answer_by: BlockNumberFor<T>,
        },
        /// A worker took a seat of a redundant job that has others free.
        SeatTaken {
            /// The job.
            job: JobId,
            /// The worker.
            worker: T::AccountId,
            /// What is reserved of the worker's stake for it.
            collateral: BalanceOf<T>,
        },
        /// A worker took a job over from one who was late.
        JobRescued {
            /// The job.
            job: JobId,
            /// The worker.
            worker: T::AccountId,
            /// Who was late.
            from: T::AccountId,
            /// What was taken of the late worker's collateral.
            cut: BalanceOf<T>,
            /// What of that is on hold for the one who answers.
            bounty: BalanceOf<T>,
            /// What is reserved of the new worker's stake for it.
            collateral: BalanceOf<T>,
            /// The last block before another worker may take it over.
            answer_by: BlockNumberFor<T>,
        },
        /// A worker said what the output is.
        JobAnswered {
            /// The job.
            job: JobId,
            /// The worker.
            worker: T::AccountId,
            /// [`ciro_primitives::output_hash`] of the output.
            output_hash: H256,
            /// The last block in which the answer may be disputed.
            until: BlockNumberFor<T>,
        },
        /// Someone said that an answer is wrong.
        AnswerDisputed {
            /// The job.
            job: JobId,
            /// Who says so.
            challenger: T::AccountId,
            /// The last block in which the answer may be proven.
            until: BlockNumberFor<T>,
        },
        /// A worker committed to an output.
        AnswerCommitted {
            /// The job.
            job: JobId,
            /// The worker.
            worker: T::AccountId,
        },
        /// A worker revealed the output that it had committed to.
        AnswerRevealed {
            /// The job.
            job: JobId,
            /// The worker.
            worker: T::AccountId,
            /// [`ciro_primitives::output_hash`] of the output.
            output_hash: H256,
        },
        /// A result was found to count, and stored.
        JobCompleted {
            /// The job.
            job: JobId,
            /// Whose result it is; of a redundant job the first of them.
            worker: T::AccountId,
            /// [`ciro_primitives::output_hash`] of the output.
            output_hash: H256,
        },
        /// A job's price was paid out.
        PaymentReleased {
            /// The job.
            job: JobId,
            /// Who was paid, and how much, any bounty included.
            payees: Vec<(T::AccountId, BalanceOf<T>)>,
            /// What the model's owner got.
            royalty: BalanceOf<T>,
            /// What the market kept.
            fee: BalanceOf<T>,
            /// What was burned.
            burned: BalanceOf<T>,
        },
        /// A proof of this job, or of several of which it is one, did not hold. The job is free to be claimed again.
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
        /// A disputed answer was proven wrong or not proven in time, or the workers of a redundant job did not agree.
        /// The requester has the price back.
        JobFailed {
            /// The job.
            job: JobId,
            /// What was taken of the workers' collateral.
            cut: BalanceOf<T>,
        },
        /// A worker gave a job or a seat back. It is free to be claimed again.
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
        /// The requester rated what was paid.
        JobRated {
            /// The job.
            job: JobId,
            /// 1 to 5.
            stars: u8,
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
        /// A job, and a proof of several jobs, holds 1 to 64 samples, and no more than its model can prove at once.
        InvalidBatch,
        /// The batch's input would be larger than a call can carry.
        InputTooLarge,
        /// The batch's output would be larger than a call can carry.
        OutputTooLarge,
        /// The floor of the price is below the model's floor at this priority, or the market's minimum.
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
        /// The input's length is not that of the batch: of all jobs that the proof is for.
        WrongInputLength,
        /// The output's length is not that of the batch: of all jobs that the proof is for.
        WrongOutputLength,
        /// The input is not the one that the requester committed to.
        InputMismatch,
        /// The floor of the price is above its ceiling.
        InvalidPrice,
        /// A redundant job has 3 to 10 seats.
        InvalidSeats,
        /// For so many blocks from this one the job is for workers of more merit.
        TooEarly(u16),
        /// The caller has the job or a seat of it already.
        AlreadyAssigned,
        /// No claim to the job is late.
        NotLate,
        /// The caller is not registered as a worker, or not active.
        WorkerInactive,
        /// The caller's stake does not stand for a worker's.
        NotAWorker,
        /// The caller is suspended or banned.
        BarredFromWork,
        /// The caller has as many jobs as it may have.
        TooManyJobs,
        /// The caller's machine does not do what the job asks.
        RequirementsNotMet,
        /// The job's level asks for a proof, or for a vote.
        AnswerNotTaken,
        /// The job has no answer that could be disputed.
        NotAnswered,
        /// The job's answer is not disputed.
        NotDisputed,
        /// The proof does not hold.
        InvalidProof,
        /// The job's workers are not voting.
        NotVoting,
        /// The caller has committed already, or the time to commit is over.
        CommitmentNotTaken,
        /// The caller has not committed, or has revealed already, or others may still commit.
        OutputNotTaken,
        /// Output and salt are not those that the caller committed to.
        CommitmentMismatch,
        /// The time for this is over.
        PeriodOver,
        /// The time for this has not come yet.
        PeriodNotOver,
        /// There is nothing to finalise.
        NothingToFinalise,
        /// The job has an answer, or its workers are voting: finalise it.
        AlreadyAnswered,
        /// The job was not paid.
        NotPaid,
        /// The job was rated already.
        AlreadyRated,
        /// A rating is 1 to 5 stars.
        InvalidStars,
        /// A job is named twice.
        DuplicateJob,
        /// The jobs are of different models: one proof is of one model.
        DifferentModels,
    }
}
