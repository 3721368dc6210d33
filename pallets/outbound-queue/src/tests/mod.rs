//! Each test's name states the rule it checks.

mod lanes;
mod messages;
mod random;
mod requests;
mod results;
