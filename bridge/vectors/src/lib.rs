//! The vectors in `contracts/vectors`: what they say, and how it is written. Their README describes the format for readers in
//! other languages.

mod bytes;
mod client;
mod encodings;
mod messages;
mod negative;
mod trees;

pub use bytes::{Bytes, Hex};
pub use client::{Client, Handovers, Leaf, ProvenLeaf, Scenario, Set, Step, Update};
pub use encodings::Encodings;
pub use messages::{Delivery, MessageOf, Messages, ResultOf};
pub use negative::{Call, Negative, NegativeCase};
pub use trees::{Tree, Trees};
