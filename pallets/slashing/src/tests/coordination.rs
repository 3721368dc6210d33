use crate::{
    coordination::{attack, remember, threshold, Sighting, Sightings, MAX_SIGHTINGS},
    mock::*,
    BannedAccounts, BannedKeyHashes, CaseStatus, Event,
    OffenceKind::*,
    Standing,
};
use frame_support::{assert_noop, assert_ok, traits::Contains};
use proptest::prelude::*;
use sp_runtime::Perbill;
use std::collections::BTreeSet;

#[test]
fn an_attack_takes_one_more_than_the_protocols_bear_and_at_least_two() {
    for (validators, needed) in [
        (0, 2),
        (1, 2),
        (3, 2),
        (4, 2),
        (6, 2),
        (7, 3),
        (10, 4),
        (64, 22),
    ] {
        assert_eq!(threshold(validators), needed, "{validators}");
    }
}

#[test]
fn as_many_double_signers_as_the_protocols_bear_are_no_attack() {
    test(|| {
        ValidatorCount::set(7);
        let cases = [open(1, DoubleSigning, 1), open(2, DoubleSigning, 1)];
        assert!(cases.iter().all(|case| record(*case).kind == DoubleSigning));
        let third = open(3, DoubleSigning, 1);
        for case in [cases[0], cases[1], third] {
            assert_eq!(record(case).kind, CoordinatedAttack);
            assert_eq!(record(case).fraction, Perbill::one());
        }
    });
}

#[test]
fn one_validator_alone_attacks_with_nobody_however_often_it_signs() {
    test(|| {
        for time in 1..10 {
            open(1, DoubleSigning, time);
        }
        open(2, InvalidCompute, 1);
        assert!((0..9).all(|case| record(case).kind == DoubleSigning));
    });
}

#[test]
fn double_signings_more_than_a_window_apart_do_not_belong_together() {
    test(|| {
        at(3 * DAY);
        open(1, DoubleSigning, 1);
        let late = open(2, DoubleSigning, 2 + DAY);
        assert_eq!(record(late).kind, DoubleSigning);
        // A third one between the two belongs to both.
        open(3, DoubleSigning, 1 + DAY / 2);
        assert!((0..3).all(|case| record(case).kind == CoordinatedAttack));
    });
}

#[test]
fn an_attack_costs_everything_and_bans_for_good_once_it_is_executed() {
    test(|| {
        let case = open(1, DoubleSigning, 1);
        open(2, DoubleSigning, 1);
        assert_eq!(standing(1), Standing::Suspended { until: u64::MAX });
        assert!(!BannedAccounts::<Test>::contains(&account(1)));
        at(1 + DAY);
        idle_freely();
        assert_eq!(status(case), CaseStatus::Applied { taken: STAKE });
        assert_eq!((stake(1), stake(2)), (0, 0));
        System::assert_has_event(
            Event::OperatorBanned {
                who: account(1),
                case,
            }
            .into(),
        );
        assert_eq!(standing(1), Standing::Banned);
        assert!(BannedAccounts::<Test>::contains(&account(1)));
        assert!(BannedKeyHashes::<Test>::contains(&key_of(&account(1))));
        assert!(!BannedAccounts::<Test>::contains(&account(3)));
        assert!(!BannedKeyHashes::<Test>::contains(&key_of(&account(3))));
        at(2_000 * DAY);
        assert_ok!(Slashing::prune_case(signed(), case));
        assert_eq!(standing(1), Standing::Banned);
        assert!(Slashing::banned(account(1)));
    });
}

#[test]
fn keys_that_were_changed_after_the_accusation_do_not_escape_the_ban() {
    test(|| {
        let key = key_of(&account(1));
        open(1, DoubleSigning, 1);
        open(2, DoubleSigning, 1);
        NewKeys::mutate(|keys| keys.insert(account(1), [9; 32]));
        at(1 + DAY);
        idle_freely();
        assert!(BannedKeyHashes::<Test>::contains(&key));
        assert!(BannedKeyHashes::<Test>::contains(&key_of(&account(1))));
    });
}

