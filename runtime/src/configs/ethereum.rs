//! Ethereum as its beacon chain's light client sees it, and how what CiroToken sent there is proven.

use crate::{configs::gateway::OpenLanes, EthereumClient, Runtime, RuntimeEvent};
use alloc::vec;
use ciro_bridge_primitives::{keccak, word_of, ChainKind, Destination, LaneId, Message};
use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::{
    parameter_types,
    traits::ConstU32,
    weights::{constants::WEIGHT_REF_TIME_PER_NANOS, Weight},
};
use pallet_attesters::{Doubt, VerifyMessage};
use scale_info::TypeInfo;
use snowbridge_beacon_primitives::{Fork, ForkVersions};
use snowbridge_verification_primitives::{Log, Proof, VerificationError, Verifier};
use sp_core::H160;
use sp_runtime::traits::Convert;

/// Ethereum's number among EVM chains.
pub const ETHEREUM: u64 = 1;
/// Slots of the beacon chain, of twelve seconds, after which the next finalised header may come without a fee: an epoch.
pub const FREE_HEADERS_INTERVAL: u32 = 32;

/// The event by which a contract sends a message to Ciro.
const SENT: &[u8] = b"Sent(uint64,bytes32[])";

/// What a proof costs besides its length: the hashes of a block's headers and their paths. This and the next are three
/// times what the WebAssembly runtime took where it was measured, for logs of every shape: 0.15 ms, and 11 ns a byte.
const NANOSECONDS_OF_A_PROOF: u64 = 450_000;
/// What a byte of it costs: to be hashed, and to be read as part of a node of the trie or of a log.
const NANOSECONDS_OF_A_BYTE: u64 = 33;
/// What is read: the lane, whether the client is halted, its newest header, and that header's state and another's.
const READS: u64 = 5;

parameter_types! {
    /// The forks of Ethereum, and the epochs that they begin with, by `configs/mainnet.yaml` of its consensus specification.
    /// Those of a test network can be stored in their place.
    pub storage EthereumForks: ForkVersions = ForkVersions {
        genesis: fork(0, 0),
        altair: fork(1, 74_240),
        bellatrix: fork(2, 144_896),
        capella: fork(3, 194_048),
        deneb: fork(4, 269_568),
        electra: fork(5, 364_032),
        fulu: fork(6, 411_392),
    };
}

const fn fork(number: u8, epoch: u64) -> Fork {
    Fork {
        version: [number, 0, 0, 0],
        epoch,
    }
}

impl snowbridge_pallet_ethereum_client::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type ForkVersions = EthereumForks;
    type FreeHeadersInterval = ConstU32<FREE_HEADERS_INTERVAL>;
    type WeightInfo = ();
}

/// What shows that a transaction on Ethereum sent a message. What it told is not part of it: that follows from the message.
#[derive(Clone, PartialEq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct ReceiptProof {
    /// The transaction's place in its block.
    pub transaction: u64,
    /// The path from its receipt to a header that the light client knows to be final.
    pub proof: Proof,
}

impl Eq for ReceiptProof {}

/// The light client of Ethereum. It takes over from the attesters wherever it is shown a proof.
pub struct ProvenByEthereum;

impl VerifyMessage for ProvenByEthereum {
    type Evidence = ReceiptProof;

    fn verify(message: &Message, evidence: &ReceiptProof) -> Result<(), Doubt> {
        let contract = contract_on_ethereum(message.lane).ok_or(Doubt::ChainNotFollowed)?;
        let log = log_of(message, contract, evidence.transaction);
        EthereumClient::verify(&log, &evidence.proof).map_err(|refused| match refused {
            VerificationError::Halted => Doubt::ClientHalted,
            VerificationError::HeaderNotFound | VerificationError::InvalidExecutionProof(_) => {
                Doubt::BlockNotProven
            }
            VerificationError::InvalidProof => Doubt::ReceiptNotProven,
            VerificationError::LogNotFound | VerificationError::InvalidLog => {
                Doubt::MessageNotFound
            }
        })
    }

    /// Grows with the length of the proof, so that the length of a transaction bounds it. There is no shorter limit: who
    /// can have a message sent in a transaction of many logs must not be able to make it unprovable by that.
    fn weight(evidence: &ReceiptProof) -> Weight {
        let bytes = evidence.encoded_size() as u64;
        let nanoseconds =
            NANOSECONDS_OF_A_PROOF.saturating_add(bytes.saturating_mul(NANOSECONDS_OF_A_BYTE));
        let computation = WEIGHT_REF_TIME_PER_NANOS.saturating_mul(nanoseconds);
        Weight::from_parts(computation, 0)
            .saturating_add(<Runtime as frame_system::Config>::DbWeight::get().reads(READS))
    }
}

/// The contract that an open lane leads to, if it is on Ethereum.
fn contract_on_ethereum(lane: LaneId) -> Option<H160> {
    let Destination {
        kind,
        chain_id,
        contract,
    } = OpenLanes::convert(lane)?;
    let is_ethereum = kind == ChainKind::Evm && chain_id == word_of(ETHEREUM);
    let address = contract.strip_prefix(&[0; 12])?.try_into().ok()?;
    is_ethereum.then_some(H160(address))
}

/// What the contract tells when it sends the message: its event, with the nonce as a topic, and as data the list of all
/// words, by the rules of Solidity's ABI where the list begins, how many words it has, and they themselves.
fn log_of(message: &Message, contract: H160, transaction: u64) -> Log {
    let words = message.words();
    let list = [word_of(32u8), word_of(words.len() as u128)];
    Log {
        address: contract,
        topics: vec![keccak(SENT).into(), word_of(message.nonce).into()],
        data: list.iter().chain(&words).flatten().copied().collect(),
        tx_index: transaction,
    }
}
