//! For tests of the bridge: [`Validators`] that sign what they are told to, and a [`Chain`] of which every proof can be
//! had. Both trust their caller, and panic where it asks for what there is not.

mod chain;
mod validators;

pub use chain::{Block, Chain};
pub use validators::Validators;
