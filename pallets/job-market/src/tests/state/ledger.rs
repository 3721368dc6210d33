//! Funds as a job's steps move them.

use super::{Account, Job, State};
use crate::{
    state::{Effect, Sink},
    HoldReason, JobState,
};
use std::collections::BTreeMap;

/// What everyone has on hold, has reserved and has gained; the last three are the model's owner, where fees go, and
/// what was burned.
#[derive(Default)]
pub struct Ledger {
    held: BTreeMap<(u8, Account), u128>,
    reserved: BTreeMap<Account, u128>,
    gained: BTreeMap<Account, i128>,
}

const OWNER: Account = 100;
const FEES: Account = 101;
const BURNED: Account = 102;

impl Ledger {
    fn take(&mut self, reason: HoldReason, who: Account, amount: u128) {
        let held = self.held.entry((reason as u8, who)).or_default();
        *held = held
            .checked_sub(amount)
            .expect("no more is taken than is on hold");
    }

    fn unreserve(&mut self, who: Account, amount: u128) {
        let reserved = self.reserved.entry(who).or_default();
        *reserved = reserved
            .checked_sub(amount)
            .expect("no more is taken than is reserved");
    }

    fn shift(&mut self, from: Account, to: Account, amount: u128) {
        *self.gained.entry(from).or_default() -= amount as i128;
        *self.gained.entry(to).or_default() += amount as i128;
    }

    pub fn apply(&mut self, effects: &[Effect<Account, u128, u64>]) {
        for effect in effects {
            match *effect {
                Effect::Hold(reason, who, amount) => {
                    *self.held.entry((reason as u8, who)).or_default() += amount;
                }
                Effect::Release(reason, who, amount) => self.take(reason, who, amount),
                Effect::Pay(reason, from, ref sink, amount) => {
                    self.take(reason, from, amount);
                    let to = match sink {
                        Sink::Account(who) => *who,
                        Sink::ModelOwner => OWNER,
                        Sink::Fees => FEES,
                        Sink::Burn => BURNED,
                    };
                    self.shift(from, to, amount);
                }
                Effect::Reserve(who, amount) => *self.reserved.entry(who).or_default() += amount,
                Effect::Free(who, amount) => self.unreserve(who, amount),
                Effect::Forfeit(who, to, amount) => {
                    self.unreserve(who, amount);
                    self.shift(who, to.unwrap_or(BURNED), amount);
                }
                Effect::Note(..) | Effect::Accuse(..) => {}
            }
        }
    }

    /// Everyone has on hold and reserved exactly what the job says.
    pub fn agrees_with(&self, job: Option<&Job>) {
        let mut held = BTreeMap::<(u8, Account), u128>::new();
        let mut hold = |reason: HoldReason, who, amount| {
            *held.entry((reason as u8, who)).or_default() += amount;
        };
        let mut reserved = BTreeMap::new();
        if let Some(job) = job {
            hold(HoldReason::JobDeposit, job.requester, job.deposit);
            if job.is_open() {
                hold(
                    HoldReason::Escrow,
                    job.requester,
                    job.price.ceiling + job.bounty,
                );
            }
            if let JobState::Disputed {
                challenger, fee, ..
            } = job.state
            {
                hold(HoldReason::DisputeFee, challenger, fee);
            }
            reserved = stakes(&job.state).into_iter().collect();
        }
        let some = |amounts: &BTreeMap<(u8, Account), u128>| {
            let mut some = amounts.clone();
            some.retain(|_, amount| *amount > 0);
            some
        };
        assert_eq!(some(&self.held), some(&held));
        let mut ours = self.reserved.clone();
        ours.retain(|_, amount| *amount > 0);
        reserved.retain(|_, amount| *amount > 0);
        assert_eq!(ours, reserved);
        assert_eq!(self.gained.values().sum::<i128>(), 0);
    }
}

/// Who has how much at stake in a state.
pub fn stakes(state: &State) -> Vec<(Account, u128)> {
    match state {
        JobState::Assigned(claim)
        | JobState::Answered { claim, .. }
        | JobState::Disputed { claim, .. } => vec![(claim.worker, claim.collateral)],
        JobState::Gathering {
            workers,
            collateral,
        } => workers.iter().map(|who| (*who, *collateral)).collect(),
        JobState::Voting {
            seats, collateral, ..
        } => seats
            .iter()
            .map(|seat| (seat.worker, *collateral))
            .collect(),
        _ => Vec::new(),
    }
}
