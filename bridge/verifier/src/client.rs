//! A light client of Ciro's BEEFY validators.

use crate::{signature::recover, Error};
use alloc::collections::BTreeMap;
use ciro_bridge_primitives::{
    merkle, mmr, Address, Genesis, Hash, Leaf, LeafProof, MessageProof, ProofError, ResultProof,
    Update, ValidatorSet, MAX_VALIDATORS,
};

/// Seconds that a leaf's time may be ahead of the client's.
pub const CLOCK_DRIFT: u64 = 600;

/// For how many seconds after their hand-over contracts believe validators, if nothing else is said: five days.
pub const DEFAULT_EXPIRY: u64 = 5 * 24 * 60 * 60;

/// Words of the shortest message: its lane, its nonce and its kind.
const HEAD_WORDS: usize = 3;

/// The client's state. Both sets always have 1 to [`MAX_VALIDATORS`] validators, and the next one's number follows the
/// current one's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeefyClient {
    current: ValidatorSet,
    next: ValidatorSet,
    handover_time: u64,
    expiry: u64,
    newest_block: u32,
    roots: BTreeMap<u32, Hash>,
    halted: bool,
}

impl BeefyClient {
    /// A client that believes `genesis`, and every set for `expiry` seconds after its hand-over. That must be less than the
    /// time for which validators who left can still be slashed.
    pub fn new(genesis: Genesis, expiry: u64) -> Result<Self, Error> {
        let Genesis {
            current,
            next,
            time,
        } = genesis;
        check_length(&current)?;
        check_next(&next, current.id)?;
        Ok(Self {
            current,
            next,
            handover_time: time,
            expiry,
            newest_block: 0,
            roots: BTreeMap::new(),
            halted: false,
        })
    }

    /// The current set of validators.
    pub fn current(&self) -> &ValidatorSet {
        &self.current
    }

    /// The set after it.
    pub fn next(&self) -> &ValidatorSet {
        &self.next
    }

    /// When the current set took over, in Unix seconds.
    pub fn handover_time(&self) -> u64 {
        self.handover_time
    }

    /// The highest block of which a root is known; zero if there is none.
    pub fn newest_block(&self) -> u32 {
        self.newest_block
    }

    /// The MMR's root at `block`, if the client knows it.
    pub fn root(&self, block: u32) -> Option<&Hash> {
        self.roots.get(&block)
    }

    /// Whether the client is halted.
    pub fn is_halted(&self) -> bool {
        self.halted
    }

    /// Halts the client, or lets it go on. Who may do so is not the client's to say.
    pub fn set_halted(&mut self, halted: bool) {
        self.halted = halted;
    }

    /// Takes a commitment, `now` in Unix seconds. An error leaves the client as it was.
    pub fn submit(&mut self, update: &Update, now: u64) -> Result<(), Error> {
        self.check_running()?;
        if now > self.handover_time.saturating_add(self.expiry) {
            return Err(Error::Expired);
        }
        let commitment = &update.commitment;
        if commitment.block <= self.newest_block {
            return Err(Error::StaleCommitment);
        }
        let set = [self.current, self.next]
            .into_iter()
            .find(|set| set.id == commitment.set)
            .ok_or(Error::UnknownSet)?;
        check_addresses(&set, &update.addresses)?;
        check_signers(&set, update)?;
        check_signatures(update)?;
        match (&update.handover, set.id == self.next.id) {
            (Some(proof), true) => {
                let leaf = check_handover(update, proof, now)?;
                self.current = self.next;
                self.next = leaf.next_set;
                let time = leaf.extra.timestamp.min(now);
                self.handover_time = self.handover_time.max(time);
            }
            (None, true) => return Err(Error::MissingLeaf),
            (Some(_), false) => return Err(Error::UnexpectedLeaf),
            (None, false) => {}
        }
        self.roots.insert(commitment.block, commitment.root);
        self.newest_block = commitment.block;
        Ok(())
    }

    /// Whether the leaf is in the MMR of `block`, whose root the client knows.
    pub fn prove_leaf(&self, block: u32, proof: &LeafProof) -> Result<(), Error> {
        self.check_running()?;
        let root = self.root(block).ok_or(Error::UnknownRoot)?;
        check_leaf(root, block, proof)
    }

    /// Whether the message is one of those of the leaf's block, whatever it says.
    pub fn prove_message(
        &self,
        block: u32,
        leaf: &LeafProof,
        message: &MessageProof,
    ) -> Result<(), Error> {
        self.prove_leaf(block, leaf)?;
        check_message(&leaf.leaf, message)
    }

