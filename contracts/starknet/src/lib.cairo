//! Ciro's contracts on Starknet: the light client of Ciro's finality, the token, the registry of proven results, and the
//! entry points of the compute market. What they accept is laid down in `bridge/PROTOCOL.md`.

pub mod hashing;
pub mod interfaces;
pub mod lane;
pub mod merkle;
pub mod packing;
pub mod signatures;
pub mod timelock;
pub mod types;

pub mod beefy_client;
pub mod cdc_pool;
pub mod ciro_token;
pub mod job_manager;
pub mod result_registry;
