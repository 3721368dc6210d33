//! The trees are those that the chain builds.

use ciro_bridge_primitives::{keccak, merkle, mmr, Hash, ProofError};
use mmr_lib::{
    util::{MemMMR, MemStore},
    Merge,
};
use proptest::prelude::*;

/// Keccak-256, for `binary-merkle-tree`.
struct Keccak256;

impl hash_db::Hasher for Keccak256 {
    type Out = Hash;
    type StdHasher = std::collections::hash_map::DefaultHasher;
    const LENGTH: usize = 32;

    fn hash(bytes: &[u8]) -> Hash {
        keccak(bytes)
    }
}

/// Nodes of the range, for `polkadot-ckb-merkle-mountain-range`.
struct Nodes;

impl Merge for Nodes {
    type Item = Hash;

    fn merge(left: &Hash, right: &Hash) -> mmr_lib::Result<Hash> {
        Ok(keccak(&[*left, *right].concat()))
    }
}

fn leaves(count: u32) -> Vec<Vec<u8>> {
    (0..count)
        .map(|leaf| leaf.to_le_bytes().repeat(5))
        .collect()
}

/// A range of `count` leaves, and the leaves' positions and hashes.
fn range(store: &MemStore<Hash>, count: u64) -> (MemMMR<'_, Hash, Nodes>, Vec<(u64, Hash)>) {
    let mut range = MemMMR::new(0, store);
    let leaves = (0..count)
        .map(|leaf| {
            let hash = keccak(&leaf.to_le_bytes());
            (range.push(hash).unwrap(), hash)
        })
        .collect();
    (range, leaves)
}

fn proof_in(range: &MemMMR<'_, Hash, Nodes>, position: u64) -> Vec<Hash> {
    let proof = range.gen_proof(vec![position]).unwrap();
    proof.proof_items().to_vec()
}

#[test]
fn every_proof_of_small_trees_is_the_chains_own_and_holds_for_its_leaf_alone() {
    assert_eq!(merkle::root(leaves(0)), [0; 32]);
    assert_eq!(merkle::proof(leaves(0), 0), None);
    for count in 1..=40 {
        let leaves = leaves(count);
        let root = merkle::root(&leaves);
        assert_eq!(
            root,
            binary_merkle_tree::merkle_root::<Keccak256, _>(&leaves)
        );
        assert_eq!(merkle::proof(&leaves, count), None);
        for index in 0..count {
            let proof = merkle::proof(&leaves, index).unwrap();
            let theirs = binary_merkle_tree::merkle_proof::<Keccak256, _, _>(&leaves, index);
            assert_eq!(proof.items, theirs.proof);
            for other in 0..count {
                let held = proof.verify(&root, &leaves[other as usize]);
                assert_eq!(held.is_ok(), index == other);
            }
        }
    }
}

#[test]
fn a_short_proof_of_a_promoted_leaf_holds_at_no_other_index() {
    // The last of five leaves is promoted twice: one item proves it.
    let leaves = leaves(5);
    let root = merkle::root(&leaves);
    let proof = merkle::proof(&leaves, 4).unwrap();
    assert_eq!(proof.items.len(), 1);
    for index in 0..4 {
        let moved = merkle::Proof {
            index,
            ..proof.clone()
        };
        assert_eq!(
            moved.verify(&root, &leaves[4]),
            Err(ProofError::WrongLength)
        );
    }
    let outside = merkle::Proof { index: 5, ..proof };
    assert_eq!(
        outside.verify(&root, &leaves[4]),
        Err(ProofError::IndexOutOfRange)
    );
}

#[test]
fn every_proof_of_small_ranges_is_the_chains_own_and_holds_for_its_leaf_alone() {
    for count in 1..=70 {
        let store = MemStore::default();
        let (range, leaves) = range(&store, count);
        let root = range.get_root().unwrap();
        for (index, (position, _)) in (0..).zip(&leaves) {
            let items = proof_in(&range, *position);
            assert_eq!(
                mmr::Shape::new(index, count).unwrap().items(),
                items.len(),
                "{index} of {count}"
            );
            for (other, (_, leaf)) in (0..).zip(&leaves) {
                let held = mmr::verify(&root, *leaf, index, count, &items);
                assert_eq!(held.is_ok(), index == other, "{index}, {other} of {count}");
            }
        }
    }
}

proptest! {
    #[test]
    fn paths_of_large_trees_hold_with_exactly_their_items(
        (count, index) in (1u32..2_000).prop_flat_map(|count| (Just(count), 0..count)),
    ) {
        let leaves = leaves(count);
        let root = merkle::root(&leaves);
        let proof = merkle::proof(&leaves, index).unwrap();
        let leaf = &leaves[index as usize];
        prop_assert_eq!(proof.verify(&root, leaf), Ok(()));
        let mut longer = proof.clone();
        longer.items.push([0; 32]);
        prop_assert_eq!(longer.verify(&root, leaf), Err(ProofError::WrongLength));
        let mut shorter = proof;
        if shorter.items.pop().is_some() {
            prop_assert_eq!(shorter.verify(&root, leaf), Err(ProofError::WrongLength));
        }
    }

    #[test]
    fn proofs_of_large_ranges_hold_with_exactly_their_items(
        (count, index) in (1u64..3_000).prop_flat_map(|count| (Just(count), 0..count)),
    ) {
        let store = MemStore::default();
        let (range, leaves) = range(&store, count);
        let root = range.get_root().unwrap();
        let (position, leaf) = leaves[index as usize];
        let mut items = proof_in(&range, position);
        prop_assert_eq!(mmr::verify(&root, leaf, index, count, &items), Ok(()));
        items.push([0; 32]);
        let longer = mmr::verify(&root, leaf, index, count, &items);
        prop_assert_eq!(longer, Err(ProofError::WrongLength));
        items.truncate(items.len().saturating_sub(2));
        if count > 1 {
            let shorter = mmr::verify(&root, leaf, index, count, &items);
            prop_assert_eq!(shorter, Err(ProofError::WrongLength));
        }
    }

    #[test]
    fn no_numbers_and_items_make_a_proof_panic(
        index: u64,
        count: u64,
        small: (u32, u32),
        items: Vec<Hash>,
    ) {
        if index >= count {
            let outside = mmr::root([0; 32], index, count, &items);
            prop_assert_eq!(outside, Err(ProofError::IndexOutOfRange));
        } else {
            let shape = mmr::Shape::new(index, count).unwrap();
            let held = mmr::root([0; 32], index, count, &items);
            prop_assert_eq!(held.is_ok(), shape.items() == items.len());
        }
        let (index, count) = small;
        let _ = merkle::Proof { index, count, items }.root([0; 32]);
    }
}
