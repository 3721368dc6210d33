//! What a step of a job's life does to funds and to other pallets.

use crate::{
    state::{Effect, Sink},
    *,
};
use alloc::vec::Vec;
use ciro_primitives::ModelId;
use frame_support::{
    ensure,
    pallet_prelude::DispatchResult,
    storage::with_storage_layer,
    traits::{
        fungible::{BalancedHold, Inspect, InspectHold, MutateHold},
        tokens::{Fortitude, Imbalance, Precision, Restriction},
        Get, OnUnbalanced,
    },
};
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_cdc_pool::StakeLedger;
use pallet_model_registry::{ModelDirectory, MAX_ROYALTY};
use pallet_reputation::ReputationLedger;
use pallet_slashing::{OffenceDesk, OffenceKind};
use sp_runtime::{
    traits::{CheckedDiv, Saturating, Zero},
    DispatchError, PerThing, Permill, TokenError,
};

const LOG_TARGET: &str = "runtime::job-market";

/// Who got how much, in plancks, by one step.
pub(crate) struct Flows<T: Config> {
    /// What was paid for the answer, to whom.
    pub paid: Vec<(T::AccountId, BalanceOf<T>)>,
    /// What went to the model's owner.
    pub royalty: BalanceOf<T>,
    /// What went where fees go.
    pub fee: BalanceOf<T>,
    /// What was burned of the price.
    pub burned: BalanceOf<T>,
    /// What was taken of collateral.
    pub cut: BalanceOf<T>,
}

