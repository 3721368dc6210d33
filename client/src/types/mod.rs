//! What the chain stores, as far as a client reads it. Fields are matched with the runtime's metadata by name.

mod bridge;
mod job;
mod offence;
mod stake;
mod worker;

pub use bridge::*;
pub use job::*;
pub use offence::*;
pub use stake::*;
pub use worker::*;

use crate::AccountId;
use scale_decode::DecodeAsType;
use scale_value::{Value, ValueDef};
use serde::Serialize;

/// An amount in base units: 10^18 of them are one CIRO.
pub type Balance = u128;

/// Number of a block.
pub type BlockNumber = u32;

/// A share in 10^-6.
pub type PartsPerMillion = u32;

/// A share in 10^-9.
pub type PartsPerBillion = u32;

/// Most values that a job's input may hold, over the whole batch.
pub const MAX_INPUT: usize = 65_536;
/// Most values that a job's output may hold, over the whole batch.
pub const MAX_OUTPUT: usize = 8_192;
/// Longest proof that the chain takes, in bytes.
pub const MAX_PROOF: usize = 1_048_576;
/// Longest locator, in bytes.
pub const MAX_LOCATOR: usize = 256;

/// A registered model.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct ModelInfo {
    /// Who may change or withdraw it.
    pub owner: AccountId,
    /// Its name: text for people, not unique.
    pub name: Vec<u8>,
    /// Least price per sample.
    pub price_floor: Balance,
    /// The owner's share of what a job pays.
    pub royalty: PartsPerMillion,
    /// Held from the owner while it is registered.
    pub deposit: Balance,
    /// Jobs that are neither settled nor removed.
    pub open_jobs: u32,
}

/// What an account has, in base units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Balances {
    /// Not on hold; a part of it may be frozen.
    pub free: Balance,
    /// On hold, the sum of `holds`.
    pub reserved: Balance,
    /// Part of the total that cannot be transferred.
    pub frozen: Balance,
    /// What is on hold and why, `Pallet.Reason`.
    pub holds: Vec<(String, Balance)>,
}

/// The part of `System.Account` that is read.
#[derive(DecodeAsType)]
pub(crate) struct AccountInfo {
    pub data: AccountData,
}

#[derive(DecodeAsType)]
pub(crate) struct AccountData {
    pub free: Balance,
    pub reserved: Balance,
    pub frozen: Balance,
}

/// One entry of `Balances.Holds`.
#[derive(DecodeAsType)]
pub(crate) struct Hold {
    pub id: Value,
    pub amount: Balance,
}

/// The names along nested enum variants, joined by dots: `JobMarket.Escrow`.
pub(crate) fn variant_path(value: &Value) -> String {
    match &value.value {
        ValueDef::Variant(variant) => {
            let inner = match variant.values.values().next() {
                Some(inner) if variant.values.len() == 1 => variant_path(inner),
                _ => String::new(),
            };
            if inner.is_empty() {
                variant.name.clone()
            } else {
                format!("{}.{inner}", variant.name)
            }
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_variants_read_as_a_path() {
        let reason = Value::unnamed_variant(
            "JobMarket",
            [Value::unnamed_variant("Escrow", Vec::<Value>::new())],
        );
        assert_eq!(variant_path(&reason), "JobMarket.Escrow");
        let number = Value::unnamed_variant("Other", [Value::u128(1)]);
        assert_eq!(variant_path(&number), "Other");
    }
}
