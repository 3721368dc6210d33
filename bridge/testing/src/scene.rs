//! Scenes: a chain, and a client that starts somewhere on it.

use crate::{Block, Chain, Validators};
use ciro_bridge_primitives::{
    keccak, kind, lane_id, word_of, ChainKind, Commitment, Destination, Genesis, Hash, LaneId,
    Leaf, LeafProof, Message, Payload, ResultLeaf, Update, Word, MILLION,
};
use ciro_primitives::ModelId;

/// Number of the EVM chain: that of a development chain.
pub const EVM_CHAIN: u32 = 31_337;

/// Name of the Starknet chain.
pub const STARKNET_CHAIN: &str = "SN_SEPOLIA";

/// The contracts that have a lane on either chain, each by the kind of messages that it takes.
pub const CONTRACTS: [u64; 4] = [kind::MINT, kind::RESULT, kind::REMOTE_RESULT, kind::SLASH];

/// Seconds that pass between blocks.
const BLOCK_TIME: u64 = 2;

/// Blocks of a session.
const SESSION: u32 = 12;

/// Time of the genesis block.
pub const START: u64 = 1_800_000_000;

/// Seconds for which clients believe a set of validators.
pub const EXPIRY: u64 = 432_000;

/// Seconds after a block in which an update to it comes.
const DELAY: u64 = 20;

/// The contract on that kind of chain which takes that kind of message.
pub fn destination(chain: ChainKind, kind: u64) -> Destination {
    let name = keccak(format!("contract/{chain:?}/{kind}").as_bytes());
    let (chain_id, shortest) = match chain {
        ChainKind::Evm => (word_of(EVM_CHAIN), 12),
        ChainKind::Starknet => (short_string(STARKNET_CHAIN), 1),
    };
    let mut contract = [0; 32];
    contract[shortest..].copy_from_slice(&name[shortest..]);
    Destination {
        kind: chain,
        chain_id,
        contract,
    }
}

/// The lane to [`destination`].
pub fn lane(genesis: &Hash, chain: ChainKind, kind: u64) -> LaneId {
    lane_id(genesis, &destination(chain, kind))
}

/// A word that holds a text, as Starknet writes it.
fn short_string(text: &str) -> Word {
    let mut word = [0; 32];
    word[32 - text.len()..].copy_from_slice(text.as_bytes());
    word
}

/// A chain, and a client that starts on it in the session of [`Self::set`].
#[derive(Clone)]
pub struct Scene {
    /// The chain: of that session and the two after it.
    pub chain: Chain,
    /// The client's current set at the start.
    pub set: u64,
    /// For how many seconds the client believes a set.
    pub expiry: u64,
    /// A block of the first session that queued messages for every contract, and verified results.
    pub busy: u32,
}

impl Scene {
    /// A chain of three sessions of `length` validators each, different ones every time, that no runtime made.
    pub fn synthetic(length: u32) -> Self {
        let sets = (0..5)
            .map(|id| Validators::new(&format!("set {id}"), length))
            .collect();
        let genesis = keccak(b"genesis of a synthetic chain");
        let mut chain = Chain::new(genesis, sets);
        let busy = 7;
        for number in 0..3 * SESSION {
            let parent = match number {
                7 => busy_block(&genesis),
                _ => Block::default(),
            };
            let time = START + BLOCK_TIME * u64::from(number);
            chain.extend(u64::from(number / SESSION), time, parent);
        }
        Self {
            chain,
            set: 0,
            expiry: EXPIRY,
            busy,
        }
    }

    /// What the client is deployed with.
    pub fn genesis(&self) -> Genesis {
        let first = self.chain.first_block_of(self.set);
        let time = self.chain.leaf(first - 1).extra.timestamp;
        self.chain.client_genesis(self.set, time)
    }

    /// The block that hands over to the set after the client's first one.
    pub fn handover_block(&self) -> u32 {
        self.chain.first_block_of(self.set + 1)
    }

    /// When an update to `block` comes.
    pub fn time_of(&self, block: u32) -> u64 {
        self.chain.leaf(block - 1).extra.timestamp + DELAY
    }