impl<T: Config> Flows<T> {
    fn new() -> Self {
        Self {
            paid: Vec::new(),
            royalty: Zero::zero(),
            fee: Zero::zero(),
            burned: Zero::zero(),
            cut: Zero::zero(),
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Does what follows from a step, in order; who got how much.
    ///
    /// Taking funds off hold is best effort and disregards freezes: should anything beyond this pallet, which can only
    /// be the chain's root, have taken some of a hold, a job must still be settled with what is left of it. The same
    /// holds for collateral, some of which a slash may have taken.
    pub(crate) fn apply(
        model: &ModelId,
        effects: Vec<Effect<T::AccountId, BalanceOf<T>, BlockNumberFor<T>>>,
    ) -> Result<Flows<T>, DispatchError> {
        let mut flows = Flows::new();
        for effect in effects {
            match effect {
                Effect::Hold(reason, who, amount) => Self::hold(reason, &who, amount)?,
                Effect::Release(reason, who, amount) => {
                    let moved =
                        T::Token::release(&reason.into(), &who, amount, Precision::BestEffort)?;
                    warn_if_short(moved, amount);
                }
                Effect::Pay(reason, from, sink, amount) => {
                    let moved = Self::pay(model, reason, &from, sink, amount, &mut flows)?;
                    warn_if_short(moved, amount);
                }
                Effect::Reserve(worker, amount) => T::Stake::reserve(&worker, amount)?,
                Effect::Free(worker, amount) => T::Stake::release(&worker, amount),
                Effect::Forfeit(worker, to, amount) => {
                    let taken = T::Stake::forfeit(&worker, amount, to.as_ref());
                    flows.cut = flows.cut.saturating_add(taken);
                }
                Effect::Note(who, reason) => T::Reputation::note(&who, reason),
                Effect::Accuse(worker, since) => {
                    T::Offences::open_case(&worker, OffenceKind::InvalidCompute, since)
                }
            }
        }
        Ok(flows)
    }

    fn hold(reason: HoldReason, who: &T::AccountId, amount: BalanceOf<T>) -> DispatchResult {
        T::Token::hold(&reason.into(), who, amount)?;
        Self::ensure_not_frozen(who)
    }

    /// Takes from a hold; how much could be moved. What is paid for an answer is added to `flows`.
    fn pay(
        model: &ModelId,
        reason: HoldReason,
        from: &T::AccountId,
        sink: Sink<T::AccountId>,
        amount: BalanceOf<T>,
        flows: &mut Flows<T>,
    ) -> Result<BalanceOf<T>, DispatchError> {
        if amount.is_zero() {
            return Ok(amount);
        }
        match sink {
            Sink::Account(to) => {
                let moved = Self::transfer(reason, from, &to, amount)?;
                if reason == HoldReason::Escrow {
                    flows.paid.push((to, moved));
                }
                Ok(moved)
            }
            Sink::ModelOwner => {
                let owner = T::Models::model(model)
                    .ok_or(Error::<T>::UnknownModel)?
                    .owner;
                flows.royalty = Self::transfer(reason, from, &owner, amount)?;
                Ok(flows.royalty)
            }
            Sink::Fees => {
                let (credit, _) = T::Token::slash(&reason.into(), from, amount);
                flows.fee = credit.peek();
                T::FeeDestination::on_unbalanced(credit);
                Ok(flows.fee)
            }
            Sink::Burn => {
                flows.burned = T::Token::burn_held(
                    &reason.into(),
                    from,
                    amount,
                    Precision::BestEffort,
                    Fortitude::Force,
                )?;
                Ok(flows.burned)
            }
        }
    }

    fn transfer(
        reason: HoldReason,
        from: &T::AccountId,
        to: &T::AccountId,
        amount: BalanceOf<T>,
    ) -> Result<BalanceOf<T>, DispatchError> {
        T::Token::transfer_on_hold(
            &reason.into(),
            from,
            to,
            amount,
            Precision::BestEffort,
            Restriction::Free,
            Fortitude::Force,
        )
    }

    /// Puts on hold what the requester got of a late worker's collateral: how much of it could be. All or nothing: the
    /// requester's account may be in no condition for more holds, and must not keep the job from being taken over.
    pub(crate) fn hold_bounty(requester: &T::AccountId, amount: BalanceOf<T>) -> BalanceOf<T> {
        match with_storage_layer(|| Self::hold(HoldReason::Escrow, requester, amount)) {
            Ok(()) => amount,
            Err(_) => Zero::zero(),
        }
    }

    /// Frozen funds can be held, but what the market may take must not be: else a payment, which disregards freezes,
    /// would be a way around them.
    fn ensure_not_frozen(who: &T::AccountId) -> DispatchResult {
        let at_stake = T::Token::balance_on_hold(&HoldReason::Escrow.into(), who).saturating_add(
            T::Token::balance_on_hold(&HoldReason::DisputeFee.into(), who),
        );
        ensure!(
            T::Token::reducible_total_balance_on_hold(who, Fortitude::Polite) >= at_stake,
            TokenError::Frozen
        );
        Ok(())
    }

    /// Checks that the constants fit together. Every amount that a settlement pays must be able to stand alone in an
    /// account that has nothing else, or the settlement could fail.
    pub(crate) fn check_constants() {
        let terms = Self::terms();
        let alone = |amount: BalanceOf<T>| amount >= T::Token::minimum_balance();
        assert!(!terms.min_duration.is_zero() && terms.min_duration <= terms.max_duration);
        assert!(!terms.claim_term.is_zero() && !terms.reveal_term.is_zero());
        assert!(!terms.challenge_period.is_zero() && !terms.proof_period.is_zero());
        assert!(terms.release_cut <= terms.expiry_cut);
        assert!(T::MaxWorkload::get() >= PROBATION_WORKLOAD);
        assert!(terms.platform_fee <= Permill::from_percent(10));
        let share = terms
            .platform_fee
            .saturating_add(MAX_ROYALTY)
            .left_from_one();
        let least = terms.min_price.checked_div(&MAX_SEATS.into());
        assert!(least.is_some_and(|least| alone(share.mul_floor(least))));
        assert!(alone(T::DepositBase::get()) && alone(terms.dispute_fee));
    }
}

fn warn_if_short<Balance: PartialOrd + core::fmt::Debug>(moved: Balance, wanted: Balance) {
    if moved < wanted {
        log::error!(
            target: LOG_TARGET,
            "a hold is short: {moved:?} of {wanted:?} could be moved"
        );
    }
}
