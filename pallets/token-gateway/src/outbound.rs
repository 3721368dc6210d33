//! How tokens leave.

use crate::*;
use ciro_bridge_primitives::{LaneId, Payload, Word};
use frame_support::{
    ensure,
    pallet_prelude::DispatchResult,
    traits::{
        fungible::Mutate,
        tokens::{Fortitude, Precision, Preservation},
        Get, UnixTime,
    },
};
use pallet_outbound_queue::Outbox;
use sp_runtime::{
    traits::{CheckedDiv, Convert, UniqueSaturatedInto, Zero},
    DispatchError,
};

impl<T: Config> Pallet<T> {
    /// The present window, counted from genesis.
    pub(crate) fn window() -> u32 {
        let now = frame_system::Pallet::<T>::block_number();
        now.checked_div(&T::Window::get())
            .unwrap_or_else(Zero::zero)
            .unique_saturated_into()
    }

    pub(crate) fn change<R>(
        lane: LaneId,
        change: impl FnOnce(&mut RemoteOf<T>) -> R,
    ) -> Result<R, DispatchError> {
        Remotes::<T>::try_mutate(lane, |remote| {
            let remote = remote.as_mut().ok_or(Error::<T>::UnknownRemote)?;
            Ok(change(remote))
        })
    }

    pub(crate) fn burn(who: &T::AccountId, amount: Balance) -> DispatchResult {
        T::Token::burn_from(
            who,
            amount,
            Preservation::Preserve,
            Precision::Exact,
            Fortitude::Polite,
        )?;
        Ok(())
    }

    /// Has `amount`, which is not on Ciro any more, minted where the lane leads to, within `lifetime` seconds. What is
    /// not minted comes back to `from`.
    pub(crate) fn send(
        lane: LaneId,
        recipient: Word,
        amount: Balance,
        lifetime: u64,
        from: T::AccountId,
    ) -> DispatchResult {
        ensure!(!Halted::<T>::get(), Error::<T>::Halted);
        Self::change(lane, |remote| Self::note_leaving(remote, amount))??;
        TotalOutside::<T>::mutate(|total| *total = total.saturating_add(amount));
        let destination = T::Lanes::convert(lane).ok_or(Error::<T>::UnknownLane)?;
        ensure!(
            destination.kind.is_address(&recipient),
            Error::<T>::InvalidRecipient
        );
        let expiry = T::Clock::now().as_secs().saturating_add(lifetime);
        let mint = Payload::Mint {
            recipient,
            amount,
            expiry,
            refund: from.clone().into(),
        };
        let nonce = T::Outbox::send(lane, mint)?;
        Self::deposit_event(Event::TokensBridged {
            lane,
            nonce,
            from,
            recipient,
            amount,
            expiry,
        });
        Ok(())
    }

    fn note_leaving(remote: &mut RemoteOf<T>, amount: Balance) -> DispatchResult {
        let (limits, window) = (&remote.limits, Self::window());
        ensure!(!remote.outbound_paused, Error::<T>::Paused);
        ensure!(amount >= limits.smallest, Error::<T>::TooLittle);
        ensure!(amount <= limits.largest, Error::<T>::TooMuch);
        let room = remote.sent.room(window, limits.out_per_window);
        ensure!(amount <= room, Error::<T>::WindowFull);
        let outside = remote.outside.saturating_add(amount);
        ensure!(outside <= limits.most_outside, Error::<T>::TooMuchOutside);
        remote.sent.add(window, amount);
        remote.outside = outside;
        Ok(())
    }
}
