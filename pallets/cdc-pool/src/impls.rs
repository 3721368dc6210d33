//! What the calls share, what other pallets have done here, and the invariants.

use crate::*;
use alloc::{collections::BTreeMap, vec::Vec};
use frame_support::{
    ensure,
    pallet_prelude::DispatchResult,
    traits::{
        fungible::{Balanced, BalancedHold, Inspect, InspectHold, Mutate, MutateHold},
        tokens::{Fortitude, Precision, Preservation},
        Contains, Get, Imbalance, OnUnbalanced,
    },
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
    traits::{AccountIdConversion, Saturating, Zero},
    DispatchError, Perbill, TokenError,
};

const LOG_TARGET: &str = "runtime::cdc-pool";

impl<T: Config> Pallet<T> {
    /// The account that rewards are paid from.
    pub fn pot() -> T::AccountId {
        T::PotId::get().into_account_truncating()
    }

    /// Whether an operator has the stake of its own that it must have.
    pub(crate) fn is_backed(record: &OperatorOf<T>) -> bool {
        record.own >= T::MinOperatorStake::get()
    }

    fn stands_for(record: &OperatorOf<T>, role: Role) -> bool {
        record.roles.has(role) && Self::is_backed(record)
    }

    /// Changes a position, with what depends on it in its operator's `record`, which the caller stores. Rewards are
    /// settled first. A position that does not exist begins empty, one that is left empty is removed.
    fn change<R>(
        operator: &T::AccountId,
        record: &mut OperatorOf<T>,
        staker: &T::AccountId,
        change: impl FnOnce(&mut PositionOf<T>) -> R,
    ) -> R {
        Positions::<T>::mutate_exists(operator, staker, |entry| {
            let before = entry.as_ref().map(|position| position.active);
            let mut position = entry.take().unwrap_or_default();
            position.settle(record.earned);
            let result = change(&mut position);
            *entry = (!position.is_gone()).then_some(position);
            let after = entry.as_ref().map(|position| position.active);
            record.note_change(operator == staker, before, after);
            result
        })
    }

    /// Stores an operator's record, or removes it with its last position.
    fn store(operator: &T::AccountId, record: OperatorOf<T>) {
        Operators::<T>::mutate_exists(operator, |entry| {
            let before = entry.as_ref().map_or(0, |record| record.total);
            TotalStake::<T>::mutate(|total| {
                *total = total.saturating_sub(before).saturating_add(record.total);
            });
            *entry = (!record.is_gone()).then_some(record);
        });
    }

    pub(crate) fn bond(
        operator: &T::AccountId,
        staker: &T::AccountId,
        amount: Balance,
    ) -> DispatchResult {
        ensure!(!amount.is_zero(), Error::<T>::ZeroAmount);
        let banned = T::Banned::contains(operator) || T::Banned::contains(staker);
        ensure!(!banned, Error::<T>::Banned);
        let is_own = operator == staker;
        let mut record = Self::record_to_join(operator, is_own)?;
        let active = Self::change(operator, &mut record, staker, |position| {
            position.active = position.active.saturating_add(amount);
            position.active
        });
        ensure!(active >= Self::minimum(is_own), Error::<T>::BelowMinimum);
        // The operator's own place is beside those of the others.
        let places = T::MaxDelegations::get().saturating_add(1);
        ensure!(record.positions <= places, Error::<T>::TooManyDelegations);

        T::Token::hold(&HoldReason::Stake.into(), staker, amount)?;
        Self::ensure_not_frozen(staker)?;
        Self::deposit_event(Event::WorkerStaked {
            worker_address: operator.clone(),
            staker: staker.clone(),
            amount,
            total_stake: record.total,
        });
        Self::store(operator, record);
        Ok(())
    }

    /// The record of an operator that is to be staked for: a new one if it is the operator itself who does.
    fn record_to_join(
        operator: &T::AccountId,
        is_own: bool,
    ) -> Result<OperatorOf<T>, DispatchError> {
        let record = Operators::<T>::get(operator);
        if is_own {
            let has_room = Operators::<T>::count() < T::MaxOperators::get();
            ensure!(record.is_some() || has_room, Error::<T>::TooManyOperators);
            Ok(record.unwrap_or_default())
        } else {
            let record = record.filter(Self::is_backed);
            Ok(record.ok_or(Error::<T>::NotOperator)?)
        }
    }

