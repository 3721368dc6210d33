//! All CIRO that there is, and what must always be true.

use crate::*;
use core::marker::PhantomData;
use frame_support::{
    ensure,
    traits::{fungible::Inspect, Get},
};
use sp_runtime::{traits::Zero, DispatchError};

/// All CIRO that there is, on whichever chain, in plancks: what is issued on Ciro, what is outside, and what waits in
/// between. Sending tokens away does not change it, and so makes no room for others to be issued.
pub struct CanonicalSupply<T>(PhantomData<T>);

impl<T: Config> Get<Balance> for CanonicalSupply<T> {
    fn get() -> Balance {
        T::Token::total_issuance().saturating_add(Pallet::<T>::elsewhere())
    }
}

impl<T: Config> Pallet<T> {
    /// What is outside and what waits, in plancks: all CIRO that is not issued on Ciro.
    pub fn elsewhere() -> Balance {
        TotalOutside::<T>::get().saturating_add(Waiting::<T>::get())
    }

    /// Checks that the constants fit together.
    pub(crate) fn check_constants() {
        assert!(!T::Window::get().is_zero());
    }

    /// Checks what must always be true: what is outside, and what of all that waits is covered, is summed up rightly;
    /// whatever waits is of a remote and not nothing; and all limits are consistent.
    ///
    /// # Errors
    /// Says which of these is broken.
    pub fn do_try_state() -> Result<(), DispatchError> {
        let mut outside = Balance::zero();
        for (_, remote) in Remotes::<T>::iter() {
            ensure!(remote.limits.are_consistent(), "limits are inconsistent");
            outside = outside.saturating_add(remote.outside);
        }
        ensure!(
            TotalOutside::<T>::get() == outside,
            "what is outside is summed up wrongly"
        );
        let mut waiting = Balance::zero();
        for (lane, _, arrival) in Arrivals::<T>::iter() {
            ensure!(Remotes::<T>::contains_key(lane), "an arrival has no remote");
            ensure!(!arrival.amount.is_zero(), "nothing waits under a nonce");
            if arrival.covered {
                waiting = waiting.saturating_add(arrival.amount);
            }
        }
        ensure!(
            Waiting::<T>::get() == waiting,
            "what waits is summed up wrongly"
        );
        Ok(())
    }
}
