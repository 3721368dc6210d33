use crate::{mock::*, Cases, Error, OffenceKind};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use pallet_reputation::ReputationReason;

fn silent_since(name: u8, since: u64) {
    Silent::mutate(|silent| silent.insert(account(name), since));
}

#[test]
fn six_hours_of_silence_can_be_reported_and_less_cannot() {
    test(|| {
        assert_noop!(
            Slashing::report_downtime(signed(), account(1)),
            Error::<Test>::NotDown
        );
        silent_since(1, 100);
        at(100 + SIX_HOURS - 1);
        assert_noop!(
            Slashing::report_downtime(signed(), account(1)),
            Error::<Test>::NotDown
        );
        at(100 + SIX_HOURS);
        let report = Slashing::report_downtime(signed(), account(1)).unwrap();
        assert_eq!(report.pays_fee, Pays::No);
        let case = record(0);
        assert_eq!((case.kind, case.at), (OffenceKind::Downtime, 100));
        assert_eq!(case.reporter, Some(anyone()));
    });
}

#[test]
fn an_outage_is_reported_once_and_the_next_one_again() {
    test(|| {
        silent_since(1, 100);
        at(100 + SIX_HOURS);
        assert_ok!(Slashing::report_downtime(signed(), account(1)));
        at(100 + 2 * SIX_HOURS);
        assert_noop!(
            Slashing::report_downtime(signed(), account(1)),
            Error::<Test>::AlreadyReported
        );
        silent_since(1, 101);
        assert_ok!(Slashing::report_downtime(signed(), account(1)));
        assert_eq!(Cases::<Test>::iter().count(), 2);
    });
}

#[test]
fn the_reporter_gets_a_tenth_of_what_is_taken() {
    test(|| {
        silent_since(1, 100);
        at(100 + SIX_HOURS);
        assert_ok!(Slashing::report_downtime(signed(), account(1)));
        assert_eq!(Balances::free_balance(anyone()), 0);
        at(100 + SIX_HOURS + DAY);
        idle_freely();
        let taken = STAKE / 20;
        assert_eq!(stake(1), STAKE - taken);
        assert_eq!(Balances::free_balance(anyone()), taken / 10);
        assert_eq!(Balances::free_balance(treasury()), taken - taken / 10);
        assert_eq!(Noted::get(), [(account(1), ReputationReason::Downtime)]);
    });
}
