use crate::{formulas::emission_rate, mock::*, Authored, Event, YearBase};
use pallet_session::SessionManager;

/// The validators' part of a year's emission, counted from 0, of what is issued at its start.
fn minted_in(year: u32, base: Balance) -> Balance {
    ValidatorShare::get() * (emission_rate(year) * base)
}

/// Ends an era in this block.
fn end_era() {
    <ValidatorSet as SessionManager<_>>::end_session(ERA - 1);
}

#[test]
fn an_eras_emission_is_divided_by_the_blocks_authored() {
    test(|| {
        for who in [11, 12] {
            stake(who, operator(MIN_STAKE));
        }
        at(DAY);
        author(11, 30);
        author(12, 10);
        end_era();
        let emission = INITIAL * 8 / 100 / 365;
        let pot = ValidatorShare::get() * emission;
        assert_eq!(Balances::free_balance(11), pot * 3 / 4);
        assert_eq!(Balances::free_balance(12), pot / 4);
        let rewarded = pot * 3 / 4 + pot / 4;
        assert_eq!(Balances::total_issuance(), INITIAL + rewarded);
        System::assert_last_event(
            Event::EraRewarded {
                era: 0,
                emission,
                rewarded,
            }
            .into(),
        );
        assert_eq!(Authored::<Test>::iter().count(), 0);
    });
}

#[test]
fn who_has_no_stake_earns_nothing_and_nothing_is_minted_for_it() {
    test(|| {
        stake(11, operator(MIN_STAKE));
        at(DAY);
        author(11, 1);
        author(1, 1);
        end_era();
        let pot = ValidatorShare::get() * (INITIAL * 8 / 100 / 365);
        assert_eq!(Balances::total_issuance(), INITIAL + pot / 2);
    });
}

#[test]
fn an_era_without_blocks_emits_nothing() {
    test(|| {
        stake(11, operator(MIN_STAKE));
        at(DAY);
        end_era();
        assert_eq!(Balances::total_issuance(), INITIAL);
    });
}

#[test]
fn rewards_are_paid_when_an_eras_last_session_ends_and_only_then() {
    test(|| {
        stake(11, operator(MIN_STAKE));
        author(11, 1);
        for _ in 0..ERA - 1 {
            session();
        }
        assert_eq!(Balances::free_balance(11), 0);
        session();
        assert!(Balances::free_balance(11) > 0);
    });
}

#[test]
fn over_ten_years_each_emits_its_rate_of_what_was_issued_at_its_start() {
    test(|| {
        stake(11, operator(MIN_STAKE));
        let mut base = INITIAL;
        for year in 0..10 {
            for day in 1..=365 {
                at(u64::from(year) * YEAR + day * DAY);
                author(11, 1);
                end_era();
            }
            check();
            let issued = Balances::total_issuance();
            let expected = base + minted_in(year, base);
            // Each day rounds down twice.
            assert!(issued <= expected && expected - issued <= 730, "{year}");
            assert_eq!(YearBase::<Test>::get(), Some((year, base)));
            base = issued;
        }
        assert!(base < CAP);
    });
}

#[test]
fn the_cap_is_never_exceeded() {
    test(|| {
        stake(11, operator(MIN_STAKE));
        let nearly = CAP - INITIAL - 1_000;
        frame_support::assert_ok!(Balances::force_set_balance(
            RuntimeOrigin::root(),
            1_001,
            nearly
        ));
        for day in 1..50 {
            at(day * DAY);
            author(11, 1);
            end_era();
            assert!(Balances::total_issuance() <= CAP);
        }
        // All but what is too little to be shared.
        assert!(CAP - Balances::total_issuance() <= 2);
    });
}

#[test]
fn what_is_on_other_chains_counts_and_makes_no_room() {
    test(|| {
        stake(11, operator(MIN_STAKE));
        Outside::set(CAP - INITIAL - 1_000);
        at(DAY);
        author(11, 1);
        end_era();
        let pot = ValidatorShare::get() * 1_000;
        assert_eq!(Balances::total_issuance(), INITIAL + pot);
        assert_eq!(YearBase::<Test>::get(), Some((0, CAP - 1_000)));
    });
}

#[test]
fn the_view_shows_what_the_era_has_emitted_so_far() {
    test(|| {
        at(DAY / 2);
        assert_eq!(ValidatorSet::emission(), INITIAL * 8 / 100 / 730);
        at(DAY);
        end_era();
        assert_eq!(ValidatorSet::emission(), 0);
    });
}
