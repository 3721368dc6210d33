use crate::{mock::*, Event, Outbox};
use ciro_bridge_primitives::{merkle, ResultLeaf};
use frame_support::assert_ok;
use pallet_job_market::OnProven;
use sp_core::H256;

fn leaf(job: u64) -> ResultLeaf {
    ResultLeaf {
        job,
        model: result(H256::zero()).model,
        input_commitment: result(H256::zero()).input_commitment.into(),
        output_hash: [job as u8; 32],
    }
}

#[test]
fn the_next_leaf_has_the_root_of_the_block_s_results() {
    let mut node = Node::new();
    let next = node.run(|| {
        for job in [3, 1, 2] {
            Queue::on_proven(job, &result(H256([job as u8; 32])));
        }
        next_block()
    });
    let bytes = [3, 1, 2].map(|job| leaf(job).bytes().to_vec());
    assert_eq!(next.results_root, merkle::root(&bytes));
    assert_eq!(next.messages_root, [0; 32]);
    assert_eq!(node.leaves(&next.results_root), Some(bytes.to_vec()));
}

#[test]
fn a_result_that_the_block_has_no_room_for_is_passed_over_and_said_so() {
    let mut node = Node::new();
    let next = node.run(|| {
        (0..=u64::from(MAX_RESULTS)).for_each(|job| Queue::note_result(leaf(job)));
        let job = MAX_RESULTS.into();
        System::assert_last_event(Event::ResultPassedOver { job }.into());
        next_block()
    });
    let taken = node.leaves(&next.results_root).unwrap();
    assert_eq!(taken.len(), MAX_RESULTS as usize);
    assert!(!taken.contains(&leaf(MAX_RESULTS.into()).bytes().to_vec()));
}

#[test]
fn a_result_that_comes_during_a_halt_is_passed_over_and_said_so() {
    test(|| {
        assert_ok!(Queue::set_halted(RuntimeOrigin::root(), true));
        Queue::note_result(leaf(1));
        System::assert_last_event(Event::ResultPassedOver { job: 1 }.into());
        assert_eq!(next_block().results_root, [0; 32]);
        assert_ok!(Queue::set_halted(RuntimeOrigin::root(), false));
        Queue::note_result(leaf(2));
        assert_ne!(next_block().results_root, [0; 32]);
    });
}
