//! Each test's name states the rule it checks.

mod cases;
mod coordination;
mod downtime;
mod equivocations;
mod history;
mod matrix;
mod random;
