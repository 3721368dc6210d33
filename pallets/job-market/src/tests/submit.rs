use crate::{
    mock::*, Auction, Error, Event, HoldReason, Job, JobSpec, JobState, NextJobId, Priority,
    Verification,
};
use ciro_primitives::input_commitment;
use frame_support::{assert_noop, assert_ok, traits::fungible::MutateFreeze};
use sp_core::H256;
use sp_runtime::{DispatchError, TokenError};

type Spec = JobSpec<Balance, u64>;

fn refused(spec: Spec, error: impl Into<DispatchError>) {
    assert_noop!(submit(requester(), spec), error);
}

fn accepted(spec: Spec) {
    assert_ok!(submit(requester(), spec));
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
                price: Auction::fixed(2_000),
                bounty: 0,
                royalty: ROYALTY,
                deposit,
                opened: 1,
                deadline: 21,
                verification: Verification::ZkMl,
                priority: Priority::Normal,
                requirements: Default::default(),
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
                price: Auction::fixed(2_000),
                verification: Verification::ZkMl,
                priority: Priority::Normal,
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
            let request = Spec {
                batch,
                price: Auction::fixed(90_000),
                ..request()
            };
            refused(request, Error::<Test>::InvalidBatch);
        }
        let most = Spec {
            batch: 64,
            price: Auction::fixed(64 * FLOOR),
            ..request()
        };
        accepted(most);
    });
}

#[test]
fn an_unknown_model_is_refused() {
    test(|| {
        let request = Spec {
            model: ciro_primitives::ModelId([0; 32]),
            ..request()
        };
        refused(request, Error::<Test>::UnknownModel);
    });
}

#[test]
fn a_price_below_the_models_floor_is_refused() {
    test(|| {
        let request = |price| Spec {
            price: Auction::fixed(price),
            ..request()
        };
        refused(request(2 * FLOOR - 1), Error::<Test>::PriceTooLow);
        accepted(request(2 * FLOOR));
    });
}

#[test]
fn a_price_below_the_markets_minimum_is_refused() {
    test(|| {
        let request = |price| Spec {
            price: Auction::fixed(price),
            batch: 1,
            ..request()
        };
        refused(request(MIN_PRICE - 1), Error::<Test>::PriceTooLow);
        accepted(request(MIN_PRICE));
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
        let request = |duration| Spec {
            duration,
            ..request()
        };
        for duration in [0, MIN_DURATION - 1, MAX_DURATION + 1, u64::MAX] {
            refused(request(duration), Error::<Test>::InvalidDuration);
        }
        for duration in [MIN_DURATION, MAX_DURATION] {
            accepted(request(duration));
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
        let wide = Spec {
            model: model(2, 32_769, 1),
            ..request()
        };
        refused(wide, Error::<Test>::InputTooLarge);
        let tall = Spec {
            model: model(3, 1, 4_097),
            ..request()
        };
        refused(tall, Error::<Test>::OutputTooLarge);
        let full = Spec {
            model: model(4, 32_000, 4_096),
            ..request()
        };
        accepted(full);
    });
}

#[test]
fn submitting_needs_the_funds_and_a_signature() {
    test(|| {
        let request = Spec {
            price: Auction::fixed(ENDOWMENT - DEPOSIT_BASE),
            ..request()
        };
        refused(request.clone(), TokenError::FundsUnavailable);
        assert_noop!(submit(nobody(), request), TokenError::FundsUnavailable);
        assert_noop!(
            Market::submit_job(RuntimeOrigin::root(), self::request()),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn frozen_funds_pay_for_no_job() {
    test(|| {
        let freeze = ENDOWMENT - 3_000;
        assert_ok!(Balances::set_freeze(&FREEZE, &requester(), freeze));
        accepted(request());
        // The first job's price lies in the hold, and must not count for the freeze a second time.
        refused(request(), TokenError::Frozen);
    });
}

#[test]
fn the_last_job_number_is_not_given_out() {
    test(|| {
        NextJobId::<Test>::put(u64::MAX);
        refused(request(), sp_runtime::ArithmeticError::Overflow);
    });
}

#[test]
fn the_ceiling_is_held_and_the_price_rises_to_it_linearly() {
    test(|| {
        let price = Auction {
            floor: 2_000,
            ceiling: 3_000,
            ramp: 7,
        };
        let id = submitted_as(Spec { price, ..request() });
        assert_eq!(held(HoldReason::Escrow, &requester()), 3_000);
        for (block, expected) in [(1, 2_000), (2, 2_142), (5, 2_571), (7, 2_857), (8, 3_000)] {
            at(block);
            assert_eq!(Market::price_now(id), Some(expected));
        }
        at(21);
        assert_eq!(Market::price_now(id), Some(3_000));
        assert_eq!(Market::price_now(7), None);
    });
}

#[test]
fn a_floor_above_the_ceiling_is_refused() {
    test(|| {
        let price = Auction {
            floor: 2_001,
            ceiling: 2_000,
            ramp: 5,
        };
        refused(Spec { price, ..request() }, Error::<Test>::InvalidPrice);
    });
}

#[test]
fn the_least_price_follows_the_priority() {
    test(|| {
        // Two samples at a floor of 600.
        for (priority, least) in [
            (Priority::Low, 1_000),
            (Priority::Normal, 1_200),
            (Priority::High, 1_440),
            (Priority::Critical, 1_800),
        ] {
            let spec = |price| Spec {
                price: Auction::fixed(price),
                priority,
                ..request()
            };
            refused(spec(least - 1), Error::<Test>::PriceTooLow);
            accepted(spec(least));
        }
    });
}

#[test]
fn a_redundant_job_has_three_to_ten_seats_and_a_deposit_for_as_many_outputs() {
    test(|| {
        for seats in [0, 2, 11, 255] {
            let spec = request_with(Verification::Redundant(seats));
            refused(spec, Error::<Test>::InvalidSeats);
        }
        for seats in [3, 10] {
            let id = submitted_as(request_with(Verification::Redundant(seats)));
            let outputs = Balance::from(seats) * 4 * 2 * 2;
            assert_eq!(job(id).deposit, DEPOSIT_BASE + 2 * (4 + outputs));
        }
    });
}

#[test]
fn several_jobs_are_submitted_all_or_none() {
    test(|| {
        let submit = |who, specs: Vec<Spec>| Market::submit_jobs(who, specs.try_into().unwrap());
        let who = || RuntimeOrigin::signed(requester());
        assert_ok!(submit(who(), vec![request(), request()]));
        assert_eq!(NextJobId::<Test>::get(), 2);
        assert_eq!(held(HoldReason::Escrow, &requester()), 4_000);

        let short = Spec {
            duration: 0,
            ..request()
        };
        assert_noop!(
            submit(who(), vec![request(), short]),
            Error::<Test>::InvalidDuration
        );
        assert_noop!(
            submit(RuntimeOrigin::root(), vec![request()]),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn a_job_keeps_the_royalty_of_its_submission() {
    test(|| {
        let id = claimed();
        let owner = RuntimeOrigin::signed(account(9));
        let half = sp_runtime::Permill::from_percent(50);
        assert_ok!(Registry::set_royalty(owner, model(), half));
        let before = free(&account(9));
        assert_ok!(answer(id, worker()).submit(worker()));
        assert_eq!(free(&account(9)), before + 200);
        assert_eq!(job(submitted()).royalty, half);
    });
}
