//! Encodings and hashes of what is signed and proven.

use crate::{Bytes, Hex, Leaf};
use ciro_bridge_primitives::ChainKind;
use ciro_bridge_primitives::{
    keccak, Commitment, Destination, Hash, LaneId, RemoteJobBinding, ResultLeaf, RESULT_TAG,
};
use ciro_bridge_testing::{destination, lane, Scene, CONTRACTS};
use serde::{Deserialize, Serialize};

/// A contract on another chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct To {
    /// The chain's number, or its name as a short string: a word.
    pub chain_id: Hex<32>,
    /// The address: a word.
    pub contract: Hex<32>,
    /// `evm` or `starknet`.
    pub kind: String,
}

impl From<&Destination> for To {
    fn from(destination: &Destination) -> Self {
        let kind = match destination.kind {
            ChainKind::Evm => "evm",
            ChainKind::Starknet => "starknet",
        };
        Self {
            chain_id: Hex(destination.chain_id),
            contract: Hex(destination.contract),
            kind: kind.into(),
        }
    }
}

impl From<&To> for Destination {
    fn from(to: &To) -> Self {
        let kind = match to.kind.as_str() {
            "evm" => ChainKind::Evm,
            "starknet" => ChainKind::Starknet,
            other => panic!("{other} is no kind of chain"),
        };
        Self {
            kind,
            chain_id: to.chain_id.0,
            contract: to.contract.0,
        }
    }
}

/// A lane's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lane {
    /// Hash of Ciro's genesis block.
    pub genesis: Hex<32>,
    /// The lane.
    pub lane: Hex<32>,
    /// Where it leads.
    pub to: To,
}

/// A leaf's bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncodedLeaf {
    /// The bytes.
    pub encoded: Bytes,
    /// Their hash.
    pub hash: Hex<32>,
    /// The leaf.
    pub leaf: Leaf,
}

/// What validators sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncodedCommitment {
    /// The block.
    pub block: u32,
    /// The bytes.
    pub encoded: Bytes,
    /// Their hash.
    pub hash: Hex<32>,
    /// The root.
    pub root: Hex<32>,
    /// The set.
    pub set: u64,
}

/// A result's bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EncodedResult {
    /// The bytes.
    pub encoded: Bytes,
    /// Their hash.
    pub hash: Hex<32>,
    /// What the model was run on.
    pub input_commitment: Hex<32>,
    /// The job.
    pub job: u64,
    /// The model.
    pub model: Hex<32>,
    /// What came out.
    pub output_hash: Hex<32>,
}

/// What a proof for a remote job is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EncodedRemoteJob {
    /// The bytes.
    pub encoded: Bytes,
    /// Hash of Ciro's genesis block.
    pub genesis: Hex<32>,
    /// The lane to the JobManager.
    pub lane: Hex<32>,
    /// Who is paid.
    pub payee: Hex<32>,
    /// The job there.
    pub remote_job: Hex<32>,
}

/// `encodings.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Encodings {
    /// Commitments.
    pub commitments: Vec<EncodedCommitment>,
    /// Lanes.
    pub lanes: Vec<Lane>,
    /// Leaves.
    pub leaves: Vec<EncodedLeaf>,
    /// Remote jobs.
    pub remote_jobs: Vec<EncodedRemoteJob>,
    /// The domain of results.
    pub result_domain: Hex<32>,
    /// Results.
    pub results: Vec<EncodedResult>,
}

impl Encodings {
    /// Those of a scene.
    pub fn new(scene: &Scene) -> Self {
        let chain = &scene.chain;
        let blocks = [1, scene.busy + 1, chain.height()];
        let commitment = |block| encoded_commitment(&chain.commitment(block));
        let leaf = |block: u32| {
            let leaf = chain.leaf(block - 1);
            EncodedLeaf {
                encoded: Bytes(leaf.encode()),
                hash: Hex(leaf.hash()),
                leaf: leaf.into(),
            }
        };
        let largest = Commitment {
            root: [0xff; 32],
            block: u32::MAX,
            // Larger numbers are not the same in every reader of JSON.
            set: (1 << 53) - 1,
        };
        let mut commitments = blocks.map(commitment).to_vec();
        commitments.push(encoded_commitment(&largest));
        Self {
            commitments,
            lanes: lanes(&chain.genesis),
            leaves: blocks.map(leaf).to_vec(),
            remote_jobs: vec![remote_job(&chain.genesis)],
            result_domain: Hex(keccak(RESULT_TAG)),
            results: chain.block(scene.busy).results.iter().map(result).collect(),
        }
    }
}

fn encoded_commitment(commitment: &Commitment) -> EncodedCommitment {
    EncodedCommitment {
        block: commitment.block,
        encoded: Bytes(commitment.encode()),
        hash: Hex(commitment.hash()),
        root: Hex(commitment.root),
        set: commitment.set,
    }
}

fn lanes(genesis: &Hash) -> Vec<Lane> {
    let chains = [ChainKind::Evm, ChainKind::Starknet];
    let contracts = chains
        .into_iter()
        .flat_map(|chain| CONTRACTS.map(|kind| (chain, kind)));
    contracts
        .map(|(chain, kind)| Lane {
            genesis: Hex(*genesis),
            lane: Hex(lane(genesis, chain, kind).0),
            to: (&destination(chain, kind)).into(),
        })
        .collect()
}

fn remote_job(genesis: &Hash) -> EncodedRemoteJob {
    let binding = RemoteJobBinding {
        genesis: *genesis,
        lane: LaneId(keccak(b"lane")),
        remote_job: keccak(b"remote job"),
        payee: keccak(b"payee"),
    };
    EncodedRemoteJob {
        encoded: Bytes(binding.encode()),
        genesis: Hex(binding.genesis),
        lane: Hex(binding.lane.0),
        payee: Hex(binding.payee),
        remote_job: Hex(binding.remote_job),
    }
}

fn result(result: &ResultLeaf) -> EncodedResult {
    EncodedResult {
        encoded: Bytes(result.bytes().into()),
        hash: Hex(keccak(&result.bytes())),
        input_commitment: Hex(result.input_commitment),
        job: result.job,
        model: Hex(result.model.0),
        output_hash: Hex(result.output_hash),
    }
}
