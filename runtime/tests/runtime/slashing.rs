//! What offences cost: each row of the slashing matrix, from the evidence to the stake that is gone.

use crate::{
    call, development,
    offences::{four_validators, include, reports_of_bob, two_blocks_of},
};
use ciro_primitives::{input_commitment, JobId, ModelId};
use ciro_runtime::{
    configs::{
        economy::{DEFERRAL_PERIOD, DOWNTIME},
        market::HEAD_START,
    },
    constants::{DAYS, HOURS, UNIT},
    Balance, Balances, BlockNumber, CdcPool, JobMarket, Reputation, Runtime, RuntimeEvent, Session,
    Slashing, System, Treasury,
};
use ciro_zkml_air::{Preset, VerifyingKey};
use frame_support::{assert_noop, assert_ok};
use pallet_job_market::{Auction, JobSpec, JobState, Priority, Verification};
use pallet_session::{NextKeys, SessionInterface};
use pallet_slashing::{CaseStatus, Error, OffenceKind, SlashRecord, Standing};
use pallet_worker_registry::{Capabilities, HeartbeatKey, Region};
use sp_core::H256;
use sp_io::hashing::blake2_256;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};
use sp_runtime::Permill;

type Record = SlashRecord<ciro_runtime::AccountId, BlockNumber>;

/// Stakes for itself and takes the roles on.
pub fn enrol(who: Sr25519Keyring, amount: Balance, worker: bool, validator: bool) {
    assert_ok!(call(
        who,
        pallet_cdc_pool::Call::<Runtime>::stake { amount }
    ));
    let roles = pallet_cdc_pool::Call::<Runtime>::set_roles { worker, validator };
    assert_ok!(call(who, roles));
}

/// Registers a machine without a GPU, in Europe.
pub fn register(who: Sr25519Keyring) {
    assert_ok!(call(who, registration(who.public().into())));
}

fn registration(heartbeat_key: HeartbeatKey) -> pallet_worker_registry::Call<Runtime> {
    pallet_worker_registry::Call::register {
        capabilities: Capabilities {
            gpu_model: Default::default(),
            memory: 16_384,
            gflops: 100,
            region: Region::Europe,
            peer_address: Default::default(),
        },
        heartbeat_key,
    }
}

fn stake_of(who: Sr25519Keyring) -> Balance {
    CdcPool::operator(who.to_account_id()).map_or(0, |operator| operator.total)
}

fn score_of(who: Sr25519Keyring) -> u16 {
    Reputation::score(who.to_account_id())
}

fn standing_of(who: Sr25519Keyring) -> Standing<BlockNumber> {
    Slashing::standing(who.to_account_id())
}

/// The one case against `who`.
fn case_of(who: Sr25519Keyring) -> Record {
    let mut cases = Slashing::cases_of(who.to_account_id());
    assert_eq!(cases.len(), 1);
    cases.remove(0)
}

fn execute(case: &Record) -> sp_runtime::DispatchResult {
    call(
        Ferdie,
        pallet_slashing::Call::<Runtime>::execute_case { case: case.id },
    )
}

/// Waits the deferral out and executes the case.
fn let_pass(case: &Record) {
    assert_noop!(execute(case), Error::<Runtime>::NotDue);
    System::set_block_number(case.due);
    assert_ok!(execute(case));
}

/// That the suspension ends with `until`, the probation after it 30 days later, and that nothing is left then.
#[track_caller]
fn assert_recovers(who: Sr25519Keyring, until: BlockNumber) {
    let probation = until + 30 * DAYS;
    for (block, standing) in [
        (until, Standing::Suspended { until }),
        (until + 1, Standing::Probation { until: probation }),
        (probation, Standing::Probation { until: probation }),
        (probation + 1, Standing::Good),
    ] {
        System::set_block_number(block);
        assert_eq!(standing_of(who), standing);
    }
}

/// That nothing but `burned` has left the chain since it had issued `before`.
#[track_caller]
fn assert_conserved(before: Balance, burned: Balance) {
    assert_eq!(Balances::total_issuance(), before - burned);
}

#[test]
fn who_signs_twice_loses_three_tenths_with_its_delegators_and_ninety_days() {
    four_validators().execute_with(|| {
        enrol(Bob, 20_000 * UNIT, false, true);
        let delegate = pallet_cdc_pool::Call::<Runtime>::stake_for_worker {
            worker: Bob.to_account_id(),
            amount: 1_000 * UNIT,
        };
        assert_ok!(call(Eve, delegate));
        let (issued, pot) = (Balances::total_issuance(), Treasury::pot());

        include(two_blocks_of(Bob));
        assert_eq!(Session::disabled_validators().len(), 1);
        let case = case_of(Bob);
        assert_eq!(case.kind, OffenceKind::DoubleSigning);
        assert_eq!(case.due, case.opened + DEFERRAL_PERIOD);
        let until = case.opened + 90 * DAYS;
        assert_eq!(standing_of(Bob), Standing::Suspended { until });
        assert_eq!(stake_of(Bob), 21_000 * UNIT);

        let_pass(&case);
        assert_eq!(stake_of(Bob), 14_700 * UNIT);
        let position = |who: Sr25519Keyring| {
            CdcPool::position(Bob.to_account_id(), who.to_account_id()).map(|it| it.active)
        };
        assert_eq!(position(Bob), Some(14_000 * UNIT));
        assert_eq!(position(Eve), Some(700 * UNIT));
        assert_eq!(Treasury::pot(), pot + 6_300 * UNIT);
        assert_conserved(issued, 0);
        assert_eq!(score_of(Bob), 0);

        assert_recovers(Bob, until);
    });
}

