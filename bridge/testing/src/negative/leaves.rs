//! Leaves under a known root, and results under a leaf.

use super::{Call, Case};
use crate::{Block, Scene};
use ciro_bridge_primitives::{LeafProof, ResultProof};

pub(super) fn cases(scene: &Scene) -> Vec<Case> {
    [leaves(scene), results(scene)].concat()
}

/// The case of a good proof of the busy block's leaf with a change.
fn leaf(
    scene: &Scene,
    number: u8,
    name: &'static str,
    change: impl FnOnce(&mut u32, &mut LeafProof),
    error: &'static str,
) -> Case {
    let mut block = scene.busy + 1;
    let before = scene.updates_to(block);
    let mut leaf = scene.busy_leaf();
    change(&mut block, &mut leaf);
    Case::new(scene, number, name, Call::ProveLeaf { block, leaf }, error).after(before)
}

fn leaves(scene: &Scene) -> Vec<Case> {
    // Two blocks that the client knows, with as many peaks in both, so that proofs have the same length.
    let (older, newer) = same_shape(scene);
    let known = scene.updates_to(older);
    let both = [
        known,
        vec![(scene.time_of(newer), scene.chain.update(newer))],
    ]
    .concat();
    let other_root = Call::ProveLeaf {
        block: newer,
        leaf: scene.chain.leaf_proof(older, 0),
    };
    vec![
        leaf(
            scene,
            0,
            "nothing is proven at a block without a commitment",
            |block, _| *block -= 1,
            "UnknownRoot",
        ),
        leaf(
            scene,
            1,
            "a leaf is below the number of leaves",
            |block, leaf| leaf.leaf.parent_number = *block,
            "LeafOutOfRange",
        ),
        leaf(
            scene,
            2,
            "a leaf's proof with an item left over is refused",
            |_, leaf| leaf.items.push([0; 32]),
            "WrongLeafProofLength",
        ),
        leaf(
            scene,
            3,
            "a leaf's empty proof is refused",
            |_, leaf| leaf.items.clear(),
            "WrongLeafProofLength",
        ),
        leaf(
            scene,
            11,
            "a leaf's proof with another's after it is refused",
            |_, leaf| leaf.items.extend_from_within(..),
            "WrongLeafProofLength",
        ),
        Case::new(
            scene,
            9,
            "a proof under an older root does not hold under a newer one",
            other_root,
            "WrongLeafProof",
        )
        .after(both),
        leaf(
            scene,
            0,
            "a leaf that is not in the chain is refused",
            |_, leaf| leaf.leaf.extra.messages_root = [6; 32],
            "WrongLeafProof",
        ),
        leaf(
            scene,
            21,
            "a halted client proves no leaf",
            |_, _| {},
            "Halted",
        )
        .halted(),
    ]
}

/// Two blocks of the first session in whose MMRs the first leaf has as long a proof.
fn same_shape(scene: &Scene) -> (u32, u32) {
    let first = scene.busy;
    let items = |block| scene.chain.leaf_proof(block, 0).items.len();
    let newer = (first + 1..scene.handover_block()).find(|block| items(*block) == items(first));
    (first, newer.expect("a block of the same shape"))
}

/// The case of a good proof of a result with a change.
fn result(
    scene: &Scene,
    number: u8,
    name: &'static str,
    index: u32,
    change: impl FnOnce(&mut ResultProof),
    error: &'static str,
) -> Case {
    let block = scene.busy + 1;
    let mut result = scene.chain.result_proof(scene.busy, index);
    change(&mut result);
    let call = Call::ProveResult {
        block,
        leaf: scene.busy_leaf(),
        result,
    };
    Case::new(scene, number, name, call, error).after(scene.updates_to(block))
}

fn results(scene: &Scene) -> Vec<Case> {
    let results = &scene.chain.block(scene.busy).results;
    let odd = scene.with_busy_block(Block {
        messages: Vec::new(),
        results: results.iter().cycle().take(5).copied().collect(),
    });
    vec![
        result(
            scene,
            1,
            "a result is below the number of results",
            0,
            |proof| proof.path.index = proof.path.count,
            "IndexOutOfRange",
        ),
        result(
            scene,
            2,
            "a result's path with an item left over is refused",
            0,
            |proof| proof.path.items.push([0; 32]),
            "WrongPathLength",
        ),
        result(
            scene,
            3,
            "a result's empty path is refused",
            0,
            |proof| proof.path.items.clear(),
            "WrongPathLength",
        ),
        result(
            &odd,
            10,
            "the short path of a promoted result holds at no other index",
            4,
            |proof| proof.path.index = 0,
            "WrongPathLength",
        ),
        result(
            &odd,
            10,
            "the short path of a promoted result holds at no other side",
            4,
            |proof| (proof.path.index, proof.path.count) = (0, 2),
            "WrongPath",
        ),
        result(
            scene,
            0,
            "a result that the chain did not verify is refused",
            0,
            |proof| proof.result.output_hash = [6; 32],
            "WrongPath",
        ),
        result(
            scene,
            0,
            "a result is at one place",
            0,
            |proof| proof.path.index ^= 1,
            "WrongPath",
        ),
        result(
            scene,
            21,
            "a halted client proves no result",
            0,
            |_| {},
            "Halted",
        )
        .halted(),
    ]
}
