//! Each test's name states the rule it checks.

mod bonds;
mod proofs;
mod random;
mod votes;