    fn minimum(is_own: bool) -> Balance {
        if is_own {
            T::MinOperatorStake::get()
        } else {
            T::MinDelegation::get()
        }
    }

    /// Frozen funds can be held, but stake must not be frozen: else a slash or a forfeit, which pay others and disregard
    /// freezes, would be a way around them.
    fn ensure_not_frozen(who: &T::AccountId) -> DispatchResult {
        let at_stake = T::Token::balance_on_hold(&HoldReason::Stake.into(), who);
        ensure!(
            T::Token::reducible_total_balance_on_hold(who, Fortitude::Polite) >= at_stake,
            TokenError::Frozen
        );
        Ok(())
    }

    pub(crate) fn unbond(
        operator: &T::AccountId,
        staker: &T::AccountId,
        amount: Balance,
    ) -> DispatchResult {
        ensure!(!amount.is_zero(), Error::<T>::ZeroAmount);
        let active = Positions::<T>::get(operator, staker).map_or(0, |position| position.active);
        let rest = active
            .checked_sub(amount)
            .ok_or(Error::<T>::InsufficientStake)?;
        let mut record = Operators::<T>::get(operator).ok_or(Error::<T>::InsufficientStake)?;
        let is_own = operator == staker;
        let may_leave = !is_own || record.roles.is_empty();
        ensure!(
            !is_own || amount <= record.unreserved(),
            Error::<T>::Reserved
        );
        ensure!(
            rest >= Self::minimum(is_own) || (rest.is_zero() && may_leave),
            Error::<T>::BelowMinimum
        );
        let now = frame_system::Pallet::<T>::block_number();
        let begun = Self::change(operator, &mut record, staker, |position| {
            position.unbond(amount, now)
        });
        ensure!(begun, Error::<T>::TooManyChunks);
        Self::store(operator, record);
        Self::deposit_event(Event::UnstakeRequested {
            operator: operator.clone(),
            staker: staker.clone(),
            amount,
            ripe_at: now.saturating_add(T::UnbondingPeriod::get()),
        });
        Ok(())
    }

    pub(crate) fn withdraw(operator: &T::AccountId, staker: &T::AccountId) -> DispatchResult {
        ensure!(!T::Frozen::contains(operator), Error::<T>::CaseOpen);
        let mut record = Operators::<T>::get(operator).ok_or(Error::<T>::NothingRipe)?;
        let now = frame_system::Pallet::<T>::block_number();
        let (amount, rewards) = Self::change(operator, &mut record, staker, |position| {
            let amount = position.take_ripe(now, T::UnbondingPeriod::get());
            let leaves = position.held().is_zero();
            let rewards = leaves.then(|| core::mem::take(&mut position.rewards));
            (amount, rewards.unwrap_or_default())
        });
        ensure!(!amount.is_zero(), Error::<T>::NothingRipe);
        Self::store(operator, record);
        let reason = HoldReason::Stake.into();
        let released = T::Token::release(&reason, staker, amount, Precision::BestEffort)?;
        Self::note_missing(amount.saturating_sub(released));
        Self::deposit_event(Event::UnstakeExecuted {
            operator: operator.clone(),
            staker: staker.clone(),
            amount: released,
        });
        Self::pay(operator, staker, rewards)
    }

    pub(crate) fn claim(operator: &T::AccountId, staker: &T::AccountId) -> DispatchResult {
        let mut record = Operators::<T>::get(operator).ok_or(Error::<T>::NothingToClaim)?;
        let rewards = Self::change(operator, &mut record, staker, |position| {
            core::mem::take(&mut position.rewards)
        });
        ensure!(!rewards.is_zero(), Error::<T>::NothingToClaim);
        Self::store(operator, record);
        Self::pay(operator, staker, rewards)
    }

    /// Pays rewards from the pot, which what opened it keeps alive.
    fn pay(operator: &T::AccountId, staker: &T::AccountId, amount: Balance) -> DispatchResult {
        if amount.is_zero() {
            return Ok(());
        }
        T::Token::transfer(&Self::pot(), staker, amount, Preservation::Preserve)?;
        Self::deposit_event(Event::RewardsClaimed {
            operator: operator.clone(),
            staker: staker.clone(),
            amount,
        });
        Ok(())
    }

