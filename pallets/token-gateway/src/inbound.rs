//! How tokens come back.

use crate::*;
use ciro_bridge_primitives::{LaneId, Message, Payload};
use frame_support::{
    ensure, pallet_prelude::DispatchResult, storage::with_storage_layer, traits::fungible::Mutate,
    weights::Weight,
};
use pallet_attesters::ReceiveMessage;
use sp_runtime::{traits::Saturating, DispatchError};

impl<T: Config> ReceiveMessage for Pallet<T> {
    fn accepts(lane: &LaneId, payload: &Payload) -> bool {
        Remotes::<T>::contains_key(lane) && Self::read(payload).is_some()
    }

    fn receive(message: &Message) {
        let Message {
            lane,
            nonce,
            payload,
        } = *message;
        let Some((beneficiary, amount)) = Self::read(&payload).filter(|(_, amount)| *amount > 0)
        else {
            return;
        };
        let now = frame_system::Pallet::<T>::block_number();
        let limits = Remotes::<T>::get(lane).map(|remote| remote.limits);
        let delay = limits.filter(|limits| amount > limits.delay_above);
        let due = delay.map_or(now, |limits| now.saturating_add(limits.delay));
        let mut arrival = Arrival {
            amount,
            beneficiary,
            covered: false,
            due,
            suspended: false,
        };
        // Unless it is covered there is nothing yet that could be paid out, which settling finds, too.
        let _uncovered = Self::cover(lane, &mut arrival);
        let settled = with_storage_layer(|| Self::settle(lane, nonce, arrival.clone()));
        let rest = match settled {
            Ok(()) => {
                Arrivals::<T>::get(lane, nonce).map(|rest| (rest, Error::<T>::WindowFull.into()))
            }
            Err(reason) => {
                Arrivals::<T>::insert(lane, nonce, &arrival);
                Some((arrival, reason))
            }
        };
        if let Some((rest, reason)) = rest {
            Self::deposit_event(Event::TransferParked {
                lane,
                nonce,
                amount: rest.amount,
                covered: rest.covered,
                reason,
            });
        }
    }

    fn weight() -> Weight {
        T::WeightInfo::receive().max(T::WeightInfo::refund())
    }
}

impl<T: Config> Pallet<T> {
    /// For whom a message brings how much.
    fn read(payload: &Payload) -> Option<(Beneficiary<T::AccountId>, Balance)> {
        match *payload {
            Payload::Burn {
                destination: LaneId::CIRO,
                recipient,
                amount,
                ..
            } => Some((Beneficiary::Account(recipient.into()), amount)),
            Payload::Burn {
                destination,
                recipient,
                amount,
                refund,
            } => {
                let beneficiary = Beneficiary::Remote {
                    lane: destination,
                    recipient,
                    refund: refund.into(),
                };
                Some((beneficiary, amount))
            }
            Payload::Return { amount, refund, .. } => {
                Some((Beneficiary::Account(refund.into()), amount))
            }
            _ => None,
        }
    }

    /// Takes what has arrived off what is outside, if as much is.
    fn cover(lane: LaneId, arrival: &mut ArrivalOf<T>) -> DispatchResult {
        if arrival.covered {
            return Ok(());
        }
        let amount = arrival.amount;
        Self::change(lane, |remote| {
            let rest = remote.outside.checked_sub(amount);
            remote.outside = rest.ok_or(Error::<T>::NotCovered)?;
            Ok::<_, DispatchError>(())
        })??;
        TotalOutside::<T>::mutate(|total| *total = total.saturating_sub(amount));
        Waiting::<T>::mutate(|waiting| *waiting = waiting.saturating_add(amount));
        arrival.covered = true;
        Ok(())
    }

    /// Pays out what has arrived, or what the window has room for. What is left is stored.
    pub(crate) fn settle(lane: LaneId, nonce: u64, mut arrival: ArrivalOf<T>) -> DispatchResult {
        ensure!(!Halted::<T>::get(), Error::<T>::Halted);
        ensure!(!arrival.suspended, Error::<T>::Suspended);
        let paused = Self::change(lane, |remote| remote.inbound_paused)?;
        ensure!(!paused, Error::<T>::Paused);
        Self::cover(lane, &mut arrival)?;
        let now = frame_system::Pallet::<T>::block_number();
        ensure!(now >= arrival.due, Error::<T>::NotDue);
        let amount = Self::change(lane, |remote| Self::note_coming(remote, arrival.amount))??;
        Waiting::<T>::mutate(|waiting| *waiting = waiting.saturating_sub(amount));
        arrival.amount = arrival.amount.saturating_sub(amount);
        Self::pay_out(lane, nonce, &arrival.beneficiary, amount)?;
        Arrivals::<T>::set(lane, nonce, Some(arrival).filter(|rest| rest.amount > 0));
        Ok(())
    }

    /// How much of the amount may come now.
    fn note_coming(remote: &mut RemoteOf<T>, amount: Balance) -> Result<Balance, DispatchError> {
        let window = Self::window();
        let room = remote.received.room(window, remote.limits.in_per_window);
        let amount = amount.min(room);
        ensure!(amount > 0, Error::<T>::WindowFull);
        remote.received.add(window, amount);
        Ok(amount)
    }

    fn pay_out(
        lane: LaneId,
        nonce: u64,
        beneficiary: &Beneficiary<T::AccountId>,
        amount: Balance,
    ) -> DispatchResult {
        let to = match beneficiary {
            Beneficiary::Account(who) => who,
            Beneficiary::Remote {
                lane,
                recipient,
                refund,
            } => {
                let send =
                    || Self::send(*lane, *recipient, amount, FORWARD_LIFETIME, refund.clone());
                if with_storage_layer(send).is_ok() {
                    return Ok(());
                }
                refund
            }
        };
        T::Token::mint_into(to, amount)?;
        Self::deposit_event(Event::TokensReceived {
            lane,
            nonce,
            to: to.clone(),
            amount,
        });
        Ok(())
    }

    pub(crate) fn set_suspended(lane: LaneId, nonce: u64, suspended: bool) -> DispatchResult {
        Arrivals::<T>::try_mutate(lane, nonce, |arrival| {
            let arrival = arrival.as_mut().ok_or(Error::<T>::NothingWaits)?;
            let refusal = if suspended {
                Error::<T>::Suspended
            } else {
                Error::<T>::NotSuspended
            };
            ensure!(arrival.suspended != suspended, refusal);
            arrival.suspended = suspended;
            Ok(())
        })
    }

    pub(crate) fn drop_suspended(lane: LaneId, nonce: u64) -> DispatchResult {
        let arrival = Arrivals::<T>::take(lane, nonce).ok_or(Error::<T>::NothingWaits)?;
        ensure!(arrival.suspended, Error::<T>::NotSuspended);
        let amount = arrival.amount;
        if arrival.covered {
            Self::change(lane, |remote| {
                remote.outside = remote.outside.saturating_add(amount);
            })?;
            TotalOutside::<T>::mutate(|total| *total = total.saturating_add(amount));
            Waiting::<T>::mutate(|waiting| *waiting = waiting.saturating_sub(amount));
        }
        Self::deposit_event(Event::TransferRejected {
            lane,
            nonce,
            amount,
        });
        Ok(())
    }
}
