//! The Solidity contracts.

use crate::{Delivery, ProvenResults};
use alloy_primitives::{Bytes, B256, U256};
use alloy_sol_types::{SolCall, SolEvent};
use ciro_bridge_primitives::{
    Commitment, Hash, MessageProof, ResultProof, Signature, Update, Word,
};
pub use interface::*;

#[allow(missing_docs)]
mod interface {
    alloy_sol_types::sol! {
        struct ValidatorSet {
            uint64 id;
            uint32 length;
            bytes32 root;
        }

        #[derive(Debug)]
        struct SignedCommitment {
            bytes32 root;
            uint32 blockNumber;
            uint64 set;
        }

        struct PathedMessage {
            uint256 index;
            uint256 count;
            bytes32[] path;
            bytes32[] words;
        }

        struct PathedResult {
            uint64 job;
            bytes32 model;
            bytes32 inputCommitment;
            bytes32 outputHash;
            uint256 index;
            uint256 count;
            bytes32[] path;
        }

        interface BeefyClient {
            event RootAccepted(uint32 indexed blockNumber, bytes32 root);

            function genesis() external view returns (bytes32);
            function expiry() external view returns (uint64);
            function newest() external view returns (uint32);
            function handOver() external view returns (uint64);
            function halted() external view returns (bool);
            function current() external view returns (uint64 id, uint32 length, bytes32 root);
            function next() external view returns (uint64 id, uint32 length, bytes32 root);
            function roots(uint256 blockNumber) external view returns (bytes32);
            function submit(
                SignedCommitment commitment,
                bytes validators,
                uint256 signers,
                bytes signatures,
                bytes leaf,
                bytes32[] proof
            ) external;
        }

        interface Contract {
            event Sent(uint64 indexed nonce, bytes32[] words);

            function lane() external view returns (bytes32);
            function taken(uint64 nonce) external view returns (bool);
            function deliver(uint32 blockNumber, bytes leaf, bytes32[] proof, PathedMessage[] messages) external;
            function proveResults(uint32 blockNumber, bytes leaf, bytes32[] proof, PathedResult[] results) external;
        }

        /// What the contracts refuse with.
        interface Refusals {
            error Halted();
            error Expired();
            error StaleCommitment();
            error UnknownSet();
            error WrongAddressCount();
            error WrongSetRoot();
            error ZeroAddress();
            error SignerOutOfRange();
            error TooFewSigners();
            error WrongSignatureCount();
            error HighS();
            error WrongSigner();
            error MissingLeaf();
            error UnexpectedLeaf();
            error UnknownRoot();
            error MalformedLeaf();
            error LeafOutOfRange();
            error WrongLeafProofLength();
            error WrongLeafProof();
            error WrongNextSet();
            error WrongSetLength();
            error LeafFromFuture();
            error IndexOutOfRange();
            error WrongPathLength();
            error WrongPath();
            error WrongLane();
            error UnknownKind();
            error WrongWordCount();
            error ValueOutOfRange();
            error NonceTaken();
            error MintLimitReached();
            error OtherResult(uint64 job);
        }
    }
}

/// The call of a client that takes an update.
pub fn submit(update: &Update) -> Vec<u8> {
    let Commitment { root, block, set } = update.commitment;
    let (leaf, proof) = match &update.handover {
        Some(handover) => (handover.leaf.encode().into(), words(&handover.items)),
        None => (Bytes::new(), Vec::new()),
    };
    let signatures: Vec<u8> = update.signatures.iter().flat_map(compact).collect();
    BeefyClient::submitCall {
        commitment: SignedCommitment {
            root: root.into(),
            blockNumber: block,
            set,
        },
        validators: update.addresses.concat().into(),
        signers: U256::from(update.signers),
        signatures: signatures.into(),
        leaf,
        proof,
    }
    .abi_encode()
}

