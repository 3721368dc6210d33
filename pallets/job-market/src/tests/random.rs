//! Random calls from several accounts, block by block, on the mock runtime.

use crate::{
    mock::*, Auction, Event, HoldReason, Input, JobSpec, JobState, Jobs, NextJobId, Output,
    Priority, Proof, Results, Revealed, Verification, Vote, Workload,
};
use ciro_primitives::{answer_commitment, output_hash, JobId};
use frame_support::{assert_ok, traits::fungible::MutateFreeze};
use pallet_cdc_pool::StakeLedger;
use proptest::{prelude::*, strategy::ValueTree};
use sp_core::H256;
use sp_runtime::{DispatchResult, Perbill, Permill};
use std::collections::BTreeMap;

/// One account of each kind, and the models' owner. Account 4 has no funds until it is paid, and no stake.
const ACCOUNTS: [u8; 5] = [1, 2, 3, 4, 9];
/// What says the wrong thing in every vote.
const DISSENTER: u8 = 3;

#[derive(Clone, Debug)]
enum Call {
    Submit {
        batch: u32,
        price: Auction<Balance>,
        duration: u64,
        verification: Verification,
        priority: Priority,
    },
    Claim,
    /// Claims a seat beside others.
    Join,
    Rescue,
    /// With a good proof, a wrong one, or a malformed call.
    Answer {
        payee: u8,
        quality: Quality,
    },
    /// Answers all jobs of the caller by one proof.
    AnswerAll {
        payee: u8,
        quality: Quality,
    },
    Say {
        payee: u8,
        right: bool,
    },
    Dispute,
    Prove {
        quality: Quality,
    },
    Commit,
    Reveal,
    Finalise,
    Release,
    Cancel,
    Expire,
    Rate {
        stars: u8,
    },
    Remove,
    /// Sends as much as the account can, or some.
    Transfer {
        to: u8,
        amount: Balance,
    },
    Freeze {
        amount: Balance,
    },
    Slash {
        percent: u32,
    },
    SetMerit {
        percent: u32,
    },
    SetFloor {
        floor: Balance,
    },
    SetRoyalty {
        percent: u32,
    },
    Deregister,
    Register,
}

#[derive(Clone, Copy, Debug)]
enum Quality {
    Good,
    BadProof,
    StolenProof,
    BadInput,
    BadLength,
}

fn name() -> impl Strategy<Value = u8> {
    prop::sample::select(&ACCOUNTS[..])
}

fn quality() -> impl Strategy<Value = Quality> {
    prop_oneof![
        4 => Just(Quality::Good),
        1 => Just(Quality::BadProof),
        1 => Just(Quality::StolenProof),
        1 => Just(Quality::BadInput),
        1 => Just(Quality::BadLength),
    ]
}

fn submission() -> impl Strategy<Value = Call> {
    let verification = prop_oneof![
        3 => Just(Verification::None),
        3 => (2..5u8).prop_map(Verification::Redundant),
        3 => Just(Verification::ZkMl),
    ];
    let priority = prop::sample::select(&[Priority::Low, Priority::Normal, Priority::Critical][..]);
    let price = (500..5_000u128, 0..1_500u128, 0..9u32).prop_map(|(floor, rise, ramp)| Auction {
        floor,
        ceiling: floor + rise,
        ramp,
    });
    (0..4u32, price, 3..60u64, verification, priority).prop_map(
        |(batch, price, duration, verification, priority)| Call::Submit {
            batch,
            price,
            duration,
            verification,
            priority,
        },
    )
}

fn work() -> impl Strategy<Value = Call> {
    prop_oneof![
        8 => Just(Call::Claim),
        12 => Just(Call::Join),
        3 => Just(Call::Rescue),
        5 => (name(), quality()).prop_map(|(payee, quality)| Call::Answer { payee, quality }),
        3 => (name(), quality()).prop_map(|(payee, quality)| Call::AnswerAll { payee, quality }),
        6 => (name(), any::<bool>()).prop_map(|(payee, right)| Call::Say { payee, right }),
        2 => Just(Call::Dispute),
        3 => quality().prop_map(|quality| Call::Prove { quality }),
        12 => Just(Call::Commit),
        12 => Just(Call::Reveal),
        4 => Just(Call::Finalise),
        2 => Just(Call::Release),
        1 => Just(Call::Cancel),
        3 => Just(Call::Expire),
        1 => (0..7u8).prop_map(|stars| Call::Rate { stars }),
        2 => Just(Call::Remove),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        8 => submission(),
        50 => work(),
        1 => (name(), 0..200_000u128).prop_map(|(to, amount)| Call::Transfer { to, amount }),
        1 => (0..200_000u128).prop_map(|amount| Call::Freeze { amount }),
        1 => (0..30u32).prop_map(|percent| Call::Slash { percent }),
        1 => (0..101u32).prop_map(|percent| Call::SetMerit { percent }),
        1 => (0..1_500u128).prop_map(|floor| Call::SetFloor { floor }),
        1 => (0..60u32).prop_map(|percent| Call::SetRoyalty { percent }),
        1 => Just(Call::Deregister),
        1 => Just(Call::Register),
    ]
}

