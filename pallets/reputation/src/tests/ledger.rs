//! What is stored, when it changes, and what others are told.

use crate::{
    mock::*, Event, Histories, HistoryEntry, Reputation, ReputationReason::*, Reputations,
    INITIAL_SCORE, MAX_HISTORY, MAX_SCORE,
};
use frame_support::traits::Hooks;
use sp_runtime::DispatchError;

#[test]
fn an_unknown_account_has_the_initial_score_and_nothing_stored() {
    test(|| {
        assert_eq!(score(ALICE), INITIAL_SCORE);
        assert_eq!(Ledger::level(ALICE), 3);
        assert!(Ledger::history(ALICE).is_empty());
        assert!(!Reputations::<Test>::contains_key(ALICE));
    });
}

#[test]
fn an_event_changes_the_score_of_its_account_only_and_is_told() {
    test(|| {
        at(7);
        note(ALICE, DisputeLost);
        assert_eq!(score(ALICE), 400);
        assert_eq!(Ledger::score(ALICE), 400);
        assert_eq!(Ledger::level(ALICE), 2);
        assert_eq!(score(BOB), INITIAL_SCORE);
        let entry = HistoryEntry {
            reason: DisputeLost,
            at: 7,
            score: 400,
        };
        assert_eq!(Ledger::history(ALICE).into_inner(), [entry]);
        System::assert_last_event(
            Event::ReputationUpdated {
                who: ALICE,
                score: 400,
                reason: DisputeLost,
            }
            .into(),
        );
    });
}

#[test]
fn a_rating_out_of_range_leaves_no_trace() {
    test(|| {
        note(ALICE, JobTimedOut);
        let before = (
            Reputations::<Test>::get(ALICE),
            Histories::<Test>::get(ALICE),
        );
        System::reset_events();
        at(PERIOD);
        note(ALICE, Rated(0));
        note(ALICE, Rated(6));
        note(BOB, Rated(6));
        assert_eq!(
            before,
            (
                Reputations::<Test>::get(ALICE),
                Histories::<Test>::get(ALICE)
            )
        );
        assert!(!Reputations::<Test>::contains_key(BOB));
        assert!(System::events().is_empty());
    });
}

#[test]
fn a_score_drifts_back_after_each_whole_period_without_an_event() {
    test(|| {
        note(ALICE, DoubleSigning);
        for (block, expected) in [
            (1, 0),
            (PERIOD, 0),
            (PERIOD + 1, 50),
            (2 * PERIOD, 50),
            (2 * PERIOD + 1, 95),
            (1_000 * PERIOD, INITIAL_SCORE),
            (u64::MAX, INITIAL_SCORE),
        ] {
            at(block);
            assert_eq!(score(ALICE), expected, "in block {block}");
        }
        // Reading has changed nothing.
        assert_eq!(Reputations::<Test>::get(ALICE).unwrap().score, 0);
    });
}

#[test]
fn an_event_counts_from_the_decayed_score_and_begins_a_new_period() {
    test(|| {
        note(ALICE, DoubleSigning);
        at(1 + PERIOD + PERIOD / 2);
        note(ALICE, JobCompleted);
        assert_eq!(score(ALICE), 60);
        at(1 + 2 * PERIOD);
        assert_eq!(score(ALICE), 60);
        at(1 + 2 * PERIOD + PERIOD / 2);
        assert_eq!(score(ALICE), 104);
    });
}

#[test]
fn a_rating_that_adds_nothing_is_an_event_all_the_same() {
    test(|| {
        note(ALICE, JobTimedOut);
        at(PERIOD);
        note(ALICE, Rated(3));
        at(PERIOD + 1);
        assert_eq!(score(ALICE), 450);
        assert_eq!(Ledger::history(ALICE).len(), 2);
    });
}

#[test]
fn a_history_keeps_the_latest_events_in_order() {
    test(|| {
        for block in 1..=u64::from(MAX_HISTORY) + 5 {
            at(block);
            note(ALICE, JobCompleted);
        }
        let blocks: Vec<u64> = Ledger::history(ALICE)
            .iter()
            .map(|entry| entry.at)
            .collect();
        assert_eq!(blocks, (6..=u64::from(MAX_HISTORY) + 5).collect::<Vec<_>>());
    });
}

#[test]
fn the_mock_meets_the_demands_on_the_constants() {
    test(<Ledger as Hooks<_>>::integrity_test);
}

fn broken(error: &'static str, breaks: impl FnOnce()) {
    ext().execute_with(|| {
        note(ALICE, JobCompleted);
        breaks();
        assert_eq!(Ledger::do_try_state(), Err(DispatchError::Other(error)));
    });
}

#[test]
fn the_invariants_notice_what_is_broken() {
    let stored =
        |score, updated| move || Reputations::<Test>::insert(ALICE, Reputation { score, updated });
    broken("a score is too high", stored(MAX_SCORE + 1, 1));
    broken("a score is from the future", stored(510, 2));
    broken("a history does not end with the score", stored(511, 1));
    broken("a history does not end with the score", || {
        Histories::<Test>::remove(ALICE)
    });
    broken("a history without a score", || {
        Reputations::<Test>::remove(ALICE)
    });
}
