//! What the calls share, the off-chain worker, what other pallets use, and the invariants.

use crate::*;
use alloc::vec::Vec;
use ciro_primitives::heartbeat_payload;
use frame_support::{
    ensure,
    pallet_prelude::{
        InvalidTransaction, TransactionValidityError, TransactionValidityWithRefund,
        ValidTransaction, Weight,
    },
    traits::{
        fungible::{Inspect, InspectHold},
        Contains, Get,
    },
};
use frame_system::{offchain::SubmitTransaction, pallet_prelude::BlockNumberFor};
use sp_application_crypto::RuntimeAppPublic;
use sp_runtime::{traits::Zero, DispatchError, DispatchResult, Perbill};

const LOG_TARGET: &str = "runtime::worker-registry";

/// Blocks after which the off-chain worker sends a heartbeat again that is not in a block yet.
pub(crate) const RETRY_AFTER: u32 = 5;

/// Most workers that are listed at once.
pub const MAX_LISTED: u32 = 100;

impl<T: Config> Pallet<T> {
    /// How the chain divides time.
    pub fn clock() -> Clock<BlockNumberFor<T>> {
        Clock {
            period: T::HeartbeatPeriod::get(),
            windows_per_day: T::WindowsPerDay::get(),
        }
    }

    pub(crate) fn now() -> BlockNumberFor<T> {
        frame_system::Pallet::<T>::block_number()
    }

    /// What the heartbeat of `who` in `window` must sign on this chain.
    pub fn payload(who: &T::AccountId, window: Window) -> Vec<u8> {
        // The genesis block's hash is the one block hash that is never pruned.
        let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
        heartbeat_payload(&genesis, who, window)
    }

    /// Changes a registered worker; nothing is stored if `change` fails.
    pub(crate) fn try_mutate(
        who: &T::AccountId,
        change: impl FnOnce(&mut WorkerOf<T>) -> DispatchResult,
    ) -> DispatchResult {
        Workers::<T>::try_mutate(who, |worker| {
            change(worker.as_mut().ok_or(Error::<T>::NotRegistered)?)
        })
    }

    /// Makes `key` the heartbeat key of `who`.
    pub(crate) fn take_key(key: &HeartbeatKey, who: &T::AccountId) -> DispatchResult {
        ensure!(!T::BannedKeys::contains(key), Error::<T>::KeyBanned);
        ensure!(!KeyOwner::<T>::contains_key(key), Error::<T>::KeyTaken);
        KeyOwner::<T>::insert(key, who);
        Ok(())
    }

    /// The worker, if its heartbeat for `window` may come in this block.
    pub(crate) fn awaited(who: &T::AccountId, window: Window) -> Result<WorkerOf<T>, Error<T>> {
        let (clock, now) = (Self::clock(), Self::now());
        ensure!(window >= clock.window(now), Error::WindowOver);
        ensure!(window == clock.window(now), Error::WindowNotBegun);
        let worker = Workers::<T>::get(who).ok_or(Error::NotRegistered)?;
        ensure!(worker.presence.is_active(), Error::NotActive);
        ensure!(worker.presence.awaits(now, &clock), Error::AlreadyHeard);
        Ok(worker)
    }

    /// Whether a heartbeat may go into the next block, the signature checked last because it costs most.
    ///
    /// No two heartbeats of an account for one window are ever in the transaction pool together, and none outlives its
    /// window there.
    pub(crate) fn authorize_heartbeat(
        who: &T::AccountId,
        window: Window,
        signature: &HeartbeatSignature,
    ) -> TransactionValidityWithRefund {
        let worker = Self::awaited(who, window).map_err(|error| match error {
            Error::WindowNotBegun => InvalidTransaction::Future,
            Error::WindowOver | Error::AlreadyHeard => InvalidTransaction::Stale,
            _ => InvalidTransaction::BadSigner,
        })?;
        let payload = Self::payload(who, window);
        ensure!(
            worker.heartbeat_key.verify(&payload, signature),
            TransactionValidityError::from(InvalidTransaction::BadProof)
        );

        let validity = ValidTransaction::with_tag_prefix("CiroHeartbeat")
            .priority(T::HeartbeatPriority::get())
            .and_provides((who, window))
            .longevity(Self::clock().left(Self::now()).into())
            .propagate(true)
            .build()?;
        let refund = Weight::default();
        Ok((validity, refund))
    }

