//! Benchmarks of the calls, and of what other pallets and the chain have this one do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects
)]

use super::*;
use crate::{
    coordination::{remember, Sighting, MAX_SIGHTINGS},
    history::MAX_LISTED,
};
use frame_benchmarking::v2::*;
use frame_support::{pallet_prelude::*, traits::EnsureOrigin};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_runtime::traits::{One, Saturating, Zero};

#[benchmarks]
mod benchmarks {
    use super::*;

    fn caller<T: Config>() -> RawOrigin<T::AccountId> {
        RawOrigin::Signed(whitelisted_caller())
    }

    /// An operator with as many cases as a history lists; the last of them.
    fn accused<T: Config>(kind: OffenceKind) -> (T::AccountId, CaseId) {
        let offender: T::AccountId = account("offender", 0, 0);
        for at in 1..MAX_LISTED {
            Pallet::<T>::open(
                &offender,
                OffenceKind::InvalidCompute,
                at.into(),
                at.into(),
                None,
            );
        }
        let case = NextCaseId::<T>::get();
        Pallet::<T>::open(
            &offender,
            kind,
            Zero::zero(),
            Zero::zero(),
            Some(whitelisted_caller()),
        );
        (offender, case)
    }

    fn pass<T: Config>(blocks: BlockNumberFor<T>) {
        let now = frame_system::Pallet::<T>::block_number();
        frame_system::Pallet::<T>::set_block_number(
            now.saturating_add(blocks).saturating_add(One::one()),
        );
    }

    /// Fills the memory of double signings: of 64 offenders, each at a time of its own.
    fn remembered<T: Config>() {
        DoubleSignings::<T>::mutate(|sightings| {
            for at in 0..MAX_SIGHTINGS {
                let sighting = Sighting {
                    offender: account("signer", at % 64, 0),
                    at: at.into(),
                    case: CaseId::MAX,
                };
                remember(sightings, sighting);
            }
        });
    }

    #[benchmark]
    fn open_case() {
        let (offender, _) = accused::<T>(OffenceKind::Downtime);
        let case = NextCaseId::<T>::get();

        #[block]
        {
            Pallet::<T>::open(
                &offender,
                OffenceKind::InvalidCompute,
                Zero::zero(),
                Zero::zero(),
                None,
            );
        }

        assert!(Cases::<T>::contains_key(case));
    }

    #[benchmark]
    fn coordinate() {
        remembered::<T>();
        let offender = account("offender", 0, 0);

        #[block]
        {
            Pallet::<T>::coordinate(&offender, MAX_SIGHTINGS.into(), 0);
        }

        assert!(DoubleSignings::<T>::get().is_full());
    }

    #[benchmark]
    fn escalate_case() {
        let (_, case) = accused::<T>(OffenceKind::DoubleSigning);

        #[block]
        {
            Pallet::<T>::escalate(case);
        }

        assert_eq!(
            Cases::<T>::get(case).unwrap().kind,
            OffenceKind::CoordinatedAttack
        );
    }

    #[benchmark]
    fn report_downtime() {
        let (operator, case) = accused::<T>(OffenceKind::InvalidCompute);
        T::BenchmarkHelper::silence(&operator);

        #[extrinsic_call]
        _(caller::<T>(), operator);

        assert!(Cases::<T>::contains_key(case + 1));
    }

    /// The offender has no stake: what the ledger needs is [`Config::SlashWeight`].
    #[benchmark]
    fn execute_case() {
        let (offender, case) = accused::<T>(OffenceKind::CoordinatedAttack);
        pass::<T>(T::DeferralPeriod::get());

        #[extrinsic_call]
        _(caller::<T>(), case);

        assert!(Banned::<T>::contains_key(offender));
    }

    #[benchmark]
    fn look_at_queue() {
        let (_, case) = accused::<T>(OffenceKind::InvalidCompute);
        let place = Cases::<T>::get(case).unwrap().place;
        let due;

        #[block]
        {
            due = Queue::<T>::get(place).and_then(Cases::<T>::get);
        }

        assert!(due.is_some());
    }

    #[benchmark]
    fn cancel_case() -> Result<(), BenchmarkError> {
        remembered::<T>();
        let (_, case) = accused::<T>(OffenceKind::CoordinatedAttack);
        let origin =
            T::CancelOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, case);

        assert_eq!(Cases::<T>::get(case).unwrap().status, CaseStatus::Cancelled);
        Ok(())
    }

    #[benchmark]
    fn prune_case() {
        remembered::<T>();
        let (_, case) = accused::<T>(OffenceKind::DoubleSigning);
        pass::<T>(T::DeferralPeriod::get());
        Pallet::<T>::execute(case).expect("the case is due");
        pass::<T>(Pallet::<T>::retention());

        #[extrinsic_call]
        _(caller::<T>(), case);

        assert!(!Cases::<T>::contains_key(case));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ext(), crate::mock::Test);
}