/// Whether the call has anything to do with a job in this state.
fn fits(who: &AccountId, call: &Call, state: &JobState<AccountId, Balance, u64>) -> bool {
    let vote = match state {
        JobState::Voting { seats, .. } => seats.iter().find(|seat| &seat.worker == who),
        _ => None,
    };
    match (call, state) {
        (Call::Cancel, JobState::Submitted) => true,
        (Call::Claim, JobState::Submitted) => true,
        (Call::Join, JobState::Gathering { workers, .. }) => !workers.contains(who),
        (Call::Answer { .. } | Call::Say { .. } | Call::Release, JobState::Assigned(claim)) => {
            &claim.worker == who
        }
        (Call::Release, JobState::Gathering { workers, .. }) => workers.contains(who),
        (Call::Rescue, JobState::Assigned(_)) => true,
        (Call::Dispute, JobState::Answered { .. }) => true,
        (Call::Prove { .. }, JobState::Disputed { .. }) => true,
        (Call::Commit, _) => vote.is_some_and(|seat| seat.vote == Vote::Pending),
        (Call::Reveal, _) => vote.is_some_and(|seat| matches!(seat.vote, Vote::Committed(_))),
        (Call::Rate { .. }, JobState::Paid { .. }) => true,
        (
            Call::Finalise,
            JobState::Answered { .. } | JobState::Disputed { .. } | JobState::Voting { .. },
        ) => true,
        (
            Call::Expire,
            JobState::Submitted | JobState::Assigned(_) | JobState::Gathering { .. },
        ) => true,
        (
            Call::Remove,
            JobState::Paid { .. }
            | JobState::Cancelled { .. }
            | JobState::Expired { .. }
            | JobState::Failed { .. },
        ) => true,
        _ => false,
    }
}

/// The `pick`th job among those that are stored: mostly one that the call can act on.
fn pick(who: &AccountId, call: &Call, pick: usize) -> JobId {
    let mut ids: Vec<JobId> = Jobs::<Test>::iter()
        .filter(|(_, job)| pick.is_multiple_of(7) || fits(who, call, &job.state))
        .map(|(id, _)| id)
        .collect();
    ids.sort();
    ids.get(pick % ids.len().max(1))
        .copied()
        .unwrap_or(pick as JobId)
}

/// Whose turn it is in the votes: mostly the caller is someone who has something to say, as few would be by chance.
fn voter(call: &Call, caller: u8, pick: usize) -> u8 {
    let turn = |vote: Vote| match call {
        Call::Commit => vote == Vote::Pending,
        Call::Reveal => matches!(vote, Vote::Committed(_)),
        _ => false,
    };
    let seats = Jobs::<Test>::iter_values().filter_map(|job| match job.state {
        JobState::Voting { seats, .. } => Some(seats),
        _ => None,
    });
    let mut voters: Vec<u8> = seats
        .flatten()
        .filter(|seat| !pick.is_multiple_of(7) && turn(seat.vote))
        .map(|seat| <[u8; 32]>::from(seat.worker)[0])
        .collect();
    voters.sort();
    voters
        .get(pick % voters.len().max(1))
        .copied()
        .unwrap_or(caller)
}

fn spoiled(job: JobId, payee: u8, quality: Quality) -> Answer {
    let mut answer = answer(job, account(payee));
    match quality {
        Quality::Good => {}
        Quality::BadProof => answer.proof[7] ^= 1,
        Quality::StolenProof => answer.payee = account(ACCOUNTS[(payee as usize + 1) % 5]),
        Quality::BadInput => answer.input[0] = answer.input[0].wrapping_add(1),
        Quality::BadLength => answer.output.push(0),
    }
    answer
}

