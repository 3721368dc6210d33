//! Random events of several accounts, against a ledger that decays block by block.

use crate::{
    mock::*,
    ReputationReason::{self, *},
    Score, INITIAL_SCORE, MAX_HISTORY, MAX_SCORE,
};
use proptest::prelude::*;

const ACCOUNTS: u64 = 3;

fn reason() -> impl Strategy<Value = ReputationReason> {
    prop_oneof![
        6 => Just(JobCompleted),
        2 => Just(JobTimedOut),
        2 => Just(DisputeLost),
        4 => (0..8u8).prop_map(Rated),
        1 => Just(DoubleSigning),
        1 => Just(Downtime),
        1 => Just(InvalidCompute),
        1 => Just(CoordinatedAttack),
    ]
}

/// What is known of an account that is looked at in every block.
#[derive(Clone, Copy)]
struct Watched {
    score: Score,
    quiet: u64,
    events: usize,
}

impl Watched {
    fn pass_block(&mut self) {
        self.quiet += 1;
        if self.quiet.is_multiple_of(PERIOD) {
            let tenth = self.score.abs_diff(INITIAL_SCORE).div_ceil(10);
            if self.score > INITIAL_SCORE {
                self.score -= tenth;
            } else {
                self.score += tenth;
            }
        }
    }

    fn note(&mut self, reason: ReputationReason) {
        let change = match reason {
            Rated(stars @ 1..=5) => [-20, -10, 0, 5, 10][usize::from(stars) - 1],
            Rated(_) => return,
            JobCompleted => 10,
            JobTimedOut => -50,
            DisputeLost | Downtime => -100,
            DoubleSigning => -500,
            InvalidCompute => -750,
            CoordinatedAttack => -1_000,
        };
        let score = (i32::from(self.score) + change).clamp(0, i32::from(MAX_SCORE));
        self.score = score as Score;
        self.quiet = 0;
        self.events += 1;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn whatever_is_noted_scores_are_as_if_looked_at_in_every_block(
        events in prop::collection::vec((0..3 * PERIOD, 0..ACCOUNTS, reason()), 1..60),
    ) {
        ext().execute_with(|| {
            let unknown = Watched { score: INITIAL_SCORE, quiet: 0, events: 0 };
            let mut watched = [unknown; ACCOUNTS as usize];
            let mut now = 1;
            for (blocks, who, reason) in events {
                for _ in 0..blocks {
                    watched.iter_mut().for_each(Watched::pass_block);
                }
                now += blocks;
                at(now);
                note(who, reason);
                watched[who as usize].note(reason);

                Ledger::do_try_state().unwrap();
                for (who, expected) in (0..).zip(watched) {
                    assert_eq!(score(who), expected.score);
                    let kept = expected.events.min(MAX_HISTORY as usize);
                    assert_eq!(Ledger::history(who).len(), kept);
                }
            }
        });
    }
}
