//! Trees and ranges, and the proofs of their leaves.

use crate::{bytes::hexes, Bytes, Hex};
use ciro_bridge_primitives::{keccak, merkle};
use ciro_bridge_testing::Chain;
use serde::{Deserialize, Serialize};

/// A proof of one leaf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    /// How many leaves there are.
    pub count: u32,
    /// Place of the leaf.
    pub index: u32,
    /// The proof.
    pub items: Vec<Hex<32>>,
    /// The leaf's bytes.
    pub leaf: Bytes,
    /// The root.
    pub root: Hex<32>,
}

/// `merkle.json` and `mmr.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trees {
    /// Every leaf of small trees, and some of larger ones.
    pub cases: Vec<Tree>,
}

/// Numbers of leaves, and which leaves of so many.
fn places(all: u32, larger: &[u32]) -> Vec<(u32, u32)> {
    let small = (1..=all).flat_map(|count| (0..count).map(move |index| (index, count)));
    let some = larger.iter().flat_map(|&count| {
        let places = [0, 1, count / 3, count / 2, count - 2, count - 1];
        places.map(|index| (index, count))
    });
    small.chain(some).collect()
}

impl Trees {
    /// Of binary Merkle trees whose leaves are the first bytes of hashes of their places, as many as an address has.
    pub fn merkle() -> Self {
        let leaf = |index: u32| keccak(&index.to_be_bytes())[..20].to_vec();
        let case = |(index, count)| {
            let leaves: Vec<_> = (0..count).map(leaf).collect();
            let proof = merkle::proof(&leaves, index).expect("a leaf");
            Tree {
                count,
                index,
                items: hexes(&proof.items),
                leaf: Bytes(leaf(index)),
                root: Hex(merkle::root(&leaves)),
            }
        };
        let cases = places(12, &[17, 31, 32, 33, 64, 100]);
        Self {
            cases: cases.into_iter().map(case).collect(),
        }
    }

    /// Of the ranges of a chain, of which it has at least 300.
    pub fn mmr(chain: &Chain) -> Self {
        let case = |(index, count)| {
            let proof = chain.leaf_proof(count, index);
            Tree {
                count,
                index,
                items: hexes(&proof.items),
                leaf: Bytes(proof.leaf.encode()),
                root: Hex(chain.root(count)),
            }
        };
        let cases = places(16, &[31, 32, 33, 100, 255, 256, 257, 300]);
        Self {
            cases: cases.into_iter().map(case).collect(),
        }
    }
}