    /// Takes `amount` of what an account has staked off its hold. Should anything beyond this pallet, which can only be
    /// the chain's root, have taken some of the hold, the rest must do.
    fn take(staker: &T::AccountId, amount: Balance) -> CreditOf<T> {
        if amount.is_zero() {
            return CreditOf::<T>::zero();
        }
        let (credit, missing) = T::Token::slash(&HoldReason::Stake.into(), staker, amount);
        Self::note_missing(missing);
        credit
    }

    fn note_missing(amount: Balance) {
        if !amount.is_zero() {
            log::error!(target: LOG_TARGET, "a hold is short of {amount} plancks");
        }
    }

    /// Gives the reporter its share of slashed funds, if it can hold that, and the rest where slashed funds go.
    fn distribute(funds: CreditOf<T>, reporter: Option<(&T::AccountId, Perbill)>) {
        let rest = match reporter {
            Some((who, share)) => {
                let bounty = share.mul_floor(funds.peek());
                let (bounty, rest) = funds.split(bounty);
                match T::Token::resolve(who, bounty) {
                    Ok(()) => rest,
                    Err(bounty) => rest.merge(bounty),
                }
            }
            None => funds,
        };
        T::SlashDestination::on_unbalanced(rest);
    }

    /// Checks that the constants fit together.
    pub(crate) fn check_constants() {
        assert!(!T::MinOperatorStake::get().is_zero() && !T::MinDelegation::get().is_zero());
        assert!(!T::UnbondingPeriod::get().is_zero());
        assert!(!T::MaxOperators::get().is_zero());
    }

    /// Checks what must always be true: each account has exactly on hold what its positions say; each operator's sums,
    /// and the sum over all operators, are right and within their bounds; no position is empty or without an operator;
    /// and the pot can pay all unclaimed rewards and stay alive.
    ///
    /// # Errors
    /// Says which of these is broken.
    pub fn do_try_state() -> Result<(), DispatchError> {
        let mut holds = BTreeMap::<T::AccountId, Balance>::new();
        let mut sums = BTreeMap::<T::AccountId, OperatorOf<T>>::new();
        let mut rewards = Balance::zero();
        for (operator, staker, position) in Positions::<T>::iter() {
            ensure!(!position.is_gone(), "a position is empty");
            let record = Operators::<T>::get(&operator).ok_or("a position without an operator")?;
            rewards = rewards.saturating_add(position.pending(record.earned));
            let is_own = operator == staker;
            let sum = sums.entry(operator).or_default();
            sum.note_change(is_own, None, Some(position.active));
            let hold = holds.entry(staker).or_default();
            *hold = hold.saturating_add(position.held());
        }
        for (who, hold) in holds {
            ensure!(
                T::Token::balance_on_hold(&HoldReason::Stake.into(), &who) == hold,
                "an account's positions and its hold differ"
            );
        }
        Self::check_operators(&sums)?;
        let pot = T::Token::total_balance(&Self::pot());
        ensure!(
            pot >= rewards.saturating_add(T::Token::minimum_balance()) || rewards.is_zero(),
            "the pot cannot pay all rewards"
        );
        Ok(())
    }

    /// Compares the operators' records with the `sums` over their positions.
    fn check_operators(sums: &BTreeMap<T::AccountId, OperatorOf<T>>) -> DispatchResult {
        let mut total = Balance::zero();
        for (operator, record) in Operators::<T>::iter() {
            let sum = sums.get(&operator).cloned().unwrap_or_default();
            ensure!(
                (record.total, record.own, record.positions) == (sum.total, sum.own, sum.positions),
                "an operator's sums and its positions differ"
            );
            ensure!(!record.is_gone(), "an operator's record is empty");
            ensure!(
                record.positions <= T::MaxDelegations::get().saturating_add(1),
                "too many accounts stake for an operator"
            );
            total = total.saturating_add(record.total);
        }
        ensure!(
            TotalStake::<T>::get() == total,
            "the operators' stake is summed up wrongly"
        );
        ensure!(
            Operators::<T>::count() <= T::MaxOperators::get(),
            "there are too many operators"
        );
        Ok(())
    }
}

impl<T: Config> StakeLedger<T::AccountId, Balance, BlockNumberFor<T>> for Pallet<T> {
    fn stake(operator: &T::AccountId) -> Balance {
        Operators::<T>::get(operator).map_or(0, |record| record.total)
    }