/// The jobs that an account has claimed, in an order that `nth` decides.
fn claims_of(who: &AccountId, nth: usize) -> Vec<JobId> {
    let mut ids: Vec<JobId> = Jobs::<Test>::iter()
        .filter(|(_, job)| matches!(&job.state, JobState::Assigned(claim) if &claim.worker == who))
        .map(|(id, _)| id)
        .collect();
    ids.sort();
    let turn = nth % ids.len().max(1);
    ids.rotate_left(turn);
    ids
}

fn spoiled_jointly(jobs: &[JobId], payee: u8, quality: Quality) -> JointAnswer {
    let mut answer = joint_answer(jobs, account(payee));
    match quality {
        Quality::Good => {}
        Quality::BadProof => answer.proof[7] ^= 1,
        Quality::StolenProof => answer.payee = account(ACCOUNTS[(payee as usize + 1) % 5]),
        Quality::BadInput => answer
            .input
            .iter_mut()
            .for_each(|value| *value = value.wrapping_add(1)),
        Quality::BadLength => answer.output.push(0),
    }
    answer
}

/// What is said of a job's output: the truth, or not.
fn said(job: JobId, right: bool) -> Output {
    let mut output = output(Market::job(job).map_or(2, |job| job.batch));
    output[0] += i32::from(!right);
    output.try_into().unwrap()
}

fn prove(who: RuntimeOrigin, answer: Answer) -> DispatchResult {
    let input: Vec<u8> = answer.input.iter().map(|value| *value as u8).collect();
    let (job, payee) = (answer.job, answer.payee);
    let input = Input::try_from(input).unwrap();
    let output = Output::try_from(answer.output).unwrap();
    let proof = Proof::try_from(answer.proof).unwrap();
    Market::submit_proof(who, job, payee, input, output, proof)
        .map(|_| ())
        .map_err(|error| error.error)
}

fn dispatch(who: u8, call: Call, nth: usize) -> DispatchResult {
    let name = voter(&call, who, nth);
    let who = account(name);
    let job = pick(&who, &call, nth);
    let origin = RuntimeOrigin::signed(who.clone());
    let salt = [name; 32];
    match call {
        Call::Submit {
            batch,
            price,
            duration,
            verification,
            priority,
        } => submit(
            who,
            JobSpec {
                batch,
                input_commitment: H256(ciro_primitives::input_commitment(batch, &input(batch))),
                price,
                duration,
                verification,
                priority,
                ..request()
            },
        ),
        Call::Claim | Call::Join => claim(who, job),
        Call::Rescue => Market::rescue(origin, job),
        Call::Answer { payee, quality } => spoiled(job, payee, quality)
            .submit(who)
            .map(|_| ())
            .map_err(|error| error.error),
        Call::AnswerAll { payee, quality } => {
            spoiled_jointly(&claims_of(&who, nth), payee, quality)
                .submit(who)
                .map(|_| ())
                .map_err(|error| error.error)
        }
        Call::Say { payee, right } => {
            Market::submit_answer(origin, job, account(payee), said(job, right))
        }
        Call::Dispute => Market::dispute(origin, job),
        Call::Prove { quality } => prove(origin, spoiled(job, name, quality)),
        Call::Commit => {
            let batch = Market::job(job).map_or(2, |job| job.batch);
            let hash = output_hash(batch, &said(job, name != DISSENTER));
            let commitment = answer_commitment(&hash, &salt, &who.into());
            Market::commit(origin, job, H256(commitment))
        }
        Call::Reveal => Market::reveal(origin, job, said(job, name != DISSENTER), salt),
        Call::Finalise => Market::finalise(origin, job),
        Call::Release => Market::release_job(origin, job),
        Call::Cancel => Market::cancel_job(origin, job),
        Call::Expire => Market::expire_job(origin, job),
        Call::Rate { stars } => Market::rate(origin, job, stars),
        Call::Remove => Market::remove_job(origin, job),
        Call::Transfer { to, amount } => {
            Balances::transfer_allow_death(origin, account(to), amount)
        }
        Call::Freeze { amount } => Balances::set_freeze(&FREEZE, &who, amount),
        Call::Slash { percent } => {
            TestStake::slash(&who, Perbill::from_percent(percent), 0, None);
            Ok(())
        }
        Call::SetMerit { percent } => {
            Merits::insert(who, Permill::from_percent(percent));
            Ok(())
        }
        Call::SetFloor { floor } => Registry::set_price_floor(origin, model(), floor),
        Call::SetRoyalty { percent } => {
            Registry::set_royalty(origin, model(), Permill::from_percent(percent))
        }
        Call::Deregister => Registry::deregister(origin, model()),
        Call::Register => {
            let name = b"again".to_vec().try_into().unwrap();
            Registry::register(origin, key(1), name, FLOOR, ROYALTY)
        }
    }
}

