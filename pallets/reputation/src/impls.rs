//! What other pallets use, and the invariants.

use crate::{score, *};
use frame_support::{ensure, traits::Get};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
    traits::{CheckedDiv, Saturating},
    DispatchError, SaturatedConversion,
};

impl<T: Config> Pallet<T> {
    /// The account's score in the current block.
    pub(crate) fn score_of(who: &T::AccountId) -> Score {
        Reputations::<T>::get(who).map_or(INITIAL_SCORE, |stored| {
            let quiet = Self::now().saturating_sub(stored.updated);
            let periods = quiet.checked_div(&T::DecayPeriod::get());
            score::decayed(
                stored.score,
                periods.map_or(0, |count| count.saturated_into()),
            )
        })
    }

    fn now() -> BlockNumberFor<T> {
        frame_system::Pallet::<T>::block_number()
    }

    /// Checks what must always be true: no score is too high or from the future, and exactly the accounts with a score
    /// have a history, which ends with it.
    ///
    /// # Errors
    /// Says which of these is broken.
    pub fn do_try_state() -> Result<(), DispatchError> {
        for (who, Reputation { score, updated }) in Reputations::<T>::iter() {
            ensure!(score <= MAX_SCORE, "a score is too high");
            ensure!(updated <= Self::now(), "a score is from the future");
            ensure!(
                Histories::<T>::get(who)
                    .last()
                    .is_some_and(|last| (last.score, last.at) == (score, updated)),
                "a history does not end with the score"
            );
        }
        ensure!(
            Histories::<T>::iter_keys().all(Reputations::<T>::contains_key),
            "a history without a score"
        );
        Ok(())
    }
}

impl<T: Config> ReputationLedger<T::AccountId> for Pallet<T> {
    fn score(who: &T::AccountId) -> Score {
        Self::score_of(who)
    }

    fn note(who: &T::AccountId, reason: ReputationReason) {
        let Some(score) = score::after(Self::score_of(who), reason) else {
            return;
        };
        let at = Self::now();
        Reputations::<T>::insert(who, Reputation { score, updated: at });
        Histories::<T>::mutate(who, |history| {
            // At the end there is always room: the oldest entry leaves when there is none.
            let _ =
                history.force_insert_keep_right(history.len(), HistoryEntry { reason, at, score });
        });
        Self::deposit_event(Event::ReputationUpdated {
            who: who.clone(),
            score,
            reason,
        });
    }
}
