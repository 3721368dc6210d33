//! The vectors are what the generator makes, and the reference client agrees with every one of them.
//!
//! `CIRO_WRITE_VECTORS=1` writes them.

mod runtime;
mod sdk;

use ciro_bridge_primitives::{
    keccak, lane_id, merkle, mmr, Commitment, Destination, Hash, LaneId, Leaf, LeafProof,
    MessageProof, RemoteJobBinding, ResultLeaf, Update,
};
use ciro_bridge_vectors::{
    Call, Client, Encodings, Handovers, Messages, Negative, NegativeCase, Scenario, Step, Trees,
};
use ciro_bridge_verifier::{BeefyClient, Error, Inbox};
use ciro_primitives::ModelId;
use runtime::{run, Run};
use serde::{de::DeserializeOwned, Serialize};
use std::{
    fs,
    path::PathBuf,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

/// Sizes of the sets of validators.
const LENGTHS: [u32; 4] = [1, 4, 21, 64];

/// The chain of four validators, of which most vectors are.
fn four() -> MutexGuard<'static, Run> {
    static FOUR: LazyLock<Mutex<Run>> = LazyLock::new(|| Mutex::new(run(4)));
    FOUR.lock().unwrap_or_else(PoisonError::into_inner)
}

fn path(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/vectors");
    PathBuf::from(folder).join(name)
}

/// The file of that name, which must be what is `made`, or is made it.
fn committed<T: Serialize + DeserializeOwned>(name: &str, made: &T) -> T {
    let path = path(name);
    let mut text = Vec::new();
    let indented = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, indented);
    made.serialize(&mut serializer).unwrap();
    text.push(b'\n');
    if std::env::var_os("CIRO_WRITE_VECTORS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let file = fs::read(&path).unwrap_or_default();
    assert!(
        file == text,
        "{} is not what the generator makes: run this test with CIRO_WRITE_VECTORS=1",
        path.display()
    );
    serde_json::from_slice(&file).unwrap()
}

/// A client that has taken these updates.
fn client(client: &Client, steps: &[Step]) -> BeefyClient {
    let mut of = BeefyClient::new(client.genesis(), client.expiry).unwrap();
    for step in steps {
        of.submit(&Update::from(&step.update), step.now).unwrap();
    }
    of
}

#[test]
fn clients_follow_every_hand_over() {
    let made = Handovers {
        scenarios: LENGTHS
            .map(|length| Scenario::new(&run(length).scene))
            .into(),
    };
    for scenario in committed("handovers.json", &made).scenarios {
        let client = client(&scenario.client, &scenario.steps);
        assert_eq!(client.current(), &(&scenario.current).into());
        assert_eq!(client.next(), &(&scenario.next).into());
        assert_eq!(client.newest_block(), scenario.newest_block);
        assert_eq!(client.handover_time(), scenario.handover_time);
    }
}

#[test]
fn contracts_take_every_message_and_result() {
    let vectors = committed("messages.json", &Messages::new(&four().scene));
    let client = client(&vectors.client, &vectors.steps);
    let (block, leaf) = (vectors.proof.block, vectors.proof.proof());
    let mut taken = 0;
    for delivery in &vectors.deliveries {
        let lane = lane_id(&vectors.client.genesis.0, &Destination::from(&delivery.to));
        assert_eq!(lane.0, delivery.lane.0);
        let messages: Vec<MessageProof> = delivery.messages.iter().map(Into::into).collect();
        let mut inbox = Inbox::new(lane, delivery.kinds.iter().copied());
        let delivered = inbox.deliver(&client, block, &leaf, &messages).unwrap();
        for (message, written) in delivered.iter().zip(&delivery.messages) {
            assert_eq!(message.id(), written.id.0);
            taken += 1;
        }
    }
    assert_eq!(taken, vectors.deliveries[0].messages[0].count);
    for result in &vectors.results {
        client.prove_result(block, &leaf, &result.into()).unwrap();
    }
    assert_eq!(vectors.results.len() as u32, vectors.results[0].count);
}

