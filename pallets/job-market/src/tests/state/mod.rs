//! Random lives of one job, checked against a ledger and against the rules as said in words.

mod ledger;
mod rules;

use self::{
    ledger::Ledger,
    rules::{allowed, cuts_rightly, pays_rightly},
};
use crate::{
    state::{Action, Effect, Refusal, Step, Terms},
    Auction, HoldReason, JobState, Priority, Verification,
};
use ciro_primitives::ModelId;
use pallet_reputation::ReputationReason;
use proptest::prelude::*;
use sp_core::H256;
use sp_runtime::Permill;

type Account = u8;
type Job = crate::Job<Account, u128, u64>;
type State = JobState<Account, u128, u64>;
type Act = Action<Account, u128>;

fn account() -> impl Strategy<Value = Account> {
    0..5u8
}

fn permill() -> impl Strategy<Value = Permill> {
    (0..=1_000_000u32).prop_map(Permill::from_parts)
}

fn hash() -> impl Strategy<Value = H256> {
    (0..2u8).prop_map(H256::repeat_byte)
}

/// What happens to a job with one worker.
fn single() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => (account(), permill()).prop_map(|(worker, merit)| Action::Claim { worker, merit }),
        3 => (account(), 0..500u128)
            .prop_map(|(worker, bounty)| Action::Rescue { worker, bounty }),
        2 => (account(), account()).prop_map(|(worker, payee)| Action::Accept { worker, payee }),
        2 => (account(), any::<bool>())
            .prop_map(|(worker, accuse)| Action::Refuse { worker, accuse }),
        4 => (account(), account()).prop_map(|(worker, payee)| Action::Answer { worker, payee }),
        2 => account().prop_map(|challenger| Action::Dispute { challenger }),
        1 => any::<bool>().prop_map(|upheld| Action::Prove { upheld }),
        2 => account().prop_map(|worker| Action::Release { worker }),
        2 => common(),
    ]
}

/// What happens to a job with several workers.
fn redundant() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => account().prop_map(|worker| Action::Claim { worker, merit: Permill::one() }),
        6 => (account(), hash())
            .prop_map(|(worker, commitment)| Action::Commit { worker, commitment }),
        6 => (account(), hash(), prop_oneof![6 => Just(H256::zero()), 1 => hash()]).prop_map(
            |(worker, commitment, output)| Action::Reveal { worker, commitment, output }
        ),
        1 => account().prop_map(|worker| Action::Release { worker }),
        1 => single(),
        1 => common(),
    ]
}

fn common() -> impl Strategy<Value = Act> {
    prop_oneof![
        1 => account().prop_map(|requester| Action::Cancel { requester }),
        2 => Just(Action::Expire),
        4 => Just(Action::Finalise),
        1 => (account(), 0..7u8)
            .prop_map(|(requester, stars)| Action::Rate { requester, stars }),
        1 => account().prop_map(|by| Action::Remove { by }),
    ]
}

/// A level, and what happens in which distance of blocks.
fn life() -> impl Strategy<Value = (Verification, Vec<(u64, Act)>)> {
    let singles = || prop::collection::vec((0..4u64, single()), 0..40);
    let shared = prop::collection::vec((0..2u64, redundant()), 0..60);
    prop_oneof![
        2 => singles().prop_map(|actions| (Verification::None, actions)),
        1 => singles().prop_map(|actions| (Verification::ZkMl, actions)),
        3 => (2..5u8, shared)
            .prop_map(|(seats, actions)| (Verification::Redundant(seats), actions)),
    ]
}