    /// Whether the result is one of those of the leaf's block.
    pub fn prove_result(
        &self,
        block: u32,
        leaf: &LeafProof,
        result: &ResultProof,
    ) -> Result<(), Error> {
        self.prove_leaf(block, leaf)?;
        let root = &leaf.leaf.extra.results_root;
        check_path(root, &result.path, &result.result.bytes())
    }

    fn check_running(&self) -> Result<(), Error> {
        match self.halted {
            true => Err(Error::Halted),
            false => Ok(()),
        }
    }
}

/// Whether the path of the message leads to the root of the leaf's messages.
pub(crate) fn check_message(leaf: &Leaf, message: &MessageProof) -> Result<(), Error> {
    // Two words could be an inner node.
    if message.words.len() < HEAD_WORDS {
        return Err(Error::WrongWordCount);
    }
    check_path(
        &leaf.extra.messages_root,
        &message.path,
        message.words.as_flattened(),
    )
}

fn check_path(root: &Hash, path: &merkle::Proof, leaf: &[u8]) -> Result<(), Error> {
    path.verify(root, leaf).map_err(|error| match error {
        ProofError::IndexOutOfRange => Error::IndexOutOfRange,
        ProofError::WrongLength => Error::WrongPathLength,
        ProofError::WrongRoot => Error::WrongPath,
    })
}

fn check_leaf(root: &Hash, block: u32, proof: &LeafProof) -> Result<(), Error> {
    let (index, count) = (proof.leaf.parent_number.into(), block.into());
    mmr::verify(root, proof.leaf.hash(), index, count, &proof.items).map_err(|error| match error {
        ProofError::IndexOutOfRange => Error::LeafOutOfRange,
        ProofError::WrongLength => Error::WrongLeafProofLength,
        ProofError::WrongRoot => Error::WrongLeafProof,
    })
}

fn check_length(set: &ValidatorSet) -> Result<(), Error> {
    match set.length {
        1..=MAX_VALIDATORS => Ok(()),
        _ => Err(Error::WrongSetLength),
    }
}

fn check_next(set: &ValidatorSet, current: u64) -> Result<(), Error> {
    if current.checked_add(1) != Some(set.id) {
        return Err(Error::WrongNextSet);
    }
    check_length(set)
}

fn check_addresses(set: &ValidatorSet, addresses: &[Address]) -> Result<(), Error> {
    if u32::try_from(addresses.len()) != Ok(set.length) {
        return Err(Error::WrongAddressCount);
    }
    if merkle::root(addresses) != set.root {
        return Err(Error::WrongSetRoot);
    }
    match addresses.contains(&[0; 20]) {
        true => Err(Error::ZeroAddress),
        false => Ok(()),
    }
}

fn check_signers(set: &ValidatorSet, update: &Update) -> Result<(), Error> {
    let beyond = update.signers.checked_shr(set.length).unwrap_or(0);
    if beyond != 0 {
        return Err(Error::SignerOutOfRange);
    }
    let signers = update.signers.count_ones();
    let faulty = set.length.saturating_sub(1) / 3;
    if signers < set.length.saturating_sub(faulty) {
        return Err(Error::TooFewSigners);
    }
    if u32::try_from(update.signatures.len()) != Ok(signers) {
        return Err(Error::WrongSignatureCount);
    }
    Ok(())
}

fn check_signatures(update: &Update) -> Result<(), Error> {
    let hash = update.commitment.hash();
    let signers = (0u32..)
        .zip(&update.addresses)
        .filter(|(index, _)| update.signers.checked_shr(*index).unwrap_or(0) & 1 == 1);
    for ((_, address), signature) in signers.zip(&update.signatures) {
        if recover(&hash, signature)? != *address {
            return Err(Error::WrongSigner);
        }
    }
    Ok(())
}

/// The leaf that a commitment of the next set brings.
fn check_handover<'a>(update: &Update, proof: &'a LeafProof, now: u64) -> Result<&'a Leaf, Error> {
    let commitment = &update.commitment;
    check_leaf(&commitment.root, commitment.block, proof)?;
    let leaf = &proof.leaf;
    check_next(&leaf.next_set, commitment.set)?;
    if leaf.extra.timestamp > now.saturating_add(CLOCK_DRIFT) {
        return Err(Error::LeafFromFuture);
    }
    Ok(leaf)
}
