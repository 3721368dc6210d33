//! Benchmarks of what other pallets call.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use frame_benchmarking::v2::*;
use frame_support::traits::Get;
use sp_runtime::Saturating;

#[benchmarks]
mod benchmarks {
    use super::*;

    /// With a full history and the longest decay.
    #[benchmark]
    fn note() {
        let who: T::AccountId = account("worker", 0, 0);
        for _ in 0..MAX_HISTORY {
            Pallet::<T>::note(&who, ReputationReason::JobCompleted);
        }
        let later = T::DecayPeriod::get().saturating_mul(score::MAX_DECAY_PERIODS.into());
        frame_system::Pallet::<T>::set_block_number(later.saturating_mul(2u32.into()));

        #[block]
        {
            Pallet::<T>::note(&who, ReputationReason::InvalidCompute);
        }

        let history = Histories::<T>::get(&who);
        assert_eq!(history.len() as u32, MAX_HISTORY);
        assert_eq!(history.last().expect("just noted").score, 0);
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ext(), crate::mock::Test);
}
