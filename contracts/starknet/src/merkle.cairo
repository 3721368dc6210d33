//! The two kinds of Merkle tree that Ciro commits to: binary trees of a block's messages, results and validators, and the
//! Merkle mountain range of its history. A proof's shape follows from the leaf's place alone and must be met exactly.
//! Hashes are little-endian numbers (see `hashing`), but for the items of proofs, which are big-endian.

use ciro::hashing::{node, reverse};

/// The root of a binary tree over hashed leaves, at least one. The last node of an odd layer goes up unchanged.
pub fn binary_root(leaves: Array<u256>) -> u256 {
    let mut layer = leaves.span();
    while layer.len() > 1 {
        let mut above = array![];
        while let Option::Some(left) = layer.pop_front() {
            match layer.pop_front() {
                Option::Some(right) => above.append(node(*left, *right)),
                Option::None => above.append(*left),
            }
        };
        layer = above.span();
    };
    *layer.at(0)
}

/// Panics unless a leaf that hashes to `leaf` is at `index` in the binary tree of `count` leaves with this root. `path` holds
/// its siblings, bottom-up.
pub fn check_path(root: u256, leaf: u256, index: u32, count: u32, mut path: Span<u256>) {
    assert(index < count, 'IndexOutOfRange');
    let mut hash = leaf;
    let mut position = index;
    let mut width = count;
    while width > 1 {
        let is_right = position % 2 == 1;
        if is_right || position + 1 < width {
            let sibling = reverse(*path.pop_front().expect('WrongPathLength'));
            hash = if is_right {
                node(sibling, hash)
            } else {
                node(hash, sibling)
            };
        }
        position /= 2;
        width = width / 2 + width % 2;
    };
    assert(path.is_empty(), 'WrongPathLength');
    assert(hash == root, 'WrongPath');
}

/// Panics unless a leaf that hashes to `leaf` is at `index` in the mountain range of `count` leaves with this root. The
/// proof's items are: the peaks left of the leaf's own; the siblings up to its own peak, bottom-up; and, if there are peaks
/// right of it, these bagged.
pub fn check_mountain(root: u256, leaf: u256, index: u32, count: u32, proof: Span<u256>) {
    assert(index < count, 'LeafOutOfRange');
    let (left_peaks, height, place, is_last) = locate(index, count);
    let right_peaks = if is_last {
        0
    } else {
        1
    };
    assert(proof.len() == left_peaks + height + right_peaks, 'WrongLeafProofLength');
    let mut siblings = proof.slice(left_peaks, height);
    let mut position = place;
    let mut hash = leaf;
    while let Option::Some(sibling) = siblings.pop_front() {
        hash =
            if position % 2 == 1 {
                node(reverse(*sibling), hash)
            } else {
                node(hash, reverse(*sibling))
            };
        position /= 2;
    };
    if !is_last {
        hash = node(reverse(*proof.at(left_peaks + height)), hash);
    }
    let mut peaks = proof.slice(0, left_peaks);
    while let Option::Some(peak) = peaks.pop_back() {
        hash = node(hash, reverse(*peak));
    };
    assert(hash == root, 'WrongLeafProof');
}

/// Finds leaf `index` among the peaks of `count` leaves, `index < count`: the number of peaks left of its own, its own
/// peak's height, its place within that peak, and whether that is the last peak.
fn locate(index: u32, count: u32) -> (u32, u32, u32, bool) {
    let mut size: u32 = 0x80000000;
    let mut height: u32 = 31;
    let mut left_peaks = 0;
    let mut place = index;
    let mut remaining = count;
    loop {
        if remaining >= size {
            remaining -= size;
            if place < size {
                break;
            }
            place -= size;
            left_peaks += 1;
        }
        size /= 2;
        height -= 1;
    };
    (left_peaks, height, place, remaining == 0)
}
