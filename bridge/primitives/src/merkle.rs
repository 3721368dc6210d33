//! Binary Merkle trees: over the addresses of validators, over messages, over results.
//!
//! The last node of an odd layer goes up unchanged. So the path of a leaf depends on how many leaves there are.

use crate::{
    hash::{keccak, node},
    Hash, ProofError,
};
use alloc::vec::Vec;

/// The path of one leaf.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Place of the leaf, from 0 on.
    pub index: u32,
    /// How many leaves the tree has.
    pub count: u32,
    /// The siblings on the way, bottom-up.
    pub items: Vec<Hash>,
}

impl Proof {
    /// The root to which the path leads from the leaf with that hash.
    pub fn root(&self, leaf: Hash) -> Result<Hash, ProofError> {
        if self.index >= self.count {
            return Err(ProofError::IndexOutOfRange);
        }
        let (mut place, mut width) = (self.index, self.count);
        let mut items = self.items.iter();
        let mut hash = leaf;
        while width > 1 {
            if place ^ 1 < width {
                let sibling = items.next().ok_or(ProofError::WrongLength)?;
                hash = match place & 1 {
                    0 => node(&hash, sibling),
                    _ => node(sibling, &hash),
                };
            }
            place >>= 1;
            width = width.div_ceil(2);
        }
        match items.next() {
            Some(_) => Err(ProofError::WrongLength),
            None => Ok(hash),
        }
    }

    /// Whether these bytes are the leaf at that place of the tree with that root.
    pub fn verify(&self, root: &Hash, leaf: &[u8]) -> Result<(), ProofError> {
        match self.root(keccak(leaf))? == *root {
            true => Ok(()),
            false => Err(ProofError::WrongRoot),
        }
    }
}

/// The root of the tree over these leaves; zero if there are none.
pub fn root<L: AsRef<[u8]>>(leaves: impl IntoIterator<Item = L>) -> Hash {
    let mut layer = hashes(leaves);
    while layer.len() > 1 {
        layer = layer_above(&layer);
    }
    layer.first().copied().unwrap_or_default()
}

/// The path of the leaf at `index`, if there is one.
pub fn proof<L: AsRef<[u8]>>(leaves: impl IntoIterator<Item = L>, index: u32) -> Option<Proof> {
    let mut layer = hashes(leaves);
    let mut place = usize::try_from(index).ok()?;
    layer.get(place)?;
    let count = layer.len().try_into().ok()?;
    let mut items = Vec::new();
    while layer.len() > 1 {
        items.extend(layer.get(place ^ 1));
        place >>= 1;
        layer = layer_above(&layer);
    }
    Some(Proof {
        index,
        count,
        items,
    })
}

fn hashes<L: AsRef<[u8]>>(leaves: impl IntoIterator<Item = L>) -> Vec<Hash> {
    leaves
        .into_iter()
        .map(|leaf| keccak(leaf.as_ref()))
        .collect()
}

fn layer_above(layer: &[Hash]) -> Vec<Hash> {
    let mut above = Vec::with_capacity(layer.len().div_ceil(2));
    let mut nodes = layer.iter();
    while let Some(left) = nodes.next() {
        above.push(nodes.next().map_or(*left, |right| node(left, right)));
    }
    above
}
