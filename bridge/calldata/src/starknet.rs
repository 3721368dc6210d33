//! The Cairo contracts. A felt is written as a [`Word`]; hashes and words are two felts, the lower half first.

use crate::{Delivery, ProvenResults};
use ciro_bridge_primitives::{
    keccak, u64_of, word_of, Commitment, Hash, LeafProof, Signature, Update, Word,
};
use k256::ecdsa::{self, RecoveryId, VerifyingKey};

/// Number of a function or an event, by its name.
pub fn selector(name: &str) -> Word {
    let mut hash = keccak(name.as_bytes());
    hash[0] &= 0x03;
    hash
}

/// The event by which a contract sends a message.
pub const SENT: &str = "Sent";

/// The event by which a client says that it took an update.
pub const UPDATED: &str = "Updated";

/// Felts as Cairo's `Serde` writes them.
#[derive(Default)]
struct Felts(Vec<Word>);

impl Felts {
    fn number(&mut self, number: impl Into<u128>) {
        self.0.push(word_of(number));
    }

    /// A `u256`.
    fn word(&mut self, word: &Word) {
        for half in [&word[16..], &word[..16]] {
            let mut felt = [0; 32];
            felt[16..].copy_from_slice(half);
            self.0.push(felt);
        }
    }

    /// A `Span`.
    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.number(items.len() as u64);
        items.iter().for_each(|item| each(self, item));
    }

    fn words(&mut self, words: &[Word]) {
        self.list(words, Self::word);
    }

    fn leaf(&mut self, proof: &LeafProof) {
        let leaf = &proof.leaf;
        self.number(leaf.parent_number);
        self.word(&leaf.parent_hash);
        self.number(leaf.next_set.id);
        self.number(leaf.next_set.length);
        self.word(&leaf.next_set.root);
        self.number(leaf.extra.timestamp);
        self.word(&leaf.extra.messages_root);
        self.word(&leaf.extra.results_root);
        self.words(&proof.items);
    }

    /// A signature with its signer's key, which recovers from it.
    fn signature(&mut self, hash: &Hash, signature: &Signature) -> Option<()> {
        let recovery = RecoveryId::new(signature.parity, false);
        let raw = ecdsa::Signature::from_scalars(signature.r, signature.s).ok()?;
        let key = VerifyingKey::recover_from_prehash(hash, &raw, recovery).ok()?;
        let point = key.to_encoded_point(false);
        self.word(&signature.r);
        self.word(&signature.s);
        self.number(signature.parity);
        self.word(&(*point.x()?).into());
        self.word(&(*point.y()?).into());
        Some(())
    }
}

/// The arguments of a client's `submit`; none if a signature is nobody's.
pub fn submit(update: &Update) -> Option<Vec<Word>> {
    let mut felts = Felts::default();
    felts.word(&update.commitment.root);
    felts.number(update.commitment.block);
    felts.number(update.commitment.set);
    felts.list(&update.addresses, |felts, address| {
        let mut felt = [0; 32];
        felt[12..].copy_from_slice(address);
        felts.0.push(felt);
    });
    felts.number(update.signers);
    felts.number(update.signatures.len() as u64);
    let hash = update.commitment.hash();
    for signature in &update.signatures {
        felts.signature(&hash, signature)?;
    }
    // Cairo's `Option` has `Some` first.
    match &update.handover {
        Some(handover) => {
            felts.number(0u8);
            felts.leaf(handover);
        }
        None => felts.number(1u8),
    }
    Some(felts.0)
}

/// What a transaction that has a client take an update says of it, but for the leaf. The transaction's calldata is that of
/// an account contract, which may make several calls; none if none of them is to the client, or no client accepts it.
pub fn read_submit(client: &Word, calldata: &[Word]) -> Option<Update> {
    let mut felts = Reader(calldata);
    for _ in 0..felts.number()? {
        let (to, function) = (felts.felt()?, felts.felt()?);
        let length = felts.number()?;
        let arguments = felts.take(length)?;
        if to == *client && function == selector("submit") {
            return Reader(arguments).update();
        }
    }
    None
}