/// What everybody should own, kept by events alone.
struct Books {
    totals: BTreeMap<AccountId, Balance>,
    requesters: BTreeMap<JobId, AccountId>,
    /// Whose fee a disputed answer's worker gets if it is paid.
    challengers: BTreeMap<JobId, AccountId>,
    owner: AccountId,
    issuance: Balance,
}

impl Books {
    fn new() -> Self {
        let mut totals: BTreeMap<_, _> = ACCOUNTS
            .map(account)
            .map(|who| (who.clone(), total(&who)))
            .into();
        for who in [pot(), treasury()] {
            totals.insert(who.clone(), total(&who));
        }
        Self {
            totals,
            requesters: BTreeMap::new(),
            challengers: BTreeMap::new(),
            owner: account(9),
            issuance: Balances::total_issuance(),
        }
    }

    fn lose(&mut self, from: &AccountId, amount: Balance) {
        *self.totals.get_mut(from).unwrap() -= amount;
    }

    fn shift(&mut self, from: &AccountId, to: &AccountId, amount: Balance) {
        self.lose(from, amount);
        *self.totals.get_mut(to).unwrap() += amount;
    }

    fn burn(&mut self, from: &AccountId, amount: Balance) {
        self.lose(from, amount);
        self.issuance -= amount;
    }

    /// Reads the events since the last time: those of one call.
    fn update(&mut self) {
        for event in System::read_events_for_pallet::<Event<Test>>() {
            match event {
                Event::JobSubmitted { job, requester, .. } => {
                    self.requesters.insert(job, requester);
                }
                Event::AnswerDisputed {
                    job, challenger, ..
                } => {
                    self.challengers.insert(job, challenger);
                }
                Event::JobCompleted { job, worker, .. } => {
                    if let Some(challenger) = self.challengers.remove(&job) {
                        self.shift(&challenger, &worker, DISPUTE_FEE);
                    }
                }
                Event::PaymentReleased {
                    job,
                    payees,
                    royalty,
                    fee,
                    burned,
                } => {
                    let requester = self.requesters[&job].clone();
                    for (payee, amount) in payees {
                        self.shift(&requester, &payee, amount);
                    }
                    let owner = self.owner.clone();
                    self.shift(&requester, &owner, royalty);
                    self.shift(&requester, &treasury(), fee);
                    self.burn(&requester, burned);
                }
                _ => {}
            }
        }
        for event in System::read_events_for_pallet::<pallet_balances::Event<Test>>() {
            match event {
                pallet_balances::Event::Transfer { from, to, amount } => {
                    self.shift(&from, &to, amount)
                }
                pallet_balances::Event::Burned { who, amount } if who == pot() => {
                    self.burn(&who, amount)
                }
                pallet_balances::Event::DustLost { account, amount } => self.burn(&account, amount),
                _ => {}
            }
        }
        for event in System::read_events_for_pallet::<pallet_model_registry::Event<Test>>() {
            if let pallet_model_registry::Event::ModelRegistered { owner, .. } = event {
                self.owner = owner;
            }
        }
        System::reset_events();
    }

    fn check(&self) {
        check();
        assert_eq!(Balances::total_issuance(), self.issuance);
        for (who, expected) in &self.totals {
            assert_eq!(total(who), *expected, "{who:?}");
        }
        assert_eq!(self.totals.values().sum::<Balance>(), self.issuance);
        // Who has no job has no hold: `check` knows only of accounts with jobs.
        let held: Balance = self.totals.keys().map(all_held).sum();
        let expected: Balance = Jobs::<Test>::iter_values()
            .map(|job| {
                let escrow = if job.is_open() { job.escrow() } else { 0 };
                let fee = match job.state {
                    JobState::Disputed { fee, .. } => fee,
                    _ => 0,
                };
                escrow + job.deposit + fee
            })
            .sum();
        assert_eq!(held, expected);
    }
}

fn all_held(who: &AccountId) -> Balance {
    let reasons = [
        HoldReason::Escrow,
        HoldReason::JobDeposit,
        HoldReason::Collateral,
        HoldReason::DisputeFee,
    ];
    reasons.into_iter().map(|reason| held(reason, who)).sum()
}