prop_compose! {
    fn terms()(
        (min_price, min_collateral, dispute_fee) in (1..1_000u128, 0..2_000u128, 1..100u128),
        (min_duration, more_duration, retention) in (1..5u64, 0..30u64, 0..10u64),
        (head_start, claim_term, reveal_term) in (0..4u64, 1..12u64, 1..6u64),
        (challenge_period, proof_period) in (1..12u64, 1..6u64),
        shares in prop::array::uniform6(permill()),
        platform_fee in 0..=100_000u32,
    ) -> Terms<u128, u64> {
        let [collateral_ratio, invalid_proof_cut, one, other, challenger_share, fee_burn] = shares;
        Terms {
            min_price,
            min_duration,
            max_duration: min_duration + more_duration,
            min_collateral,
            collateral_ratio,
            invalid_proof_cut,
            release_cut: one.min(other),
            expiry_cut: one.max(other),
            retention,
            head_start,
            claim_term,
            reveal_term,
            challenge_period,
            proof_period,
            dispute_fee,
            challenger_share,
            platform_fee: Permill::from_parts(platform_fee),
            fee_burn,
        }
    }
}

fn job(price: Auction<u128>, verification: Verification, duration: u64) -> Job {
    Job {
        requester: 0,
        model: ModelId([0; 32]),
        batch: 1,
        input_commitment: H256::zero(),
        locator: Default::default(),
        price,
        bounty: 0,
        royalty: Permill::from_percent(30),
        deposit: 50,
        opened: 1,
        deadline: 1 + duration,
        verification,
        priority: Priority::Normal,
        requirements: Default::default(),
        state: JobState::Submitted,
    }
}

/// Puts the late worker's cut on hold, as the pallet does before a rescue: at most `bounty` of it.
fn prepare(job: &Job, action: Act, now: u64, terms: &Terms<u128, u64>, ledger: &mut Ledger) -> Act {
    let Action::Rescue { worker, bounty } = action else {
        return action;
    };
    let Ok(late) = job.late_claim(&worker, now) else {
        return action;
    };
    let cut = late.lateness_cut(terms);
    let bounty = bounty.min(cut);
    ledger.apply(&[
        Effect::Forfeit(late.worker, Some(job.requester), cut),
        Effect::Hold(HoldReason::Escrow, job.requester, bounty),
    ]);
    Action::Rescue { worker, bounty }
}