/// What such a call takes, but for the leaf; none if it is another call, or one that no client accepts.
pub fn read_submit(input: &[u8]) -> Option<Update> {
    let call = BeefyClient::submitCall::abi_decode(input).ok()?;
    let (addresses, []) = call.validators.as_chunks::<20>() else {
        return None;
    };
    let (signatures, []) = call.signatures.as_chunks::<64>() else {
        return None;
    };
    Some(Update {
        commitment: Commitment {
            root: call.commitment.root.0,
            block: call.commitment.blockNumber,
            set: call.commitment.set,
        },
        addresses: addresses.to_vec(),
        signers: call.signers.try_into().ok()?,
        signatures: signatures.iter().map(expand).collect(),
        handover: None,
    })
}

/// `r`, then `s` with the parity in its highest bit, as EIP-2098 has it.
fn compact(signature: &Signature) -> [u8; 64] {
    let mut bytes = [0; 64];
    let (r, s) = bytes.split_at_mut(32);
    r.copy_from_slice(&signature.r);
    s.copy_from_slice(&signature.s);
    if signature.parity {
        s[0] |= PARITY;
    }
    bytes
}

fn expand(bytes: &[u8; 64]) -> Signature {
    let (mut r, mut s): (Word, Word) = Default::default();
    r.copy_from_slice(&bytes[..32]);
    s.copy_from_slice(&bytes[32..]);
    let parity = s[0] & PARITY != 0;
    s[0] &= !PARITY;
    Signature { r, s, parity }
}

const PARITY: u8 = 0x80;

/// The call of a contract that takes messages.
pub fn deliver(delivery: &Delivery) -> Vec<u8> {
    Contract::deliverCall {
        blockNumber: delivery.block,
        leaf: delivery.leaf.leaf.encode().into(),
        proof: words(&delivery.leaf.items),
        messages: delivery.messages.iter().map(message).collect(),
    }
    .abi_encode()
}

/// The call of a registry that records results.
pub fn prove_results(results: &ProvenResults) -> Vec<u8> {
    Contract::proveResultsCall {
        blockNumber: results.block,
        leaf: results.leaf.leaf.encode().into(),
        proof: words(&results.leaf.items),
        results: results.results.iter().map(result).collect(),
    }
    .abi_encode()
}

fn message(proof: &MessageProof) -> PathedMessage {
    PathedMessage {
        index: U256::from(proof.path.index),
        count: U256::from(proof.path.count),
        path: words(&proof.path.items),
        words: words(&proof.words),
    }
}

fn result(proof: &ResultProof) -> PathedResult {
    let result = &proof.result;
    PathedResult {
        job: result.job,
        model: result.model.0.into(),
        inputCommitment: result.input_commitment.into(),
        outputHash: result.output_hash.into(),
        index: U256::from(proof.path.index),
        count: U256::from(proof.path.count),
        path: words(&proof.path.items),
    }
}

fn words(hashes: &[Hash]) -> Vec<B256> {
    hashes.iter().copied().map(B256::from).collect()
}

/// The event by which a contract sends a message.
pub const SENT: Hash = Contract::Sent::SIGNATURE_HASH.0;

/// The event by which a client says that it took an update.
pub const ROOT_ACCEPTED: Hash = BeefyClient::RootAccepted::SIGNATURE_HASH.0;

/// The words of a message in an event of [`SENT`]; none if it is another event.
pub fn read_sent(topics: &[Hash], data: &[u8]) -> Option<Vec<Word>> {
    let sent = Contract::Sent::decode_raw_log(topics.iter().map(B256::from), data).ok()?;
    Some(sent.words.into_iter().map(|word| word.0).collect())
}

