//! Safe mode and pauses stop users, and neither blocks nor governance.

use crate::{call, call_as, development, pass};
use ciro_runtime::{
    configs::safety::{
        Essential, RepairInSafeMode, SafeModeDeposit, FORCED_SAFE_MODE_DURATION, SAFE_MODE_DURATION,
    },
    constants::UNIT,
    origins::Origin,
    Balances, BlockNumber, Runtime, RuntimeCall, RuntimeOrigin, SafeMode, System,
};
use frame_support::{
    assert_noop, assert_ok,
    migrations::{FailedMigrationHandler, FailedMigrationHandling},
    traits::{fungible::InspectHold, Contains},
};
use pallet_safe_mode::EnteredUntil;
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use sp_runtime::DispatchError;

type SystemError = frame_system::Error<Runtime>;

fn transfer() -> RuntimeCall {
    pallet_balances::Call::transfer_keep_alive {
        dest: Bob.to_account_id().into(),
        value: UNIT,
    }
    .into()
}

fn transfer_all() -> RuntimeCall {
    pallet_balances::Call::transfer_all {
        dest: Bob.to_account_id().into(),
        keep_alive: true,
    }
    .into()
}

fn remark() -> RuntimeCall {
    frame_system::Call::remark { remark: vec![] }.into()
}

fn name(pallet: &str, call: &str) -> pallet_tx_pause::RuntimeCallNameOf<Runtime> {
    let bounded = |name: &str| name.as_bytes().to_vec().try_into().unwrap();
    (bounded(pallet), bounded(call))
}

#[test]
fn safe_mode_stops_users_but_not_blocks() {
    development().execute_with(|| {
        assert_ok!(call(Alice, transfer()));
        assert_ok!(call(Alice, pallet_safe_mode::Call::enter {}));
        let started = System::block_number();
        assert_eq!(
            EnteredUntil::<Runtime>::get(),
            Some(started + SAFE_MODE_DURATION)
        );
        assert_noop!(call(Alice, transfer()), SystemError::CallFiltered);
        assert_noop!(
            call_as(Origin::Emergency, transfer()),
            SystemError::CallFiltered
        );
        // Not even in a batch.
        let batch = pallet_utility::Call::batch_all {
            calls: vec![transfer()],
        };
        assert_noop!(call(Alice, batch), SystemError::CallFiltered);
        // Each block takes its timestamp.
        pass(3);
        assert_eq!(System::block_number(), started + 3);
        assert_ok!(call(Alice, remark()));
        assert_ok!(call_as(
            Origin::Emergency,
            pallet_safe_mode::Call::force_exit {}
        ));
        assert_ok!(call(Alice, transfer()));
    });
}

#[test]
fn safe_mode_takes_reports_and_votes() {
    let essential = |call: RuntimeCall| Essential::contains(&call);
    for report in crate::offences::reports() {
        assert!(essential(report));
    }
    assert!(essential(
        pallet_referenda::Call::one_fewer_deciding { track: 0 }.into()
    ));
    assert!(essential(
        pallet_conviction_voting::Call::remove_vote {
            class: None,
            index: 0
        }
        .into()
    ));
    assert!(essential(
        pallet_outbound_queue::Call::set_halted { halted: true }.into()
    ));
    assert!(essential(
        pallet_attesters::Call::set_halted { halted: true }.into()
    ));
    assert!(essential(
        pallet_token_gateway::Call::set_halted { halted: true }.into()
    ));
    assert!(!essential(
        pallet_token_gateway::Call::release {
            lane: Default::default(),
            nonce: 0
        }
        .into()
    ));
    assert!(!essential(
        pallet_outbound_queue::Call::close_lane {
            lane: Default::default()
        }
        .into()
    ));
    assert!(!essential(transfer()));
    assert!(!essential(
        pallet_job_market::Call::claim_job { job: 0 }.into()
    ));
}

