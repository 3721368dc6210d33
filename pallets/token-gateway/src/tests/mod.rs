//! Each test's name states the rule it checks.

mod admin;
mod inbound;
mod outbound;
mod random;
