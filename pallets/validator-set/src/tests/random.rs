//! Random operators, keys, offences and blocks, session by session, on the mock runtime.

use crate::{
    formulas::seats,
    mock::{self, *},
    Event, LastElection,
};
use pallet_session::{DisabledValidators, NextKeys};
use pallet_slashing::Standing;
use proptest::{prelude::*, strategy::ValueTree};
use sp_runtime::Perbill;
use sp_staking::offence::OffenceSeverity;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Change {
    Stake(u128),
    Standing(u8),
    Score(u16),
    Uptime(u32),
    Keys(u64),
    PurgeKeys,
    Author(u32),
    Offend,
    Invite,
    Uninvite,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        8 => (1..100u128).prop_map(|stake| Change::Stake(stake * MIN_STAKE)),
        2 => (0..4u8).prop_map(Change::Standing),
        2 => (0..=1_000u16).prop_map(Change::Score),
        2 => (0..=100u32).prop_map(Change::Uptime),
        2 => any::<u64>().prop_map(Change::Keys),
        1 => Just(Change::PurgeKeys),
        4 => (1..20u32).prop_map(Change::Author),
        1 => Just(Change::Offend),
        1 => Just(Change::Invite),
        1 => Just(Change::Uninvite),
    ]
}

/// What happens before each session ends, and to whom.
fn sessions() -> impl Strategy<Value = Vec<Vec<(AccountId, Change)>>> {
    prop::collection::vec(prop::collection::vec((1..20u64, change()), 0..6), 1..30)
}

fn apply(who: AccountId, kind: Change) {
    let known = Operators::get().contains_key(&who);
    match kind {
        Change::Stake(amount) => stake(who, operator(amount)),
        Change::Standing(standing) if known => mock::change(who, |operator| {
            operator.standing = match standing {
                0 => Standing::Good,
                1 => Standing::Suspended { until: 9 },
                2 => Standing::Probation { until: 9 },
                _ => Standing::Banned,
            }
        }),
        Change::Score(score) if known => mock::change(who, |operator| operator.score = score),
        Change::Uptime(percent) if known => mock::change(who, |operator| {
            operator.uptime = Perbill::from_percent(percent)
        }),
        Change::Keys(key) => set_keys(who, key),
        // That all leave at once is beyond the pallet's power.
        Change::PurgeKeys if stayers(who) > 2 => NextKeys::<Test>::remove(who),
        Change::Author(blocks) if validators().contains(&who) => author(who, blocks),
        Change::Offend if validators().contains(&who) => {
            Session::report_offence(who, OffenceSeverity(Perbill::from_percent(30)));
        }
        Change::Invite => drop(ValidatorSet::invite(RuntimeOrigin::root(), who)),
        Change::Uninvite => drop(ValidatorSet::uninvite(RuntimeOrigin::root(), who)),
        _ => {}
    }
}

/// How many of the set would be left with keys if `who` had none.
fn stayers(who: AccountId) -> usize {
    let stays =
        |validator: &&AccountId| **validator != who && NextKeys::<Test>::contains_key(**validator);
    validators().iter().filter(stays).count()
}

/// Checks the set against the one of the session before.
fn check_set(before: &[AccountId], may_change: bool, is_elected: bool) {
    let now = validators();
    assert!(!now.is_empty());
    assert!(now.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(may_change || now == before, "a set changed within an era");
    let is_shorter = now.iter().all(|who| before.contains(who));
    if is_elected && now != before && !is_shorter {
        assert_eq!(seats(now.len() as u32, 64), Some(now.len() as u32));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn whatever_operators_do_sets_change_only_with_eras_and_the_cap_holds(
        sessions in sessions(),
    ) {
        ext().execute_with(|| {
            let mut last_left = None;
            let mut note_leavers = || {
                let stays = |who: &AccountId| NextKeys::<Test>::contains_key(who);
                if !validators().iter().all(stays) {
                    last_left = Some(Session::current_index());
                }
                last_left
            };
            for changes in sessions {
                for (who, change) in changes {
                    apply(who, change);
                }
                let before = validators();
                let disabled = DisabledValidators::<Test>::get().len();
                prop_assert!(disabled <= before.len() / 3);
                note_leavers();
                // The set that is to serve has been planned already.
                let is_elected = LastElection::<Test>::exists();
                session();
                let last_left = note_leavers();
                let index = Session::current_index();
                let someone_left = last_left.is_some_and(|left| index <= left + 2);
                check_set(&before, index.is_multiple_of(ERA) || someone_left, is_elected);
                check();
                prop_assert!(Balances::total_issuance() <= CAP);
                let owned: Balance = (1..20).map(Balances::free_balance).sum();
                prop_assert_eq!(Balances::total_issuance(), INITIAL + owned);
            }
            Ok(())
        })?;
    }
}

#[test]
fn the_random_changes_reach_every_event() {
    // A property that no run exercises would hold emptily: count what some runs get to.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = BTreeMap::<&str, usize>::new();
    for _ in 0..200 {
        let sessions = sessions().new_tree(&mut runner).unwrap().current();
        ext().execute_with(|| {
            for changes in sessions {
                for (who, change) in changes {
                    apply(who, change);
                }
                session();
            }
            for event in events() {
                let kind = match event {
                    Event::ValidatorsElected { .. } => "elected",
                    Event::RotationRefused { .. } => "refused",
                    Event::EraRewarded { rewarded: 0, .. } => "unrewarded",
                    Event::EraRewarded { .. } => "rewarded",
                    Event::ValidatorInvited { .. } => "invited",
                    Event::ValidatorUninvited { .. } => "uninvited",
                    Event::__Ignore(..) => continue,
                };
                *seen.entry(kind).or_default() += 1;
            }
        });
    }
    assert_eq!(seen.len(), 6, "{seen:?}");
    assert!(seen.values().all(|count| *count >= 5), "{seen:?}");
}
