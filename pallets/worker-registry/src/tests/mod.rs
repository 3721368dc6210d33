//! Each test's name states the rule it checks.

mod heartbeat;
mod invariants;
mod offchain;
mod presence;
mod random;
mod registration;
mod views;