    /// The updates, with their times, that take the client to `block`.
    pub fn updates_to(&self, block: u32) -> Vec<(u64, Update)> {
        let last = self.chain.set_of(block);
        let handovers = (self.set + 1..=last).map(|set| {
            let first = self.chain.first_block_of(set);
            (self.time_of(first), self.chain.handover(first))
        });
        let mut updates: Vec<_> = handovers.collect();
        if updates
            .last()
            .is_none_or(|(_, newest)| newest.commitment.block < block)
        {
            updates.push((self.time_of(block), self.chain.update(block)));
        }
        updates
    }

    /// A hand-over to the set after the client's first one, whose leaf validators have changed like that.
    pub fn forged_handover(&self, change: impl FnOnce(&mut Leaf)) -> Update {
        let block = self.handover_block();
        let commitment = self.chain.commitment(block);
        let mut fork = self.chain.fork(block - 1);
        let mut leaf = *self.chain.leaf(block - 1);
        change(&mut leaf);
        fork.push(leaf, Block::default());
        let validators = self.chain.validators(commitment.set);
        let commitment = Commitment {
            root: fork.root(block),
            ..commitment
        };
        validators.update(commitment, Some(fork.leaf_proof(block, block - 1)))
    }

    /// The same scene, but the busy block queued and verified what `block` says. The chain ends a block later.
    pub fn with_busy_block(&self, block: Block) -> Self {
        let mut chain = self.chain.fork(self.busy);
        let mut leaf = *self.chain.leaf(self.busy);
        leaf.extra.messages_root = block.messages_root();
        leaf.extra.results_root = block.results_root();
        chain.push(leaf, block);
        Self {
            chain,
            ..self.clone()
        }
    }

    /// The leaf about the busy block, in the MMR of the next one.
    pub fn busy_leaf(&self) -> LeafProof {
        self.chain.leaf_proof(self.busy + 1, self.busy)
    }

    /// The place in the busy block of the message with that nonce to that contract.
    pub fn message_index(&self, chain: ChainKind, kind: u64, nonce: u64) -> u32 {
        let lane = lane(&self.chain.genesis, chain, kind).0;
        let messages = &self.chain.block(self.busy).messages;
        let is_it = |words: &Vec<Word>| words[0] == lane && words[1] == word_of(nonce);
        messages
            .iter()
            .position(is_it)
            .expect("a message of the busy block") as u32
    }
}

/// Messages to every contract on both chains, several to each token, and some results, on the chain with that genesis.
pub fn busy_block(genesis: &Hash) -> Block {
    let name = |what: &str| keccak(what.as_bytes());
    let results: Vec<_> = (0..5)
        .map(|job| ResultLeaf {
            job,
            model: ModelId(name("model")),
            input_commitment: name(&format!("input {job}")),
            output_hash: name(&format!("output {job}")),
        })
        .collect();
    let mint = |nonce: u64| Payload::Mint {
        recipient: word_of(0xc0ffee_u32 + nonce as u32),
        amount: 1_000_000_000_000 + u128::from(nonce),
        expiry: START + 86_400,
        refund: name("refund"),
    };
    let others = [
        Payload::Result(results[0]),
        Payload::RemoteResult {
            remote_job: word_of(3u8),
            model: results[1].model,
            input_commitment: results[1].input_commitment,
            output_hash: results[1].output_hash,
            payee: word_of(0xbeef_u16),
        },
        Payload::Slash {
            case: 1,
            operator: name("operator"),
            share: MILLION / 10,
        },
    ];
    let payloads = [ChainKind::Evm, ChainKind::Starknet].map(|chain| {
        let mints = (0..4).map(move |nonce| (chain, nonce, mint(nonce)));
        mints.chain(others.map(|payload| (chain, 0, payload)))
    });
    let messages = payloads
        .into_iter()
        .flatten()
        .map(|(chain, nonce, payload)| {
            Message {
                lane: lane(genesis, chain, payload.kind()),
                nonce,
                payload,
            }
            .words()
        });
    Block {
        messages: messages.collect(),
        results,
    }
}
