//! What the calls share: checks, and steps of a job's life.

use crate::{
    funds::Flows,
    state::{Action, Refusal, Terms},
    *,
};
use alloc::vec::Vec;
use ciro_primitives::{answer_commitment, output_hash, JobId, MAX_BATCH};
use ciro_zkml_air::VerifyingKey;
use frame_support::{ensure, pallet_prelude::DispatchResult, traits::Get};
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_cdc_pool::{Role, StakeLedger};
use pallet_model_registry::ModelDirectory;
use pallet_slashing::{OffenceDesk, Standing};
use pallet_worker_registry::{Requirements, WorkerDirectory};
use sp_core::H256;
use sp_runtime::{
    traits::{Saturating, UniqueSaturatedInto, Zero},
    ArithmeticError, DispatchError,
};

impl<T: Config> Pallet<T> {
    /// The market's terms.
    pub fn terms() -> Terms<BalanceOf<T>, BlockNumberFor<T>> {
        Terms {
            min_price: T::MinJobPrice::get(),
            min_duration: T::MinJobDuration::get(),
            max_duration: T::MaxJobDuration::get(),
            min_collateral: T::MinCollateral::get(),
            collateral_ratio: T::CollateralRatio::get(),
            invalid_proof_cut: T::InvalidProofCut::get(),
            release_cut: T::ReleaseCut::get(),
            expiry_cut: T::ExpiryCut::get(),
            retention: T::RetentionPeriod::get(),
            head_start: T::HeadStart::get(),
            claim_term: T::ClaimTerm::get(),
            reveal_term: T::RevealTerm::get(),
            challenge_period: T::ChallengePeriod::get(),
            proof_period: T::ProofPeriod::get(),
            dispute_fee: T::DisputeFee::get(),
            challenger_share: T::ChallengerShare::get(),
            platform_fee: T::PlatformFee::get(),
            fee_burn: T::FeeBurn::get(),
        }
    }

    /// What the requester has on hold for storing a job with so many output values, in plancks.
    pub fn deposit_for(locator: &Locator, outputs: u32) -> BalanceOf<T> {
        let bytes = outputs
            .saturating_mul(size_of::<i32>() as u32)
            .saturating_add(locator.len() as u32);
        T::DepositPerByte::get()
            .saturating_mul(bytes.into())
            .saturating_add(T::DepositBase::get())
    }

    pub(crate) fn now() -> BlockNumberFor<T> {
        frame_system::Pallet::<T>::block_number()
    }

    pub(crate) fn get(id: JobId) -> Result<JobOf<T>, Error<T>> {
        Jobs::<T>::get(id).ok_or(Error::<T>::UnknownJob)
    }

    pub(crate) fn key(job: &JobOf<T>) -> Result<VerifyingKey, Error<T>> {
        let info = T::Models::model(&job.model).ok_or(Error::<T>::UnknownModel)?;
        Ok(info.key)
    }

    /// Checks what is asked for against its model: the job that it makes.
    fn draft(requester: T::AccountId, spec: JobSpecOf<T>) -> Result<JobOf<T>, Error<T>> {
        let batch = spec.batch;
        ensure!((1..=MAX_BATCH).contains(&batch), Error::<T>::InvalidBatch);
        let info = T::Models::model(&spec.model).ok_or(Error::<T>::UnknownModel)?;
        ensure!(batch <= info.key.max_batch(), Error::<T>::InvalidBatch);
        let inputs = batch.saturating_mul(info.key.inputs());
        ensure!(inputs <= MAX_INPUT, Error::<T>::InputTooLarge);
        let outputs = batch.saturating_mul(info.key.outputs());
        ensure!(outputs <= MAX_OUTPUT, Error::<T>::OutputTooLarge);
        let floor = info.price_floor.saturating_mul(batch.into());
        ensure!(
            spec.price.floor >= spec.priority.least_price(floor),
            Error::<T>::PriceTooLow
        );
        let stored = match spec.verification {
            Verification::Redundant(seats) => outputs.saturating_mul(seats.into()),
            Verification::None | Verification::ZkMl => outputs,
        };
        let now = Self::now();
        Ok(Job {
            requester,
            model: spec.model,
            batch,
            input_commitment: spec.input_commitment,
            deposit: Self::deposit_for(&spec.locator, stored),
            locator: spec.locator,
            price: spec.price,
            bounty: Zero::zero(),
            royalty: info.royalty,
            opened: now,
            deadline: now.saturating_add(spec.duration),
            verification: spec.verification,
            priority: spec.priority,
            requirements: spec.requirements,
            state: JobState::Submitted,
        })
    }

