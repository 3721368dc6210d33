//! What to do next for a destination, given what is known of it and of Ciro. Nothing here talks to anyone.
//!
//! The state of the chains alone decides, so that a relayer that forgets everything goes on where it was: hand-overs come
//! first and in order, as a client follows one set to the next; then what the client can be shown already; then a newer
//! root, if a message waits for one or the client has fallen too far behind.

use crate::destination::ClientState;
use std::collections::BTreeMap;

/// Most messages in one transaction.
pub const BATCH: usize = 16;

/// A message that is not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Waiting {
    /// Block of Ciro that sent it.
    pub block: u32,
    /// Place of its contract in the configuration.
    pub contract: usize,
    /// Its nonce.
    pub nonce: u64,
}

/// A block that BEEFY has finalised, and whose justification is at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The block.
    pub block: u32,
    /// Number of the set that signed it.
    pub set: u64,
}

/// What is known.
#[derive(Clone, Debug)]
pub struct View {
    /// The client's state.
    pub client: ClientState,
    /// The time there, in Unix seconds.
    pub now: u64,
    /// The newest block that BEEFY has finalised, if any is known.
    pub head: Option<Head>,
    /// The messages that are not delivered and not held back.
    pub waiting: Vec<Waiting>,
    /// Blocks by which the client may be behind although no message waits; any number if there is none.
    pub max_lag: Option<u32>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To show the client a commitment of this set, the one that follows the set in office: the first one that the set
    /// signed, or the head if the set signed that.
    HandOver {
        /// The set.
        set: u64,
    },
    /// To show the client the head, which the set in office signed.
    Update,
    /// To show messages of one block to a contract, in the root of the client's newest block.
    Deliver {
        /// Place of the contract in the configuration.
        contract: usize,
        /// The block that sent them.
        block: u32,
        /// Their nonces, in ascending order.
        nonces: Vec<u64>,
    },
    /// To wait.
    Rest(Rest),
}

/// Why there is nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Everything is done that can be done now.
    Done,
    /// The client is halted.
    Halted,
    /// The client has expired: whoever governs it must deploy another one.
    Expired,
}

/// What to do next.
pub fn next(view: &View) -> Step {
    let View {
        client, now, head, ..
    } = view;
    if client.halted {
        return Step::Rest(Rest::Halted);
    }
    let expired = *now > client.expires;
    let head = head.filter(|_| !expired);
    if head.is_some_and(|head| head.set > client.set) {
        return Step::HandOver {
            set: client.set + 1,
        };
    }
    if let Some(step) = delivery(view) {
        return step;
    }
    let is_wanted = |head: Head| {
        let behind = head.block.saturating_sub(client.newest);
        let waits = |message: &Waiting| message.block < head.block;
        let too_far = view.max_lag.is_some_and(|max| behind > max);
        behind > 0 && (too_far || view.waiting.iter().any(waits))
    };
    if head.is_some_and(is_wanted) {
        return Step::Update;
    }
    Step::Rest(match expired {
        true => Rest::Expired,
        false => Rest::Done,
    })
}

/// The oldest messages that the client can be shown, of one block and for one contract.
fn delivery(view: &View) -> Option<Step> {
    let mut batches = BTreeMap::<(u32, usize), Vec<u64>>::new();
    for message in &view.waiting {
        // The leaf about a block is in the MMR of the next one.
        if message.block < view.client.newest {
            let batch = batches.entry((message.block, message.contract));
            batch.or_default().push(message.nonce);
        }
    }
    let ((block, contract), mut nonces) = batches.pop_first()?;
    nonces.sort_unstable();
    nonces.truncate(BATCH);
    Some(Step::Deliver {
        contract,
        block,
        nonces,
    })
}

#[cfg(test)]
mod tests;
