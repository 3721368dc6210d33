// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Why a contract refuses what is said of Ciro: one error for each rule of the protocol, with the names of `Error` in
// `bridge/verifier`, in the order in which the rules are looked at.

/// The contract is halted, or the client that it asks.
error Halted();
/// The current validators took over too long ago: they may have left, and have nothing to lose.
error Expired();
/// The commitment is not to a higher block than the newest.
error StaleCommitment();
/// The commitment is neither of the current nor of the next set.
error UnknownSet();
/// The set has another number of validators than addresses were given.
error WrongAddressCount();
/// The addresses are not those of the set.
error WrongSetRoot();
/// A validator's address is zero, which recovers from every invalid signature.
error ZeroAddress();
/// A bit of the signers is set at the set's length or above.
error SignerOutOfRange();
/// Less than two thirds and one of the validators signed.
error TooFewSigners();
/// There are not as many signatures as signers.
error WrongSignatureCount();
/// A signature's `s` is above half of the curve's order.
error HighS();
/// A signature is not its validator's, or of something else.
error WrongSigner();
/// A commitment of the next set came without a leaf.
error MissingLeaf();
/// A commitment of the current set came with a leaf.
error UnexpectedLeaf();
/// No root is known of that block.
error UnknownRoot();
/// The leaf is not 153 bytes of version 0.
error MalformedLeaf();
/// The leaf is about the commitment's own block or a later one.
error LeafOutOfRange();
/// The leaf's place in the MMR asks for another number of items.
error WrongLeafProofLength();
/// The leaf's proof leads to another root.
error WrongLeafProof();
/// The set does not follow the one before it.
error WrongNextSet();
/// The set has no validators, or more than 64.
error WrongSetLength();
/// The leaf is of a time that is yet to come.
error LeafFromFuture();
/// The index is not below the number of the tree's leaves.
error IndexOutOfRange();
/// The index and the number of the tree's leaves ask for another number of items.
error WrongPathLength();
/// The path leads to another root.
error WrongPath();
/// The message is for another lane.
error WrongLane();
/// The contract takes no message of that kind.
error UnknownKind();
/// A message has less than three words, or another number of them than its kind.
error WrongWordCount();
/// A number in the message is larger than what it counts can be.
error ValueOutOfRange();
/// A message with that nonce was taken before.
error NonceTaken();
