//! Helpers of the calls, what other pallets use, and the invariants.

use crate::*;
use alloc::collections::BTreeMap;
use ciro_primitives::ModelId;
use ciro_zkml_air::VerifyingKey;
use codec::Encode;
use frame_support::{
    ensure,
    pallet_prelude::DispatchResult,
    traits::{fungible::InspectHold, Get},
};
use sp_runtime::{
    traits::{Saturating, Zero},
    ArithmeticError, DispatchError,
};

impl<T: Config> Pallet<T> {
    /// What an entry with this key and name costs its owner, in plancks.
    pub fn deposit_for(key: &VerifyingKey, name: &ModelName) -> BalanceOf<T> {
        let bytes = key.encoded_size().saturating_add(name.len());
        let bytes = BalanceOf::<T>::from(u32::try_from(bytes).unwrap_or(u32::MAX));
        T::DepositPerByte::get()
            .saturating_mul(bytes)
            .saturating_add(T::DepositBase::get())
    }

    /// Changes a model on behalf of its owner; nothing is stored if `change` fails.
    pub(crate) fn try_mutate_owned(
        model: ModelId,
        who: &T::AccountId,
        change: impl FnOnce(&mut ModelInfoOf<T>) -> DispatchResult,
    ) -> DispatchResult {
        Models::<T>::try_mutate(model, |info| {
            let info = info.as_mut().ok_or(Error::<T>::UnknownModel)?;
            ensure!(&info.owner == who, Error::<T>::NotOwner);
            change(info)
        })
    }

    /// Checks what must always be true: every entry is filed under its key's identity with a valid key and royalty,
    /// and each owner has exactly the sum of the deposits on hold.
    ///
    /// # Errors
    /// Says which of these is broken.
    pub fn do_try_state() -> Result<(), DispatchError> {
        let mut deposits = BTreeMap::<T::AccountId, BalanceOf<T>>::new();
        for (id, info) in Models::<T>::iter() {
            ensure!(
                id.0 == info.key.id(),
                "a model is filed under another key's identity"
            );
            ensure!(info.key.validate().is_ok(), "a model's key is invalid");
            ensure!(info.royalty <= MAX_ROYALTY, "a model's royalty is too high");
            let sum = deposits.entry(info.owner).or_insert_with(Zero::zero);
            *sum = sum.saturating_add(info.deposit);
        }
        for (owner, deposit) in deposits {
            ensure!(
                T::Token::balance_on_hold(&HoldReason::ModelDeposit.into(), &owner) == deposit,
                "an owner's deposits are not what is on hold"
            );
        }
        Ok(())
    }
}

impl<T: Config> ModelDirectory<T::AccountId, BalanceOf<T>> for Pallet<T> {
    fn model(id: &ModelId) -> Option<ModelInfoOf<T>> {
        Models::<T>::get(id)
    }

    fn job_opened(id: &ModelId) -> DispatchResult {
        Models::<T>::try_mutate(id, |info| {
            let info = info.as_mut().ok_or(Error::<T>::UnknownModel)?;
            info.open_jobs = info
                .open_jobs
                .checked_add(1)
                .ok_or(ArithmeticError::Overflow)?;
            Ok(())
        })
    }

    fn job_closed(id: &ModelId) {
        Models::<T>::mutate_extant(id, |info| {
            info.open_jobs = info.open_jobs.saturating_sub(1);
        });
    }
}
