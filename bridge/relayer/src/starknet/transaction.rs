//! Transactions of Starknet: invocations of version 3, signed here.

use anyhow::{anyhow, ensure, Result};
use ciro_bridge_primitives::Word;
use serde::Deserialize;
use serde_json::{json, Value};
use starknet_crypto::{poseidon_hash_many, rfc6979_generate_k, sign, SignError};
use starknet_types_core::felt::Felt;

/// The key of an account contract.
pub struct Signer {
    key: Felt,
    /// The account.
    pub account: Word,
}

impl Signer {
    /// Of an account, out of its secret.
    ///
    /// # Errors
    /// The secret is zero.
    pub fn new(secret: &Word, account: Word) -> Result<Self> {
        let key = Felt::from_bytes_be(secret);
        // Every other number is a key, if it is below the curve's order.
        let usable = key != Felt::ZERO && key.to_bytes_be() == *secret;
        ensure!(usable, "the secret is none of a key on Starknet's curve");
        Ok(Self { key, account })
    }

    fn sign(&self, hash: &Felt) -> Result<[Word; 2]> {
        let mut seed = None;
        loop {
            let k = rfc6979_generate_k(hash, &self.key, seed.as_ref());
            match sign(&self.key, hash, &k) {
                Ok(signature) => return Ok([signature.r.to_bytes_be(), signature.s.to_bytes_be()]),
                // As good as never.
                Err(SignError::InvalidK) => seed = Some(seed.unwrap_or(Felt::ZERO) + Felt::ONE),
                Err(error) => return Err(anyhow!("cannot sign: {error}")),
            }
        }
    }
}

/// What a transaction may use of one resource, and at what price in FRI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// Most units.
    pub amount: u64,
    /// Most to pay for one.
    pub price: u128,
}

impl Bound {
    /// Half as much again of both: what a block later costs may be more.
    fn with_margin(amount: u128, price: u128) -> Self {
        let amount = u64::try_from(amount + amount / 2).unwrap_or(u64::MAX);
        Self {
            amount,
            price: price + price / 2,
        }
    }

    /// `name ‖ amount ‖ price` in 60, 64 and 128 bits.
    fn packed(&self, name: &[u8; 7]) -> Felt {
        let mut bytes = [0; 32];
        bytes[1..8].copy_from_slice(name);
        bytes[8..16].copy_from_slice(&self.amount.to_be_bytes());
        bytes[16..].copy_from_slice(&self.price.to_be_bytes());
        Felt::from_bytes_be(&bytes)
    }

    fn json(&self) -> Value {
        json!({
            "max_amount": format!("{:#x}", self.amount),
            "max_price_per_unit": format!("{:#x}", self.price),
        })
    }

    /// What it comes to at most.
    fn cost(&self) -> u128 {
        self.price.saturating_mul(self.amount.into())
    }
}

/// The resources of a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    l1_gas: Bound,
    l2_gas: Bound,
    l1_data_gas: Bound,
}

/// What `starknet_estimateFee` says of a transaction.
#[derive(Deserialize)]
pub struct Estimate {
    l1_gas_consumed: Number,
    l1_gas_price: Number,
    l2_gas_consumed: Number,
    l2_gas_price: Number,
    l1_data_gas_consumed: Number,
    l1_data_gas_price: Number,
}

/// A number as nodes write it: hexadecimal after `0x`.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Number(u128);

impl TryFrom<String> for Number {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.strip_prefix("0x").unwrap_or(&text);
        u128::from_str_radix(digits, 16)
            .map(Self)
            .map_err(|_| format!("\"{text}\" is no number below 2^128"))
    }
}

impl From<Estimate> for Bounds {
    fn from(estimate: Estimate) -> Self {
        let bound = |amount: Number, price: Number| Bound::with_margin(amount.0, price.0);
        Self {
            l1_gas: bound(estimate.l1_gas_consumed, estimate.l1_gas_price),
            l2_gas: bound(estimate.l2_gas_consumed, estimate.l2_gas_price),
            l1_data_gas: bound(estimate.l1_data_gas_consumed, estimate.l1_data_gas_price),
        }
    }
}

impl Bounds {
    /// What they come to at most, in FRI.
    pub fn cost(&self) -> u128 {
        [self.l1_gas, self.l2_gas, self.l1_data_gas]
            .iter()
            .fold(0, |sum, bound| sum.saturating_add(bound.cost()))
    }
}

/// A call that an account pays for.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The chain's short string.
    pub chain_id: Word,
    /// Number among the account's transactions.
    pub nonce: Word,
    /// What it may use.
    pub bounds: Bounds,
    /// What the account is called with.
    pub calldata: Vec<Word>,
}

impl Invocation {
    /// What an account contract is called with to make one call itself.
    pub fn calldata(to: &Word, selector: Word, arguments: &[Word]) -> Vec<Word> {
        let number = |n: usize| Felt::from(n).to_bytes_be();
        let head = [number(1), *to, selector, number(arguments.len())];
        [&head, arguments].concat()
    }

    /// The transaction as a node takes it, and the hash by which it is found.
    pub fn sign(&self, signer: &Signer) -> Result<(Value, Word)> {
        let hash = self.hash(&signer.account);
        let signature = signer.sign(&hash)?;
        Ok((self.json(signer, &signature), hash.to_bytes_be()))
    }

