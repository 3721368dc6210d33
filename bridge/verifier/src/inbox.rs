//! A contract's side of its lane.

use crate::{client::check_message, BeefyClient, Error};
use alloc::{collections::BTreeSet, vec::Vec};
use ciro_bridge_primitives::{u64_of, LaneId, LeafProof, Message, MessageProof, Word};

/// Which messages of its lane a contract has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbox {
    lane: LaneId,
    kinds: BTreeSet<u64>,
    taken: BTreeSet<u64>,
}

impl Inbox {
    /// The inbox of a contract that takes messages of these [kinds](ciro_bridge_primitives::kind).
    pub fn new(lane: LaneId, kinds: impl IntoIterator<Item = u64>) -> Self {
        Self {
            lane,
            kinds: kinds.into_iter().collect(),
            taken: BTreeSet::new(),
        }
    }

    /// Whether the message with that nonce was taken.
    pub fn is_taken(&self, nonce: u64) -> bool {
        self.taken.contains(&nonce)
    }

    /// Takes several messages of one block, in any order, and says what they are: they are to be carried out after that. An
    /// error leaves the inbox as it was.
    pub fn deliver(
        &mut self,
        client: &BeefyClient,
        block: u32,
        leaf: &LeafProof,
        messages: &[MessageProof],
    ) -> Result<Vec<Message>, Error> {
        client.prove_leaf(block, leaf)?;
        let mut fresh = BTreeSet::new();
        let mut delivered = Vec::new();
        for proof in messages {
            check_message(&leaf.leaf, proof)?;
            let message = self.read(&proof.words)?;
            if self.is_taken(message.nonce) || !fresh.insert(message.nonce) {
                return Err(Error::NonceTaken);
            }
            delivered.push(message);
        }
        self.taken.append(&mut fresh);
        Ok(delivered)
    }

    /// The message that these words are, if it is for this contract.
    fn read(&self, words: &[Word]) -> Result<Message, Error> {
        let [lane, _, kind, ..] = words else {
            return Err(Error::WrongWordCount);
        };
        if *lane != self.lane.0 {
            return Err(Error::WrongLane);
        }
        if !u64_of(kind).is_some_and(|kind| self.kinds.contains(&kind)) {
            return Err(Error::UnknownKind);
        }
        Ok(Message::from_words(words)?)
    }
}
