//! Version 1 to 2: models get a royalty, of nothing.

use crate::*;
use ciro_zkml_air::VerifyingKey;
use codec::{Decode, Encode};
use frame_support::{
    migrations::VersionedMigration, traits::UncheckedOnRuntimeUpgrade, weights::Weight,
};
use sp_runtime::{traits::Get, Permill};

#[cfg(feature = "try-runtime")]
use {alloc::vec::Vec, sp_runtime::TryRuntimeError};

/// Takes the registry from version 1 to 2.
pub type Migrate<T> =
    VersionedMigration<1, 2, AddRoyalty<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// A model as version 1 stored it.
#[derive(Encode, Decode)]
pub(crate) struct OldModelInfo<AccountId, Balance> {
    pub owner: AccountId,
    pub name: ModelName,
    pub price_floor: Balance,
    pub key: VerifyingKey,
    pub deposit: Balance,
    pub open_jobs: u32,
}

/// Gives every model a royalty of nothing.
pub struct AddRoyalty<T>(core::marker::PhantomData<T>);

impl<T: Config> UncheckedOnRuntimeUpgrade for AddRoyalty<T> {
    fn on_runtime_upgrade() -> Weight {
        let mut models = 0u64;
        Models::<T>::translate::<OldModelInfo<T::AccountId, BalanceOf<T>>, _>(|_, old| {
            models = models.saturating_add(1);
            Some(ModelInfo {
                owner: old.owner,
                name: old.name,
                price_floor: old.price_floor,
                royalty: Permill::zero(),
                key: old.key,
                deposit: old.deposit,
                open_jobs: old.open_jobs,
            })
        });
        T::DbWeight::get().reads_writes(models.saturating_add(1), models)
    }

    #[cfg(feature = "try-runtime")]
    fn pre_upgrade() -> Result<Vec<u8>, TryRuntimeError> {
        Ok((Models::<T>::iter_keys().count() as u64).encode())
    }

    #[cfg(feature = "try-runtime")]
    fn post_upgrade(before: Vec<u8>) -> Result<(), TryRuntimeError> {
        let after = Models::<T>::iter_values().count() as u64;
        frame_support::ensure!(after.encode() == before, "models were lost");
        Pallet::<T>::do_try_state()
    }
}
