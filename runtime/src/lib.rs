//! Ciro's chain runtime: which pallets the chain is made of, with which parameters, and what it offers to nodes.
//!
//! Here is only the composition. The pallets' parameters are under [`configs`], a file a concern; the interface to the
//! node is in `apis.rs`; the genesis states that ship with the runtime are in [`genesis`].

#![cfg_attr(not(feature = "std"), no_std)]
// The runtime's macros nest deeply, and what they generate carries no documentation.
#![recursion_limit = "512"]
#![allow(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;

mod apis;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
pub mod configs;
pub mod constants;
#[cfg(feature = "runtime-benchmarks")]
mod fixtures;
pub mod genesis;
pub mod migrations;
pub mod origins;
#[cfg(target_arch = "wasm32")]
mod randomness;
pub mod tracks;
#[cfg(feature = "std")]
#[allow(dead_code)]
mod wasm {
    include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));
}

pub use apis::RuntimeApi;
pub use configs::consensus::SessionKeys;
#[cfg(feature = "std")]
pub use wasm::{WASM_BINARY, WASM_BINARY_BLOATY};

use alloc::{borrow::Cow, vec::Vec};
use sp_runtime::{
    generic,
    traits::{BlakeTwo256, IdentifyAccount, Verify},
    MultiAddress, MultiSignature,
};
use sp_version::RuntimeVersion;

/// A signature under an extrinsic: sr25519, ed25519 or ECDSA.
pub type Signature = MultiSignature;
/// An account: 32 bytes, the public key of an sr25519 or ed25519 account.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// An amount of CIRO in its smallest unit, 10^-18 CIRO.
pub type Balance = u128;
/// Height of a block.
pub type BlockNumber = u32;
/// How many transactions an account has sent.
pub type Nonce = u32;
/// A hash of the chain: Blake2b with 256 bits.
pub type Hash = sp_core::H256;
/// How an extrinsic names an account.
pub type Address = MultiAddress<AccountId, ()>;
/// A block header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// An extrinsic as it comes over the wire, its signature not yet checked.
pub type UncheckedExtrinsic =
    generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What a transaction's signer signs.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;

/// The block as nodes handle it, whatever the runtime's version: its extrinsics are mere bytes.
pub mod opaque {
    /// A block of opaque extrinsics.
    pub type Block = sp_runtime::generic::Block<crate::Header, sp_runtime::OpaqueExtrinsic>;
}

/// What every transaction passes before it is dispatched, in this order.
pub type TxExtension = (
    frame_system::AuthorizeCall<Runtime>,
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckEra<Runtime>,
    frame_system::CheckNonce<Runtime>,
    frame_system::CheckWeight<Runtime>,
    pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
    frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
    frame_system::WeightReclaim<Runtime>,
);

/// Runs blocks and extrinsics on the pallets.
pub type Executive = frame_executive::Executive<
    Runtime,
    Block,
    frame_system::ChainContext<Runtime>,
    Runtime,
    AllPalletsWithSystem,
>;

/// Name and version of the runtime. `spec_version` rises with every release, `transaction_version` when the encoding
/// of calls or of [`TxExtension`] changes.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: Cow::Borrowed("ciro"),
    impl_name: Cow::Borrowed("ciro"),
    authoring_version: 1,
    spec_version: 2,
    impl_version: 0,
    apis: apis::RUNTIME_API_VERSIONS,
    transaction_version: 2,
    system_version: 1,
};

/// Which pallets the chain is made of.
///
/// The order of the pallets is the order of their hooks: BABE before the session that it ends; the session before the
/// MMR, whose leaf names the next BEEFY validators; the outbound queue last, as it seals what the others have sent. An
/// index, once given, names its pallet for good.
#[frame_support::runtime]
mod runtime {
    /// The runtime itself, which implements every pallet's `Config`.
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Timestamp = pallet_timestamp;
    #[runtime::pallet_index(2)]
    pub type Babe = pallet_babe;
    #[runtime::pallet_index(3)]
    pub type Authorship = pallet_authorship;

    #[runtime::pallet_index(5)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(6)]
    pub type TransactionPayment = pallet_transaction_payment;

    #[runtime::pallet_index(10)]
    pub type Session = pallet_session;
    #[runtime::pallet_index(11)]
    pub type Historical = pallet_session::historical;
    #[runtime::pallet_index(12)]
    pub type Offences = pallet_offences;
    #[runtime::pallet_index(13)]
    pub type Grandpa = pallet_grandpa;
    #[runtime::pallet_index(14)]
    pub type AuthorityDiscovery = pallet_authority_discovery;
    #[runtime::pallet_index(15)]
    pub type Mmr = pallet_mmr;
    #[runtime::pallet_index(16)]
    pub type Beefy = pallet_beefy;
    #[runtime::pallet_index(17)]
    pub type BeefyMmr = pallet_beefy_mmr;

    #[runtime::pallet_index(20)]
    pub type Preimage = pallet_preimage;
    #[runtime::pallet_index(21)]
    pub type Scheduler = pallet_scheduler;
    #[runtime::pallet_index(22)]
    pub type ConvictionVoting = pallet_conviction_voting;
    #[runtime::pallet_index(23)]
    pub type Referenda = pallet_referenda;
    #[runtime::pallet_index(24)]
    pub type Origins = crate::origins;
    #[runtime::pallet_index(25)]
    pub type Treasury = pallet_treasury;
    #[runtime::pallet_index(26)]
    pub type Parameters = pallet_parameters;

    #[runtime::pallet_index(30)]
    pub type Utility = pallet_utility;
    #[runtime::pallet_index(31)]
    pub type Sudo = pallet_sudo;

    #[runtime::pallet_index(40)]
    pub type SafeMode = pallet_safe_mode;
    #[runtime::pallet_index(41)]
    pub type TxPause = pallet_tx_pause;
    #[runtime::pallet_index(42)]
    pub type MultiBlockMigrations = pallet_migrations;

    #[runtime::pallet_index(50)]
    pub type ModelRegistry = pallet_model_registry;
    #[runtime::pallet_index(51)]
    pub type JobMarket = pallet_job_market;

    #[runtime::pallet_index(60)]
    pub type CdcPool = pallet_cdc_pool;
    #[runtime::pallet_index(61)]
    pub type Reputation = pallet_reputation;
    #[runtime::pallet_index(62)]
    pub type WorkerRegistry = pallet_worker_registry;
    #[runtime::pallet_index(63)]
    pub type Slashing = pallet_slashing;
    #[runtime::pallet_index(64)]
    pub type ValidatorSet = pallet_validator_set;

    #[runtime::pallet_index(70)]
    pub type OutboundQueue = pallet_outbound_queue;
    #[runtime::pallet_index(71)]
    pub type Attesters = pallet_attesters;
    #[runtime::pallet_index(72)]
    pub type TokenGateway = pallet_token_gateway;
    #[runtime::pallet_index(73)]
    pub type EthereumClient = snowbridge_pallet_ethereum_client;
}
