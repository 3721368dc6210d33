//! What this node has indexed of the bridge: the leaves that blocks have queued, and the way back along each lane.
//!
//! Relayers and whoever wants to prove a result ask for it. The answers are looked up by hashes alone and change nothing,
//! so that the methods are safe to be public; what the runtime queues in a block bounds their length.

use ciro_bridge_primitives::LaneId;
use ciro_runtime::{BlockNumber, Hash};
use codec::Decode;
use jsonrpsee::{
    core::RpcResult,
    proc_macros::rpc,
    types::{error::INTERNAL_ERROR_CODE, ErrorObjectOwned},
};
use pallet_outbound_queue::{leaves_key, previous_key};
use sp_core::{
    offchain::{OffchainStorage, STORAGE_PREFIX},
    Bytes, H256,
};

/// The methods.
#[rpc(server)]
pub trait Bridge {
    /// The leaves of a block's tree of messages or results, in order, by the root that the MMR's leaf about the block
    /// names: the bytes that are hashed, of which the caller computes the root again. `null` if no block that this node
    /// has executed has queued such a tree.
    #[method(name = "bridge_leaves")]
    fn leaves(&self, root: H256) -> RpcResult<Option<Vec<Bytes>>>;

    /// The block of a lane's last message before the block whose parent has the hash `parent`. `null` if that block has
    /// no message of the lane, if it has the lane's first one, or if this node has not executed it.
    #[method(name = "bridge_previous")]
    fn previous(&self, lane: H256, parent: Hash) -> RpcResult<Option<BlockNumber>>;
}

/// Answers from the off-chain index.
pub struct Index<S>(S);

impl<S: OffchainStorage> Index<S> {
    /// Reads from `storage`.
    pub fn new(storage: S) -> Self {
        Self(storage)
    }

    fn get<V: Decode>(&self, key: &[u8]) -> RpcResult<Option<V>> {
        let bytes = self.0.get(STORAGE_PREFIX, key);
        let value = bytes.map(|bytes| V::decode(&mut &bytes[..])).transpose();
        value.map_err(|error| {
            let message = format!("the index is damaged: {error}");
            ErrorObjectOwned::owned(INTERNAL_ERROR_CODE, message, None::<()>)
        })
    }
}

impl<S: OffchainStorage + 'static> BridgeServer for Index<S> {
    fn leaves(&self, root: H256) -> RpcResult<Option<Vec<Bytes>>> {
        let leaves = self.get::<Vec<Vec<u8>>>(&leaves_key(&root.0))?;
        Ok(leaves.map(|leaves| leaves.into_iter().map(Bytes).collect()))
    }

    fn previous(&self, lane: H256, parent: Hash) -> RpcResult<Option<BlockNumber>> {
        self.get(&previous_key(&LaneId(lane.0), parent.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::Encode;
    use sp_core::offchain::storage::InMemOffchainStorage;

    fn index(key: &[u8], value: &[u8]) -> Index<InMemOffchainStorage> {
        let mut storage = InMemOffchainStorage::default();
        storage.set(STORAGE_PREFIX, key, value);
        Index::new(storage)
    }

    #[test]
    fn leaves_are_found_by_their_root_alone() {
        let (root, leaves) = (H256([1; 32]), vec![vec![2u8; 96], vec![3; 96]]);
        let index = index(&leaves_key(&root.0), &leaves.encode());
        let found = index.leaves(root).unwrap().unwrap();
        assert_eq!(found, leaves.into_iter().map(Bytes).collect::<Vec<_>>());
        assert_eq!(index.leaves(H256([4; 32])).unwrap(), None);
    }

    #[test]
    fn the_way_back_is_found_by_lane_and_parent() {
        let (lane, parent) = (H256([1; 32]), H256([2; 32]));
        let key = previous_key(&LaneId(lane.0), parent.as_bytes());
        let index = index(&key, &7u32.encode());
        assert_eq!(index.previous(lane, parent).unwrap(), Some(7));
        assert_eq!(index.previous(parent, lane).unwrap(), None);
    }

    #[test]
    fn a_damaged_index_is_an_error() {
        let root = H256([1; 32]);
        let index = index(&leaves_key(&root.0), &[4, 255]);
        let error = index.leaves(root).unwrap_err();
        assert_eq!(error.code(), INTERNAL_ERROR_CODE);
    }
}
