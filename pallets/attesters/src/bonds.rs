//! Who attests, and what it answers with.

use crate::*;
use ciro_bridge_primitives::{Hash, Message};
use frame_support::{
    ensure,
    pallet_prelude::DispatchResult,
    traits::{
        fungible::{BalancedHold, Inspect, InspectHold, MutateHold},
        tokens::{Fortitude, Precision},
        Get, Imbalance, OnUnbalanced,
    },
};
use sp_runtime::{
    traits::{Saturating, Zero},
    TokenError,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_invite(who: &T::AccountId) -> DispatchResult {
        ensure!(!Attesters::<T>::contains_key(who), Error::<T>::AlreadyKnown);
        let attester = Attester {
            bond: 0,
            standing: Standing::Invited,
        };
        Attesters::<T>::insert(who, attester);
        Self::deposit_event(Event::AttesterInvited { who: who.clone() });
        Ok(())
    }

    pub(crate) fn do_join(who: &T::AccountId, bond: Balance) -> DispatchResult {
        let attester = Attesters::<T>::get(who).ok_or(Error::<T>::NotInvited)?;
        ensure!(
            attester.standing == Standing::Invited,
            Error::<T>::NotInvited
        );
        ensure!(bond >= T::MinBond::get(), Error::<T>::BondTooSmall);
        Members::<T>::try_mutate(|members| {
            let place = members.binary_search(who).err();
            let place = place.ok_or(Error::<T>::AlreadyKnown)?;
            members
                .try_insert(place, who.clone())
                .map_err(|_| Error::<T>::TooManyMembers)
        })?;
        T::Token::hold(&HoldReason::Bond.into(), who, bond)?;
        Self::ensure_not_frozen(who)?;
        let attester = Attester {
            bond,
            standing: Standing::Member,
        };
        Attesters::<T>::insert(who, attester);
        Self::deposit_event(Event::AttesterJoined {
            who: who.clone(),
            bond,
        });
        Ok(())
    }

    /// Frozen funds can be held, but a bond must not be frozen: a slash disregards freezes, and would be a way around
    /// them.
    fn ensure_not_frozen(who: &T::AccountId) -> DispatchResult {
        let bonded = T::Token::balance_on_hold(&HoldReason::Bond.into(), who);
        let free_of_freezes = T::Token::reducible_total_balance_on_hold(who, Fortitude::Polite);
        ensure!(free_of_freezes >= bonded, TokenError::Frozen);
        Ok(())
    }

    pub(crate) fn do_leave(who: &T::AccountId) -> DispatchResult {
        Self::unseat(who)?;
        let now = frame_system::Pallet::<T>::block_number();
        let ripe_at = now.saturating_add(T::UnbondingPeriod::get());
        Attesters::<T>::mutate(who, |attester| {
            if let Some(attester) = attester {
                attester.standing = Standing::Leaving { ripe_at };
            }
        });
        Self::deposit_event(Event::AttesterLeft {
            who: who.clone(),
            ripe_at,
        });
        Ok(())
    }

    fn unseat(who: &T::AccountId) -> DispatchResult {
        Members::<T>::try_mutate(|members| {
            let place = members.binary_search(who);
            members.remove(place.map_err(|_| Error::<T>::NotMember)?);
            Ok(())
        })
    }

    pub(crate) fn do_withdraw(who: &T::AccountId) -> DispatchResult {
        ensure!(!Halted::<T>::get(), Error::<T>::Halted);
        let attester = Attesters::<T>::get(who).ok_or(Error::<T>::NotLeaving)?;
        let Standing::Leaving { ripe_at } = attester.standing else {
            return Err(Error::<T>::NotLeaving.into());
        };
        let now = frame_system::Pallet::<T>::block_number();
        ensure!(now >= ripe_at, Error::<T>::NotRipe);
        Attesters::<T>::remove(who);
        let reason = HoldReason::Bond.into();
        let amount = T::Token::release(&reason, who, attester.bond, Precision::BestEffort)?;
        Self::deposit_event(Event::BondWithdrawn {
            who: who.clone(),
            amount,
        });
        Ok(())
    }

    /// Takes the bond and the seat of who voted for the message `said` although the other was sent, or has voted for
    /// both. Does nothing for who has no bond any more.
    pub(crate) fn slash(who: &T::AccountId, said: Hash, shown: &Message) {
        let bonded = Attesters::<T>::get(who).filter(|it| it.standing != Standing::Invited);
        let Some(attester) = bonded else {
            return;
        };
        Attesters::<T>::remove(who);
        Members::<T>::mutate(|members| members.retain(|member| member != who));
        let (credit, _) = T::Token::slash(&HoldReason::Bond.into(), who, attester.bond);
        Self::deposit_event(Event::AttesterSlashed {
            who: who.clone(),
            amount: credit.peek(),
            lane: shown.lane,
            nonce: shown.nonce,
            said,
            shown: shown.id(),
        });
        T::SlashDestination::on_unbalanced(credit);
    }

    /// Checks that the constants fit together.
    pub(crate) fn check_constants() {
        assert!(!T::MinBond::get().is_zero());
        assert!(T::MinBond::get() >= T::Token::minimum_balance());
        assert!(!T::EvidencePeriod::get().is_zero());
        assert!(T::UnbondingPeriod::get() > T::EvidencePeriod::get());
    }
}
