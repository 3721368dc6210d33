//! Doubles of the pallets that the market meets: what tests set, and what the market told them.

use super::*;
use crate::{Jobs, Merit, OnProven, ProvenResult};
use frame_support::{
    ensure, storage_alias,
    traits::{
        fungible::Mutate,
        tokens::{Fortitude, Precision, Preservation},
    },
};
use pallet_cdc_pool::{Role, StakeLedger};
use pallet_reputation::{ReputationLedger, ReputationReason, Score};
use pallet_slashing::{OffenceDesk, OffenceKind, Standing};
use pallet_worker_registry::{Outage, WorkerDirectory};
use sp_runtime::{DispatchError, Perbill};
use std::collections::BTreeMap;

/// What every worker has staked.
pub const STAKE: Balance = 50_000;

/// Each operator's own stake, and what of it is reserved. The funds lie in the account [`pot`].
#[storage_alias]
pub type Stakes = StorageMap<Doubles, frame_support::Twox64Concat, AccountId, (Balance, Balance)>;

/// The machines of active workers, as the requirements that they meet.
#[storage_alias]
pub type Machines = StorageMap<Doubles, frame_support::Twox64Concat, AccountId, Requirements>;

/// Standings that are not good.
#[storage_alias]
pub type Standings = StorageMap<Doubles, frame_support::Twox64Concat, AccountId, Standing<u64>>;

/// Merits that are not the best.
#[storage_alias]
pub type Merits = StorageMap<Doubles, frame_support::Twox64Concat, AccountId, Permill>;

/// What reputation was told.
#[storage_alias]
pub type Notes = StorageValue<
    Doubles,
    Vec<(AccountId, ReputationReason)>,
    frame_support::pallet_prelude::ValueQuery,
>;

/// The cases that were opened.
#[storage_alias]
pub type Cases = StorageValue<
    Doubles,
    Vec<(AccountId, OffenceKind, u64)>,
    frame_support::pallet_prelude::ValueQuery,
>;

/// The jobs that were paid for a proof, with the hashes of their outputs.
#[storage_alias]
pub type Log = StorageValue<Doubles, Vec<(JobId, H256)>, frame_support::pallet_prelude::ValueQuery>;

pub fn pot() -> AccountId {
    account(200)
}

/// Makes `who`, unless it is one, a worker with so much stake, minted, and the best machine.
pub fn enrol(who: &AccountId, stake: Balance) {
    if Stakes::contains_key(who) {
        return;
    }
    assert_ok!(Balances::mint_into(&pot(), stake));
    Stakes::insert(who, (stake, 0));
    let best = Requirements {
        gpu: true,
        memory: u32::MAX,
        gflops: u32::MAX,
        region: None,
    };
    Machines::insert(who, best);
}

pub fn stake(who: &AccountId) -> Balance {
    Stakes::get(who).map_or(0, |(stake, _)| stake)
}

pub fn reserved(who: &AccountId) -> Balance {
    Stakes::get(who).map_or(0, |(_, reserved)| reserved)
}

/// What reputation was told of this account.
pub fn notes(who: &AccountId) -> Vec<ReputationReason> {
    let about = |(noted, reason)| (&noted == who).then_some(reason);
    Notes::get().into_iter().filter_map(about).collect()
}

/// Each worker has reserved exactly what its jobs say, unless a slash took some.
pub fn check_reservations() {
    let mut expected = BTreeMap::<AccountId, Balance>::new();
    for job in Jobs::<Test>::iter_values() {
        let (workers, collateral) = match job.state {
            JobState::Assigned(claim)
            | JobState::Answered { claim, .. }
            | JobState::Disputed { claim, .. } => (vec![claim.worker], claim.collateral),
            JobState::Gathering {
                workers,
                collateral,
            } => (workers.into_inner(), collateral),
            JobState::Voting {
                seats, collateral, ..
            } => (
                seats.into_iter().map(|seat| seat.worker).collect(),
                collateral,
            ),
            _ => continue,
        };
        for worker in workers {
            *expected.entry(worker).or_default() += collateral;
        }
    }
    for (who, (stake, reserved)) in Stakes::iter() {
        let expected = expected.remove(&who).unwrap_or_default();
        assert_eq!(reserved, expected.min(stake), "{who:?}");
    }
    assert!(expected.is_empty());
    let staked: Balance = Stakes::iter_values().map(|(stake, _)| stake).sum();
    assert_eq!(total(&pot()), staked);
}