/// Name of the error that a contract refused with, if it is one of Ciro's.
pub fn refusal(data: &[u8]) -> Option<&'static str> {
    Refusals::RefusalsErrors::name_by_selector(*data.first_chunk()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{hex, keccak256};
    use ciro_bridge_primitives::ResultLeaf;
    use ciro_bridge_testing::{Block, Chain, Validators};

    fn chain() -> Chain {
        let sets = (0..3).map(|set| Validators::new(&format!("set {set}"), 4));
        let mut chain = Chain::new([1; 32], sets.collect());
        for (number, set) in [0, 0, 1, 1].into_iter().enumerate() {
            let block = Block {
                messages: vec![vec![[2; 32]; 3]; number],
                results: vec![
                    ResultLeaf {
                        job: 7,
                        model: ciro_primitives::ModelId([3; 32]),
                        input_commitment: [4; 32],
                        output_hash: [5; 32],
                    };
                    number
                ],
            };
            chain.extend(set, 100, block);
        }
        chain
    }

    #[test]
    fn functions_are_those_of_the_contracts() {
        for (selector, signature) in [
            (
                BeefyClient::submitCall::SELECTOR,
                "submit((bytes32,uint32,uint64),bytes,uint256,bytes,bytes,bytes32[])",
            ),
            (
                Contract::deliverCall::SELECTOR,
                "deliver(uint32,bytes,bytes32[],(uint256,uint256,bytes32[],bytes32[])[])",
            ),
            (
                Contract::proveResultsCall::SELECTOR,
                "proveResults(uint32,bytes,bytes32[],(uint64,bytes32,bytes32,bytes32,uint256,uint256,bytes32[])[])",
            ),
        ] {
            assert_eq!(selector, keccak256(signature)[..4], "{signature}");
        }
        assert_eq!(SENT, keccak256("Sent(uint64,bytes32[])").0);
    }

    #[test]
    fn an_update_is_read_back_as_it_was_written() {
        let chain = chain();
        for update in [chain.update(2), chain.handover(3)] {
            let input = submit(&update);
            let read = read_submit(&input).unwrap();
            let expected = Update {
                handover: None,
                ..update
            };
            assert_eq!(read, expected);
            assert_eq!(read_submit(&input[1..]), None);
        }
        assert_eq!(read_submit(&deliver(&delivery(&chain))), None);
    }

    fn delivery(chain: &Chain) -> Delivery {
        Delivery {
            block: 4,
            leaf: chain.leaf_proof(4, 2),
            messages: vec![chain.message_proof(2, 1), chain.message_proof(2, 0)],
        }
    }

    #[test]
    fn a_delivery_holds_all_that_proves_it() {
        let chain = chain();
        let delivery = delivery(&chain);
        let call = Contract::deliverCall::abi_decode(&deliver(&delivery)).unwrap();
        assert_eq!(call.blockNumber, 4);
        assert_eq!(call.leaf, delivery.leaf.leaf.encode());
        assert_eq!(call.proof.len(), delivery.leaf.items.len());
        assert_eq!(call.messages[0].index, U256::from(1));
        assert_eq!(call.messages[0].count, U256::from(2));
        assert_eq!(
            call.messages[1].path,
            words(&delivery.messages[1].path.items)
        );
        assert_eq!(call.messages[1].words, words(&delivery.messages[1].words));
    }

    #[test]
    fn results_hold_all_that_proves_them() {
        let chain = chain();
        let results = ProvenResults {
            block: 4,
            leaf: chain.leaf_proof(4, 3),
            results: vec![chain.result_proof(3, 2)],
        };
        let call = Contract::proveResultsCall::abi_decode(&prove_results(&results)).unwrap();
        let result = &call.results[0];
        assert_eq!((result.job, result.model.0), (7, [3; 32]));
        assert_eq!(result.outputHash.0, [5; 32]);
        assert_eq!((result.index, result.count), (U256::from(2), U256::from(3)));
    }

    #[test]
    fn an_event_is_read_and_another_is_not() {
        let sent = Contract::Sent {
            nonce: 5,
            words: vec![B256::repeat_byte(1), B256::repeat_byte(2)],
        };
        let log = sent.encode_log_data();
        let topics: Vec<Hash> = log.topics().iter().map(|topic| topic.0).collect();
        assert_eq!(read_sent(&topics, &log.data), Some(vec![[1; 32], [2; 32]]));
        assert_eq!(read_sent(&[ROOT_ACCEPTED, topics[1]], &log.data), None);
        assert_eq!(read_sent(&topics, &log.data[..40]), None);
    }

    #[test]
    fn refusals_have_names() {
        let selector = &keccak256("NonceTaken()")[..4];
        assert_eq!(refusal(selector), Some("NonceTaken"));
        assert_eq!(refusal(&hex!("01020304")), None);
        assert_eq!(refusal(&[]), None);
    }
}
