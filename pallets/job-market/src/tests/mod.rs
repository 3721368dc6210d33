//! Each test's name states the rule it checks.

mod claim;
mod ending;
mod random;
mod result;
mod state;
mod submit;
mod views;
