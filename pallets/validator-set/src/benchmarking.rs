//! Benchmarks of the calls.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{pallet_prelude::*, traits::EnsureOrigin};
use pallet_session::NextKeys;
use sp_runtime::traits::TrailingZeroInput;

#[benchmarks]
mod benchmarks {
    use super::*;

    /// An operator with session keys.
    fn with_keys<T: Config>(index: u32) -> T::AccountId {
        let who: T::AccountId = account("validator", index, 0);
        let keys = T::Keys::decode(&mut TrailingZeroInput::new(&index.to_le_bytes()))
            .expect("any bytes are keys");
        NextKeys::<T>::insert(&who, keys);
        who
    }

    fn origin<T: Config>() -> Result<T::RuntimeOrigin, BenchmarkError> {
        LastElection::<T>::kill();
        T::InviteOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)
    }

    fn invited<T: Config>(count: u32) -> Vec<T::AccountId> {
        let mut invited: Vec<_> = (0..count).map(with_keys::<T>).collect();
        invited.sort();
        Invited::<T>::put(BoundedVec::truncate_from(invited.clone()));
        invited
    }

    #[benchmark]
    fn invite() -> Result<(), BenchmarkError> {
        let origin = origin::<T>()?;
        let most = T::MaxValidators::get();
        invited::<T>(most.saturating_sub(1));
        let who = with_keys::<T>(most);

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, who.clone());

        assert!(Invited::<T>::get().contains(&who));
        Ok(())
    }

    /// Only the last of the others still has keys, so that all are asked.
    #[benchmark]
    fn uninvite() -> Result<(), BenchmarkError> {
        let origin = origin::<T>()?;
        let invited = invited::<T>(T::MaxValidators::get());
        let (last, others) = invited.split_last().expect("there are some");
        for other in others {
            NextKeys::<T>::remove(other);
        }
        let who = others.first().expect("there are some").clone();

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, who.clone());

        assert!(!Invited::<T>::get().contains(&who) && Invited::<T>::get().contains(last));
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ext(), crate::mock::Test);
}
