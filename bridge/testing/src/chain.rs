//! A chain as the bridge sees it: its MMR, and the trees under its leaves.

use crate::Validators;
use ciro_bridge_primitives::{
    keccak, merkle, BridgeLeaf, Commitment, Genesis, Hash, Leaf, LeafProof, MessageProof,
    ResultLeaf, ResultProof, Update, Word,
};
use mmr_lib::{
    helper::{leaf_index_to_mmr_size, leaf_index_to_pos},
    util::{MemMMR, MemStore},
    Merge,
};

/// What a block did for the bridge.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// The messages that it queued.
    pub messages: Vec<Vec<Word>>,
    /// The results that it verified.
    pub results: Vec<ResultLeaf>,
}

impl Block {
    /// Root of the tree over its messages.
    pub fn messages_root(&self) -> Hash {
        merkle::root(self.messages.iter().map(|words| words.concat()))
    }

    /// Root of the tree over its results.
    pub fn results_root(&self) -> Hash {
        merkle::root(self.results.iter().map(ResultLeaf::bytes))
    }
}

/// A chain, its validators, and all that its leaves stand for.
#[derive(Clone)]
pub struct Chain {
    /// Hash of the genesis block.
    pub genesis: Hash,
    sets: Vec<Validators>,
    leaves: Vec<Leaf>,
    blocks: Vec<Block>,
    nodes: MemStore<Hash>,
}

struct Nodes;

impl Merge for Nodes {
    type Item = Hash;

    fn merge(left: &Hash, right: &Hash) -> mmr_lib::Result<Hash> {
        Ok(keccak(&[*left, *right].concat()))
    }
}

impl Chain {
    /// A chain at its genesis block. Its sets of validators are numbered from 0 on.
    pub fn new(genesis: Hash, sets: Vec<Validators>) -> Self {
        Self {
            genesis,
            sets,
            leaves: Vec::new(),
            blocks: Vec::new(),
            nodes: MemStore::default(),
        }
    }

    /// Number of the newest block.
    pub fn height(&self) -> u32 {
        self.leaves.len() as u32
    }

    /// The validators of set `id`.
    pub fn validators(&self, id: u64) -> &Validators {
        &self.sets[id as usize]
    }

    /// The set that signs `block`, from 1 on.
    pub fn set_of(&self, block: u32) -> u64 {
        self.leaf(block - 1).next_set.id - 1
    }

    /// The leaf about `block`.
    pub fn leaf(&self, block: u32) -> &Leaf {
        &self.leaves[block as usize]
    }

    /// What `block` did.
    pub fn block(&self, block: u32) -> &Block {
        &self.blocks[block as usize]
    }

    /// The first block that the set signs.
    pub fn first_block_of(&self, set: u64) -> u32 {
        (1..=self.height())
            .find(|block| self.set_of(*block) == set)
            .expect("a session of that set")
    }

    /// Makes the next block, in the session of `set`, about a parent that did all that `parent` says at `timestamp`.
    pub fn extend(&mut self, set: u64, timestamp: u64, parent: Block) {
        let number = self.height();
        let leaf = Leaf {
            parent_number: number,
            parent_hash: block_hash(&self.genesis, number),
            next_set: self.validators(set + 1).set(set + 1),
            extra: BridgeLeaf {
                timestamp,
                messages_root: parent.messages_root(),
                results_root: parent.results_root(),
            },
        };
        self.push(leaf, parent);
    }

    /// Makes the next block, with that leaf in its MMR, whatever it says.
    pub fn push(&mut self, leaf: Leaf, parent: Block) {
        let mut range = MemMMR::<_, Nodes>::new(size(self.height()), &self.nodes);
        range.push(leaf.hash()).expect("a range in memory");
        range.commit().expect("a range in memory");
        self.leaves.push(leaf);
        self.blocks.push(parent);
    }

    /// A copy of the chain as it was at `block`.
    pub fn fork(&self, block: u32) -> Self {
        let mut fork = self.clone();
        fork.leaves.truncate(block as usize);
        fork.blocks.truncate(block as usize);
        fork
    }

    /// Root of the MMR at `block`, from 1 on.
    pub fn root(&self, block: u32) -> Hash {
        self.range(block).get_root().expect("a block of the chain")
    }

    /// A client's genesis in the session of `set`, which took over at `time`.
    pub fn client_genesis(&self, set: u64, time: u64) -> Genesis {
        Genesis {
            current: self.validators(set).set(set),
            next: self.validators(set + 1).set(set + 1),
            time,
        }
    }

    /// What validators sign at `block`.
    pub fn commitment(&self, block: u32) -> Commitment {
        Commitment {
            root: self.root(block),
            block,
            set: self.set_of(block),
        }
    }

    /// The leaf about `parent`, proven in the MMR of `block`.
    pub fn leaf_proof(&self, block: u32, parent: u32) -> LeafProof {
        let position = leaf_index_to_pos(parent.into());
        let proof = self.range(block).gen_proof(vec![position]);
        LeafProof {
            leaf: *self.leaf(parent),
            items: proof
                .expect("a leaf of the block's range")
                .proof_items()
                .to_vec(),
        }
    }

    /// A commitment of the client's current set.
    pub fn update(&self, block: u32) -> Update {
        let validators = self.validators(self.set_of(block));
        validators.update(self.commitment(block), None)
    }

    /// A commitment of the client's next set.
    pub fn handover(&self, block: u32) -> Update {
        Update {
            handover: Some(self.leaf_proof(block, block - 1)),
            ..self.update(block)
        }
    }

    /// Message `index` of `block`.
    pub fn message_proof(&self, block: u32, index: u32) -> MessageProof {
        let messages = &self.block(block).messages;
        let leaves = messages.iter().map(|words| words.concat());
        MessageProof {
            words: messages[index as usize].clone(),
            path: merkle::proof(leaves, index).expect("a message of the block"),
        }
    }

    /// Result `index` of `block`.
    pub fn result_proof(&self, block: u32, index: u32) -> ResultProof {
        let results = &self.block(block).results;
        let leaves = results.iter().map(ResultLeaf::bytes);
        ResultProof {
            result: results[index as usize],
            path: merkle::proof(leaves, index).expect("a result of the block"),
        }
    }

    fn range(&self, block: u32) -> MemMMR<'_, Hash, Nodes> {
        MemMMR::new(size(block), &self.nodes)
    }
}

/// A hash for block `number`. That of a real block would change with every change of the runtime's state.
pub fn block_hash(genesis: &Hash, number: u32) -> Hash {
    match number {
        0 => *genesis,
        _ => keccak(&[&genesis[..], &number.to_le_bytes()].concat()),
    }
}

/// Nodes of a range with that many leaves.
fn size(leaves: u32) -> u64 {
    match leaves {
        0 => 0,
        leaves => leaf_index_to_mmr_size(u64::from(leaves) - 1),
    }
}