pub struct TestStake;

impl StakeLedger<AccountId, Balance, u64> for TestStake {
    fn stake(operator: &AccountId) -> Balance {
        stake(operator)
    }

    fn own_stake(operator: &AccountId) -> Balance {
        stake(operator)
    }

    fn has_role(operator: &AccountId, role: Role) -> bool {
        role == Role::Worker && Stakes::contains_key(operator)
    }

    fn operators(_: Role) -> Vec<(AccountId, Balance)> {
        Vec::new()
    }

    fn reserve(operator: &AccountId, amount: Balance) -> DispatchResult {
        Stakes::try_mutate(operator, |entry| {
            let (stake, reserved) = entry
                .as_mut()
                .ok_or(DispatchError::Other("not an operator"))?;
            ensure!(*stake >= *reserved + amount, "own stake is too low");
            *reserved += amount;
            Ok(())
        })
    }

    fn release(operator: &AccountId, amount: Balance) {
        Stakes::mutate(operator, |entry| {
            if let Some((_, reserved)) = entry {
                *reserved = reserved.saturating_sub(amount);
            }
        });
    }

    fn forfeit(operator: &AccountId, amount: Balance, to: Option<&AccountId>) -> Balance {
        let taken = amount.min(reserved(operator));
        Stakes::mutate(operator, |entry| {
            if let Some((stake, reserved)) = entry {
                *stake -= taken;
                *reserved -= taken;
            }
        });
        take(taken, to);
        taken
    }

    fn slash(
        operator: &AccountId,
        fraction: Perbill,
        _: u64,
        _: Option<(&AccountId, Perbill)>,
    ) -> Balance {
        let taken = fraction.mul_floor(stake(operator));
        Stakes::mutate(operator, |entry| {
            if let Some((stake, reserved)) = entry {
                *stake -= taken;
                *reserved = (*reserved).min(*stake);
            }
        });
        take(taken, None);
        taken
    }

    fn reward(_: &AccountId, _: Balance) -> Balance {
        0
    }
}

/// Moves funds out of the pot.
fn take(amount: Balance, to: Option<&AccountId>) {
    match to {
        _ if amount == 0 => {}
        Some(to) => {
            let expendable = Preservation::Expendable;
            assert_ok!(Balances::transfer(&pot(), to, amount, expendable));
        }
        None => {
            let (exact, force) = (Precision::Exact, Fortitude::Force);
            let expendable = Preservation::Expendable;
            assert_ok!(Balances::burn_from(
                &pot(),
                amount,
                expendable,
                exact,
                force
            ));
        }
    }
}

pub struct TestDirectory;

impl WorkerDirectory<AccountId, u64> for TestDirectory {
    fn is_active(who: &AccountId) -> bool {
        Machines::contains_key(who)
    }

    fn meets(who: &AccountId, asked: &Requirements) -> bool {
        Machines::get(who).is_some_and(|machine| {
            machine.gpu >= asked.gpu
                && machine.memory >= asked.memory
                && machine.gflops >= asked.gflops
        })
    }

    fn uptime(_: &AccountId) -> Perbill {
        Perbill::one()
    }

    fn outage(_: &AccountId) -> Option<Outage<u64>> {
        None
    }
}

pub struct TestReputation;

impl ReputationLedger<AccountId> for TestReputation {
    fn score(_: &AccountId) -> Score {
        pallet_reputation::INITIAL_SCORE
    }

    fn note(who: &AccountId, reason: ReputationReason) {
        Notes::append((who.clone(), reason));
    }
}

pub struct TestOffences;

impl OffenceDesk<AccountId, u64> for TestOffences {
    fn open_case(offender: &AccountId, kind: OffenceKind, at: u64) {
        Cases::append((offender.clone(), kind, at));
    }

    fn standing(who: &AccountId) -> Standing<u64> {
        Standings::get(who).unwrap_or(Standing::Good)
    }
}

pub struct TestMerit;

impl Merit<AccountId> for TestMerit {
    fn merit(who: &AccountId) -> Permill {
        Merits::get(who).unwrap_or(Permill::one())
    }
}

pub struct TestLog;

impl OnProven for TestLog {
    fn on_proven(job: JobId, result: &ProvenResult) {
        Log::append((job, result.output_hash));
    }
}