#[test]
fn whatever_is_signed_twice_in_a_session_is_one_case() {
    four_validators().execute_with(|| {
        let [blocks, votes @ ..] = reports_of_bob();
        include(blocks);
        let case = case_of(Bob);
        // The votes come to light later.
        Session::rotate_session();
        votes.into_iter().for_each(include);
        assert_eq!(case_of(Bob), case);
    });
}

#[test]
fn who_is_silent_for_six_hours_loses_a_twentieth_and_thirty_days() {
    development().execute_with(|| {
        register(Bob);
        enrol(Bob, 1_000 * UNIT, true, false);
        let (issued, pot) = (Balances::total_issuance(), Treasury::pot());
        let registered = System::block_number();
        let report = || pallet_slashing::Call::<Runtime>::report_downtime {
            operator: Bob.to_account_id(),
        };

        System::set_block_number(registered + DOWNTIME - 1);
        assert_noop!(call(Ferdie, report()), Error::<Runtime>::NotDown);
        System::set_block_number(registered + DOWNTIME);
        assert_ok!(call(Ferdie, report()));
        assert_noop!(call(Ferdie, report()), Error::<Runtime>::AlreadyReported);
        let case = case_of(Bob);
        assert_eq!(case.kind, OffenceKind::Downtime);
        let until = case.opened + 30 * DAYS;
        assert_eq!(standing_of(Bob), Standing::Suspended { until });

        let before = Balances::free_balance(Ferdie.to_account_id());
        let_pass(&case);
        assert_eq!(stake_of(Bob), 950 * UNIT);
        assert_eq!(
            Balances::free_balance(Ferdie.to_account_id()),
            before + 5 * UNIT
        );
        assert_eq!(Treasury::pot(), pot + 45 * UNIT);
        assert_conserved(issued, 0);
        assert_eq!(score_of(Bob), 400);
        assert_recovers(Bob, until);
    });
}

#[test]
fn who_brings_a_wrong_proof_loses_half_and_a_hundred_and_eighty_days() {
    development().execute_with(|| {
        register(Bob);
        enrol(Bob, 1_000 * UNIT, true, false);
        let model = register_model();
        let job = open_job_for(model);
        System::set_block_number(System::block_number() + HEAD_START);
        let claim = pallet_job_market::Call::<Runtime>::claim_job { job };
        assert_ok!(call(Bob, claim));
        let (issued, pot) = (Balances::total_issuance(), Treasury::pot());

        let noise: Vec<u8> = (0..32).flat_map(|seed| blake2_256(&[seed])).collect();
        let result = pallet_job_market::Call::<Runtime>::submit_result {
            job,
            payee: Bob.to_account_id(),
            input: vec![1, 2, 3, 4].try_into().unwrap(),
            output: vec![5, 6].try_into().unwrap(),
            proof: noise.try_into().unwrap(),
        };
        assert_ok!(call(Bob, result));
        let refused = System::events()
            .into_iter()
            .find_map(|record| match record.event {
                RuntimeEvent::JobMarket(pallet_job_market::Event::ResultRefused {
                    cut, ..
                }) => Some(cut),
                _ => None,
            });
        let burned = refused.unwrap();
        assert!(burned > 0);
        assert_eq!(JobMarket::job(job).unwrap().state, JobState::Submitted);
        let case = case_of(Bob);
        assert_eq!(case.kind, OffenceKind::InvalidCompute);
        let until = case.opened + 180 * DAYS;
        assert_eq!(standing_of(Bob), Standing::Suspended { until });
        let again = pallet_job_market::Call::<Runtime>::claim_job { job };
        assert_noop!(
            call(Bob, again),
            pallet_job_market::Error::<Runtime>::BarredFromWork
        );

        let left = 1_000 * UNIT - burned;
        assert_eq!(stake_of(Bob), left);
        let_pass(&case);
        assert_eq!(stake_of(Bob), left / 2);
        assert_eq!(Treasury::pot(), pot + left / 2);
        assert_conserved(issued, burned);
        assert_eq!(score_of(Bob), 0);

        assert_recovers(Bob, until);
        let job = open_job_for(model);
        System::set_block_number(System::block_number() + HEAD_START);
        let claim = pallet_job_market::Call::<Runtime>::claim_job { job };
        assert_ok!(call(Bob, claim));
    });
}