    /// The transaction as a node takes it to estimate what it costs: nobody signs it.
    pub fn unsigned(&self, signer: &Signer) -> Value {
        self.json(signer, &[])
    }

    fn json(&self, signer: &Signer, signature: &[Word]) -> Value {
        json!({
            "type": "INVOKE",
            "version": "0x3",
            "sender_address": felt(&signer.account),
            "calldata": self.calldata.iter().map(felt).collect::<Vec<_>>(),
            "signature": signature.iter().map(felt).collect::<Vec<_>>(),
            "nonce": felt(&self.nonce),
            "resource_bounds": {
                "l1_gas": self.bounds.l1_gas.json(),
                "l2_gas": self.bounds.l2_gas.json(),
                "l1_data_gas": self.bounds.l1_data_gas.json(),
            },
            "tip": "0x0",
            "paymaster_data": [],
            "account_deployment_data": [],
            "nonce_data_availability_mode": "L1",
            "fee_data_availability_mode": "L1",
        })
    }

    /// The hash that is signed, as Starknet's documentation of transactions of version 3 lays it down.
    fn hash(&self, account: &Word) -> Felt {
        let fee = poseidon_hash_many(&[
            Felt::ZERO,
            self.bounds.l1_gas.packed(b"\0L1_GAS"),
            self.bounds.l2_gas.packed(b"\0L2_GAS"),
            self.bounds.l1_data_gas.packed(b"L1_DATA"),
        ]);
        let nothing = poseidon_hash_many(&[]);
        let calldata: Vec<Felt> = self.calldata.iter().map(Felt::from_bytes_be).collect();
        poseidon_hash_many(&[
            Felt::from_bytes_be_slice(b"invoke"),
            Felt::THREE,
            Felt::from_bytes_be(account),
            fee,
            nothing,
            Felt::from_bytes_be(&self.chain_id),
            Felt::from_bytes_be(&self.nonce),
            // Nonce and fee are made available on L1.
            Felt::ZERO,
            nothing,
            poseidon_hash_many(&calldata),
        ])
    }
}

/// A felt as nodes read it: hexadecimal without zeros in front.
pub fn felt(word: &Word) -> String {
    let digits = hex::encode(word);
    match digits.trim_start_matches('0') {
        "" => "0x0".into(),
        digits => format!("0x{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use starknet_crypto::{get_public_key, verify};

    fn word(number: u64) -> Word {
        Felt::from(number).to_bytes_be()
    }

    fn invocation() -> Invocation {
        Invocation {
            chain_id: Felt::from_bytes_be_slice(b"SN_SEPOLIA").to_bytes_be(),
            nonce: word(5),
            bounds: Bounds {
                l1_gas: Bound::with_margin(10, 100),
                l2_gas: Bound::with_margin(0, 7),
                l1_data_gas: Bound::with_margin(3, 1),
            },
            calldata: Invocation::calldata(&word(8), word(9), &[word(1), word(2)]),
        }
    }

    #[test]
    fn felts_have_no_zeros_in_front() {
        assert_eq!(felt(&word(0)), "0x0");
        assert_eq!(felt(&word(0x1020)), "0x1020");
    }

    #[test]
    fn bounds_have_a_margin_and_add_up() {
        let bounds = invocation().bounds;
        let expected = Bound {
            amount: 15,
            price: 150,
        };
        assert_eq!(bounds.l1_gas, expected);
        assert_eq!(bounds.cost(), 15 * 150 + 4);
        let packed = bounds.l1_gas.packed(b"\0L1_GAS").to_bytes_be();
        assert_eq!(packed[..8], *b"\0\0L1_GAS");
        assert_eq!((packed[15], packed[31]), (15, 150));
    }

    #[test]
    fn a_call_is_told_to_the_account_with_its_length() {
        let expected = [1, 8, 9, 2, 1, 2].map(word);
        assert_eq!(invocation().calldata, expected);
    }

    #[test]
    fn the_signature_is_the_accounts_over_everything() {
        let signer = Signer::new(&word(77), word(6)).unwrap();
        let key = get_public_key(&signer.key);
        let (json, hash) = invocation().sign(&signer).unwrap();
        let part = |index: usize| Felt::from_hex(json["signature"][index].as_str().unwrap());
        let (r, s) = (part(0).unwrap(), part(1).unwrap());
        let hash = Felt::from_bytes_be(&hash);
        assert!(verify(&key, &hash, &r, &s).unwrap());

        let other = |change: fn(&mut Invocation)| {
            let mut other = invocation();
            change(&mut other);
            other.hash(&word(6))
        };
        let hashes = [
            invocation().hash(&word(7)),
            other(|it| it.nonce[31] += 1),
            other(|it| it.chain_id[31] += 1),
            other(|it| it.bounds.l1_gas.amount += 1),
            other(|it| it.bounds.l2_gas.price += 1),
            other(|it| it.bounds.l1_data_gas.amount += 1),
            other(|it| it.calldata[4][31] += 1),
        ];
        assert!(!hashes.contains(&hash));
    }

    #[test]
    fn keys_are_numbers_of_the_field() {
        assert!(Signer::new(&[0; 32], word(1)).is_err());
        assert!(Signer::new(&[0xff; 32], word(1)).is_err());
    }
}
