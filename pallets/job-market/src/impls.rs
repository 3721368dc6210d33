//! What the calls share: checks, the movement of funds, and the invariants.

use crate::{
    state::{Action, Move, Terms},
    *,
};
use alloc::{collections::BTreeMap, vec::Vec};
use ciro_primitives::{input_commitment, JobBinding, JobId, ModelId, MAX_BATCH};
use ciro_zkml_air::VerifyingKey;
use frame_support::{
    ensure,
    pallet_prelude::DispatchResult,
    traits::{
        fungible::{Inspect, InspectHold, MutateHold},
        tokens::{Fortitude, Precision, Restriction},
        Get,
    },
};
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_model_registry::ModelDirectory;
use sp_runtime::{
    traits::{Saturating, Zero},
    ArithmeticError, DispatchError, TokenError,
};

const LOG_TARGET: &str = "runtime::job-market";

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
        }
    }

    /// What a proof for this job and payee must be bound to.
    pub fn binding(job: JobId, payee: T::AccountId) -> Vec<u8> {
        // The genesis block's hash is the one block hash that is never pruned.
        let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
        let binding = JobBinding {
            genesis: genesis.into(),
            job,
            payee: payee.into(),
        };
        binding.encode()
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

    /// Checks a new job against its model; its deposit.
    pub(crate) fn check_size(
        model: &ModelId,
        batch: u32,
        locator: &Locator,
        price: BalanceOf<T>,
    ) -> Result<BalanceOf<T>, DispatchError> {
        ensure!((1..=MAX_BATCH).contains(&batch), Error::<T>::InvalidBatch);
        let info = T::Models::model(model).ok_or(Error::<T>::UnknownModel)?;
        let most = info.key.max_batch();
        ensure!(batch <= most, Error::<T>::InvalidBatch);
        let inputs = batch.saturating_mul(info.key.inputs());
        ensure!(inputs <= MAX_INPUT, Error::<T>::InputTooLarge);
        let outputs = batch.saturating_mul(info.key.outputs());
        ensure!(outputs <= MAX_OUTPUT, Error::<T>::OutputTooLarge);
        let floor = info.price_floor.saturating_mul(batch.into());
        ensure!(price >= floor, Error::<T>::PriceTooLow);
        Ok(Self::deposit_for(locator, outputs))
    }

    /// Stores a new job and puts its funds on hold.
    pub(crate) fn begin(job: JobOf<T>, now: BlockNumberFor<T>) -> DispatchResult {
        let id = NextJobId::<T>::get();
        NextJobId::<T>::put(id.checked_add(1).ok_or(ArithmeticError::Overflow)?);
        let step = job
            .clone()
            .open(now, &Self::terms())
            .map_err(Error::<T>::from)?;
        Self::apply(step.moves)?;
        T::Models::job_opened(&job.model)?;
        Jobs::<T>::set(id, step.job);
        Self::deposit_event(Event::JobSubmitted {
            job: id,
            requester: job.requester,
            model: job.model,
            batch: job.batch,
            input_commitment: job.input_commitment,
            price: job.price,
            deadline: job.deadline,
        });
        Ok(())
    }

    /// Takes a job on by `action`: what became of it, and how much was taken from a hold for good, be it paid or
    /// burned.
    pub(crate) fn advance(
        id: JobId,
        action: Action<T::AccountId>,
    ) -> Result<(Option<JobOf<T>>, BalanceOf<T>), DispatchError> {
        let job = Jobs::<T>::get(id).ok_or(Error::<T>::UnknownJob)?;
        let (model, was_open) = (job.model, job.is_open());
        let now = frame_system::Pallet::<T>::block_number();
        let step = job
            .step(action, now, &Self::terms())
            .map_err(Error::<T>::from)?;
        let taken = Self::apply(step.moves)?;
        let is_open = step.job.as_ref().is_some_and(|job| job.is_open());
        if was_open && !is_open {
            T::Models::job_closed(&model);
        }
        if step.job.is_none() {
            Results::<T>::remove(id);
        }
        Jobs::<T>::set(id, step.job.clone());
        Ok((step.job, taken))
    }

    /// Everything that makes a result worth verifying; the key, the batch, and the input as numbers.
    pub(crate) fn check_answer(
        id: JobId,
        worker: &T::AccountId,
        input: &Input,
        output: &Output,
    ) -> Result<(VerifyingKey, u32, Vec<i8>), DispatchError> {
        let job = Jobs::<T>::get(id).ok_or(Error::<T>::UnknownJob)?;
        job.collateral_of(worker, frame_system::Pallet::<T>::block_number())
            .map_err(Error::<T>::from)?;
        let key = T::Models::model(&job.model)
            .ok_or(Error::<T>::UnknownModel)?
            .key;
        let inputs = job.batch.saturating_mul(key.inputs());
        ensure!(input.len() == inputs as usize, Error::<T>::WrongInputLength);
        let outputs = job.batch.saturating_mul(key.outputs());
        ensure!(
            output.len() == outputs as usize,
            Error::<T>::WrongOutputLength
        );
        let input = signed(input);
        ensure!(
            input_commitment(job.batch, &input) == job.input_commitment.0,
            Error::<T>::InputMismatch
        );
        Ok((key, job.batch, input))
    }

    /// Moves funds, in order; how much was paid or burned.
    ///
    /// Taking funds off hold is best effort and disregards freezes: should anything beyond this pallet, which can only
    /// be the chain's root, have taken some of a hold, a job must still be settled with what is left of it.
    fn apply(moves: Vec<Move<T::AccountId, BalanceOf<T>>>) -> Result<BalanceOf<T>, DispatchError> {
        let mut taken = BalanceOf::<T>::zero();
        for step in moves {
            let (wanted, moved) = match step {
                Move::Hold(reason, who, amount) => {
                    T::Token::hold(&reason.into(), &who, amount)?;
                    Self::ensure_not_frozen(&who)?;
                    (amount, amount)
                }
                Move::Release(reason, who, amount) => {
                    let moved =
                        T::Token::release(&reason.into(), &who, amount, Precision::BestEffort)?;
                    (amount, moved)
                }
                Move::Pay(reason, from, to, amount) => {
                    let moved = T::Token::transfer_on_hold(
                        &reason.into(),
                        &from,
                        &to,
                        amount,
                        Precision::BestEffort,
                        Restriction::Free,
                        Fortitude::Force,
                    )?;
                    taken = taken.saturating_add(moved);
                    (amount, moved)
                }
                Move::Burn(reason, who, amount) => {
                    let moved = T::Token::burn_held(
                        &reason.into(),
                        &who,
                        amount,
                        Precision::BestEffort,
                        Fortitude::Force,
                    )?;
                    taken = taken.saturating_add(moved);
                    (amount, moved)
                }
            };
            if moved < wanted {
                log::error!(
                    target: LOG_TARGET,
                    "a hold is short: {moved:?} of {wanted:?} could be moved"
                );
            }
        }
        Ok(taken)
    }

    /// Frozen funds can be held, but what the market may take must not be: else a payment, which disregards freezes,
    /// would be a way around them.
    fn ensure_not_frozen(who: &T::AccountId) -> DispatchResult {
        let at_stake = T::Token::balance_on_hold(&HoldReason::Escrow.into(), who).saturating_add(
            T::Token::balance_on_hold(&HoldReason::Collateral.into(), who),
        );
        ensure!(
            T::Token::reducible_total_balance_on_hold(who, Fortitude::Polite) >= at_stake,
            TokenError::Frozen
        );
        Ok(())
    }

    pub(crate) fn claimable(from: JobId, limit: u32) -> Vec<(JobId, JobOf<T>)> {
        let now = frame_system::Pallet::<T>::block_number();
        let end = NextJobId::<T>::get().min(from.saturating_add(MAX_SCANNED));
        (from..end)
            .filter_map(|id| Jobs::<T>::get(id).map(|job| (id, job)))
            .filter(|(_, job)| matches!(job.state, JobState::Submitted) && now < job.deadline)
            .take(limit.min(MAX_LISTED) as usize)
            .collect()
    }

    /// Checks that the constants fit together. Every amount that a settlement moves must be able to stand alone in an
    /// account that has nothing else, or the settlement could fail.
    pub(crate) fn check_constants() {
        let terms = Self::terms();
        let alone =
            |amount: BalanceOf<T>| amount.is_zero() || amount >= T::Token::minimum_balance();
        assert!(terms.min_duration > Zero::zero() && terms.min_duration <= terms.max_duration);
        assert!(alone(terms.min_price) && !terms.min_price.is_zero());
        assert!(alone(T::DepositBase::get()));
        for share in [terms.invalid_proof_cut, terms.release_cut, terms.expiry_cut] {
            let cut = share.mul_ceil(terms.min_collateral);
            assert!(alone(cut) && alone(terms.min_collateral.saturating_sub(cut)));
        }
    }

    /// Checks what must always be true: each account has exactly on hold, for each reason, what its jobs say; exactly
    /// the paid jobs have results; ids are below the next one; and the models know how many jobs are open.
    ///
    /// # Errors
    /// Says which of these is broken.
    pub fn do_try_state() -> Result<(), DispatchError> {
        let mut holds = BTreeMap::<(u8, T::AccountId), BalanceOf<T>>::new();
        let mut open = BTreeMap::<ModelId, u32>::new();
        let mut hold = |reason: HoldReason, who: &T::AccountId, amount: BalanceOf<T>| {
            let sum = holds
                .entry((reason as u8, who.clone()))
                .or_insert_with(Zero::zero);
            *sum = sum.saturating_add(amount);
        };
        for (id, job) in Jobs::<T>::iter() {
            ensure!(
                id < NextJobId::<T>::get(),
                "a job's id is not below the next one"
            );
            let is_paid = matches!(job.state, JobState::Paid { .. });
            ensure!(
                Results::<T>::contains_key(id) == is_paid,
                "a result without a paid job, or the other way round"
            );
            hold(HoldReason::JobDeposit, &job.requester, job.deposit);
            let count = open.entry(job.model).or_default();
            if job.is_open() {
                hold(HoldReason::Escrow, &job.requester, job.price);
                *count = count.saturating_add(1);
            }
            if let JobState::Assigned {
                worker, collateral, ..
            } = &job.state
            {
                hold(HoldReason::Collateral, worker, *collateral);
            }
        }
        ensure!(
            Results::<T>::iter_keys().all(Jobs::<T>::contains_key),
            "a result without a job"
        );
        let accounts: Vec<_> = holds.keys().map(|(_, who)| who.clone()).collect();
        for who in accounts {
            for reason in [
                HoldReason::Escrow,
                HoldReason::JobDeposit,
                HoldReason::Collateral,
            ] {
                let expected = holds.get(&(reason as u8, who.clone())).copied();
                ensure!(
                    T::Token::balance_on_hold(&reason.into(), &who)
                        == expected.unwrap_or_else(Zero::zero),
                    "an account's jobs and holds differ"
                );
            }
        }
        for (model, count) in open {
            ensure!(
                T::Models::model(&model).map_or(0, |info| info.open_jobs) == count,
                "a model's open jobs are counted wrongly"
            );
        }
        Ok(())
    }
}

/// The numbers whose two's complement bytes these are.
pub(crate) fn signed(bytes: &[u8]) -> Vec<i8> {
    bytes
        .iter()
        .map(|byte| i8::from_le_bytes([*byte]))
        .collect()
}