    /// Sends the due heartbeats of all registered accounts whose keys this node has: at the beginning of the window,
    /// and again from time to time until they are in a block.
    pub(crate) fn send_heartbeats(now: BlockNumberFor<T>) {
        let clock = Self::clock();
        if !clock.place(now).is_multiple_of(RETRY_AFTER) {
            return;
        }
        let window = clock.window(now);
        for key in HeartbeatKey::all() {
            let Some(who) = KeyOwner::<T>::get(&key) else {
                continue;
            };
            if Self::awaited(&who, window).is_ok() {
                Self::send_heartbeat(&key, who, window);
            }
        }
    }

    fn send_heartbeat(key: &HeartbeatKey, who: T::AccountId, window: Window) {
        let Some(signature) = key.sign(&Self::payload(&who, window)) else {
            log::error!(target: LOG_TARGET, "the heartbeat of {who:?} cannot be signed");
            return;
        };
        let call = Call::heartbeat {
            who: who.clone(),
            window,
            signature,
        };
        let transaction = T::create_authorized_transaction(call.into());
        match SubmitTransaction::<T, Call<T>>::submit_transaction(transaction) {
            Ok(()) => log::debug!(target: LOG_TARGET, "sent heartbeat {window} of {who:?}"),
            // The one sent before may well be in the pool still.
            Err(()) => log::debug!(target: LOG_TARGET, "heartbeat {window} of {who:?} not taken"),
        }
    }

    pub(crate) fn listed(
        region: Region,
        from: Option<T::AccountId>,
        limit: u32,
    ) -> Vec<(T::AccountId, Capabilities)> {
        let workers = match from {
            Some(last) => Workers::<T>::iter_from(Workers::<T>::hashed_key_for(last)),
            None => Workers::<T>::iter(),
        };
        workers
            .filter(|(_, worker)| worker.presence.is_active())
            .map(|(who, worker)| (who, worker.capabilities))
            .filter(|(_, capabilities)| capabilities.region == region)
            .take(limit.min(MAX_LISTED) as usize)
            .collect()
    }

    /// Checks that the constants make sense.
    pub(crate) fn check_constants() {
        assert!(
            T::RegistrationDeposit::get() >= T::Token::minimum_balance(),
            "a deposit below the existential deposit could not be released to every account"
        );
        assert!(
            T::HeartbeatPeriod::get() > RETRY_AFTER.into(),
            "windows must be long enough to send a heartbeat twice"
        );
        assert!(
            !T::WindowsPerDay::get().is_zero(),
            "a day must have windows"
        );
    }

    /// Checks what must always be true: workers and heartbeat keys belong to each other one to one, no worker is too
    /// many, exactly the deposits are on hold, and no heartbeat was counted that was not due.
    ///
    /// # Errors
    /// Says which of these is broken.
    pub fn do_try_state() -> Result<(), DispatchError> {
        let (clock, now) = (Self::clock(), Self::now());
        for (who, worker) in Workers::<T>::iter() {
            ensure!(
                KeyOwner::<T>::get(&worker.heartbeat_key).as_ref() == Some(&who),
                "a worker does not own its key"
            );
            ensure!(
                T::Token::balance_on_hold(&HoldReason::Registration.into(), &who) == worker.deposit,
                "a worker's deposit is not what is on hold"
            );
            let presence = &worker.presence;
            ensure!(
                presence.registered <= presence.heard && presence.heard <= now,
                "a worker was heard before it registered or in the future"
            );
            let (received, due) = presence.counts(now, &clock);
            ensure!(received <= due, "more heartbeats came than were due");
        }
        let workers = Workers::<T>::iter_keys().count();
        ensure!(
            workers == KeyOwner::<T>::iter_keys().count(),
            "a key belongs to no worker"
        );
        ensure!(
            workers == Workers::<T>::count() as usize,
            "workers are counted wrongly"
        );
        ensure!(
            Workers::<T>::count() <= T::MaxWorkers::get(),
            "there are too many workers"
        );
        Ok(())
    }
}

impl<T: Config> WorkerDirectory<T::AccountId, BlockNumberFor<T>> for Pallet<T> {
    fn is_active(who: &T::AccountId) -> bool {
        Workers::<T>::get(who).is_some_and(|worker| worker.presence.is_active())
    }

    fn meets(who: &T::AccountId, requirements: &Requirements) -> bool {
        Workers::<T>::get(who).is_some_and(|worker| {
            worker.presence.is_active() && worker.capabilities.meet(requirements)
        })
    }

    fn uptime(who: &T::AccountId) -> Perbill {
        Workers::<T>::get(who).map_or_else(Perbill::zero, |worker| {
            worker.presence.uptime(Self::now(), &Self::clock())
        })
    }

    fn outage(who: &T::AccountId) -> Option<Outage<BlockNumberFor<T>>> {
        Workers::<T>::get(who)?
            .presence
            .outage(Self::now(), &Self::clock())
    }
}