/// Felts that are yet to be read.
struct Reader<'a>(&'a [Word]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: u64) -> Option<&'a [Word]> {
        let (taken, rest) = self.0.split_at_checked(count.try_into().ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    fn felt(&mut self) -> Option<Word> {
        self.take(1)?.first().copied()
    }

    fn number(&mut self) -> Option<u64> {
        u64_of(&self.felt()?)
    }

    fn word(&mut self) -> Option<Word> {
        read_word(self.take(2)?)
    }

    fn update(&mut self) -> Option<Update> {
        let commitment = Commitment {
            root: self.word()?,
            block: self.number()?.try_into().ok()?,
            set: self.number()?,
        };
        let addresses = (0..self.number()?).map(|_| self.felt()?.last_chunk().copied());
        Some(Update {
            commitment,
            addresses: addresses.collect::<Option<_>>()?,
            signers: self.number()?,
            signatures: {
                let signatures = (0..self.number()?).map(|_| self.signature());
                signatures.collect::<Option<_>>()?
            },
            handover: None,
        })
    }

    fn signature(&mut self) -> Option<Signature> {
        let signature = Signature {
            r: self.word()?,
            s: self.word()?,
            parity: self.number()? == 1,
        };
        // The signer's key follows from it.
        self.take(4)?;
        Some(signature)
    }
}

/// The arguments of a contract's `deliver`.
pub fn deliver(delivery: &Delivery) -> Vec<Word> {
    let mut felts = Felts::default();
    felts.number(delivery.block);
    felts.leaf(&delivery.leaf);
    felts.list(&delivery.messages, |felts, message| {
        felts.words(&message.words);
        felts.number(message.path.index);
        felts.number(message.path.count);
        felts.words(&message.path.items);
    });
    felts.0
}

/// The arguments of a registry's `record`.
pub fn record(results: &ProvenResults) -> Vec<Word> {
    let mut felts = Felts::default();
    felts.number(results.block);
    felts.leaf(&results.leaf);
    felts.list(&results.results, |felts, proof| {
        let result = &proof.result;
        felts.number(result.job);
        felts.word(&result.model.0);
        felts.word(&result.input_commitment);
        felts.word(&result.output_hash);
        felts.number(proof.path.index);
        felts.number(proof.path.count);
        felts.words(&proof.path.items);
    });
    felts.0
}

/// What a JobManager is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobRequest {
    /// The model, as Ciro names it.
    pub model: Word,
    /// What it is to be run on.
    pub input_commitment: Hash,
    /// Whether the worker's machine must have a GPU.
    pub gpu: bool,
    /// Least memory, in MiB.
    pub memory: u32,
    /// Least throughput, in units of 10^9 operations a second.
    pub gflops: u32,
    /// Seconds until the deadline.
    pub duration: u32,
    /// What an answer earns, in plancks.
    pub payment: u128,
}

/// The arguments of a JobManager's `submit_job`. Those of several jobs one after the other, after their number, are the
/// arguments of `batch_submit_jobs`.
pub fn submit_job(request: &JobRequest) -> Vec<Word> {
    let mut felts = Felts::default();
    felts.word(&request.model);
    felts.word(&request.input_commitment);
    felts.number(request.gpu);
    felts.number(request.memory);
    felts.number(request.gflops);
    felts.number(request.duration);
    felts.word(&word_of(request.payment));
    felts.0
}

/// The `u256` in the first two felts.
pub fn read_word(felts: &[Word]) -> Option<Word> {
    let (low, high) = (felts.first()?, felts.get(1)?);
    let mut word = [0; 32];
    word[..16].copy_from_slice(half(high)?);
    word[16..].copy_from_slice(half(low)?);
    Some(word)
}

/// The words of a message in the data of an event of [`SENT`]; none if they are something else.
pub fn read_sent(data: &[Word]) -> Option<Vec<Word>> {
    let (length, felts) = data.split_first()?;
    let (pairs, []) = felts.as_chunks::<2>() else {
        return None;
    };
    let words = pairs.iter().map(|pair| read_word(pair));
    let words: Vec<Word> = words.collect::<Option<_>>()?;
    (*length == word_of(words.len() as u64)).then_some(words)
}

