//! Random calls from several accounts, block by block, on the mock runtime.

use crate::{mock::*, Event, HoldReason, JobState, Jobs, NextJobId, Results};
use ciro_primitives::JobId;
use frame_support::{assert_ok, traits::fungible::MutateFreeze};
use proptest::{prelude::*, strategy::ValueTree};
use std::collections::BTreeMap;

/// One account of each kind, and the models' owner. Account 4 has no funds until it is paid.
const ACCOUNTS: [u8; 5] = [1, 2, 3, 4, 9];

#[derive(Clone, Debug)]
enum Call {
    Submit {
        batch: u32,
        price: Balance,
        duration: u64,
    },
    Claim,
    /// With a good proof, a wrong one, or a malformed call.
    Answer {
        payee: u8,
        quality: Quality,
    },
    Release,
    Cancel,
    Expire,
    Remove,
    /// Sends as much as the account can, or some.
    Transfer {
        to: u8,
        amount: Balance,
    },
    Freeze {
        amount: Balance,
    },
    SetFloor {
        floor: Balance,
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

fn call() -> impl Strategy<Value = Call> {
    let quality = prop_oneof![
        4 => Just(Quality::Good),
        1 => Just(Quality::BadProof),
        1 => Just(Quality::StolenProof),
        1 => Just(Quality::BadInput),
        1 => Just(Quality::BadLength),
    ];
    prop_oneof![
        6 => (0..4u32, 500..5_000u128, 3..30u64)
            .prop_map(|(batch, price, duration)| Call::Submit { batch, price, duration }),
        8 => Just(Call::Claim),
        8 => (name(), quality).prop_map(|(payee, quality)| Call::Answer { payee, quality }),
        2 => Just(Call::Release),
        1 => Just(Call::Cancel),
        3 => Just(Call::Expire),
        2 => Just(Call::Remove),
        1 => (name(), 0..200_000u128).prop_map(|(to, amount)| Call::Transfer { to, amount }),
        1 => (0..200_000u128).prop_map(|amount| Call::Freeze { amount }),
        1 => (0..1_500u128).prop_map(|floor| Call::SetFloor { floor }),
        1 => Just(Call::Deregister),
        1 => Just(Call::Register),
    ]
}

/// Whoever the caller is, their `pick`th job among those that are stored: mostly one that the call can act on.
fn pick(who: &AccountId, call: &Call, pick: usize) -> JobId {
    let fits = |state: &JobState<AccountId, Balance, u64>| match (call, state) {
        (Call::Claim | Call::Cancel, JobState::Submitted) => true,
        (Call::Answer { .. } | Call::Release, JobState::Assigned { worker, .. }) => worker == who,
        (Call::Expire, state) => matches!(state, JobState::Submitted | JobState::Assigned { .. }),
        (Call::Remove, state) => !matches!(state, JobState::Submitted | JobState::Assigned { .. }),
        _ => false,
    };
    let mut ids: Vec<JobId> = Jobs::<Test>::iter()
        .filter(|(_, job)| pick.is_multiple_of(7) || fits(&job.state))
        .map(|(id, _)| id)
        .collect();
    ids.sort();
    ids.get(pick % ids.len().max(1))
        .copied()
        .unwrap_or(pick as JobId)
}

fn dispatch(who: AccountId, call: Call, nth: usize) -> bool {
    let job = pick(&who, &call, nth);
    let origin = RuntimeOrigin::signed(who.clone());
    // As an extrinsic would be: all or nothing.
    frame_support::storage::with_storage_layer(|| match call {
        Call::Submit {
            batch,
            price,
            duration,
        } => Request {
            batch,
            price,
            duration,
            ..request()
        }
        .submit(who),
        Call::Claim => claim(who, job),
        Call::Answer { payee, quality } => {
            let mut answer = answer(job, account(payee));
            match quality {
                Quality::Good => {}
                Quality::BadProof => answer.proof[7] ^= 1,
                Quality::StolenProof => answer.payee = account(ACCOUNTS[(payee as usize + 1) % 5]),
                Quality::BadInput => answer.input[0] = answer.input[0].wrapping_add(1),
                Quality::BadLength => answer.output.push(0),
            }
            answer.submit(who).map(|_| ()).map_err(|error| error.error)
        }
        Call::Release => Market::release_job(origin, job),
        Call::Cancel => Market::cancel_job(origin, job),
        Call::Expire => Market::expire_job(origin, job),
        Call::Remove => Market::remove_job(origin, job),
        Call::Transfer { to, amount } => {
            Balances::transfer_allow_death(origin, account(to), amount)
        }
        Call::Freeze { amount } => Balances::set_freeze(&FREEZE, &who, amount),
        Call::SetFloor { floor } => Registry::set_price_floor(origin, model(), floor),
        Call::Deregister => Registry::deregister(origin, model()),
        Call::Register => {
            Registry::register(origin, key(1), b"again".to_vec().try_into().unwrap(), FLOOR)
        }
    })
    .is_ok()
}

/// What everybody should own, kept by the market's events alone.
struct Books {
    totals: BTreeMap<AccountId, Balance>,
    requesters: BTreeMap<JobId, AccountId>,
    issuance: Balance,
}

impl Books {
    fn new() -> Self {
        let totals = ACCOUNTS.map(account).map(|who| (who.clone(), total(&who)));
        Self {
            totals: totals.into(),
            requesters: BTreeMap::new(),
            issuance: Balances::total_issuance(),
        }
    }

    fn shift(&mut self, from: &AccountId, to: &AccountId, amount: Balance) {
        *self.totals.get_mut(from).unwrap() -= amount;
        *self.totals.get_mut(to).unwrap() += amount;
    }

    /// Reads the events since the last time.
    fn update(&mut self) {
        for record in System::read_events_for_pallet::<Event<Test>>() {
            match record {
                Event::JobSubmitted { job, requester, .. } => {
                    self.requesters.insert(job, requester);
                }
                Event::PaymentReleased { job, payee, amount } => {
                    let requester = self.requesters[&job].clone();
                    self.shift(&requester, &payee, amount);
                }
                Event::JobReleased { job, worker, cut }
                | Event::JobExpired {
                    job,
                    worker: Some(worker),
                    cut,
                } => {
                    let requester = self.requesters[&job].clone();
                    self.shift(&worker, &requester, cut);
                }
                Event::ResultRefused { worker, cut, .. } => {
                    *self.totals.get_mut(&worker).unwrap() -= cut;
                    self.issuance -= cut;
                }
                _ => {}
            }
        }
        for record in System::read_events_for_pallet::<pallet_balances::Event<Test>>() {
            match record {
                pallet_balances::Event::Transfer { from, to, amount } => {
                    self.shift(&from, &to, amount)
                }
                pallet_balances::Event::DustLost { account, amount } => {
                    *self.totals.get_mut(&account).unwrap() -= amount;
                    self.issuance -= amount;
                }
                _ => {}
            }
        }
        System::reset_events();
    }

    fn check(&self) {
        check();
        assert_eq!(Balances::total_issuance(), self.issuance);
        for (who, expected) in &self.totals {
            assert_eq!(total(who), *expected);
        }
        assert_eq!(self.totals.values().sum::<Balance>(), self.issuance);
        // Who has no job has no hold: `check` knows only of accounts with jobs.
        let held: Balance = self.totals.keys().map(all_held).sum();
        let expected: Balance = Jobs::<Test>::iter_values()
            .map(|job| {
                let price = if job.is_open() { job.price } else { 0 };
                let collateral = match job.state {
                    JobState::Assigned { collateral, .. } => collateral,
                    _ => 0,
                };
                price + job.deposit + collateral
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
    ];
    reasons.into_iter().map(|reason| held(reason, who)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

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
                    dispatch(account(who), call, nth.into());
                }
                books.update();
                books.check();
            }

            at(now + MAX_DURATION + 1);
            for id in 0..NextJobId::<Test>::get() {
                let Some(job) = Market::job(id) else { continue };
                if job.is_open() {
                    assert_ok!(Market::expire_job(RuntimeOrigin::signed(other()), id));
                }
                assert_ok!(Market::remove_job(RuntimeOrigin::signed(job.requester), id));
            }
            books.update();
            books.check();
            assert!(Results::<Test>::iter().next().is_none());
            assert_eq!(books.totals.keys().map(all_held).sum::<Balance>(), 0);
        });
    }
}

