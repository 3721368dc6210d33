use crate::{
    history::{Entry, History, MAX_LISTED},
    Standing,
};
use proptest::prelude::*;

const PROBATION: u32 = 30;

fn history(untils: &[u32]) -> History<u32> {
    let mut history = History::default();
    for (case, until) in untils.iter().enumerate() {
        history.open(Entry {
            case: case as u64,
            opened: case as u32,
            until: *until,
        });
    }
    history
}

fn applied(untils: &[u32]) -> History<u32> {
    let mut history = history(untils);
    for _ in untils {
        history.apply();
    }
    history
}

#[test]
fn time_takes_an_operator_from_suspension_over_probation_to_good() {
    let history = applied(&[100]);
    let standing = |now| history.standing(now, PROBATION);
    assert_eq!(standing(0), Standing::Suspended { until: 100 });
    assert_eq!(standing(100), Standing::Suspended { until: 100 });
    assert_eq!(standing(101), Standing::Probation { until: 130 });
    assert_eq!(standing(130), Standing::Probation { until: 130 });
    assert_eq!(standing(131), Standing::Good);
    assert_eq!(
        History::<u32>::default().standing(7, PROBATION),
        Standing::Good
    );
}

#[test]
fn the_longest_suspension_counts() {
    let history = applied(&[100, 300, 200]);
    assert_eq!(
        history.standing(150, PROBATION),
        Standing::Suspended { until: 300 }
    );
}

#[test]
fn a_pending_case_suspends_even_after_its_suspension() {
    let history = history(&[100]);
    assert_eq!(
        history.standing(5_000, PROBATION),
        Standing::Suspended { until: 5_000 }
    );
}

#[test]
fn a_cancelled_case_suspends_nobody() {
    let mut history = history(&[100, 300]);
    history.apply();
    history.cancel(1);
    assert_eq!(
        history.standing(50, PROBATION),
        Standing::Suspended { until: 100 }
    );
    assert_eq!(history.recent(50, 365), 1);
}

#[test]
fn a_suspension_for_good_does_not_end() {
    let mut history = applied(&[100]);
    history.condemn(0);
    assert_eq!(
        history.standing(u32::MAX, PROBATION),
        Standing::Suspended { until: u32::MAX }
    );
}

#[test]
fn only_offences_within_the_window_make_the_next_one_dearer() {
    let history = history(&[100, 100, 100]);
    assert_eq!(history.recent(2, 365), 3);
    assert_eq!(history.recent(365, 365), 2);
    assert_eq!(history.recent(366, 365), 1);
    assert_eq!(history.recent(367, 365), 0);
}

proptest! {
    #[test]
    fn a_full_history_forgets_what_ends_first(untils in prop::collection::vec(1..1_000u32, 0..40)) {
        let history = history(&untils);
        prop_assert!(history.entries.len() <= MAX_LISTED as usize);
        prop_assert_eq!(history.pending as usize, untils.len());
        let listed: Vec<_> = history.entries.iter().map(|entry| entry.until).collect();
        if let Some(longest) = untils.iter().max() {
            prop_assert!(listed.contains(longest));
        }
        prop_assert_eq!(listed.len(), untils.len().min(MAX_LISTED as usize));
    }
}