#[test]
fn whoever_takes_a_banned_key_over_is_banned_too() {
    test(|| {
        open(1, DoubleSigning, 1);
        open(2, DoubleSigning, 1);
        at(1 + DAY);
        idle_freely();
        assert_eq!(standing(3), Standing::Good);
        NewKeys::mutate(|keys| keys.insert(account(3), account(1).into()));
        assert_eq!(standing(3), Standing::Banned);
        assert!(Slashing::banned(account(3)));
    });
}

#[test]
fn an_escalated_case_can_be_cancelled_for_as_long_as_a_new_one() {
    test(|| {
        let first = open(1, DoubleSigning, 1);
        at(DAY);
        let second = open(2, DoubleSigning, 1);
        System::assert_last_event(
            Event::CaseEscalated {
                case: second,
                offender: account(2),
                due: 2 * DAY,
            }
            .into(),
        );
        at(1 + DAY);
        assert_noop!(
            Slashing::execute_case(signed(), first),
            crate::Error::<Test>::NotDue
        );
        assert_ok!(Slashing::cancel_case(RuntimeOrigin::root(), first));
        assert_eq!(standing(1), Standing::Good);
        at(2 * DAY);
        idle_freely();
        assert_eq!(stake(1), STAKE);
        assert!(!Slashing::banned(account(1)));
        assert!(Slashing::banned(account(2)));
    });
}

#[test]
fn who_was_slashed_for_signing_alone_pays_the_rest_when_the_attack_comes_to_light() {
    test(|| {
        let case = open(1, DoubleSigning, 1);
        at(1 + DAY);
        idle_freely();
        assert_eq!(stake(1), STAKE * 7 / 10);
        at(5 * DAY);
        open(2, DoubleSigning, 1);
        assert_eq!(record(case).kind, DoubleSigning);
        let rest = Slashing::cases_of(account(1)).pop().unwrap();
        assert_eq!((rest.kind, rest.at), (CoordinatedAttack, 1));
        at(6 * DAY);
        idle_freely();
        assert_eq!(
            status(rest.id),
            CaseStatus::Applied {
                taken: STAKE * 7 / 10
            }
        );
        assert!(Slashing::banned(account(1)) && Slashing::banned(account(2)));
    });
}

#[test]
fn a_cancelled_case_is_part_of_no_attack() {
    test(|| {
        let case = open(1, DoubleSigning, 1);
        assert_ok!(Slashing::cancel_case(RuntimeOrigin::root(), case));
        let other = open(2, DoubleSigning, 1);
        assert_eq!(record(other).kind, DoubleSigning);
    });
}

#[test]
fn who_offends_most_cannot_drive_out_the_offences_of_others() {
    let mut sightings = Sightings::<u8, u32>::default();
    let sighting = |offender, at| Sighting {
        offender,
        at,
        case: 0,
    };
    remember(&mut sightings, sighting(1, 0));
    for at in 1..=2 * MAX_SIGHTINGS {
        remember(&mut sightings, sighting(2, at));
    }
    assert_eq!(sightings.len(), MAX_SIGHTINGS as usize);
    assert_eq!(sightings[0], sighting(1, 0));
    assert_eq!(
        sightings.iter().map(|sighting| sighting.at).max(),
        Some(2 * MAX_SIGHTINGS)
    );
    // Its oldest go first.
    assert_eq!(sightings[1].at, MAX_SIGHTINGS + 2);
}

proptest! {
    #[test]
    fn an_attack_is_what_any_span_of_the_window_with_enough_offenders_holds(
        times in prop::collection::vec((1..6u8, 0..30u32), 1..20),
        window in 1..12u32,
        threshold in 2..5u32,
    ) {
        let sightings: Vec<_> = times
            .iter()
            .enumerate()
            .map(|(case, (offender, at))| Sighting { offender: *offender, at: *at, case: case as u64 })
            .collect();
        let at = sightings[0].at;
        let mut expected = BTreeSet::new();
        for first in at.saturating_sub(window)..=at {
            let within: Vec<_> = sightings
                .iter()
                .filter(|sighting| (first..=first + window).contains(&sighting.at))
                .collect();
            let offenders: BTreeSet<u8> = within.iter().map(|sighting| sighting.offender).collect();
            if offenders.len() >= threshold as usize {
                expected.extend(within.iter().map(|sighting| sighting.case));
            }
        }
        let found: BTreeSet<u64> = attack(&sightings, at, window, threshold).into_iter().collect();
        prop_assert_eq!(found, expected);
    }
}