#[test]
fn whoever_enters_safe_mode_risks_a_deposit() {
    development().execute_with(|| {
        let alice = Alice.to_account_id();
        let deposit = SafeModeDeposit::get().unwrap();
        let held = || Balances::total_balance_on_hold(&alice);
        let before = held();
        assert_ok!(call(Alice, pallet_safe_mode::Call::enter {}));
        assert_eq!(held(), before + deposit);
        let burn = pallet_safe_mode::Call::force_slash_deposit {
            account: alice.clone(),
            block: System::block_number(),
        };
        assert_noop!(
            call_as(Origin::Emergency, burn.clone()),
            DispatchError::BadOrigin
        );
        let issued = Balances::total_issuance();
        assert_ok!(call_as(RuntimeOrigin::root(), burn));
        assert_eq!(Balances::total_issuance(), issued - deposit);
        assert_eq!(held(), before);
    });
}

#[test]
fn only_governance_enters_safe_mode_for_nothing_or_extends_it() {
    type Error = pallet_safe_mode::Error<Runtime>;
    development().execute_with(|| {
        let enter = || pallet_safe_mode::Call::force_enter {};
        assert_noop!(call(Alice, enter()), DispatchError::BadOrigin);
        assert_ok!(call_as(Origin::Emergency, enter()));
        let until = System::block_number() + FORCED_SAFE_MODE_DURATION;
        assert_eq!(EnteredUntil::<Runtime>::get(), Some(until));
        assert_noop!(
            call(Alice, pallet_safe_mode::Call::extend {}),
            Error::NotConfigured
        );
        let exit = pallet_safe_mode::Call::force_exit {};
        assert_noop!(call(Alice, exit), DispatchError::BadOrigin);
    });
}

#[test]
fn a_pause_stops_one_call() {
    development().execute_with(|| {
        let full_name = || name("Balances", "transfer_keep_alive");
        let pause = || pallet_tx_pause::Call::pause {
            full_name: full_name(),
        };
        assert_noop!(call(Alice, pause()), DispatchError::BadOrigin);
        assert_ok!(call_as(Origin::Emergency, pause()));
        assert_noop!(call(Alice, transfer()), SystemError::CallFiltered);
        assert_ok!(call(Alice, transfer_all()));
        let ident = full_name();
        assert_ok!(call_as(
            Origin::Emergency,
            pallet_tx_pause::Call::unpause { ident }
        ));
        assert_ok!(call(Bob, transfer()));
    });
}

#[test]
fn consensus_and_governance_cannot_be_paused() {
    type Error = pallet_tx_pause::Error<Runtime>;
    development().execute_with(|| {
        for (pallet, call) in [
            ("Timestamp", "set"),
            ("Grandpa", "report_equivocation_unsigned"),
            ("ConvictionVoting", "vote"),
            ("Referenda", "submit"),
            ("SafeMode", "force_exit"),
            ("TxPause", "unpause"),
            ("System", "apply_authorized_upgrade"),
            ("OutboundQueue", "set_halted"),
            ("Attesters", "set_halted"),
            ("TokenGateway", "set_halted"),
            ("EthereumClient", "submit"),
            ("EthereumClient", "force_checkpoint"),
        ] {
            let full_name = name(pallet, call);
            let pause = pallet_tx_pause::Call::pause { full_name };
            assert_noop!(call_as(Origin::Emergency, pause), Error::Unpausable);
        }
    });
}

#[test]
fn root_calls_whatever_is_stopped() {
    development().execute_with(|| {
        assert_ok!(call_as(
            Origin::Emergency,
            pallet_safe_mode::Call::force_enter {}
        ));
        let transfer = pallet_balances::Call::force_transfer {
            source: Alice.to_account_id().into(),
            dest: Bob.to_account_id().into(),
            value: UNIT,
        };
        assert_ok!(call_as(RuntimeOrigin::root(), transfer));
    });
}

#[test]
fn a_failed_migration_leaves_the_chain_to_governance() {
    development().execute_with(|| {
        let handling = RepairInSafeMode::failed(Some(0));
        assert_eq!(handling, FailedMigrationHandling::ForceUnstuck);
        assert_eq!(EnteredUntil::<Runtime>::get(), Some(BlockNumber::MAX));
        assert_noop!(call(Alice, transfer()), SystemError::CallFiltered);
        assert!(SafeMode::contains(&remark()));
    });
}
