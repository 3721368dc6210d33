//! Each test's name states the rule it checks.

mod bootstrap;
mod elections;
mod formulas;
mod random;
mod rewards;
mod views;
