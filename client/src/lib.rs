//! Client of a Ciro chain, shared by the command line, the worker and the bridge.
//!
//! It works from the metadata of the node it talks to, so an upgraded runtime needs no new build as long as the names
//! in [`calls`] and [`types`] keep their meaning: fields are matched by name, and new ones are ignored.
//!
//! ```no_run
//! # async fn example() -> Result<(), ciro_client::Error> {
//! use ciro_client::{calls, keypair, Client, Wait};
//!
//! let client = Client::connect("ws://127.0.0.1:9944").await?;
//! let signer = keypair("//Alice")?;
//! client.execute(&calls::claim_job(7u64), &signer, Wait::Finalised).await?;
//! println!("{:?}", client.finalised().await?.job(7).await?);
//! # Ok(())
//! # }
//! ```

mod amount;
mod bridge;
pub mod calls;
mod chain;
mod error;
pub mod events;
pub mod file;
mod keys;
mod state;
mod transaction;
pub mod types;

pub use amount::Amount;
pub use bridge::Justifications;
pub use chain::{Client, FinalisedBlock, FinalisedBlocks};
pub use error::Error;
pub use keys::{keypair, keypair_from_file, secret_from_file};
pub use state::State;
pub use subxt::utils::AccountId32 as AccountId;
pub use subxt_signer::sr25519::Keypair;
pub use transaction::{Fate, Included, Progress, SignedTransaction, Wait, MORTALITY};

/// A block hash.
pub type Hash = subxt::utils::H256;

/// Result of everything that talks to a chain.
pub type Result<T> = std::result::Result<T, Error>;

/// Base units of one CIRO: the token has 18 decimals.
pub const CIRO: u128 = 1_000_000_000_000_000_000;

/// Account of a key pair.
pub fn account(signer: &Keypair) -> AccountId {
    signer.public_key().to_account_id()
}