    fn own_stake(operator: &T::AccountId) -> Balance {
        Operators::<T>::get(operator).map_or(0, |record| record.own)
    }

    fn has_role(operator: &T::AccountId, role: Role) -> bool {
        Operators::<T>::get(operator).is_some_and(|record| Self::stands_for(&record, role))
    }

    fn operators(role: Role) -> Vec<(T::AccountId, Balance)> {
        Operators::<T>::iter()
            .filter(|(_, record)| Self::stands_for(record, role))
            .map(|(operator, record)| (operator, record.total))
            .collect()
    }

    fn reserve(operator: &T::AccountId, amount: Balance) -> DispatchResult {
        Operators::<T>::try_mutate(operator, |record| {
            let record = record.as_mut().ok_or(Error::<T>::NotWorker)?;
            ensure!(
                Self::stands_for(record, Role::Worker),
                Error::<T>::NotWorker
            );
            ensure!(amount <= record.unreserved(), Error::<T>::InsufficientStake);
            record.reserved = record.reserved.saturating_add(amount);
            Self::deposit_event(Event::StakeReserved {
                operator: operator.clone(),
                amount,
            });
            Ok(())
        })
    }

    fn release(operator: &T::AccountId, amount: Balance) {
        let Some(mut record) = Operators::<T>::get(operator) else {
            return;
        };
        let released = amount.min(record.reserved);
        record.reserved = record.reserved.saturating_sub(released);
        Self::store(operator, record);
        Self::deposit_event(Event::StakeReleased {
            operator: operator.clone(),
            amount: released,
        });
    }

    fn forfeit(operator: &T::AccountId, amount: Balance, to: Option<&T::AccountId>) -> Balance {
        let Some(mut record) = Operators::<T>::get(operator) else {
            return 0;
        };
        let owed = amount.min(record.reserved);
        record.reserved = record.reserved.saturating_sub(owed);
        let loss = owed.min(record.own);
        Self::change(operator, &mut record, operator, |position| {
            position.active = position.active.saturating_sub(loss);
        });
        Self::store(operator, record);
        let credit = Self::take(operator, loss);
        let taken = credit.peek();
        // What is not resolved is dropped, and so burned.
        if let Some(to) = to {
            drop(T::Token::resolve(to, credit));
        }
        Self::deposit_event(Event::StakeForfeited {
            operator: operator.clone(),
            amount: taken,
        });
        taken
    }

    fn slash(
        operator: &T::AccountId,
        fraction: Perbill,
        offence_at: BlockNumberFor<T>,
        reporter: Option<(&T::AccountId, Perbill)>,
    ) -> Balance {
        let Some(mut record) = Operators::<T>::get(operator) else {
            return 0;
        };
        let positions = record.positions;
        // At most `MaxDelegations` + 1 of them.
        let stakers: Vec<_> = Positions::<T>::iter_key_prefix(operator).collect();
        let mut funds = CreditOf::<T>::zero();
        for staker in &stakers {
            let loss = Self::change(operator, &mut record, staker, |position| {
                position.slash(fraction, offence_at)
            });
            funds.subsume(Self::take(staker, loss));
        }
        Self::store(operator, record);
        let amount = funds.peek();
        Self::distribute(funds, reporter);
        Self::deposit_event(Event::StakeSlashed {
            operator: operator.clone(),
            amount,
            positions,
        });
        amount
    }

    fn reward(operator: &T::AccountId, amount: Balance) -> Balance {
        let Some(mut record) = Operators::<T>::get(operator).filter(|it| it.total > 0) else {
            return 0;
        };
        let pot = Self::pot();
        let is_open = !T::Token::total_balance(&pot).is_zero();
        let opening = if is_open {
            0
        } else {
            T::Token::minimum_balance()
        };
        let credited = amount.saturating_sub(opening);
        if credited.is_zero() || T::Token::mint_into(&pot, amount).is_err() {
            return 0;
        }
        let now = frame_system::Pallet::<T>::block_number();
        let commission = record.commission_on(credited, now);
        if !commission.is_zero() {
            Self::change(operator, &mut record, operator, |position| {
                position.rewards = position.rewards.saturating_add(commission);
            });
        }
        record.share(credited.saturating_sub(commission));
        Self::store(operator, record);
        Self::deposit_event(Event::RewardsDistributed {
            operator: operator.clone(),
            amount: credited,
            commission,
        });
        credited
    }
}