/// Ends the job, whatever has become of it.
fn end(mut job: Job, mut now: u64, terms: &Terms<u128, u64>, ledger: &mut Ledger) {
    now = now.max(job.deadline) + 100;
    if job.is_open() {
        let expired = job.clone().step(Action::Expire, now, terms);
        let ended = expired.or_else(|_| job.step(Action::Finalise, now, terms));
        let step = ended.expect("an open job can be ended once its time is over");
        ledger.apply(&step.effects);
        job = step.job.expect("a settled job stays");
    }
    let removed = job.step(Action::Remove { by: 0 }, now, terms);
    ledger.apply(&removed.expect("a settled job is removed").effects);
    ledger.agrees_with(None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) })]

    #[test]
    fn every_life_of_a_job_keeps_to_the_rules_and_conserves_funds(
        terms in terms(),
        (floor, rise, ramp) in (0..10_000u128, 0..5_000u128, 0..20u32),
        duration in 0..40u64,
        (verification, actions) in life(),
    ) {
        let mut now = 1;
        let price = Auction { floor, ceiling: floor + rise, ramp };
        let opened = job(price, verification, duration).open(&terms);
        let valid = (terms.min_duration..=terms.max_duration).contains(&duration)
            && verification != Verification::Redundant(2);
        prop_assert_eq!(opened.is_ok(), valid && floor >= terms.min_price);
        let Ok(Step { job: Some(mut job), effects }) = opened else { return Ok(()) };

        let mut ledger = Ledger::default();
        ledger.apply(&effects);
        ledger.agrees_with(Some(&job));
        for (blocks, action) in actions {
            now += blocks;
            let action = prepare(&job, action, now, &terms, &mut ledger);
            let result = job.clone().step(action.clone(), now, &terms);
            prop_assert_eq!(result.is_ok(), allowed(&job, &action, now, &terms), "{:?} {:?}", job, action);
            let Ok(step) = result else { continue };
            pays_rightly(&job, &step, &terms);
            cuts_rightly(&job, &action, now, &step, &terms);
            ledger.apply(&step.effects);
            ledger.agrees_with(step.job.as_ref());
            let Some(next) = step.job else { return Ok(()) };
            let is_rated = matches!(next.state, JobState::Paid { rated: true, .. });
            prop_assert!(job.is_open() || is_rated, "only a rating and removal follow a settlement");
            prop_assert!(next.price.ceiling <= job.price.ceiling && next.price.floor >= job.price.floor);
            // Nothing but its state, price and bounty ever changes in a job.
            let Job { price, bounty, ref state, .. } = next;
            prop_assert_eq!(&next, &Job { price, bounty, state: state.clone(), ..job });
            job = next;
        }
        end(job, now, &terms, &mut ledger);
    }

    #[test]
    fn no_amount_or_time_overflows(
        (floor, ceiling, ramp) in (any::<u128>(), any::<u128>(), any::<u32>()),
        now in any::<u64>(),
        (verification, actions) in life(),
    ) {
        let most = u64::MAX;
        let terms = Terms {
            min_price: 0,
            min_duration: 0,
            max_duration: most,
            min_collateral: 0,
            collateral_ratio: Permill::one(),
            invalid_proof_cut: Permill::one(),
            release_cut: Permill::zero(),
            expiry_cut: Permill::one(),
            retention: most,
            head_start: 1,
            claim_term: most,
            reveal_term: most,
            challenge_period: most,
            proof_period: most,
            dispute_fee: u128::MAX,
            challenger_share: Permill::one(),
            platform_fee: Permill::one(),
            fee_burn: Permill::one(),
        };
        let price = Auction { floor: floor.min(ceiling), ceiling: floor.max(ceiling), ramp };
        let mut job = Job { opened: now, deadline: now.saturating_add(9), ..job(price, verification, 0) };
        for (blocks, action) in actions {
            match job.clone().step(action, now.saturating_add(blocks), &terms) {
                Ok(Step { job: Some(next), .. }) => job = next,
                Ok(_) => break,
                Err(_) => {}
            }
        }
    }

    #[test]
    fn the_price_rises_exactly_as_the_formula_says(
        floor in 0..u64::MAX,
        rise in 0..u64::MAX,
        ramp in any::<u32>(),
        blocks in any::<u32>(),
    ) {
        let (floor, rise) = (u128::from(floor), u128::from(rise));
        let auction = Auction { floor, ceiling: floor + rise, ramp };
        let expected = if blocks < ramp { rise * u128::from(blocks) / u128::from(ramp) } else { rise };
        prop_assert_eq!(auction.price_after(blocks), floor + expected);
    }

    #[test]
    fn the_least_price_is_the_floor_times_the_priorities_factor_rounded_up(floor in 0..u64::MAX) {
        let floor = u128::from(floor);
        for (priority, tenths) in
            [(Priority::Low, 8), (Priority::Normal, 10), (Priority::High, 12), (Priority::Critical, 15)]
        {
            prop_assert_eq!(priority.least_price(floor), (floor * tenths).div_ceil(10));
        }
    }
}

#[test]
fn a_floor_too_high_to_multiply_asks_for_everything() {
    assert_eq!(Priority::Critical.least_price(u128::MAX), u128::MAX);
}

#[test]
fn a_worker_whose_job_expires_has_its_lateness_noted() {
    let terms = simple_terms();
    let claim = Action::Claim {
        worker: 1,
        merit: Permill::one(),
    };
    let claimed = next(job(Auction::fixed(10), Verification::ZkMl, 5), claim, 1);
    let expired = claimed.step(Action::Expire, 7, &terms).unwrap();
    assert!(expired
        .effects
        .contains(&Effect::Note(1, ReputationReason::JobTimedOut)));
}

fn simple_terms() -> Terms<u128, u64> {
    Terms {
        min_price: 10,
        min_duration: 5,
        max_duration: 9,
        min_collateral: 0,
        collateral_ratio: Permill::one(),
        invalid_proof_cut: Permill::one(),
        release_cut: Permill::one(),
        expiry_cut: Permill::one(),
        retention: 3,
        head_start: 2,
        claim_term: 3,
        reveal_term: 3,
        challenge_period: 4,
        proof_period: 2,
        dispute_fee: 1,
        challenger_share: Permill::one(),
        platform_fee: Permill::zero(),
        fee_burn: Permill::zero(),
    }
}

