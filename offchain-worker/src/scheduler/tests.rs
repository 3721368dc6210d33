//! Proving several jobs together.

use super::{proving::jobs_of, *};
use crate::{
    executor::tests::{job, model, Fixed},
    journal::Pending,
};
use ciro_client::{
    keypair,
    types::{Claim, Region},
    Hash, SignedTransaction,
};
use ciro_primitives::ModelId;
use ciro_zkml_prover::Prover;
use std::{fs, path::Path};
use substrate_prometheus_endpoint::Registry;

/// The block that the worker is at.
const NOW: u64 = 20;

/// A worker that serves one model and proves up to three samples together.
fn worker(root: &Path) -> (Scheduler, ModelId) {
    let models = root.join("models");
    fs::create_dir_all(&models).unwrap();
    fs::write(models.join("1.ciro"), model(2).encode_file()).unwrap();
    let executor = Executor::new(models, Box::new(Fixed(vec![])));
    executor.rescan().unwrap();
    let signer = keypair("//Charlie").unwrap();
    let me = ciro_client::account(&signer);
    let journal = Journal::open(root, Hash::from([7; 32]), &me).unwrap();
    let heart = Heart::open(journal.folder(), [7; 32], me).unwrap();
    let capabilities = Capabilities {
        gpu_model: vec![],
        memory: 1,
        gflops: 1,
        region: Region::Other,
        peer_address: vec![],
    };
    let settings = Settings {
        signer,
        payee: AccountId([9; 32]),
        max_jobs: 8,
        batch: 3,
        capabilities,
        min_price: 0,
        margin: 0,
    };
    let metrics = Metrics::register(&Registry::new()).unwrap();
    let executor = Arc::new(executor);
    let scheduler = Scheduler::new(settings, [7; 32], journal, executor, heart, metrics);
    (
        scheduler,
        ModelId(Prover::new(&model(2)).unwrap().key().id()),
    )
}

fn input(id: JobId) -> Vec<i8> {
    vec![id as i8, 5]
}

/// Gives the worker a job that waits for its proof.
fn take(worker: &mut Scheduler, id: JobId, model: ModelId) {
    let claim = Claim {
        worker: worker.me,
        collateral: 1,
        since: 1,
        answer_by: 50,
    };
    let job = Job {
        state: JobState::Assigned(claim),
        ..job(model, &input(id))
    };
    worker.jobs.insert(id, job);
    worker.inputs.insert(id, input(id));
    worker.working.insert(id);
    worker.queue.push_back(id);
}

/// Proves what is next, and gives what came of it to the worker; the jobs.
async fn prove(worker: &mut Scheduler) -> Vec<JobId> {
    worker.prove_next(NOW).unwrap();
    let finished = worker.finished.1.recv().await.unwrap();
    let Finished::Proved(ids, _) = &finished else {
        panic!("nothing was proved");
    };
    let ids = ids.clone();
    worker.finish(finished, NOW).unwrap();
    ids
}

#[tokio::test]
async fn jobs_that_are_ready_are_proved_together_up_to_the_batch() {
    let root = tempfile::tempdir().unwrap();
    let (mut worker, model) = worker(root.path());
    for id in 1..=4 {
        take(&mut worker, id, model);
    }
    assert_eq!(prove(&mut worker).await, [1, 2, 3]);
    for id in 1..=3 {
        let proof = worker.proof(id, NOW).unwrap().unwrap();
        assert_eq!(jobs_of(&proof), [1, 2, 3]);
        assert_eq!(proof.batch, 3);
        assert!(!worker.working.contains(&id) && !worker.inputs.contains_key(&id));
    }
    assert_eq!(prove(&mut worker).await, [4]);
    assert_eq!(jobs_of(&worker.proof(4, NOW).unwrap().unwrap()), [4]);
    worker.prove_next(NOW).unwrap();
    assert!(!worker.proving, "nothing waits for more to come");
}

#[tokio::test]
async fn one_proof_is_made_at_a_time() {
    let root = tempfile::tempdir().unwrap();
    let (mut worker, model) = worker(root.path());
    take(&mut worker, 1, model);
    worker.prove_next(NOW).unwrap();
    take(&mut worker, 2, model);
    worker.prove_next(NOW).unwrap();
    assert_eq!(worker.queue, [2]);
    let finished = worker.finished.1.recv().await.unwrap();
    worker.finish(finished, NOW).unwrap();
    assert_eq!(prove(&mut worker).await, [2]);
}