#[test]
fn the_random_calls_reach_every_state() {
    // A property that no run exercises would hold emptily: count what a few hundred runs get to.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = prop::collection::vec((name(), call(), any::<u16>()), 150);
    let mut seen = BTreeMap::<&str, usize>::new();
    for _ in 0..20 {
        let calls = strategy.new_tree(&mut runner).unwrap().current();
        ext().execute_with(|| {
            for (number, (who, call, nth)) in calls.into_iter().enumerate() {
                at(1 + number as u64 / 3);
                dispatch(account(who), call, nth.into());
            }
            for event in System::read_events_for_pallet::<Event<Test>>() {
                let kind = match event {
                    Event::JobSubmitted { .. } => "submitted",
                    Event::JobClaimed { .. } => "claimed",
                    Event::JobCompleted { .. } => "completed",
                    Event::ResultRefused { .. } => "refused",
                    Event::JobReleased { .. } => "released",
                    Event::JobCancelled { .. } => "cancelled",
                    Event::JobExpired {
                        worker: Some(_), ..
                    } => "expired, claimed",
                    Event::JobExpired { worker: None, .. } => "expired, unclaimed",
                    Event::JobRemoved { .. } => "removed",
                    _ => continue,
                };
                *seen.entry(kind).or_default() += 1;
            }
        });
    }
    assert_eq!(seen.len(), 9, "{seen:?}");
    assert!(seen.values().all(|count| *count >= 5), "{seen:?}");
}