/// Ends and removes every job, long after all their times.
fn end_all(books: &mut Books) {
    for id in 0..NextJobId::<Test>::get() {
        let Some(job) = Market::job(id) else { continue };
        let anyone = RuntimeOrigin::signed(nobody());
        match job.state {
            JobState::Answered { .. } | JobState::Disputed { .. } | JobState::Voting { .. } => {
                assert_ok!(Market::finalise(anyone, id));
            }
            _ if job.is_open() => {
                assert_ok!(Market::expire_job(anyone, id));
            }
            _ => {}
        }
        assert_ok!(Market::remove_job(RuntimeOrigin::signed(job.requester), id));
        books.update();
    }
    books.check();
    assert!(Results::<Test>::iter().next().is_none());
    assert!(Revealed::<Test>::iter().next().is_none());
    assert!(Workload::<Test>::iter().next().is_none());
    assert_eq!(books.totals.keys().map(all_held).sum::<Balance>(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn whatever_is_called_funds_are_conserved_and_every_job_can_be_ended(
        blocks in prop::collection::vec(
            (1..4u64, prop::collection::vec((name(), call(), any::<u16>()), 0..6)),
            1..40,
        ),
    ) {
        ext().execute_with(|| {
            let mut books = Books::new();
            let mut now = 1;
            for (skipped, calls) in blocks {
                now += skipped;
                at(now);
                for (who, call, nth) in calls {
                    let _ = dispatch(who, call, nth.into());
                    books.update();
                }
                books.check();
            }
            at(now + 2 * MAX_DURATION);
            end_all(&mut books);
        });
    }
}

fn kind(event: Event<Test>) -> &'static str {
    match event {
        Event::JobSubmitted { .. } => "submitted",
        Event::SeatTaken { .. } => "seat taken",
        Event::JobClaimed { .. } => "claimed",
        Event::JobRescued { bounty: 0, .. } => "rescued without a bounty",
        Event::JobRescued { .. } => "rescued",
        Event::JobAnswered { .. } => "answered",
        Event::AnswerDisputed { .. } => "disputed",
        Event::AnswerCommitted { .. } => "committed",
        Event::AnswerRevealed { .. } => "revealed",
        Event::JobCompleted { .. } => "completed",
        Event::PaymentReleased { payees, .. } if payees.len() > 1 => "shared",
        Event::PaymentReleased { .. } => "paid",
        Event::ResultRefused { .. } => "refused",
        Event::JobFailed { cut: 0, .. } => "failed at nobody's cost",
        Event::JobFailed { .. } => "failed",
        Event::JobReleased { .. } => "released",
        Event::JobCancelled { .. } => "cancelled",
        Event::JobExpired {
            worker: Some(_), ..
        } => "expired, claimed",
        Event::JobExpired { worker: None, .. } => "expired, unclaimed",
        Event::JobRated { .. } => "rated",
        Event::JobRemoved { .. } => "removed",
        _ => unreachable!("the market has no other events"),
    }
}

#[test]
fn the_random_calls_reach_every_state() {
    // A property that no run exercises would hold emptily: count what a few hundred runs get to.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = prop::collection::vec((name(), call(), any::<u16>()), 200);
    let mut seen = BTreeMap::<&str, usize>::new();
    for _ in 0..150 {
        let calls = strategy.new_tree(&mut runner).unwrap().current();
        ext().execute_with(|| {
            for (number, (who, call, nth)) in calls.into_iter().enumerate() {
                at(1 + number as u64 / 6);
                let quality = match call {
                    Call::AnswerAll { quality, .. } => Some(quality),
                    _ => None,
                };
                let several = claims_of(&account(who), 0).len() > 1;
                let taken = dispatch(who, call, nth.into()).is_ok();
                if let (Some(quality), true, true) = (quality, several, taken) {
                    let kind = match quality {
                        Quality::Good => "several paid by one proof",
                        _ => "several refused with one proof",
                    };
                    *seen.entry(kind).or_default() += 1;
                }
            }
            for event in System::read_events_for_pallet::<Event<Test>>() {
                *seen.entry(kind(event)).or_default() += 1;
            }
        });
    }
    assert_eq!(seen.len(), 23, "{seen:?}");
    assert!(seen.values().all(|count| *count >= 3), "{seen:?}");
}