    /// Stores a new job and puts its funds on hold.
    pub(crate) fn begin(requester: T::AccountId, spec: JobSpecOf<T>) -> DispatchResult {
        let job = Self::draft(requester, spec)?;
        let id = NextJobId::<T>::get();
        NextJobId::<T>::put(id.checked_add(1).ok_or(ArithmeticError::Overflow)?);
        let step = job.clone().open(&Self::terms()).map_err(Self::error)?;
        Self::apply(&job.model, step.effects)?;
        T::Models::job_opened(&job.model)?;
        Jobs::<T>::set(id, step.job);
        Self::deposit_event(Event::JobSubmitted {
            job: id,
            requester: job.requester,
            model: job.model,
            batch: job.batch,
            input_commitment: job.input_commitment,
            price: job.price,
            verification: job.verification,
            priority: job.priority,
            deadline: job.deadline,
        });
        Ok(())
    }

    /// Takes a job on by `action`: what became of it, and how much collateral was taken for good.
    pub(crate) fn advance(
        id: JobId,
        action: Action<T::AccountId, BalanceOf<T>>,
    ) -> Result<Advance<T>, DispatchError> {
        let before = Self::get(id)?;
        let proven = matches!(
            action,
            Action::Accept { .. } | Action::Prove { upheld: true }
        );
        let step = before
            .clone()
            .step(action, Self::now(), &Self::terms())
            .map_err(Self::error)?;
        let flows = Self::apply(&before.model, step.effects)?;
        let after = step.job;
        let is_open = after.as_ref().is_some_and(|job| job.is_open());
        if before.is_open() && !is_open {
            T::Models::job_closed(&before.model);
            Self::announce(id, after.as_ref(), &flows, proven);
        }
        Self::count_work(&before, after.as_ref());
        if before.has_result() && !after.as_ref().is_some_and(|job| job.has_result()) {
            Results::<T>::remove(id);
            if before.verification == Verification::None {
                Proven::<T>::remove(id);
            }
        }
        Jobs::<T>::set(id, after.clone());
        Ok(Advance {
            job: after,
            cut: flows.cut,
        })
    }

    /// Says how a job was settled, if an answer decided that; `proven` is whether a proof did.
    fn announce(id: JobId, job: Option<&JobOf<T>>, flows: &Flows<T>, proven: bool) {
        let Some(job) = job else { return };
        match &job.state {
            JobState::Paid { workers, .. } => {
                let output = Results::<T>::get(id).unwrap_or_default();
                let output_hash = H256(output_hash(job.batch, &output));
                let completed = workers.first().map(|worker| Event::JobCompleted {
                    job: id,
                    worker: worker.clone(),
                    output_hash,
                });
                completed.into_iter().for_each(Self::deposit_event);
                Self::deposit_event(Event::PaymentReleased {
                    job: id,
                    payees: flows.paid.clone(),
                    royalty: flows.royalty,
                    fee: flows.fee,
                    burned: flows.burned,
                });
                if proven {
                    Self::note_proven(id, job, output_hash);
                }
            }
            JobState::Failed { .. } => Self::deposit_event(Event::JobFailed {
                job: id,
                cut: flows.cut,
            }),
            _ => {}
        }
    }

    /// Keeps [`Workload`] what the jobs say.
    fn count_work(before: &JobOf<T>, after: Option<&JobOf<T>>) {
        let now = after.map(|job| job.debtors()).unwrap_or_default();
        let then = before.debtors();
        for worker in then.iter().filter(|worker| !now.contains(worker)) {
            Workload::<T>::mutate_exists(worker, |count| {
                *count = count
                    .map(|count| count.saturating_sub(1))
                    .filter(|count| *count > 0);
            });
        }
        for worker in now.iter().filter(|worker| !then.contains(worker)) {
            Workload::<T>::mutate(worker, |count| *count = count.saturating_add(1));
        }
    }

