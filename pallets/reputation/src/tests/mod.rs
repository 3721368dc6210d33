//! Each test's name states the rule it checks.

mod ledger;
mod random;
mod score;
