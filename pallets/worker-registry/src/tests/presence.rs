//! Uptime and outages.

use crate::{
    mock::*,
    presence::{Clock, Presence, COUNTED_DAYS},
    Outage,
};
use frame_support::assert_ok;
use sp_runtime::Perbill;

const CLOCK: Clock<u32> = Clock {
    period: PERIOD,
    windows_per_day: WINDOWS as u16,
};
const DAYS: u32 = COUNTED_DAYS as u32;

fn outage(since: u32, blocks: u32) -> Option<Outage<u32>> {
    Some(Outage { since, blocks })
}

#[test]
fn uptime_is_nothing_until_a_heartbeat_was_due() {
    test(|| {
        assert_eq!(Registry::uptime(ALICE), Perbill::zero());
        register(ALICE);
        at_window(1, PERIOD - 1);
        assert_eq!(Registry::uptime(ALICE), Perbill::zero());
        beat(ALICE);
        assert_eq!(Registry::uptime(ALICE), Perbill::one());
    });
}

#[test]
fn uptime_is_the_share_of_due_heartbeats_that_came() {
    test(|| {
        register(ALICE);
        for window in [1, 2, 4] {
            at_window(window, 5);
            beat(ALICE);
        }
        assert_eq!(Registry::uptime(ALICE), Perbill::from_rational(3u32, 4));
        // The current window counts against nobody before it is over.
        at_window(5, PERIOD - 1);
        assert_eq!(Registry::uptime(ALICE), Perbill::from_rational(3u32, 4));
        at_window(6, 0);
        assert_eq!(Registry::uptime(ALICE), Perbill::from_rational(3u32, 5));
    });
}

#[test]
fn uptime_forgets_what_is_older_than_thirty_days() {
    test(|| {
        register(ALICE);
        // Present on day 0, absent on day 1, present from day 2 on.
        let present = |days: core::ops::Range<u32>| {
            for window in days.start * WINDOWS..days.end * WINDOWS {
                if window > 0 {
                    at_window(window, 0);
                    beat(ALICE);
                }
            }
        };
        present(0..1);
        present(2..31);
        let due = 31 * WINDOWS - 1;
        assert_eq!(
            Registry::uptime(ALICE),
            Perbill::from_rational(due - WINDOWS, due)
        );
        // On day 31, day 0 no longer counts; on day 32, neither does the absence.
        present(31..32);
        let due = 31 * WINDOWS;
        assert_eq!(
            Registry::uptime(ALICE),
            Perbill::from_rational(due - WINDOWS, due)
        );
        present(32..33);
        assert_eq!(Registry::uptime(ALICE), Perbill::one());
    });
}

#[test]
fn a_month_of_silence_leaves_nothing_of_the_uptime() {
    test(|| {
        register(ALICE);
        at_window(1, 0);
        beat(ALICE);
        at(DAY * (DAYS - 1) + PERIOD);
        assert!(Registry::uptime(ALICE) > Perbill::zero());
        at(DAY * DAYS);
        assert_eq!(Registry::uptime(ALICE), Perbill::zero());
        at(100 * DAY);
        assert_eq!(Registry::uptime(ALICE), Perbill::zero());
        beat(ALICE);
        assert_eq!(
            Registry::uptime(ALICE),
            Perbill::from_rational(1, 30 * WINDOWS + 1)
        );
    });
}

#[test]
fn time_deactivated_counts_as_absence_so_that_deactivating_gains_no_uptime() {
    test(|| {
        register(ALICE);
        register(BOB);
        for window in 1..=WINDOWS {
            at_window(window, 0);
            beat(ALICE);
            beat(BOB);
        }
        // Both are down for two days, but only Alice has announced it.
        assert_ok!(Registry::deactivate(origin(ALICE)));
        at_window(3 * WINDOWS, 0);
        assert_eq!(Registry::uptime(ALICE), Registry::uptime(BOB));
        assert_ok!(Registry::reactivate(origin(ALICE)));
        beat(ALICE);
        beat(BOB);
        assert_eq!(Registry::uptime(ALICE), Registry::uptime(BOB));
        assert_eq!(
            Registry::uptime(ALICE),
            Perbill::from_rational(WINDOWS + 1, 3 * WINDOWS)
        );
    });
}

#[test]
fn an_outage_begins_after_a_window_of_silence_and_ends_with_a_heartbeat() {
    test(|| {
        assert_eq!(Registry::outage(ALICE), None);
        at(5);
        register(ALICE);
        at(5 + PERIOD);
        assert_eq!(Registry::outage(ALICE), None);
        at(6 + PERIOD);
        assert_eq!(Registry::outage(ALICE), outage(5, PERIOD + 1));
        beat(ALICE);
        assert_eq!(Registry::outage(ALICE), None);
        at(7 + 2 * PERIOD);
        assert_eq!(Registry::outage(ALICE), outage(6 + PERIOD, PERIOD + 1));
    });
}

#[test]
fn a_deactivated_worker_has_no_outage() {
    test(|| {
        register(ALICE);
        at(DAY);
        assert!(Registry::outage(ALICE).is_some());
        assert_ok!(Registry::deactivate(origin(ALICE)));
        assert_eq!(Registry::outage(ALICE), None);
        at(2 * DAY);
        assert_eq!(Registry::outage(ALICE), None);
    });
}

#[test]
fn deactivation_neither_lengthens_nor_ends_a_silence() {
    test(|| {
        register(ALICE);
        at(1 + 30);
        assert_ok!(Registry::deactivate(origin(ALICE)));
        at(DAY);
        assert_ok!(Registry::reactivate(origin(ALICE)));
        assert_eq!(Registry::outage(ALICE), outage(1, 30));
        at(DAY + 5);
        assert_ok!(Registry::deactivate(origin(ALICE)));
        at(2 * DAY);
        assert_ok!(Registry::reactivate(origin(ALICE)));
        at(2 * DAY + 1);
        // Still the same outage, told by the same block.
        assert_eq!(Registry::outage(ALICE), outage(1, 36));

        // After a heartbeat, nothing of it is left.
        beat(ALICE);
        at(2 * DAY + 2 + PERIOD);
        assert_eq!(Registry::outage(ALICE), outage(2 * DAY + 1, PERIOD + 1));
    });
}

#[test]
fn presence_never_panics_at_the_ends_of_time() {
    let mut presence = Presence::begin(0u32);
    presence.hear(u32::MAX, &CLOCK);
    assert_eq!(presence.received[0], 1);
    presence.pause(u32::MAX);
    presence.resume(0);
    // A clock that stands still, and a look back before the last heartbeat.
    let stopped = Clock {
        period: 0,
        windows_per_day: 0,
    };
    presence.hear(u32::MAX, &stopped);
    assert_eq!(presence.uptime(u32::MAX, &stopped), Perbill::zero());
    assert_eq!(presence.outage(0, &CLOCK), None);
    assert_eq!((stopped.window(9), stopped.left(9)), (0, 0));
}

#[test]
fn a_day_of_the_chain_is_counted_in_full() {
    // What the runtime sets: 150 blocks of 2 seconds, 288 windows a day.
    let clock = Clock {
        period: 150u32,
        windows_per_day: 288,
    };
    let mut presence = Presence::begin(0);
    for window in 1..31 * 288 {
        presence.hear(window * 150 + 149, &clock);
    }
    let mut expected = [288; COUNTED_DAYS];
    // Registration stands for the first heartbeat of the first day.
    expected[COUNTED_DAYS - 1] = 287;
    assert_eq!(presence.received, expected);
    assert_eq!(presence.uptime(31 * 288 * 150 - 1, &clock), Perbill::one());
}
