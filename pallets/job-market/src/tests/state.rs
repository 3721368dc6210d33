//! Random lives of one job, checked against a ledger and against the rules as said in words.

use crate::{
    state::{Action, Move, Refusal, Step, Terms},
    HoldReason, JobState,
};
use ciro_primitives::ModelId;
use proptest::prelude::*;
use sp_core::H256;
use sp_runtime::Permill;
use std::collections::BTreeMap;

type Account = u8;
type Job = crate::Job<Account, u128, u64>;

fn account() -> impl Strategy<Value = Account> {
    0..3u8
}

fn action() -> impl Strategy<Value = Action<Account>> {
    prop_oneof![
        4 => account().prop_map(|worker| Action::Claim { worker }),
        2 => (account(), account()).prop_map(|(worker, payee)| Action::Accept { worker, payee }),
        2 => account().prop_map(|worker| Action::Refuse { worker }),
        2 => account().prop_map(|worker| Action::Release { worker }),
        1 => account().prop_map(|requester| Action::Cancel { requester }),
        2 => Just(Action::Expire),
        1 => account().prop_map(|by| Action::Remove { by }),
    ]
}

prop_compose! {
    fn terms()(
        min_price in 1..1_000u128,
        min_duration in 1..5u64,
        more_duration in 0..30u64,
        min_collateral in 0..2_000u128,
        [ratio, invalid, release, expiry] in [0..=1_000_000u32, 0..=1_000_000, 0..=1_000_000, 0..=1_000_000],
        retention in 0..10u64,
    ) -> Terms<u128, u64> {
        Terms {
            min_price,
            min_duration,
            max_duration: min_duration + more_duration,
            min_collateral,
            collateral_ratio: Permill::from_parts(ratio),
            invalid_proof_cut: Permill::from_parts(invalid),
            release_cut: Permill::from_parts(release),
            expiry_cut: Permill::from_parts(expiry),
            retention,
        }
    }
}

fn job(price: u128, deposit: u128, deadline: u64) -> Job {
    Job {
        requester: 0,
        model: ModelId([0; 32]),
        batch: 1,
        input_commitment: H256::zero(),
        locator: Default::default(),
        price,
        deposit,
        deadline,
        state: JobState::Submitted,
    }
}

/// What everyone has on hold and has gained, and what was burned.
#[derive(Default)]
struct Ledger {
    held: BTreeMap<(u8, Account), u128>,
    gained: BTreeMap<Account, i128>,
    burned: u128,
}

impl Ledger {
    fn take(&mut self, reason: HoldReason, who: Account, amount: u128) {
        let held = self.held.entry((reason as u8, who)).or_default();
        *held = held
            .checked_sub(amount)
            .expect("no more is taken than is on hold");
    }

    fn apply(&mut self, moves: &[Move<Account, u128>]) {
        for step in moves {
            match *step {
                Move::Hold(reason, who, amount) => {
                    *self.held.entry((reason as u8, who)).or_default() += amount;
                }
                Move::Release(reason, who, amount) => self.take(reason, who, amount),
                Move::Pay(reason, from, to, amount) => {
                    self.take(reason, from, amount);
                    *self.gained.entry(from).or_default() -= amount as i128;
                    *self.gained.entry(to).or_default() += amount as i128;
                }
                Move::Burn(reason, who, amount) => {
                    self.take(reason, who, amount);
                    *self.gained.entry(who).or_default() -= amount as i128;
                    self.burned += amount;
                }
            }
        }
    }

    /// Everyone has on hold exactly what the job says.
    fn agrees_with(&self, job: Option<&Job>) {
        let mut expected = BTreeMap::<(u8, Account), u128>::new();
        let mut add = |reason: HoldReason, who, amount| {
            *expected.entry((reason as u8, who)).or_default() += amount;
        };
        if let Some(job) = job {
            add(HoldReason::JobDeposit, job.requester, job.deposit);
            if job.is_open() {
                add(HoldReason::Escrow, job.requester, job.price);
            }
            if let JobState::Assigned {
                worker, collateral, ..
            } = job.state
            {
                add(HoldReason::Collateral, worker, collateral);
            }
        }
        let mut held = self.held.clone();
        held.retain(|_, amount| *amount > 0);
        expected.retain(|_, amount| *amount > 0);
        assert_eq!(held, expected);
        assert_eq!(self.gained.values().sum::<i128>(), -(self.burned as i128));
    }
}

