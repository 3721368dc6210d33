use crate::{mock::*, Error, Event, HoldReason, Job, JobState};
use ciro_primitives::input_commitment;
use frame_support::{assert_noop, assert_ok, traits::fungible::MutateFreeze};
use sp_core::H256;
use sp_runtime::{DispatchError, TokenError};

fn refused(request: Request, error: impl Into<DispatchError>) {
    assert_noop!(request.submit(requester()), error);
}

#[test]
fn submitting_stores_the_job_and_holds_price_and_deposit() {
    test(|| {
        let id = submitted();
        let deposit = DEPOSIT_BASE + 2 * (4 + 4 * 2 * 2);
        let input_commitment = H256(input_commitment(2, &input(2)));
        assert_eq!(
            Market::job(id),
            Some(Job {
                requester: requester(),
                model: model(),
                batch: 2,
                input_commitment,
                locator: b"blob".to_vec().try_into().unwrap(),
                price: 2_000,
                deposit,
                deadline: 21,
                state: JobState::Submitted,
            })
        );
        assert_eq!(held(HoldReason::Escrow, &requester()), 2_000);
        assert_eq!(held(HoldReason::JobDeposit, &requester()), deposit);
        assert_eq!(total(&requester()), ENDOWMENT);
        System::assert_last_event(
            Event::JobSubmitted {
                job: id,
                requester: requester(),
                model: model(),
                batch: 2,
                input_commitment,
                price: 2_000,
                deadline: 21,
            }
            .into(),
        );
    });
}

#[test]
fn jobs_are_numbered_in_order_and_numbers_are_not_reused() {
    test(|| {
        assert_eq!((submitted(), submitted()), (0, 1));
        assert_ok!(Market::cancel_job(RuntimeOrigin::signed(requester()), 1));
        assert_ok!(Market::remove_job(RuntimeOrigin::signed(requester()), 1));
        assert_eq!(submitted(), 2);
    });
}

#[test]
fn holds_of_several_jobs_add_up() {
    test(|| {
        let (first, second) = (submitted(), submitted());
        assert_eq!(held(HoldReason::Escrow, &requester()), 4_000);
        assert_ok!(Market::cancel_job(
            RuntimeOrigin::signed(requester()),
            first
        ));
        assert_eq!(held(HoldReason::Escrow, &requester()), 2_000);
        assert_eq!(state(second), JobState::Submitted);
    });
}

#[test]
fn an_open_job_counts_at_its_model_until_it_is_settled() {
    test(|| {
        let open = || Registry::model(model()).unwrap().open_jobs;
        let (first, _) = (submitted(), submitted());
        assert_eq!(open(), 2);
        assert_noop!(
            Registry::deregister(RuntimeOrigin::signed(account(9)), model()),
            pallet_model_registry::Error::<Test>::JobsOpen
        );
        assert_ok!(claim(worker(), first));
        assert_eq!(open(), 2);
        assert_ok!(answer(first, worker()).submit(worker()));
        assert_eq!(open(), 1);
        assert_ok!(Market::remove_job(
            RuntimeOrigin::signed(requester()),
            first
        ));
        assert_eq!(open(), 1);
        assert_ok!(Market::cancel_job(RuntimeOrigin::signed(requester()), 1));
        assert_ok!(Registry::deregister(
            RuntimeOrigin::signed(account(9)),
            model()
        ));
    });
}

#[test]
fn a_batch_of_none_or_more_than_64_is_refused() {
    test(|| {
        for batch in [0, 65] {
            let request = Request {
                batch,
                price: 90_000,
                ..request()
            };
            refused(request, Error::<Test>::InvalidBatch);
        }
        let most = Request {
            batch: 64,
            price: 64 * FLOOR,
            ..request()
        };
        assert_ok!(most.submit(requester()));
    });
}

#[test]
fn an_unknown_model_is_refused() {
    test(|| {
        let request = Request {
            model: ciro_primitives::ModelId([0; 32]),
            ..request()
        };
        refused(request, Error::<Test>::UnknownModel);
    });
}

#[test]
fn a_price_below_the_models_floor_is_refused() {
    test(|| {
        let request = |price| Request { price, ..request() };
        refused(request(2 * FLOOR - 1), Error::<Test>::PriceTooLow);
        assert_ok!(request(2 * FLOOR).submit(requester()));
    });
}

#[test]
fn a_price_below_the_markets_minimum_is_refused() {
    test(|| {
        let request = |price| Request {
            price,
            batch: 1,
            ..request()
        };
        refused(request(MIN_PRICE - 1), Error::<Test>::PriceTooLow);
        assert_ok!(request(MIN_PRICE).submit(requester()));
    });
}

#[test]
fn a_floor_too_high_to_multiply_refuses_every_price() {
    test(|| {
        let owner = RuntimeOrigin::signed(account(9));
        assert_ok!(Registry::set_price_floor(owner, model(), Balance::MAX));
        refused(request(), Error::<Test>::PriceTooLow);
    });
}

#[test]
fn a_duration_outside_the_limits_is_refused() {
    test(|| {
        let request = |duration| Request {
            duration,
            ..request()
        };
        for duration in [0, MIN_DURATION - 1, MAX_DURATION + 1, u64::MAX] {
            refused(request(duration), Error::<Test>::InvalidDuration);
        }
        for duration in [MIN_DURATION, MAX_DURATION] {
            assert_ok!(request(duration).submit(requester()));
        }
    });
}

#[test]
fn an_input_or_output_that_no_call_could_carry_is_refused() {
    test(|| {
        let model = |seed, inputs, outputs| {
            let mut key = key(seed);
            key.log_sizes[1] = 16;
            (key.inputs, key.outputs) = (inputs, outputs);
            (key.input_width, key.output_width) = (inputs, outputs);
            register(key)
        };
        let wide = Request {
            model: model(2, 32_769, 1),
            ..request()
        };
        refused(wide, Error::<Test>::InputTooLarge);
        let tall = Request {
            model: model(3, 1, 4_097),
            ..request()
        };
        refused(tall, Error::<Test>::OutputTooLarge);
        let full = Request {
            model: model(4, 32_000, 4_096),
            ..request()
        };
        assert_ok!(full.submit(requester()));
    });
}

#[test]
fn submitting_needs_the_funds_and_a_signature() {
    test(|| {
        let request = Request {
            price: ENDOWMENT - DEPOSIT_BASE,
            ..request()
        };
        refused(request.clone(), TokenError::FundsUnavailable);
        assert_noop!(request.submit(nobody()), TokenError::FundsUnavailable);
        assert_noop!(
            Market::submit_job(
                RuntimeOrigin::root(),
                model(),
                1,
                H256::zero(),
                Default::default(),
                MIN_PRICE,
                MIN_DURATION
            ),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn frozen_funds_pay_for_no_job() {
    test(|| {
        let freeze = ENDOWMENT - 3_000;
        assert_ok!(Balances::set_freeze(&FREEZE, &requester(), freeze));
        assert_ok!(request().submit(requester()));
        // The first job's price lies in the hold, and must not count for the freeze a second time.
        refused(request(), TokenError::Frozen);
    });
}

#[test]
fn the_last_job_number_is_not_given_out() {
    test(|| {
        crate::NextJobId::<Test>::put(u64::MAX);
        refused(request(), sp_runtime::ArithmeticError::Overflow);
    });
}
