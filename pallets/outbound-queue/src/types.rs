//! Lanes, and what other pallets may have sent.

use alloc::vec::Vec;
use ciro_bridge_primitives::{ChainKind, Destination, Hash, LaneId, Payload, ResultLeaf};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::{DispatchError, DispatchResult, Perbill};

/// Most lanes that one look at them returns.
pub const MAX_LISTED: u32 = 100;

/// What every key of the bridge in a node's off-chain index begins with.
pub const INDEX_PREFIX: &[u8; 12] = b"ciro/bridge/";

/// A way to a contract on another chain.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Lane<AccountId, Balance, BlockNumber> {
    /// The contract.
    pub destination: Destination,
    /// Who opened it.
    pub owner: AccountId,
    /// What its owner has on hold for it, in plancks.
    pub deposit: Balance,
    /// The nonce of its next message, and so how many it has had.
    pub next_nonce: u64,
    /// The block that queued its last message, if it has had one.
    pub last_block: Option<BlockNumber>,
}

/// The roots of what a block queued; zero where there is nothing.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Roots {
    /// Of the tree over its messages.
    pub messages: Hash,
    /// Of the tree over its results.
    pub results: Hash,
}

/// What other pallets may have sent.
pub trait Outbox<AccountId> {
    /// Queues a message of a lane for this block; its nonce. Whether the sender pays for it is the caller's business: see
    /// [`Outbox::charge`]. Not to be called from `on_finalize`.
    ///
    /// # Errors
    /// The bridge is halted, there is no such lane, the block is full, or the payload's kind does not leave Ciro.
    fn send(lane: LaneId, payload: Payload) -> Result<u64, DispatchError>;

    /// Takes the fee for one message.
    ///
    /// # Errors
    /// The sender's free funds do not cover it.
    fn charge(sender: &AccountId) -> DispatchResult;

    /// Adds a result that a proof has shown to be right to this block's tree. If the bridge is halted or the block full
    /// it is passed over, which an event says; the job's payment is none of the bridge's business. What was passed over
    /// can be sent as a message instead. Not to be called from `on_finalize`.
    fn note_result(result: ResultLeaf);
}

/// Where the off-chain index has the leaves of the tree with that root, as the SCALE form of `Vec<Vec<u8>>`. The key says
/// what lies under it, so that forks cannot disagree about it.
pub fn leaves_key(root: &Hash) -> Vec<u8> {
    [&INDEX_PREFIX[..], root].concat()
}

/// Where the off-chain index has the block of a lane's last message before the block after `parent`, as a number in
/// SCALE, if the block after `parent` has a message of the lane, too. It follows from `parent` alone, so that forks
/// cannot disagree about it.
pub fn previous_key(lane: &LaneId, parent: &[u8]) -> Vec<u8> {
    [&INDEX_PREFIX[..], &lane.0, parent].concat()
}

/// Whether there can be such a contract. Chains of Starknet are numbers as its addresses are.
pub(crate) fn is_possible(destination: &Destination) -> bool {
    let Destination {
        kind,
        chain_id,
        contract,
    } = destination;
    let is_chain = match kind {
        ChainKind::Evm => *chain_id != [0; 32],
        ChainKind::Starknet => kind.is_address(chain_id),
    };
    is_chain && kind.is_address(contract)
}

/// A share in parts of a million, rounded down.
pub(crate) fn parts_in_a_million(share: Perbill) -> u32 {
    share.deconstruct().checked_div(1_000).unwrap_or_default()
}

/// What the benchmarks need beyond this pallet.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkHelper {
    /// A job that was paid for a proof, with the longest output.
    fn proven_job() -> ciro_primitives::JobId;

    /// A case that was executed.
    fn executed_case() -> pallet_slashing::CaseId;
}