fn next(job: Job, action: Act, now: u64) -> Job {
    job.step(action, now, &simple_terms()).unwrap().job.unwrap()
}

#[test]
fn each_refusal_says_what_is_wrong() {
    let terms = simple_terms();
    let fixed = |price, duration| job(Auction::fixed(price), Verification::ZkMl, duration);
    let refused = |job: &Job, action, now| job.clone().step(action, now, &terms).unwrap_err();
    assert_eq!(fixed(9, 5).open(&terms), Err(Refusal::PriceTooLow));
    assert_eq!(fixed(10, 4).open(&terms), Err(Refusal::InvalidDuration));
    assert_eq!(fixed(10, 10).open(&terms), Err(Refusal::InvalidDuration));
    let falling = Auction {
        floor: 11,
        ceiling: 10,
        ramp: 1,
    };
    let falling = job(falling, Verification::ZkMl, 5).open(&terms);
    assert_eq!(falling, Err(Refusal::InvalidPrice));

    let open = fixed(10, 5);
    let claim = |worker, percent| Action::Claim {
        worker,
        merit: Permill::from_percent(percent),
    };
    let claim = &claim;
    assert_eq!(refused(&open, claim(1, 100), 6), Refusal::DeadlinePassed);
    assert_eq!(refused(&open, claim(1, 49), 2), Refusal::TooEarly(3));
    for (action, now, refusal) in [
        (Action::Cancel { requester: 1 }, 1, Refusal::NotRequester),
        (Action::Expire, 6, Refusal::DeadlineNotPassed),
        (Action::Remove { by: 0 }, 9, Refusal::NotSettled),
        (
            Action::Refuse {
                worker: 1,
                accuse: true,
            },
            1,
            Refusal::NotAssignedToCaller,
        ),
        (Action::Finalise, 9, Refusal::NothingToFinalise),
        (Action::Dispute { challenger: 1 }, 1, Refusal::NotAnswered),
        (Action::Prove { upheld: true }, 1, Refusal::NotDisputed),
        (
            Action::Rescue {
                worker: 1,
                bounty: 0,
            },
            1,
            Refusal::NotLate,
        ),
        (
            Action::Rate {
                requester: 0,
                stars: 5,
            },
            1,
            Refusal::NotPaid,
        ),
    ] {
        assert_eq!(refused(&open, action, now), refusal);
    }

    let claimed = next(open, claim(1, 100), 1);
    assert_eq!(refused(&claimed, claim(1, 100), 1), Refusal::NotSubmitted);
    for (action, now, refusal) in [
        (Action::Release { worker: 1 }, 7, Refusal::DeadlinePassed),
        (
            Action::Release { worker: 2 },
            1,
            Refusal::NotAssignedToCaller,
        ),
        (
            Action::Rescue {
                worker: 2,
                bounty: 0,
            },
            4,
            Refusal::NotLate,
        ),
        (
            Action::Rescue {
                worker: 1,
                bounty: 0,
            },
            5,
            Refusal::AlreadyAssigned,
        ),
        (
            Action::Rescue {
                worker: 2,
                bounty: 0,
            },
            6,
            Refusal::DeadlinePassed,
        ),
        (
            Action::Answer {
                worker: 1,
                payee: 1,
            },
            1,
            Refusal::AnswerNotTaken,
        ),
    ] {
        assert_eq!(refused(&claimed, action, now), refusal);
    }

    let expired = next(claimed, Action::Expire, 7);
    assert_eq!(
        refused(&expired, Action::Expire, 7),
        Refusal::AlreadySettled
    );
    assert_eq!(
        refused(&expired, Action::Remove { by: 2 }, 10),
        Refusal::RetentionNotOver
    );
    assert!(expired.step(Action::Remove { by: 2 }, 11, &terms).is_ok());
}