#[test]
fn clients_refuse_every_negative_case() {
    let vectors = committed("negative.json", &Negative::new(&four().scene));
    for case in &vectors.cases {
        let refused = call(case).map_err(|error| error.to_string());
        assert_eq!(refused, Err(case.error.clone()), "{}", case.name);
    }
}

/// Makes the case's call.
fn call(case: &NegativeCase) -> Result<(), Error> {
    if case.call == (Call::Deploy {}) {
        return BeefyClient::new(case.client.genesis(), case.client.expiry).map(|_| ());
    }
    let mut client = client(&case.client, &case.before);
    client.set_halted(case.halted);
    match &case.call {
        Call::Deploy {} => unreachable!(),
        Call::Submit { now, update } => client.submit(&update.into(), *now),
        Call::ProveLeaf { proof } => client.prove_leaf(proof.block, &proof.proof()),
        Call::ProveResult { proof, result } => {
            client.prove_result(proof.block, &proof.proof(), &result.into())
        }
        Call::Deliver {
            earlier,
            kinds,
            messages,
            proof,
            to,
        } => {
            let lane: LaneId = lane_id(&case.client.genesis.0, &to.into());
            let mut inbox = Inbox::new(lane, kinds.iter().copied());
            let leaf: LeafProof = proof.proof();
            let proofs = |of: &[_]| of.iter().map(MessageProof::from).collect::<Vec<_>>();
            if !earlier.is_empty() {
                inbox
                    .deliver(&client, proof.block, &leaf, &proofs(earlier))
                    .unwrap();
            }
            inbox
                .deliver(&client, proof.block, &leaf, &proofs(messages))
                .map(|_| ())
        }
    }
}

#[test]
fn trees_prove_every_leaf() {
    for case in committed("merkle.json", &Trees::merkle()).cases {
        let items = case.items.iter().map(|item| item.0).collect();
        let (index, count) = (case.index, case.count);
        let proof = merkle::Proof {
            index,
            count,
            items,
        };
        proof.verify(&case.root.0, &case.leaf.0).unwrap();
    }
}

#[test]
fn ranges_prove_every_leaf() {
    for case in committed("mmr.json", &Trees::mmr(&four().scene.chain)).cases {
        let items: Vec<Hash> = case.items.iter().map(|item| item.0).collect();
        let leaf = keccak(&case.leaf.0);
        mmr::verify(
            &case.root.0,
            leaf,
            case.index.into(),
            case.count.into(),
            &items,
        )
        .unwrap();
    }
}

#[test]
fn everything_is_encoded_as_it_is_written() {
    let vectors = committed("encodings.json", &Encodings::new(&four().scene));
    for case in &vectors.lanes {
        assert_eq!(lane_id(&case.genesis.0, &(&case.to).into()).0, case.lane.0);
    }
    for case in &vectors.leaves {
        let leaf = Leaf::from(&case.leaf);
        assert_eq!(leaf.encode(), case.encoded.0);
        assert_eq!(leaf.hash(), case.hash.0);
    }
    for case in &vectors.commitments {
        let commitment = Commitment {
            root: case.root.0,
            block: case.block,
            set: case.set,
        };
        assert_eq!(commitment.encode(), case.encoded.0);
        assert_eq!(commitment.hash(), case.hash.0);
    }
    for case in &vectors.remote_jobs {
        let binding = RemoteJobBinding::decode(&case.encoded.0).unwrap();
        assert_eq!(binding.lane.0, case.lane.0);
        assert_eq!(binding.remote_job, case.remote_job.0);
        assert_eq!(binding.payee, case.payee.0);
    }
    for case in &vectors.results {
        let result = ResultLeaf {
            job: case.job,
            model: ModelId(case.model.0),
            input_commitment: case.input_commitment.0,
            output_hash: case.output_hash.0,
        };
        assert_eq!(result.bytes()[..], case.encoded.0);
        assert_eq!(result.bytes()[..32], vectors.result_domain.0);
        assert_eq!(keccak(&result.bytes()), case.hash.0);
    }
}
