//! Each test's name states the rule it checks.

mod claim;
mod desk;
mod dispute;
mod ending;
mod migration;
mod random;
mod rescue;
mod result;
mod results;
mod state;
mod submit;
mod views;
mod vote;
