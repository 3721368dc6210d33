//! Hand-overs: rule 6 of a submission, and what a client may be deployed with.

use super::{Call, Case};
use crate::Scene;
use ciro_bridge_primitives::{Genesis, LeafProof, Update};

pub(super) fn cases(scene: &Scene) -> Vec<Case> {
    [
        deployments(scene),
        boundaries(scene),
        proofs(scene),
        contents(scene),
    ]
    .concat()
}

/// The case of a hand-over in the scene.
fn handover(
    scene: &Scene,
    number: u8,
    name: &'static str,
    update: Update,
    error: &'static str,
) -> Case {
    let now = scene.time_of(scene.handover_block());
    Case::new(scene, number, name, Call::Submit { now, update }, error)
}

/// A good hand-over with a change to what it brings, of which nothing is signed.
fn changed(
    scene: &Scene,
    number: u8,
    name: &'static str,
    change: impl FnOnce(&mut LeafProof),
    error: &'static str,
) -> Case {
    let mut update = scene.chain.handover(scene.handover_block());
    if let Some(proof) = &mut update.handover {
        change(proof);
    }
    handover(scene, number, name, update, error)
}

fn deployments(scene: &Scene) -> Vec<Case> {
    let deployed = |name, change: fn(&mut Genesis), error| {
        let mut case = Case::new(scene, 0, name, Call::Deploy, error);
        change(&mut case.genesis);
        case
    };
    vec![
        deployed(
            "a client is not deployed with an empty set",
            |genesis| genesis.current.length = 0,
            "WrongSetLength",
        ),
        deployed(
            "a client is not deployed with a set of 65",
            |genesis| genesis.next.length = 65,
            "WrongSetLength",
        ),
        deployed(
            "a client is not deployed with sets that do not follow each other",
            |genesis| genesis.next.id += 1,
            "WrongNextSet",
        ),
    ]
}

fn boundaries(scene: &Scene) -> Vec<Case> {
    let block = scene.handover_block();
    let before = block - 1;
    let current = Update {
        handover: Some(scene.chain.leaf_proof(before, before - 1)),
        ..scene.chain.update(before)
    };
    let now = scene.time_of(before);
    let unexpected = Call::Submit {
        now,
        update: current,
    };
    let session_before = Update {
        handover: Some(scene.chain.leaf_proof(block, block - 2)),
        ..scene.chain.update(block)
    };
    vec![
        Case::new(
            scene,
            15,
            "a commitment of the current set brings no leaf",
            unexpected,
            "UnexpectedLeaf",
        ),
        handover(
            scene,
            15,
            "a commitment of the next set brings a leaf",
            scene.chain.update(block),
            "MissingLeaf",
        ),
        handover(
            scene,
            15,
            "a leaf of the session before names no set that is new",
            session_before,
            "WrongNextSet",
        ),
    ]
}

fn proofs(scene: &Scene) -> Vec<Case> {
    let block = scene.handover_block();
    let older = scene.chain.leaf_proof(block - 1, block - 2);
    let later = Update {
        handover: Some(scene.chain.leaf_proof(block + 1, block)),
        ..scene.chain.update(block)
    };
    vec![
        handover(
            scene,
            1,
            "a hand-over's leaf is not about the commitment's own block",
            later,
            "LeafOutOfRange",
        ),
        changed(
            scene,
            2,
            "a hand-over's proof with an item left over is refused",
            |proof| proof.items.push([0; 32]),
            "WrongLeafProofLength",
        ),
        changed(
            scene,
            3,
            "a hand-over's empty proof is refused",
            |proof| proof.items.clear(),
            "WrongLeafProofLength",
        ),
        changed(
            scene,
            9,
            "an older leaf with its older proof is refused under a newer root",
            |proof| *proof = older,
            "WrongLeafProofLength",
        ),
        changed(
            scene,
            0,
            "a hand-over's leaf that is not in the chain is refused",
            |proof| proof.leaf.next_set.root = [6; 32],
            "WrongLeafProof",
        ),
        changed(
            scene,
            0,
            "a hand-over's proof with another item is refused",
            |proof| proof.items[0] = [6; 32],
            "WrongLeafProof",
        ),
    ]
}

/// Leaves that the next set's validators have made up: the client refuses what it could not follow.
fn contents(scene: &Scene) -> Vec<Case> {
    let now = scene.time_of(scene.handover_block());
    vec![
        handover(
            scene,
            0,
            "a set is not passed over",
            scene.forged_handover(|leaf| leaf.next_set.id += 1),
            "WrongNextSet",
        ),
        handover(
            scene,
            0,
            "an empty set is not followed",
            scene.forged_handover(|leaf| leaf.next_set.length = 0),
            "WrongSetLength",
        ),
        handover(
            scene,
            0,
            "a set of 65 is not followed",
            scene.forged_handover(|leaf| leaf.next_set.length = 65),
            "WrongSetLength",
        ),
        handover(
            scene,
            0,
            "a leaf's time is at most ten minutes ahead",
            scene.forged_handover(|leaf| leaf.extra.timestamp = now + 601),
            "LeafFromFuture",
        ),
    ]
}
