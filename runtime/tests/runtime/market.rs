//! The market as the runtime sets it up: who may claim first, and where its fees go.

use crate::{
    call, call_as, development,
    slashing::{enrol, open_job, register},
};
use ciro_runtime::{
    configs::{
        market::{ReputationAndTier, HEAD_START},
        parameters::{
            dynamic::market::{FeeBurnShare, Parameters, PlatformFee},
            Ranged, RuntimeParameters,
        },
    },
    constants::UNIT,
    origins::Origin,
    JobMarket, Reputation, Runtime, System,
};
use frame_support::{assert_noop, assert_ok, traits::Get};
use pallet_job_market::{Config, Error, Merit};
use pallet_reputation::{ReputationLedger, ReputationReason};
use sp_keyring::Sr25519Keyring::{self, Bob, Charlie};
use sp_runtime::Permill;

fn merit(who: Sr25519Keyring) -> Permill {
    ReputationAndTier::merit(&who.to_account_id())
}

#[test]
fn reputation_and_tier_make_half_of_an_account_s_merit_each() {
    development().execute_with(|| {
        assert_eq!(merit(Bob), Permill::from_percent(25));
        // A dollar a CIRO: the fourth tier of eight, whose priority is half of the best.
        enrol(Bob, 10_000 * UNIT, true, false);
        assert_eq!(merit(Bob), Permill::from_percent(50));
        enrol(Charlie, 500_000 * UNIT, true, false);
        assert_eq!(merit(Charlie), Permill::from_percent(75));
        <Reputation as ReputationLedger<_>>::note(
            &Charlie.to_account_id(),
            ReputationReason::CoordinatedAttack,
        );
        assert_eq!(merit(Charlie), Permill::from_percent(50));
    });
}

#[test]
fn a_worker_of_more_merit_claims_first() {
    development().execute_with(|| {
        for (who, stake) in [(Bob, 100 * UNIT), (Charlie, 500_000 * UNIT)] {
            register(who);
            enrol(who, stake, true, false);
        }
        let job = open_job();
        let from =
            |who: Sr25519Keyring| JobMarket::eligible_from(job, who.to_account_id()).unwrap();
        let opened = JobMarket::job(job).unwrap().opened;
        assert!(from(Charlie) < from(Bob) && from(Bob) < opened + HEAD_START);
        let claim = || pallet_job_market::Call::<Runtime>::claim_job { job };
        System::set_block_number(from(Charlie));
        let wait = u16::try_from(from(Bob) - from(Charlie)).unwrap();
        assert_noop!(call(Bob, claim()), Error::<Runtime>::TooEarly(wait));
        assert_ok!(call(Charlie, claim()));
    });
}

#[test]
fn the_market_reads_its_shares_in_basis_points() {
    development().execute_with(|| {
        let shares = || {
            (
                <Runtime as Config>::PlatformFee::get(),
                <Runtime as Config>::FeeBurn::get(),
            )
        };
        let percent = |fee, burn| (Permill::from_parts(fee), Permill::from_percent(burn));
        assert_eq!(shares(), percent(25_000, 30));
        for parameter in [
            Parameters::PlatformFee(PlatformFee, Some(Ranged::clamped(1_000))),
            Parameters::FeeBurnShare(FeeBurnShare, Some(Ranged::clamped(8_000))),
        ] {
            let set = pallet_parameters::Call::<Runtime>::set_parameter {
                key_value: RuntimeParameters::Market(parameter),
            };
            assert_ok!(call_as(Origin::GeneralAdmin, set));
        }
        assert_eq!(shares(), percent(100_000, 80));
    });
}