#[test]
fn two_of_four_who_sign_twice_together_lose_everything_for_good() {
    four_validators().execute_with(|| {
        for who in [Bob, Charlie] {
            enrol(who, 10_000 * UNIT, false, true);
        }
        let (issued, pot) = (Balances::total_issuance(), Treasury::pot());
        include(two_blocks_of(Bob));
        assert_eq!(case_of(Bob).kind, OffenceKind::DoubleSigning);
        include(two_blocks_of(Charlie));

        for who in [Bob, Charlie] {
            let case = case_of(who);
            assert_eq!(case.kind, OffenceKind::CoordinatedAttack);
            if System::block_number() < case.due {
                System::set_block_number(case.due);
            }
            assert_ok!(execute(&case));
            assert_eq!(stake_of(who), 0);
            assert_eq!(score_of(who), 0);
            assert_eq!(standing_of(who), Standing::Banned);
            let back = pallet_cdc_pool::Call::<Runtime>::stake {
                amount: 10_000 * UNIT,
            };
            assert_noop!(call(who, back), pallet_cdc_pool::Error::<Runtime>::Banned);
        }
        assert_eq!(Treasury::pot(), pot + 20_000 * UNIT);
        assert_conserved(issued, 0);
    });
}

#[test]
fn a_ban_outlasts_every_suspension_and_holds_for_the_keys_too() {
    four_validators().execute_with(|| {
        for who in [Bob, Charlie] {
            include(two_blocks_of(who));
        }
        let cases = [Bob, Charlie].map(case_of);
        System::set_block_number(cases[1].due);
        for case in &cases {
            assert_ok!(execute(case));
        }
        System::set_block_number(Slashing::retention() * 10);
        assert_eq!(standing_of(Bob), Standing::Banned);
        let heartbeats = |who| call(who, registration(Bob.public().into()));
        type Registry = pallet_worker_registry::Error<Runtime>;
        assert_noop!(heartbeats(Bob), Registry::Banned);
        assert_noop!(heartbeats(Eve), Registry::KeyBanned);

        // Bob hands the keys of his validator on.
        let keys = NextKeys::<Runtime>::get(Bob.to_account_id()).unwrap();
        assert_eq!(standing_of(Eve), Standing::Good);
        assert_ok!(call(Bob, pallet_session::Call::purge_keys {}));
        let take_over = <Session as SessionInterface>::set_keys;
        assert_ok!(take_over(&Eve.to_account_id(), keys));
        assert_eq!(standing_of(Eve), Standing::Banned);
    });
}

#[test]
fn governance_spares_whom_it_finds_innocent_within_the_deferral() {
    four_validators().execute_with(|| {
        enrol(Dave, 10_000 * UNIT, false, true);
        include(two_blocks_of(Dave));
        let case = case_of(Dave);
        let cancel = pallet_slashing::Call::<Runtime>::cancel_case { case: case.id };
        assert_ok!(crate::call_as(
            ciro_runtime::origins::Origin::SlashCanceller,
            cancel
        ));
        System::set_block_number(case.due);
        assert_noop!(execute(&case), Error::<Runtime>::NotPending);
        assert_eq!(stake_of(Dave), 10_000 * UNIT);
        assert_eq!(standing_of(Dave), Standing::Good);
        let stored = Slashing::case(case.id).unwrap();
        assert_eq!(stored.status, CaseStatus::Cancelled);
    });
}

/// A job of Alice's for a model that she registers.
pub fn open_job() -> JobId {
    open_job_for(register_model())
}

/// Alice registers a model of four inputs.
fn register_model() -> ModelId {
    let key = VerifyingKey {
        version: VerifyingKey::CURRENT_VERSION,
        preset: Preset::Chain,
        log_lanes: 4,
        log_sizes: [0, 10, 8, 12, 16, 0, 0, 0, 0, 0, 0, 0],
        log_positions: 0,
        log_block: 0,
        inputs: 4,
        input_width: 4,
        outputs: 2,
        output_width: 2,
        constant_reads: 3,
        root: [1; 32],
        interface: [0; 32],
    };
    let model = ModelId(key.id());
    let register = pallet_model_registry::Call::<Runtime>::register {
        key,
        name: b"digits".to_vec().try_into().unwrap(),
        price_floor: UNIT,
        royalty: Permill::zero(),
    };
    assert_ok!(call(Alice, register));
    model
}

/// Alice submits a job with the input 1, 2, 3, 4.
fn open_job_for(model: ModelId) -> JobId {
    let spec = JobSpec {
        model,
        batch: 1,
        input_commitment: H256(input_commitment(1, &[1, 2, 3, 4])),
        locator: Default::default(),
        price: Auction::fixed(10 * UNIT),
        duration: HOURS,
        verification: Verification::ZkMl,
        priority: Priority::Normal,
        requirements: Default::default(),
    };
    let submit = pallet_job_market::Call::<Runtime>::submit_job { spec };
    assert_ok!(call(Alice, submit));
    pallet_job_market::NextJobId::<Runtime>::get() - 1
}
