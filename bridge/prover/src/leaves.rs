//! Leaves, and what is proven under them.

use crate::Error;
use ciro_bridge_primitives::{
    merkle, mmr, Hash, Leaf, LeafProof, MessageProof, ProofError, ResultLeaf, ResultProof, Word,
};
use codec::{Decode, DecodeAll};

/// The proof in what `mmr_generateProof` returns for one leaf.
#[derive(Decode)]
struct RangeProof {
    indices: Vec<u64>,
    count: u64,
    items: Vec<Hash>,
}

/// Reads `leaves` and `proof` as `mmr_generateProof` returns them for one block: the block in whose MMR the proof holds,
/// and the proof.
pub fn leaf_proof(leaves: &[u8], proof: &[u8]) -> Result<(u32, LeafProof), Error> {
    let leaves: Vec<Vec<u8>> = decode("the list of leaves", leaves)?;
    let proof: RangeProof = decode("the leaf's proof", proof)?;
    let ([leaf], [index]) = (leaves.as_slice(), proof.indices.as_slice()) else {
        return Err(Error::NotOneLeaf(leaves.len()));
    };
    let leaf = Leaf::decode(leaf).map_err(|error| Error::Undecodable {
        what: "the leaf",
        error,
    })?;
    if u64::from(leaf.parent_number) != *index {
        return Err(Error::OtherLeaf {
            parent: leaf.parent_number,
            index: *index,
        });
    }
    let shape = mmr::Shape::new(*index, proof.count).ok_or(ProofError::IndexOutOfRange)?;
    if shape.items() != proof.items.len() {
        return Err(ProofError::WrongLength.into());
    }
    let block = proof.count.try_into();
    let block = block.map_err(|_| ProofError::IndexOutOfRange)?;
    let items = proof.items;
    Ok((block, LeafProof { leaf, items }))
}

/// Proves message `index` of the leaf's block, of which `messages` are all, in order.
pub fn message_proof(
    leaf: &Leaf,
    messages: &[Vec<Word>],
    index: u32,
) -> Result<MessageProof, Error> {
    let root = &leaf.extra.messages_root;
    let bytes = |words: &Vec<Word>| words.concat();
    let (words, path) = prove("messages", root, messages, bytes, index)?;
    Ok(MessageProof { words, path })
}

/// Proves result `index` of the leaf's block, of which `results` are all, in order.
pub fn result_proof(leaf: &Leaf, results: &[ResultLeaf], index: u32) -> Result<ResultProof, Error> {
    let root = &leaf.extra.results_root;
    let (result, path) = prove("results", root, results, ResultLeaf::bytes, index)?;
    Ok(ResultProof { result, path })
}

/// One of the `items` under `root`, and its path.
fn prove<T: Clone, L: AsRef<[u8]>>(
    what: &'static str,
    root: &Hash,
    items: &[T],
    bytes: impl Fn(&T) -> L,
    index: u32,
) -> Result<(T, merkle::Proof), Error> {
    let leaves: Vec<L> = items.iter().map(bytes).collect();
    if merkle::root(&leaves) != *root {
        return Err(Error::OtherRoot(what));
    }
    let item = items.get(index as usize).cloned();
    item.zip(merkle::proof(&leaves, index))
        .ok_or(Error::NoSuchIndex {
            what,
            index,
            count: items.len(),
        })
}

fn decode<T: Decode>(what: &'static str, bytes: &[u8]) -> Result<T, Error> {
    T::decode_all(&mut &*bytes).map_err(|error| Error::Undecodable { what, error })
}