#[tokio::test]
async fn only_jobs_of_the_model_that_are_the_workers_and_in_time_are_proved_with_others() {
    let root = tempfile::tempdir().unwrap();
    let (mut worker, model) = worker(root.path());
    worker.settings.batch = 64;
    for id in 1..=6 {
        take(&mut worker, id, model);
    }
    worker.jobs.get_mut(&2).unwrap().model = [3; 32];
    worker.jobs.get_mut(&3).unwrap().state = JobState::Submitted;
    worker.jobs.get_mut(&4).unwrap().deadline = NOW as u32 - 1;
    worker.alone.insert(5);
    assert_eq!(prove(&mut worker).await, [1, 6]);
    // The model of the second is not served, and the third is gone.
    assert_eq!(prove(&mut worker).await, [4]);
    assert!(worker.journal.shunned(2).unwrap().is_some());
    assert!(!worker.working.contains(&3));
    assert_eq!(prove(&mut worker).await, [5]);
}

#[tokio::test]
async fn a_joint_proof_is_of_no_use_once_one_of_its_jobs_is_gone() {
    let root = tempfile::tempdir().unwrap();
    let (mut worker, model) = worker(root.path());
    take(&mut worker, 1, model);
    take(&mut worker, 2, model);
    prove(&mut worker).await;
    worker.jobs.remove(&2);
    assert_eq!(worker.proof(1, NOW).unwrap(), None);
    assert_eq!(worker.inputs.get(&1), Some(&input(1)));
    assert_eq!(worker.journal.proof(1).unwrap(), None);
    assert_eq!(worker.proof(2, NOW).unwrap(), None);
}

#[tokio::test]
async fn what_the_chain_did_not_take_together_is_proved_one_by_one() {
    let root = tempfile::tempdir().unwrap();
    let (mut worker, model) = worker(root.path());
    take(&mut worker, 1, model);
    take(&mut worker, 2, model);
    prove(&mut worker).await;
    worker.part(2).unwrap();
    worker.part(1).unwrap();
    for id in [1, 2] {
        assert_eq!(worker.proof(id, NOW).unwrap(), None);
        worker.work(id, true).unwrap();
    }
    assert_eq!(prove(&mut worker).await, [1]);
    assert_eq!(prove(&mut worker).await, [2]);
    worker.part(1).unwrap();
    assert!(worker.proof(1, NOW).unwrap().is_some());
}

#[tokio::test]
async fn an_input_that_cannot_be_proved_spoils_no_other_job() {
    let root = tempfile::tempdir().unwrap();
    let (mut worker, model) = worker(root.path());
    take(&mut worker, 1, model);
    take(&mut worker, 2, model);
    worker.inputs.insert(2, vec![1]);
    assert_eq!(prove(&mut worker).await, [1, 2]);
    assert_eq!(worker.journal.shunned(1).unwrap(), None);
    assert_eq!(prove(&mut worker).await, [1]);
    assert!(worker.proof(1, NOW).unwrap().is_some());
    assert_eq!(prove(&mut worker).await, [2]);
    assert!(worker.journal.shunned(2).unwrap().is_some());
}

#[tokio::test]
async fn a_kill_between_the_jobs_of_a_proof_loses_neither_proof_nor_transaction() {
    let root = tempfile::tempdir().unwrap();
    let (mut worker, model) = worker(root.path());
    for id in 1..=3 {
        take(&mut worker, id, model);
    }
    prove(&mut worker).await;
    let pending = Pending {
        purpose: Purpose::Result,
        transaction: SignedTransaction {
            nonce: 5,
            birth: 10,
            birth_hash: [1; 32],
            death: 74,
            bytes: vec![1, 2, 3],
        },
    };
    worker.journal.keep_pending(2, &pending).unwrap();
    worker.journal.drop_proof(3).unwrap();
    worker.complete_journal().unwrap();
    for id in 1..=3 {
        assert_eq!(worker.journal.pending(id).unwrap(), Some(pending.clone()));
        assert_eq!(jobs_of(&worker.proof(id, NOW).unwrap().unwrap()), [1, 2, 3]);
    }
}
