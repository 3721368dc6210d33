//! Merkle mountain ranges: what validators commit to.
//!
//! A range of `n` leaves is a row of perfect trees, one for each binary digit of `n`, the largest first. Its root bags
//! their peaks from the right.

use crate::{hash::node, Hash, ProofError};

/// Where a leaf is within a range. Its proof is made of the peaks left of the leaf's own, left to right; the siblings up
/// to the leaf's own peak, bottom-up; and what the peaks right of it, if there are any, bag to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Number of peaks left of the leaf's own.
    pub left: u32,
    /// Height of the leaf's own peak, and so the number of siblings.
    pub height: u32,
    /// Whether there are peaks right of it.
    pub right: bool,
    /// The leaf's place within its peak's tree, from 0 on.
    pub place: u64,
}

impl Shape {
    /// Where leaf `index` of `count` is; none if `index` is not below `count`.
    pub fn new(index: u64, count: u64) -> Option<Self> {
        if index >= count {
            return None;
        }
        // The trees left of the leaf's own are where both numbers have the same digits; at its own, they first differ.
        let height = (index ^ count).checked_ilog2()?;
        let below = 1u64.checked_shl(height)?.checked_sub(1)?;
        Some(Self {
            left: (count >> height).count_ones().checked_sub(1)?,
            height,
            right: count & below != 0,
            place: index & below,
        })
    }

    /// How many items a proof has.
    pub fn items(&self) -> usize {
        let items = self.left.saturating_add(self.height);
        items.saturating_add(self.right.into()) as usize
    }
}

/// The root to which a proof of leaf `index` of `count` leads from the leaf with that hash.
pub fn root(leaf: Hash, index: u64, count: u64, items: &[Hash]) -> Result<Hash, ProofError> {
    let shape = Shape::new(index, count).ok_or(ProofError::IndexOutOfRange)?;
    if items.len() != shape.items() {
        return Err(ProofError::WrongLength);
    }
    let (left, items) = items.split_at(shape.left as usize);
    let (siblings, right) = items.split_at(shape.height as usize);
    let mut hash = leaf;
    let mut place = shape.place;
    for sibling in siblings {
        hash = match place & 1 {
            0 => node(&hash, sibling),
            _ => node(sibling, &hash),
        };
        place >>= 1;
    }
    for bagged in right {
        hash = node(bagged, &hash);
    }
    Ok(left.iter().rev().fold(hash, |hash, peak| node(&hash, peak)))
}

/// Whether the leaf with that hash is leaf `index` of the `count` leaves with that root.
pub fn verify(
    root: &Hash,
    leaf: Hash,
    index: u64,
    count: u64,
    items: &[Hash],
) -> Result<(), ProofError> {
    match self::root(leaf, index, count, items)? == *root {
        true => Ok(()),
        false => Err(ProofError::WrongRoot),
    }
}
