//! Types that callers of the contracts see. Hashes and words are big-endian numbers, times Unix seconds, amounts plancks
//! (10^-18 CIRO, and below 2^128).

use ciro::packing::{ComputeSpecPacking, ProgressPacking};
use starknet::ContractAddress;

/// What Ciro's validators sign: the root of the mountain range at a block.
#[derive(Copy, Drop, Serde)]
pub struct Commitment {
    pub root: u256,
    pub block: u32,
    /// The id of the set that signs.
    pub set: u64,
}

/// A set of validators: `root` is that of the binary Merkle tree over their Ethereum addresses.
#[derive(Copy, Drop, Serde, starknet::Store)]
pub struct ValidatorSet {
    pub id: u64,
    pub length: u32,
    pub root: u256,
}

/// A leaf of the mountain range: what it says of the block `parent_number`.
#[derive(Copy, Drop, Serde)]
pub struct Leaf {
    pub parent_number: u32,
    pub parent_hash: u256,
    /// The set that takes over from the one in office.
    pub next_set: ValidatorSet,
    pub time: u64,
    pub messages_root: u256,
    pub results_root: u256,
}

/// A leaf with its proof in the mountain range.
#[derive(Copy, Drop, Serde)]
pub struct ProvenLeaf {
    pub leaf: Leaf,
    pub proof: Span<u256>,
}

/// A message with its path in its block's tree of `count` messages.
#[derive(Copy, Drop, Serde)]
pub struct Message {
    pub words: Span<u256>,
    pub index: u32,
    pub count: u32,
    pub path: Span<u256>,
}

/// A result of a job on Ciro, which the chain verified by a proof.
#[derive(Copy, Drop, Serde)]
pub struct ComputeResult {
    pub model: u256,
    pub input_commitment: u256,
    pub output_hash: u256,
}

/// A result as a leaf of its block's tree of `count` results.
#[derive(Copy, Drop, Serde)]
pub struct ProvenResult {
    pub job: u64,
    pub result: ComputeResult,
    pub index: u32,
    pub count: u32,
    pub path: Span<u256>,
}

/// What a requester asks for.
#[derive(Copy, Drop, Serde)]
pub struct ComputeSpec {
    /// Whether the worker's machine must have a GPU.
    pub gpu: bool,
    /// Least memory, in MiB.
    pub memory: u32,
    /// Least arithmetic throughput, in units of 10^9 operations a second.
    pub gflops: u32,
    /// Seconds from submission to deadline.
    pub duration: u32,
    /// What an answer earns.
    pub max_payment: u256,
}

/// Where a job stands.
#[derive(Copy, Drop, Serde, PartialEq)]
pub enum JobStatus {
    /// No such job.
    Unknown,
    /// Waiting for a result.
    Open,
    /// A proven result came and its payee was paid.
    Completed,
    /// The requester has taken the payment back.
    Refunded,
}

/// What has become of a job so far.
#[derive(Copy, Drop, Serde)]
pub struct Progress {
    pub status: JobStatus,
    /// How often it was claimed.
    pub claims: u8,
    pub deadline: u64,
    /// Until when its worker may answer alone.
    pub claimed_until: u64,
}

/// A request to run a model on a committed input, for a payment in escrow.
#[derive(Copy, Drop, Serde, starknet::Store)]
pub struct Job {
    pub requester: ContractAddress,
    pub model_hash: u256,
    pub input_commitment: u256,
    pub compute_requirements: ComputeSpec,
    pub progress: Progress,
    /// Who claimed it last; zero if nobody did yet.
    pub worker: ContractAddress,
    /// Zero before completion.
    pub output_hash: u256,
}

/// A worker's record in the market.
#[derive(Copy, Drop, Serde)]
pub struct WorkerInfo {
    /// The payments of the jobs that it holds claims on: its active stake must cover them.
    pub committed: u256,
    /// Jobs that it claimed and was paid for.
    pub completed: u32,
    /// Jobs that it claimed and that another took over or that the requester took back.
    pub lapsed: u32,
}

/// A slash of an operator: `share` parts in a million.
#[derive(Copy, Drop)]
pub struct SlashCase {
    pub number: u64,
    pub share: u32,
}

/// What a worker's stake has lost so far.
#[derive(Copy, Drop, Serde, starknet::Store)]
pub struct SlashRecord {
    /// Cases applied.
    pub cases: u32,
    /// Sum of what they took.
    pub amount: u256,
    /// When the last one was applied.
    pub last: u64,
}

/// A stake on its way out.
#[derive(Copy, Drop, Serde)]
pub struct Unbonding {
    pub shares: u256,
    /// When it can be withdrawn.
    pub ready: u64,
}
