//! A piece of Ethereum made up for tests: a block with receipts, and a later header of the beacon chain that is final.
//!
//! Trees, headers and receipts are what Ethereum's are; but no validator has signed for them, so a client follows them
//! only from a checkpoint that governance sets.

use alloy_consensus::{Receipt, ReceiptWithBloom};
use alloy_primitives::{Bytes, Log};
use alloy_trie::{proof::ProofRetainer, HashBuilder, Nibbles};
use ciro_runtime::configs::ethereum::ReceiptProof;
use snowbridge_beacon_primitives::{
    types::deneb, AncestryProof, BeaconHeader, CheckpointUpdate, ExecutionProof, SyncCommittee,
    VersionedExecutionPayloadHeader,
};
use snowbridge_pallet_ethereum_client_fixtures::make_checkpoint;
use snowbridge_verification_primitives::Proof;
use sp_core::H256;
use sp_io::hashing::sha2_256;
use std::collections::BTreeMap;

/// The block's slot, in September 2026.
const SLOT: u64 = 15_289_440;
/// That of the header that is final: four epochs later.
const FINAL_SLOT: u64 = SLOT + 128;
/// Receipts of this type say what EIP-1559's transactions did.
const EIP_1559: u8 = 2;

/// Where the trees of the beacon chain, since Electra, have what the light client looks for: depth and index.
mod place {
    /// Of a block's execution payload in its body.
    pub const PAYLOAD: (u32, usize) = (4, 9);
    /// Of the last 8,192 blocks' roots in the state.
    pub const BLOCK_ROOTS: (u32, usize) = (6, 5);
    /// Of the current sync committee in the state.
    pub const COMMITTEE: (u32, usize) = (6, 22);
    /// Depth of the tree of blocks' roots.
    pub const DEPTH_OF_ROOTS: u32 = 13;
}

/// A binary tree of SHA-256: its layers, from the leaves to the root.
struct Tree(Vec<Vec<H256>>);

impl Tree {
    /// A tree with these leaves; the others are made up.
    fn new(depth: u32, leaves: &[(usize, H256)]) -> Self {
        let filler = |index: u64| H256(sha2_256(&index.to_be_bytes()));
        let mut bottom: Vec<H256> = (0..1 << depth).map(filler).collect();
        for (index, leaf) in leaves {
            bottom[*index] = *leaf;
        }
        let mut layers = vec![bottom];
        for _ in 0..depth {
            let pairs = layers.last().unwrap().chunks(2);
            let above = pairs.map(|pair| H256(sha2_256(&[pair[0].0, pair[1].0].concat())));
            layers.push(above.collect());
        }
        Self(layers)
    }

    fn root(&self) -> H256 {
        self.0.last().unwrap()[0]
    }

    /// The siblings of a leaf and of all above it.
    fn branch(&self, index: usize) -> Vec<H256> {
        let siblings = self.0.iter().enumerate();
        let siblings = siblings.map(|(height, layer)| layer.get((index >> height) ^ 1));
        siblings.map_while(|sibling| sibling.copied()).collect()
    }
}

/// A block, and a checkpoint after it.
pub struct Block {
    /// What governance sets.
    pub checkpoint: Box<CheckpointUpdate<512>>,
    /// What shows what each transaction told.
    pub proofs: Vec<ReceiptProof>,
}

/// A block whose transactions have told these logs.
pub fn block(transactions: &[Vec<Log>]) -> Block {
    let (receipts_root, receipts) = receipts(transactions);
    let payload = VersionedExecutionPayloadHeader::Deneb(deneb::ExecutionPayloadHeader {
        receipts_root,
        logs_bloom: vec![0; 256],
        extra_data: b"ciro".to_vec(),
        ..Default::default()
    });
    let (depth, place) = place::PAYLOAD;
    let body = Tree::new(depth, &[(place, payload.hash_tree_root().unwrap())]);
    let header = BeaconHeader {
        slot: SLOT,
        body_root: body.root(),
        ..Default::default()
    };
    let index = SLOT as usize % (1 << place::DEPTH_OF_ROOTS);
    let roots = Tree::new(
        place::DEPTH_OF_ROOTS,
        &[(index, header.hash_tree_root().unwrap())],
    );
    let checkpoint = checkpoint(roots.root());
    let execution_proof = ExecutionProof {
        header,
        ancestry_proof: Some(AncestryProof {
            header_branch: roots.branch(index),
            finalized_block_root: checkpoint.header.hash_tree_root().unwrap(),
        }),
        execution_header: payload,
        execution_branch: body.branch(place),
    };
    let proofs = receipts.into_iter().zip(0..);
    let proofs = proofs.map(|(receipt_proof, transaction)| ReceiptProof {
        transaction,
        proof: Proof {
            receipt_proof,
            execution_proof: execution_proof.clone(),
        },
    });
    Block {
        checkpoint,
        proofs: proofs.collect(),
    }
}

/// The header that is final, whose state has these roots of blocks, and the committee of the recorded network.
fn checkpoint(block_roots_root: H256) -> Box<CheckpointUpdate<512>> {
    let committee: SyncCommittee<512> = make_checkpoint().current_sync_committee;
    let ((depth, roots), (_, members)) = (place::BLOCK_ROOTS, place::COMMITTEE);
    let leaves = [
        (roots, block_roots_root),
        (members, committee.hash_tree_root().unwrap()),
    ];
    let state = Tree::new(depth, &leaves);
    Box::new(CheckpointUpdate {
        header: BeaconHeader {
            slot: FINAL_SLOT,
            state_root: state.root(),
            ..Default::default()
        },
        current_sync_committee: committee,
        current_sync_committee_branch: state.branch(members),
        validators_root: H256::repeat_byte(1),
        block_roots_root,
        block_roots_branch: state.branch(roots),
    })
}

/// The root of the receipts' trie, and the path of each.
fn receipts(transactions: &[Vec<Log>]) -> (H256, Vec<Vec<Vec<u8>>>) {
    let key = |index: usize| Nibbles::unpack(alloy_rlp::encode(index));
    let encoded = transactions.iter().map(|logs| {
        let receipt = ReceiptWithBloom {
            receipt: Receipt {
                status: true.into(),
                cumulative_gas_used: 21_000,
                logs: logs.clone(),
            },
            logs_bloom: Default::default(),
        };
        [vec![EIP_1559], alloy_rlp::encode(receipt)].concat()
    });
    let leaves: BTreeMap<Nibbles, Vec<u8>> = (0..).map(key).zip(encoded).collect();
    let keys = leaves.keys().copied().collect();
    let mut trie = HashBuilder::default().with_proof_retainer(ProofRetainer::new(keys));
    for (key, receipt) in &leaves {
        trie.add_leaf(*key, receipt);
    }
    let root = H256(trie.root().0);
    let nodes = trie.take_proof_nodes();
    let path = |index| {
        let nodes = nodes.matching_nodes_sorted(&key(index)).into_iter();
        nodes.map(|(_, node): (_, Bytes)| node.to_vec()).collect()
    };
    (root, (0..transactions.len()).map(path).collect())
}