    /// Checks that `who` may take another job that asks for `requirements`.
    fn check_worker(who: &T::AccountId, requirements: &Requirements) -> Result<(), Error<T>> {
        ensure!(T::Directory::is_active(who), Error::<T>::WorkerInactive);
        ensure!(
            T::Stake::has_role(who, Role::Worker),
            Error::<T>::NotAWorker
        );
        let most = match T::Offences::standing(who) {
            Standing::Good => T::MaxWorkload::get(),
            Standing::Probation { .. } => PROBATION_WORKLOAD,
            Standing::Suspended { .. } | Standing::Banned => {
                return Err(Error::<T>::BarredFromWork)
            }
        };
        ensure!(Workload::<T>::get(who) < most, Error::<T>::TooManyJobs);
        ensure!(
            T::Directory::meets(who, requirements),
            Error::<T>::RequirementsNotMet
        );
        Ok(())
    }

    pub(crate) fn claim(id: JobId, worker: T::AccountId) -> DispatchResult {
        Self::check_worker(&worker, &Self::get(id)?.requirements)?;
        let claim = Action::Claim {
            merit: T::Merit::merit(&worker),
            worker: worker.clone(),
        };
        let Some(job) = Self::advance(id, claim)?.job else {
            return Ok(());
        };
        let price = job.price.ceiling;
        let event = match job.state {
            JobState::Gathering { collateral, .. } => Event::SeatTaken {
                job: id,
                worker,
                collateral,
            },
            JobState::Assigned(Claim {
                collateral,
                answer_by,
                ..
            })
            | JobState::Voting {
                collateral,
                commit_by: answer_by,
                ..
            } => Event::JobClaimed {
                job: id,
                worker,
                price,
                collateral,
                answer_by,
            },
            _ => return Ok(()),
        };
        Self::deposit_event(event);
        Ok(())
    }

    pub(crate) fn take_over(id: JobId, worker: T::AccountId) -> DispatchResult {
        let job = Self::get(id)?;
        let late = job.late_claim(&worker, Self::now()).map_err(Self::error)?;
        Self::check_worker(&worker, &job.requirements)?;
        let cut = late.lateness_cut(&Self::terms());
        let cut = T::Stake::forfeit(&late.worker, cut, Some(&job.requester));
        let bounty = Self::hold_bounty(&job.requester, cut);
        let rescue = Action::Rescue {
            worker: worker.clone(),
            bounty,
        };
        let rescued = Self::advance(id, rescue)?;
        if let Some(JobState::Assigned(claim)) = rescued.job.map(|job| job.state) {
            Self::deposit_event(Event::JobRescued {
                job: id,
                worker,
                from: late.worker,
                cut,
                bounty,
                collateral: claim.collateral,
                answer_by: claim.answer_by,
            });
        }
        Ok(())
    }

    pub(crate) fn answer(
        id: JobId,
        worker: T::AccountId,
        payee: T::AccountId,
        output: Output,
    ) -> DispatchResult {
        let answer = Action::Answer {
            worker: worker.clone(),
            payee,
        };
        let Some(job) = Self::advance(id, answer)?.job else {
            return Ok(());
        };
        Self::check_output(job.batch, &Self::key(&job)?, &output)?;
        if let JobState::Answered { until, .. } = job.state {
            Self::deposit_event(Event::JobAnswered {
                job: id,
                worker,
                output_hash: output_hash(job.batch, &output).into(),
                until,
            });
        }
        Results::<T>::insert(id, output);
        Ok(())
    }

    pub(crate) fn open_commitment(
        id: JobId,
        worker: T::AccountId,
        output: Output,
        salt: [u8; 32],
    ) -> DispatchResult {
        let job = Self::get(id)?;
        Self::check_output(job.batch, &Self::key(&job)?, &output)?;
        let hash = H256(output_hash(job.batch, &output));
        let reveal = Action::Reveal {
            worker: worker.clone(),
            commitment: H256(answer_commitment(&hash.0, &salt, &worker.clone().into())),
            output: hash,
        };
        Self::advance(id, reveal)?;
        if !Revealed::<T>::contains_key(id, hash) {
            Revealed::<T>::insert(id, hash, output);
        }
        Self::deposit_event(Event::AnswerRevealed {
            job: id,
            worker,
            output_hash: hash,
        });
        Ok(())
    }

