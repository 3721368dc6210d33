//! What the session and authorship pallets ask and tell.

use crate::*;
use alloc::vec::Vec;
use core::marker::PhantomData;
use frame_support::{traits::Get, BoundedVec};
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_session::{
    historical, DisabledValidators, NextKeys, QueuedKeys, SessionManager, Validators,
};
use pallet_slashing::SessionOrigin;
use sp_runtime::traits::{Convert, Zero};
use sp_staking::SessionIndex;

impl<T: Config> Pallet<T> {
    /// Whether the last set must be planned anew: someone sits out a session and may come back, or has changed its keys,
    /// which later evidence must be checked with.
    fn must_renew() -> bool {
        let keys_changed = || {
            QueuedKeys::<T>::get()
                .iter()
                .any(|(validator, keys)| NextKeys::<T>::get(validator).as_ref() != Some(keys))
        };
        !DisabledValidators::<T>::get().is_empty() || keys_changed()
    }

    /// Whether someone in the last set has removed its keys. The session pallet goes on without it, and the set would bear
    /// less than it should until the era ends.
    fn is_short() -> bool {
        !Validators::<T>::get().iter().all(Self::has_keys)
    }
}

impl<T: Config> SessionManager<T::AccountId> for Pallet<T> {
    fn new_session_genesis(_: SessionIndex) -> Option<Vec<T::AccountId>> {
        // Genesis has put the keys, but not yet the validators that own them.
        let mut validators: Vec<_> = NextKeys::<T>::iter_keys().collect();
        validators.sort();
        let invited = BoundedVec::truncate_from(validators);
        Invited::<T>::put(&invited);
        Some(invited.into_inner())
    }

    fn new_session(planned: SessionIndex) -> Option<Vec<T::AccountId>> {
        let is_new_era = planned.checked_rem(T::SessionsPerEra::get()) == Some(0);
        let elected = if is_new_era || Self::is_short() {
            Self::elect(planned)
        } else {
            None
        };
        elected.or_else(|| Self::must_renew().then(Validators::<T>::get))
    }

    fn start_session(started: SessionIndex) {
        // Its set has been planned already, and the one after it has not.
        let origin = SessionOrigin {
            elected: LastElection::<T>::get().unwrap_or_else(Zero::zero),
            started: frame_system::Pallet::<T>::block_number(),
        };
        SessionOrigins::<T>::insert(started, origin);
    }

    fn end_session(ended: SessionIndex) {
        let provable = T::EvidenceSessions::get();
        historical::Pallet::<T>::prune_up_to(ended.saturating_sub(provable));
        if let Some(before) = ended.checked_sub(provable.saturating_add(1)) {
            SessionOrigins::<T>::remove(before);
        }
        let per_era = T::SessionsPerEra::get();
        let next = ended.saturating_add(1);
        if next.checked_rem(per_era) == Some(0) {
            Self::end_era(ended.checked_div(per_era).unwrap_or(0));
        }
    }
}

impl<T: Config> historical::SessionManager<T::AccountId, T::FullIdentification> for Pallet<T> {
    fn new_session_genesis(
        planned: SessionIndex,
    ) -> Option<Vec<(T::AccountId, T::FullIdentification)>> {
        <Self as SessionManager<_>>::new_session_genesis(planned).map(identified::<T>)
    }

    fn new_session(planned: SessionIndex) -> Option<Vec<(T::AccountId, T::FullIdentification)>> {
        <Self as SessionManager<_>>::new_session(planned).map(identified::<T>)
    }

    fn start_session(started: SessionIndex) {
        <Self as SessionManager<_>>::start_session(started)
    }

    fn end_session(ended: SessionIndex) {
        <Self as SessionManager<_>>::end_session(ended)
    }
}

/// Each validator with its full identification.
fn identified<T: Config>(
    validators: Vec<T::AccountId>,
) -> Vec<(T::AccountId, T::FullIdentification)> {
    validators
        .into_iter()
        .filter_map(|validator| {
            let identification = T::FullIdentificationOf::convert(validator.clone())?;
            Some((validator, identification))
        })
        .collect()
}

impl<T: Config> pallet_authorship::EventHandler<T::AccountId, BlockNumberFor<T>> for Pallet<T> {
    fn note_author(author: T::AccountId) {
        Authored::<T>::mutate(author, |blocks| *blocks = blocks.saturating_add(1));
    }
}

/// How many validators there are.
pub struct ValidatorCount<T>(PhantomData<T>);

impl<T: Config> Get<u32> for ValidatorCount<T> {
    fn get() -> u32 {
        Validators::<T>::decode_len().unwrap_or(0) as u32
    }
}

/// When a session began. One of which no equivocation can be proved any more counts as begun at genesis.
pub struct Sessions<T>(PhantomData<T>);

impl<T: Config> Convert<SessionIndex, SessionOrigin<BlockNumberFor<T>>> for Sessions<T> {
    fn convert(session: SessionIndex) -> SessionOrigin<BlockNumberFor<T>> {
        SessionOrigins::<T>::get(session).unwrap_or_default()
    }
}