/// The rules in words: may this be done to this job now?
fn allowed(job: &Job, action: &Action<Account>, now: u64, terms: &Terms<u128, u64>) -> bool {
    let assigned_to =
        |who: &Account| matches!(&job.state, JobState::Assigned { worker, .. } if worker == who);
    let in_time = now <= job.deadline;
    match (action, &job.state) {
        (Action::Claim { .. }, state) => *state == JobState::Submitted && now < job.deadline,
        (
            Action::Accept { worker, .. } | Action::Refuse { worker } | Action::Release { worker },
            _,
        ) => assigned_to(worker) && in_time,
        (Action::Cancel { requester }, state) => {
            *requester == job.requester && *state == JobState::Submitted
        }
        (Action::Expire, _) => job.is_open() && !in_time,
        (
            Action::Remove { by },
            JobState::Paid { at, .. } | JobState::Cancelled { at } | JobState::Expired { at, .. },
        ) => *by == job.requester || now > at + terms.retention,
        (Action::Remove { .. }, _) => false,
    }
}

/// Nothing pays but an accepted result, and it pays all of the price; the other actions cost what the terms say.
fn pays_rightly(
    before: &Job,
    action: &Action<Account>,
    step: &Step<Account, u128, u64>,
    terms: &Terms<u128, u64>,
) {
    let collateral = match before.state {
        JobState::Assigned { collateral, .. } => collateral,
        _ => 0,
    };
    let taken: Vec<_> = step
        .moves
        .iter()
        .filter(|step| matches!(step, Move::Pay(..) | Move::Burn(..)))
        .cloned()
        .collect();
    let requester = before.requester;
    let expected = match (action, &before.state) {
        (Action::Accept { payee, .. }, _) => {
            vec![Move::Pay(
                HoldReason::Escrow,
                requester,
                *payee,
                before.price,
            )]
        }
        (Action::Refuse { worker }, _) => {
            let cut = terms.invalid_proof_cut.mul_ceil(collateral);
            vec![Move::Burn(HoldReason::Collateral, *worker, cut)]
        }
        (Action::Release { worker }, _) => {
            let cut = terms.release_cut.mul_ceil(collateral);
            vec![Move::Pay(HoldReason::Collateral, *worker, requester, cut)]
        }
        (Action::Expire, JobState::Assigned { worker, .. }) => {
            let cut = terms.expiry_cut.mul_ceil(collateral);
            vec![Move::Pay(HoldReason::Collateral, *worker, requester, cut)]
        }
        _ => vec![],
    };
    assert_eq!(taken, expected);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) })]

    #[test]
    fn every_life_of_a_job_keeps_to_the_rules_and_conserves_funds(
        terms in terms(),
        price in 0..10_000u128,
        deposit in 0..100u128,
        duration in 0..40u64,
        actions in prop::collection::vec((0..4u64, action()), 0..40),
    ) {
        let mut now = 1;
        let opened = job(price, deposit, now + duration).open(now, &terms);
        let valid = (terms.min_duration..=terms.max_duration).contains(&duration);
        prop_assert_eq!(opened.is_ok(), valid && price >= terms.min_price);
        let Ok(Step { job: Some(mut job), moves }) = opened else { return Ok(()) };

        let mut ledger = Ledger::default();
        ledger.apply(&moves);
        ledger.agrees_with(Some(&job));
        for (blocks, action) in actions {
            now += blocks;
            let result = job.clone().step(action.clone(), now, &terms);
            prop_assert_eq!(result.is_ok(), allowed(&job, &action, now, &terms), "{:?} {:?}", job, action);
            let Ok(step) = result else { continue };
            pays_rightly(&job, &action, &step, &terms);
            ledger.apply(&step.moves);
            ledger.agrees_with(step.job.as_ref());
            let Some(next) = step.job else { return Ok(()) };
            prop_assert!(job.is_open(), "only removal follows a settlement");
            if let JobState::Assigned { worker, collateral, since } = next.state {
                prop_assert_eq!(action, Action::Claim { worker });
                prop_assert_eq!(since, now);
                prop_assert_eq!(collateral, terms.collateral_ratio.mul_ceil(price).max(terms.min_collateral));
            }
            // Nothing but its state ever changes in a job.
            prop_assert_eq!(Job { state: JobState::Submitted, ..next.clone() }, Job { state: JobState::Submitted, ..job });
            job = next;
        }

        // Whatever happened, the job can be ended and gives everything back.
        let late = now.max(job.deadline) + 1;
        if job.is_open() {
            let expired = job.step(Action::Expire, late, &terms).expect("an open job expires");
            ledger.apply(&expired.moves);
            job = expired.job.expect("an expired job stays");
        }
        let removed = job.step(Action::Remove { by: 0 }, late, &terms).expect("a settled job is removed");
        ledger.apply(&removed.moves);
        ledger.agrees_with(None);
    }

    #[test]
    fn no_amount_or_time_overflows(
        price in any::<u128>(),
        deposit in any::<u128>(),
        now in any::<u64>(),
        actions in prop::collection::vec((any::<u64>(), action()), 0..10),
    ) {
        let terms = Terms {
            min_price: 0,
            min_duration: 0,
            max_duration: u64::MAX,
            min_collateral: 0,
            collateral_ratio: Permill::one(),
            invalid_proof_cut: Permill::one(),
            release_cut: Permill::zero(),
            expiry_cut: Permill::one(),
            retention: u64::MAX,
        };
        let mut job = job(price, deposit, now.saturating_add(9)).open(now, &terms).unwrap().job.unwrap();
        for (blocks, action) in actions {
            match job.clone().step(action, now.saturating_add(blocks), &terms) {
                Ok(Step { job: Some(next), .. }) => job = next,
                Ok(_) => break,
                Err(_) => {}
            }
        }
    }
}

