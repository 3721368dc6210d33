//! Why a client refuses.

use ciro_bridge_primitives::MessageError;
use core::fmt;

/// Why a client or an inbox refuses, one error for each rule, in the order in which the rules are looked at. The contracts'
/// errors have the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Error {
    /// The client is halted: it takes no commitment and proves nothing.
    Halted,
    /// The current validators took over too long ago: they may have left, and have nothing to lose.
    Expired,
    /// The commitment is not to a higher block than the newest.
    StaleCommitment,
    /// The commitment is neither of the current nor of the next set.
    UnknownSet,
    /// The set has another number of validators than addresses were given.
    WrongAddressCount,
    /// The addresses are not those of the set.
    WrongSetRoot,
    /// A validator's address is zero, which recovers from every invalid signature.
    ZeroAddress,
    /// A bit of the signers is set at the set's length or above.
    SignerOutOfRange,
    /// Less than two thirds and one of the validators signed.
    TooFewSigners,
    /// There are not as many signatures as signers.
    WrongSignatureCount,
    /// A signature's `s` is above half of the curve's order.
    HighS,
    /// A signature is not its validator's, or of something else.
    WrongSigner,
    /// A commitment of the next set came without a leaf.
    MissingLeaf,
    /// A commitment of the current set came with a leaf.
    UnexpectedLeaf,
    /// No root is known of that block.
    UnknownRoot,
    /// The leaf is about the commitment's own block or a later one.
    LeafOutOfRange,
    /// The leaf's place in the MMR asks for another number of items.
    WrongLeafProofLength,
    /// The leaf's proof leads to another root.
    WrongLeafProof,
    /// The set does not follow the one before it.
    WrongNextSet,
    /// The set has no validators, or more than 64.
    WrongSetLength,
    /// The leaf is of a time that is yet to come.
    LeafFromFuture,
    /// The index is not below the number of the tree's leaves.
    IndexOutOfRange,
    /// The index and the number of the tree's leaves ask for another number of items.
    WrongPathLength,
    /// The path leads to another root.
    WrongPath,
    /// The message is for another lane.
    WrongLane,
    /// The contract takes no message of that kind.
    UnknownKind,
    /// A message has less than three words, or another number of them than its kind.
    WrongWordCount,
    /// A number in the message is larger than what it counts can be.
    ValueOutOfRange,
    /// A message with that nonce was taken before.
    NonceTaken,
}

impl Error {
    /// Every error, in order.
    pub const ALL: [Self; 29] = [
        Self::Halted,
        Self::Expired,
        Self::StaleCommitment,
        Self::UnknownSet,
        Self::WrongAddressCount,
        Self::WrongSetRoot,
        Self::ZeroAddress,
        Self::SignerOutOfRange,
        Self::TooFewSigners,
        Self::WrongSignatureCount,
        Self::HighS,
        Self::WrongSigner,
        Self::MissingLeaf,
        Self::UnexpectedLeaf,
        Self::UnknownRoot,
        Self::LeafOutOfRange,
        Self::WrongLeafProofLength,
        Self::WrongLeafProof,
        Self::WrongNextSet,
        Self::WrongSetLength,
        Self::LeafFromFuture,
        Self::IndexOutOfRange,
        Self::WrongPathLength,
        Self::WrongPath,
        Self::WrongLane,
        Self::UnknownKind,
        Self::WrongWordCount,
        Self::ValueOutOfRange,
        Self::NonceTaken,
    ];
}

impl fmt::Display for Error {
    /// The error's name, as contracts give it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl core::error::Error for Error {}

impl From<MessageError> for Error {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::WrongWordCount => Self::WrongWordCount,
            MessageError::UnknownKind => Self::UnknownKind,
            MessageError::ValueOutOfRange => Self::ValueOutOfRange,
        }
    }
}
