//! Messages and results under a leaf.

use crate::{
    bytes::{hexes, plain},
    client::steps,
    encodings::To,
    Client, Hex, ProvenLeaf, Step,
};
use ciro_bridge_primitives::{keccak, merkle, ChainKind, MessageProof, ResultLeaf, ResultProof};
use ciro_bridge_testing::{destination, lane, Scene, CONTRACTS};
use ciro_primitives::ModelId;
use serde::{Deserialize, Serialize};

/// A message and its path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageOf {
    /// How many messages the block has.
    pub count: u32,
    /// Hash of the message's bytes.
    pub id: Hex<32>,
    /// Its place among them.
    pub index: u32,
    /// Its path.
    pub items: Vec<Hex<32>>,
    /// Its words.
    pub words: Vec<Hex<32>>,
}

impl From<&MessageProof> for MessageOf {
    fn from(proof: &MessageProof) -> Self {
        Self {
            count: proof.path.count,
            id: Hex(keccak(&proof.words.concat())),
            index: proof.path.index,
            items: hexes(&proof.path.items),
            words: hexes(&proof.words),
        }
    }
}

impl From<&MessageOf> for MessageProof {
    fn from(message: &MessageOf) -> Self {
        Self {
            words: plain(&message.words),
            path: merkle::Proof {
                index: message.index,
                count: message.count,
                items: plain(&message.items),
            },
        }
    }
}

/// A result and its path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultOf {
    /// How many results the block has.
    pub count: u32,
    /// Its place among them.
    pub index: u32,
    /// What the model was run on.
    pub input_commitment: Hex<32>,
    /// Its path.
    pub items: Vec<Hex<32>>,
    /// The job.
    pub job: u64,
    /// The model.
    pub model: Hex<32>,
    /// What came out.
    pub output_hash: Hex<32>,
}

impl From<&ResultProof> for ResultOf {
    fn from(proof: &ResultProof) -> Self {
        Self {
            count: proof.path.count,
            index: proof.path.index,
            input_commitment: Hex(proof.result.input_commitment),
            items: hexes(&proof.path.items),
            job: proof.result.job,
            model: Hex(proof.result.model.0),
            output_hash: Hex(proof.result.output_hash),
        }
    }
}

impl From<&ResultOf> for ResultProof {
    fn from(result: &ResultOf) -> Self {
        Self {
            result: ResultLeaf {
                job: result.job,
                model: ModelId(result.model.0),
                input_commitment: result.input_commitment.0,
                output_hash: result.output_hash.0,
            },
            path: merkle::Proof {
                index: result.index,
                count: result.count,
                items: plain(&result.items),
            },
        }
    }
}

/// All messages of a block to one contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The kinds that the contract takes.
    pub kinds: Vec<u64>,
    /// Its lane.
    pub lane: Hex<32>,
    /// The messages.
    pub messages: Vec<MessageOf>,
    /// The contract.
    pub to: To,
}

/// `messages.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Messages {
    /// The client.
    pub client: Client,
    /// One delivery for each contract.
    pub deliveries: Vec<Delivery>,
    /// The leaf about the block of all messages and results, which is proven as it is.
    pub proof: ProvenLeaf,
    /// The results of the block.
    pub results: Vec<ResultOf>,
    /// The updates after which the client knows the proof's root.
    pub steps: Vec<Step>,
}

impl Messages {
    /// Those of a scene's busy block.
    pub fn new(scene: &Scene) -> Self {
        let block = scene.busy + 1;
        let chain = &scene.chain;
        let contracts = [ChainKind::Evm, ChainKind::Starknet]
            .into_iter()
            .flat_map(|chain| CONTRACTS.map(|kind| (chain, kind)));
        let results = 0..chain.block(scene.busy).results.len() as u32;
        Self {
            client: Client::new(chain.genesis, &scene.genesis(), scene.expiry),
            deliveries: contracts
                .map(|(chain, kind)| delivery(scene, chain, kind))
                .collect(),
            proof: ProvenLeaf::new(block, &scene.busy_leaf()),
            results: results
                .map(|index| (&chain.result_proof(scene.busy, index)).into())
                .collect(),
            steps: steps(&scene.updates_to(block)),
        }
    }
}

fn delivery(scene: &Scene, chain: ChainKind, kind: u64) -> Delivery {
    let lane = lane(&scene.chain.genesis, chain, kind);
    let messages = (0..).zip(&scene.chain.block(scene.busy).messages);
    Delivery {
        kinds: vec![kind],
        lane: Hex(lane.0),
        messages: messages
            .filter(|(_, words)| words[0] == lane.0)
            .map(|(index, _)| (&scene.chain.message_proof(scene.busy, index)).into())
            .collect(),
        to: (&destination(chain, kind)).into(),
    }
}