fn half(felt: &Word) -> Option<&[u8]> {
    let (zeros, half) = felt.split_at(16);
    (zeros == [0; 16]).then_some(half)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ciro_bridge_primitives::{keccak, merkle, MessageProof};
    use ciro_bridge_testing::{Block, Chain, Validators};

    #[test]
    fn selectors_have_250_bits() {
        let known = "015d40a3d6ca2ac30f4031e42be28da9b056fef9bb7357ac5e85627ee876e5ad";
        let text: String = selector("__execute__")
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(text, known);
    }

    #[test]
    fn a_word_is_two_felts_and_is_read_back() {
        let mut felts = Felts::default();
        let word: Word = core::array::from_fn(|place| place as u8);
        felts.word(&word);
        assert_eq!(felts.0[0][16..], word[16..]);
        assert_eq!(felts.0[1][16..], word[..16]);
        assert_eq!(read_word(&felts.0), Some(word));
        let mut large = felts.0;
        large[0][15] = 1;
        assert_eq!(read_word(&large), None);
    }

    #[test]
    fn events_are_read_whole_or_not_at_all() {
        let mut felts = Felts::default();
        felts.words(&[[1; 32], [2; 32]]);
        assert_eq!(read_sent(&felts.0), Some(vec![[1; 32], [2; 32]]));
        for length in 0..felts.0.len() {
            assert_eq!(read_sent(&felts.0[..length]), None);
        }
    }

    #[test]
    fn an_update_names_each_signers_key() {
        let sets = (0..2).map(|set| Validators::new(&format!("set {set}"), 4));
        let mut chain = Chain::new([1; 32], sets.collect());
        chain.extend(0, 100, Block::default());
        chain.extend(0, 100, Block::default());
        let update = chain.update(2);
        let felts = submit(&update).unwrap();
        // Root, block, set, four addresses with their number, signers, and the number of signatures.
        let head = 4 + 1 + 4 + 2;
        assert_eq!(felts.len(), head + 9 * update.signatures.len() + 1);
        let signature = &felts[head..];
        assert_eq!(read_word(signature), Some(update.signatures[0].r));
        let x = read_word(&signature[5..]).unwrap();
        let y = read_word(&signature[7..]).unwrap();
        let address = keccak(&[x, y].concat());
        assert_eq!(address[12..], update.addresses[0]);

        let handover = Update {
            handover: Some(chain.leaf_proof(2, 1)),
            ..update.clone()
        };
        let longer = submit(&handover).unwrap();
        assert_eq!(longer[..felts.len() - 1], felts[..felts.len() - 1]);
        assert_eq!(longer[felts.len() - 1], [0; 32]);

        let mut nobodys = update;
        nobodys.signatures[0].r = [0; 32];
        assert_eq!(submit(&nobodys), None);
    }

    #[test]
    fn an_update_is_read_back_among_an_accounts_calls() {
        let sets = (0..2).map(|set| Validators::new(&format!("set {set}"), 4));
        let mut chain = Chain::new([1; 32], sets.collect());
        chain.extend(0, 100, Block::default());
        let update = chain.update(1);
        let arguments = submit(&update).unwrap();
        let length = |felts: &[Word]| word_of(felts.len() as u64);
        let other = [[9; 32], selector("transfer"), word_of(1u8), [5; 32]];
        let head = [[7; 32], selector("submit"), length(&arguments)];
        let calldata = [&[word_of(2u8)][..], &other, &head, &arguments].concat();
        assert_eq!(read_submit(&[7; 32], &calldata), Some(update));
        assert_eq!(read_submit(&[8; 32], &calldata), None);
        assert_eq!(read_submit(&[7; 32], &calldata[..calldata.len() - 1]), None);
    }

    #[test]
    fn a_job_is_model_input_and_requirements() {
        let felts = submit_job(&JobRequest {
            model: [1; 32],
            input_commitment: [2; 32],
            gpu: true,
            memory: 3,
            gflops: 4,
            duration: 5,
            payment: 6 << 100,
        });
        assert_eq!(read_word(&felts), Some([1; 32]));
        assert_eq!(read_word(&felts[2..]), Some([2; 32]));
        let numbers = [1u8, 3, 4, 5].map(word_of);
        assert_eq!(felts[4..8], numbers);
        assert_eq!(read_word(&felts[8..]), Some(word_of(6u128 << 100)));
        assert_eq!(felts.len(), 10);
    }

    #[test]
    fn a_delivery_is_block_leaf_and_messages() {
        let delivery = Delivery {
            block: 9,
            leaf: LeafProof::default(),
            messages: vec![MessageProof {
                words: vec![[7; 32]; 3],
                path: merkle::Proof {
                    index: 1,
                    count: 2,
                    items: vec![[8; 32]],
                },
            }],
        };
        let felts = deliver(&delivery);
        // The block; the leaf's twelve and its proof's length; one message of three words, two numbers, and its path.
        assert_eq!(felts.len(), 1 + 12 + 1 + 1 + (1 + 6) + 2 + (1 + 2));
        assert_eq!(felts[0], word_of(9u8));
        assert_eq!(felts[14], word_of(1u8));
        assert_eq!(felts[15], word_of(3u8));
        assert_eq!(felts[22], word_of(1u8));
        assert_eq!(felts[23], word_of(2u8));
    }
}
