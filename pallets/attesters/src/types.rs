//! What is stored of attesters, their votes and the lanes, and what the pallet asks of others.

use ciro_bridge_primitives::{Hash, LaneId, Message, Payload};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{weights::Weight, BoundedBTreeSet, BoundedVec, PalletError, Parameter};
use scale_info::TypeInfo;
use sp_core::ConstU32;

/// An amount of the chain's token, in plancks.
pub type Balance = u128;

/// Most attesters.
pub const MAX_MEMBERS: u32 = 16;

/// Most votes that are kept for one nonce: those of all attesters, and as many of attesters that have left since.
pub const MAX_VOTES: u32 = 2 * MAX_MEMBERS;

/// How far above a lane's first message that is not executed yet others may be voted for and executed.
pub const WINDOW: u32 = 256;

/// How many votes for the same message execute it, if there are so many attesters: two thirds and one.
pub fn threshold(members: u32) -> u32 {
    let two_thirds = members.saturating_mul(2).checked_div(3);
    two_thirds.unwrap_or_default().saturating_add(1)
}

/// What an attester may do.
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
pub enum Standing<BlockNumber> {
    /// It may join.
    #[codec(index = 0)]
    Invited,
    /// It votes.
    #[codec(index = 1)]
    Member,
    /// It votes no more, and answers with its bond for what it has said.
    #[codec(index = 2)]
    Leaving {
        /// The first block in which it may take the bond back.
        ripe_at: BlockNumber,
    },
}

/// An attester, or who is invited to be one.
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
pub struct Attester<BlockNumber> {
    /// What it has on hold, in plancks.
    pub bond: Balance,
    /// What it may do.
    pub standing: Standing<BlockNumber>,
}

/// Which message took a nonce.
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
pub struct Execution<BlockNumber> {
    /// The message's id.
    pub id: Hash,
    /// The block.
    pub at: BlockNumber,
}

/// What was said about one nonce of a lane.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Ballot<AccountId, BlockNumber> {
    /// Who voted for the message of which id, one vote each.
    pub votes: BoundedVec<(AccountId, Hash), ConstU32<MAX_VOTES>>,
    /// What was executed, if anything was.
    pub execution: Option<Execution<BlockNumber>>,
}

impl<AccountId, BlockNumber> Default for Ballot<AccountId, BlockNumber> {
    fn default() -> Self {
        Self {
            votes: BoundedVec::new(),
            execution: None,
        }
    }
}

impl<AccountId: PartialEq, BlockNumber> Ballot<AccountId, BlockNumber> {
    /// The message that `who` has voted for.
    pub fn vote_of(&self, who: &AccountId) -> Option<Hash> {
        let vote = self.votes.iter().find(|(voter, _)| voter == who);
        vote.map(|(_, id)| *id)
    }

    /// How many of the `members` have voted for the message `id`.
    pub fn count(&self, id: Hash, members: &[AccountId]) -> u32 {
        let agreeing = self.votes.iter().filter(|(_, said)| *said == id);
        agreeing.filter(|(who, _)| members.contains(who)).count() as u32
    }
}

/// Which messages of a lane were executed.
#[derive(
    Clone,
    Default,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Progress {
    /// All nonces below this one were.
    pub next: u64,
    /// Of those above it, these were. All are less than [`WINDOW`] above.
    pub ahead: BoundedBTreeSet<u64, ConstU32<WINDOW>>,
}

impl Progress {
    /// Whether the message of that nonce was executed.
    pub fn has(&self, nonce: u64) -> bool {
        nonce < self.next || self.ahead.contains(&nonce)
    }

    /// Whether the nonce is not too far ahead.
    pub fn reaches(&self, nonce: u64) -> bool {
        nonce.saturating_sub(self.next) < WINDOW.into()
    }

    /// Marks a nonce. Whether that could be done: it is not marked yet, and not too far ahead.
    pub fn mark(&mut self, nonce: u64) -> bool {
        if self.has(nonce) || !self.reaches(nonce) || self.ahead.try_insert(nonce).is_err() {
            return false;
        }
        while self.ahead.remove(&self.next) {
            self.next = self.next.saturating_add(1);
        }
        true
    }
}

/// Who acts on messages of other chains.
pub trait ReceiveMessage {
    /// Whether such a message of this lane could be acted on, now or later. Nobody can vote for another.
    fn accepts(lane: &LaneId, payload: &Payload) -> bool;

    /// Acts on a message that was sent on the other chain. It comes once: what cannot be carried out now must be kept.
    fn receive(message: &Message);

    /// What [`Self::receive`] weighs at most.
    fn weight() -> Weight;
}

/// Why a light client does not confirm a message.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, PalletError,
)]
pub enum Doubt {
    /// No light client follows the chain that the lane leads to, or no such lane is open.
    #[codec(index = 0)]
    ChainNotFollowed,
    /// Governance has halted the light client.
    #[codec(index = 1)]
    ClientHalted,
    /// The block is not shown to be one that is final; or the light client has not come so far yet.
    #[codec(index = 2)]
    BlockNotProven,
    /// The transaction's receipt is not shown to be the block's.
    #[codec(index = 3)]
    ReceiptNotProven,
    /// Among what the transaction has told is not this message, sent by the contract that the lane leads to.
    #[codec(index = 4)]
    MessageNotFound,
}

/// A light client of other chains.
pub trait VerifyMessage {
    /// What shows that a message was sent.
    type Evidence: Parameter;

    /// Checks that this message was sent in its lane with its nonce by the contract that the lane leads to.
    ///
    /// # Errors
    /// The evidence does not show that, or the light client cannot tell.
    fn verify(message: &Message, evidence: &Self::Evidence) -> Result<(), Doubt>;

    /// What [`Self::verify`] weighs at most for this evidence.
    fn weight(evidence: &Self::Evidence) -> Weight;
}

/// No light client: nothing can be proven.
impl VerifyMessage for () {
    type Evidence = ();

    fn verify(_: &Message, (): &()) -> Result<(), Doubt> {
        Err(Doubt::ChainNotFollowed)
    }

    fn weight((): &()) -> Weight {
        // To say no.
        Weight::from_parts(1_000, 0)
    }
}

/// What the benchmarks need beyond this pallet.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkHelper {
    /// A lane whose messages are accepted.
    fn lane() -> LaneId;

    /// A message that is accepted there, another one for each number.
    fn payload(number: u32) -> Payload;
}
