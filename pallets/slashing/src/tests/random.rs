//! Random offences and calls, block by block, on the mock runtime.

use crate::{mock::*, CaseStatus, Cases, NextCaseId, OffenceKind, Standing};
use frame_support::{storage::with_storage_layer, weights::Weight};
use proptest::{prelude::*, strategy::ValueTree};
use sp_runtime::DispatchResult;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Call {
    Open(OffenceKind, u64),
    Silence,
    Report,
    Execute,
    ExecuteMany,
    Cancel,
    Prune,
    ChangeKeys,
}

fn call() -> impl Strategy<Value = Call> {
    let kind = prop_oneof![
        4 => Just(OffenceKind::DoubleSigning),
        2 => Just(OffenceKind::Downtime),
        2 => Just(OffenceKind::InvalidCompute),
        1 => Just(OffenceKind::CoordinatedAttack),
    ];
    prop_oneof![
        6 => (kind, 0..3 * DAY).prop_map(|(kind, ago)| Call::Open(kind, ago)),
        1 => Just(Call::Silence),
        2 => Just(Call::Report),
        2 => Just(Call::Execute),
        1 => Just(Call::ExecuteMany),
        1 => Just(Call::Cancel),
        3 => Just(Call::Prune),
        1 => Just(Call::ChangeKeys),
    ]
}

/// How many blocks later than the last, whether it is full, and its calls: by whom or on whom, and on which case.
type Block = (u64, bool, Vec<(u8, Call, u16)>);

/// Blocks, some of which come much later than the last.
fn blocks() -> impl Strategy<Value = Vec<Block>> {
    let skip = prop_oneof![5 => 1..HOUR, 3 => HOUR..2 * DAY, 1 => 100 * DAY..1_000 * DAY];
    let calls = prop::collection::vec((1..9u8, call(), any::<u16>()), 0..5);
    prop::collection::vec((skip, any::<bool>(), calls), 1..24)
}

fn dispatch(name: u8, call: Call, pick: u16) -> bool {
    let case = u64::from(pick) % NextCaseId::<Test>::get().max(1);
    // As an extrinsic would be: all or nothing.
    with_storage_layer(|| -> DispatchResult {
        match call {
            Call::Open(kind, ago) => {
                // Times in a grid, so that some are the same.
                open(name, kind, now().saturating_sub(ago) / HOUR * HOUR);
            }
            Call::Silence => {
                Silent::mutate(|silent| silent.insert(account(name), now()));
            }
            Call::Report => {
                Slashing::report_downtime(signed(), account(name)).map_err(|error| error.error)?;
            }
            Call::Execute => {
                Slashing::execute_case(signed(), case).map_err(|error| error.error)?;
            }
            Call::ExecuteMany => {
                let cases: Vec<_> = (case..case + 5).collect();
                Slashing::execute_cases(signed(), cases.try_into().unwrap())
                    .map_err(|error| error.error)?;
            }
            Call::Cancel => Slashing::cancel_case(RuntimeOrigin::root(), case)?,
            Call::Prune => {
                Slashing::prune_case(signed(), case).map_err(|error| error.error)?;
            }
            Call::ChangeKeys => {
                NewKeys::mutate(|keys| keys.entry(account(name)).or_insert([name; 32])[0] += 1);
            }
        }
        Ok(())
    })
    .is_ok()
}

/// Who owns what, and who is banned, from block to block.
struct Books {
    issuance: Balance,
    banned: Vec<u8>,
}

impl Books {
    fn check(&mut self) {
        check();
        assert_eq!(Balances::total_issuance(), self.issuance);
        let taken: Balance = Cases::<Test>::iter_values()
            .map(|record| match record.status {
                CaseStatus::Applied { taken } => taken,
                CaseStatus::Pending | CaseStatus::Cancelled => 0,
            })
            .sum();
        let lost: Balance = (1..9).map(|name| STAKE - stake(name)).sum();
        assert!(taken <= lost);
        let gained = Balances::free_balance(treasury()) + Balances::free_balance(anyone());
        assert_eq!(gained, lost);
        for name in &self.banned {
            assert_eq!(standing(*name), Standing::Banned);
        }
        self.banned = (1..9)
            .filter(|name| Slashing::banned(account(*name)))
            .collect();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn whatever_happens_stake_is_only_moved_bans_stand_and_every_case_ends(blocks in blocks()) {
        ext().execute_with(|| {
            let mut books = Books { issuance: Balances::total_issuance(), banned: Vec::new() };
            for (skipped, is_full, calls) in blocks {
                at(now() + skipped);
                for (name, call, pick) in calls {
                    dispatch(name, call, pick);
                }
                let room = if is_full { 1 } else { 3 };
                idle(Slashing::execution_weight().saturating_mul(room));
                books.check();
            }
            at(now() + DAY);
            idle_freely();
            books.check();
            at(now() + 905 * DAY + 1);
            for id in 0..NextCaseId::<Test>::get() {
                if Slashing::case(id).is_some() {
                    Slashing::prune_case(signed(), id).unwrap();
                }
            }
            books.check();
            assert_eq!(Cases::<Test>::iter().count(), 0);
            assert_eq!(crate::Known::<Test>::iter().count(), 0);
            assert_eq!(crate::Histories::<Test>::iter().count(), 0);
            assert_eq!(crate::AccusedKeys::<Test>::iter().count(), 0);
        });
    }
}

#[test]
fn the_random_calls_reach_every_state() {
    // A property that no run exercises would hold emptily: count what some runs get to.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = BTreeMap::<String, usize>::new();
    for _ in 0..100 {
        let blocks = blocks().new_tree(&mut runner).unwrap().current();
        ext().execute_with(|| {
            for (skipped, _, calls) in blocks {
                at(now() + skipped);
                for (name, call, pick) in calls {
                    let call_name = format!("{call:?}").split('(').next().unwrap().to_owned();
                    if dispatch(name, call, pick) {
                        *seen.entry(call_name).or_default() += 1;
                    }
                }
                idle(Weight::from_parts(u64::MAX, u64::MAX));
            }
            for event in System::read_events_for_pallet::<crate::Event<Test>>() {
                let kind = format!("{event:?}").split(' ').next().unwrap().to_owned();
                *seen.entry(kind).or_default() += 1;
            }
        });
    }
    assert_eq!(seen.len(), 8 + 7, "{seen:?}");
    assert!(seen.values().all(|count| *count >= 5), "{seen:?}");
}