#[test]
fn each_refusal_says_what_is_wrong() {
    let terms = Terms {
        min_price: 10,
        min_duration: 5,
        max_duration: 9,
        min_collateral: 0,
        collateral_ratio: Permill::one(),
        invalid_proof_cut: Permill::one(),
        release_cut: Permill::one(),
        expiry_cut: Permill::one(),
        retention: 3,
    };
    let refused = |job: &Job, action, now| job.clone().step(action, now, &terms).unwrap_err();
    assert_eq!(job(9, 0, 5).open(0, &terms), Err(Refusal::PriceTooLow));
    assert_eq!(job(10, 0, 4).open(0, &terms), Err(Refusal::InvalidDuration));
    assert_eq!(
        job(10, 0, 10).open(0, &terms),
        Err(Refusal::InvalidDuration)
    );

    let open = job(10, 0, 5);
    let claim = Action::Claim { worker: 1 };
    assert_eq!(refused(&open, claim.clone(), 5), Refusal::DeadlinePassed);
    assert_eq!(
        refused(&open, Action::Cancel { requester: 1 }, 0),
        Refusal::NotRequester
    );
    assert_eq!(
        refused(&open, Action::Expire, 5),
        Refusal::DeadlineNotPassed
    );
    assert_eq!(
        refused(&open, Action::Remove { by: 0 }, 9),
        Refusal::NotSettled
    );
    assert_eq!(
        refused(&open, Action::Refuse { worker: 1 }, 0),
        Refusal::NotAssignedToCaller
    );

    let claimed = open
        .clone()
        .step(claim.clone(), 0, &terms)
        .unwrap()
        .job
        .unwrap();
    assert_eq!(refused(&claimed, claim, 0), Refusal::NotSubmitted);
    assert_eq!(
        refused(&claimed, Action::Release { worker: 1 }, 6),
        Refusal::DeadlinePassed
    );
    assert_eq!(
        refused(&claimed, Action::Release { worker: 2 }, 0),
        Refusal::NotAssignedToCaller
    );

    let expired = claimed
        .step(Action::Expire, 6, &terms)
        .unwrap()
        .job
        .unwrap();
    assert_eq!(
        refused(&expired, Action::Expire, 7),
        Refusal::AlreadySettled
    );
    assert_eq!(
        refused(&expired, Action::Remove { by: 2 }, 9),
        Refusal::RetentionNotOver
    );
    assert!(expired.step(Action::Remove { by: 2 }, 10, &terms).is_ok());
}
