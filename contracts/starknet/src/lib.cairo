//! Ciro's contracts on Starknet: the light client of Ciro's finality, the token, the registry of proven results, and the
//! entry points of the compute market. What they accept is laid down in `bridge/PROTOCOL.md`.

mod hashing;
mod interfaces;
mod lane;
mod merkle;
mod signatures;
mod timelock;
mod types;

mod beefy_client;
mod cdc_pool;
mod ciro_token;
mod job_manager;
mod result_registry;
