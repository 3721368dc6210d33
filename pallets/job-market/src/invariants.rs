//! What must always be true of the market's storage.

use crate::*;
use alloc::{collections::BTreeMap, vec::Vec};
use ciro_primitives::ModelId;
use frame_support::{ensure, traits::fungible::InspectHold};
use pallet_model_registry::ModelDirectory;
use sp_runtime::{
    traits::{Saturating, Zero},
    DispatchError,
};

/// What the jobs say that accounts have on hold, by reason.
type Holds<T> = BTreeMap<(u8, <T as frame_system::Config>::AccountId), BalanceOf<T>>;

impl<T: Config> Pallet<T> {
    /// Checks what must always be true: each account has exactly on hold, for each reason, what its jobs say; exactly
    /// the answered jobs have results, and exactly what was revealed in a vote is kept; only paid jobs of level `None`
    /// are remembered as proven; ids are below the next one; the
    /// models know how many jobs are open, and the market how many jobs each worker has.
    ///
    /// # Errors
    /// Says which of these is broken.
    pub fn do_try_state() -> Result<(), DispatchError> {
        let mut holds = Holds::<T>::new();
        let mut open = BTreeMap::<ModelId, u32>::new();
        let mut work = BTreeMap::<T::AccountId, u32>::new();
        for (id, job) in Jobs::<T>::iter() {
            ensure!(
                id < NextJobId::<T>::get(),
                "a job's id is not below the next one"
            );
            ensure!(
                Results::<T>::contains_key(id) == job.has_result(),
                "a result without an answered job, or the other way round"
            );
            Self::add_holds(&mut holds, &job);
            let count = open.entry(job.model).or_default();
            *count = count.saturating_add(job.is_open().into());
            for worker in job.debtors() {
                let count = work.entry(worker.clone()).or_default();
                *count = count.saturating_add(1);
            }
        }
        ensure!(
            Results::<T>::iter_keys().all(Jobs::<T>::contains_key),
            "a result without a job"
        );
        ensure!(
            Proven::<T>::iter_keys().all(|id| Jobs::<T>::get(id).is_some_and(|job| {
                job.verification == Verification::None && matches!(job.state, JobState::Paid { .. })
            })),
            "a proof is remembered of a job that was not paid for it"
        );
        ensure!(
            Workload::<T>::iter().collect::<BTreeMap<_, _>>() == work,
            "the workers' jobs are counted wrongly"
        );
        for (model, count) in open {
            ensure!(
                T::Models::model(&model).map_or(0, |info| info.open_jobs) == count,
                "a model's open jobs are counted wrongly"
            );
        }
        Self::check_holds(&holds)?;
        Self::check_revealed()
    }

    fn add_holds(holds: &mut Holds<T>, job: &JobOf<T>) {
        let mut add = |reason: HoldReason, who: &T::AccountId, amount: BalanceOf<T>| {
            let sum = holds
                .entry((reason as u8, who.clone()))
                .or_insert_with(Zero::zero);
            *sum = sum.saturating_add(amount);
        };
        add(HoldReason::JobDeposit, &job.requester, job.deposit);
        if job.is_open() {
            add(HoldReason::Escrow, &job.requester, job.escrow());
        }
        if let JobState::Disputed {
            challenger, fee, ..
        } = &job.state
        {
            add(HoldReason::DisputeFee, challenger, *fee);
        }
    }

    fn check_holds(holds: &Holds<T>) -> Result<(), DispatchError> {
        for (_, who) in holds.keys() {
            for reason in [
                HoldReason::Escrow,
                HoldReason::JobDeposit,
                HoldReason::Collateral,
                HoldReason::DisputeFee,
            ] {
                let expected = holds.get(&(reason as u8, who.clone())).copied();
                ensure!(
                    T::Token::balance_on_hold(&reason.into(), who)
                        == expected.unwrap_or_else(Zero::zero),
                    "an account's jobs and holds differ"
                );
            }
        }
        Ok(())
    }

    fn check_revealed() -> Result<(), DispatchError> {
        let mut revealed = Vec::new();
        for (id, job) in Jobs::<T>::iter() {
            if let JobState::Voting { seats, .. } = job.state {
                revealed.extend(seats.iter().filter_map(|seat| match seat.vote {
                    Vote::Revealed(output) => Some((id, output)),
                    _ => None,
                }));
            }
        }
        revealed.sort();
        revealed.dedup();
        let mut kept: Vec<_> = Revealed::<T>::iter_keys().collect();
        kept.sort();
        ensure!(
            kept == revealed,
            "what is kept and what was revealed in votes differ"
        );
        Ok(())
    }
}