    pub(crate) fn conclude(id: JobId) -> DispatchResult {
        let agreed = Self::get(id)?.agreed();
        if let Some(output) = agreed.and_then(|hash| Revealed::<T>::take(id, hash)) {
            Results::<T>::insert(id, output);
        }
        Self::advance(id, Action::Finalise)?;
        // No more outputs than seats were revealed, so that one go clears them.
        let _ = Revealed::<T>::clear_prefix(id, MAX_SEATS, None);
        Ok(())
    }

    pub(crate) fn check_output(
        batch: u32,
        key: &VerifyingKey,
        output: &Output,
    ) -> Result<(), Error<T>> {
        let outputs = batch.saturating_mul(key.outputs());
        ensure!(
            output.len() == outputs as usize,
            Error::<T>::WrongOutputLength
        );
        Ok(())
    }

    pub(crate) fn claimable(from: JobId, limit: u32, least: Priority) -> Vec<(JobId, JobOf<T>)> {
        let now = Self::now();
        let end = NextJobId::<T>::get().min(from.saturating_add(MAX_SCANNED));
        let waits = |job: &JobOf<T>| match &job.state {
            JobState::Submitted | JobState::Gathering { .. } => true,
            JobState::Assigned(claim) => now > claim.answer_by,
            _ => false,
        };
        (from..end)
            .filter_map(|id| Jobs::<T>::get(id).map(|job| (id, job)))
            .filter(|(_, job)| job.priority >= least && now < job.deadline && waits(job))
            .take(limit.min(MAX_LISTED) as usize)
            .collect()
    }

    pub(crate) fn error(refusal: Refusal<BlockNumberFor<T>>) -> Error<T> {
        match refusal {
            Refusal::PriceTooLow => Error::PriceTooLow,
            Refusal::InvalidPrice => Error::InvalidPrice,
            Refusal::InvalidSeats => Error::InvalidSeats,
            Refusal::InvalidDuration => Error::InvalidDuration,
            Refusal::NotSubmitted => Error::NotSubmitted,
            Refusal::TooEarly(from) => {
                Error::TooEarly(from.saturating_sub(Self::now()).unique_saturated_into())
            }
            Refusal::AlreadyAssigned => Error::AlreadyAssigned,
            Refusal::NotLate => Error::NotLate,
            Refusal::NotAssignedToCaller => Error::NotAssignedToCaller,
            Refusal::AnswerNotTaken => Error::AnswerNotTaken,
            Refusal::NotAnswered => Error::NotAnswered,
            Refusal::NotDisputed => Error::NotDisputed,
            Refusal::NotVoting => Error::NotVoting,
            Refusal::CommitmentNotTaken => Error::CommitmentNotTaken,
            Refusal::OutputNotTaken => Error::OutputNotTaken,
            Refusal::CommitmentMismatch => Error::CommitmentMismatch,
            Refusal::PeriodOver => Error::PeriodOver,
            Refusal::PeriodNotOver => Error::PeriodNotOver,
            Refusal::NothingToFinalise => Error::NothingToFinalise,
            Refusal::NotRequester => Error::NotRequester,
            Refusal::AlreadyAnswered => Error::AlreadyAnswered,
            Refusal::AlreadySettled => Error::AlreadySettled,
            Refusal::NotSettled => Error::NotSettled,
            Refusal::NotPaid => Error::NotPaid,
            Refusal::AlreadyRated => Error::AlreadyRated,
            Refusal::InvalidStars => Error::InvalidStars,
            Refusal::DeadlinePassed => Error::DeadlinePassed,
            Refusal::DeadlineNotPassed => Error::DeadlineNotPassed,
            Refusal::RetentionNotOver => Error::RetentionNotOver,
        }
    }
}

/// What became of a job, and how much of its workers' collateral was taken for good, in plancks.
pub(crate) struct Advance<T: Config> {
    pub job: Option<JobOf<T>>,
    pub cut: BalanceOf<T>,
}

/// The numbers whose two's complement bytes these are.
pub(crate) fn signed(bytes: &[u8]) -> Vec<i8> {
    bytes
        .iter()
        .map(|byte| i8::from_le_bytes([*byte]))
        .collect()
}
