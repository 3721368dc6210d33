//! Transactions of EVM chains: EIP-1559's, signed here.

use alloy_primitives::{keccak256, Address, Bytes, B256, U256};
use alloy_rlp::{BufMut, Encodable, Header};
use anyhow::{Context, Result};
use k256::ecdsa::SigningKey;

/// First byte of a transaction of EIP-1559.
const TYPE: u8 = 2;

/// The key of an account.
pub struct Signer {
    key: SigningKey,
    /// The account.
    pub address: Address,
}

impl Signer {
    /// Out of the 32 bytes of a secret.
    ///
    /// # Errors
    /// It is zero or not below the curve's order.
    pub fn new(secret: &[u8; 32]) -> Result<Self> {
        let key = SigningKey::from_slice(secret)
            .ok()
            .context("the secret is none of a key on secp256k1")?;
        let point = key.verifying_key().to_encoded_point(false);
        let hash = keccak256(&point.as_bytes()[1..]);
        Ok(Self {
            address: Address::from_slice(&hash[12..]),
            key,
        })
    }
}

/// A call that an account pays for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// EIP-155's number of the chain.
    pub chain_id: u64,
    /// Number among the account's transactions.
    pub nonce: u64,
    /// Tip in wei per gas.
    pub tip: u128,
    /// Most to pay in wei per gas, the tip included.
    pub fee: u128,
    /// Most gas to use.
    pub gas: u64,
    /// The contract.
    pub to: Address,
    /// The call.
    pub input: Bytes,
}

impl Transaction {
    /// The bytes that a node takes, and the hash by which it is found.
    pub fn sign(&self, signer: &Signer) -> Result<(Bytes, B256)> {
        let hash = keccak256(self.encode(None));
        let (signature, recovery) = signer.key.sign_prehash_recoverable(hash.as_slice())?;
        let (r, s) = signature.split_bytes();
        let signed = self.encode(Some(Signature {
            odd: recovery.is_y_odd(),
            r: U256::from_be_slice(&r),
            s: U256::from_be_slice(&s),
        }));
        let hash = keccak256(&signed);
        Ok((signed.into(), hash))
    }

    /// `2 ‖ rlp([chain, nonce, tip, fee, gas, to, value, input, access list(, odd, r, s)])`.
    fn encode(&self, signature: Option<Signature>) -> Vec<u8> {
        let mut fields: Vec<u8> = Vec::with_capacity(self.input.len() + 200);
        let list = &mut fields;
        self.chain_id.encode(list);
        self.nonce.encode(list);
        self.tip.encode(list);
        self.fee.encode(list);
        self.gas.encode(list);
        self.to.encode(list);
        U256::ZERO.encode(list);
        self.input.encode(list);
        Header {
            list: true,
            payload_length: 0,
        }
        .encode(list);
        if let Some(Signature { odd, r, s }) = signature {
            odd.encode(list);
            r.encode(list);
            s.encode(list);
        }
        let mut bytes = vec![TYPE];
        let header = Header {
            list: true,
            payload_length: fields.len(),
        };
        header.encode(&mut bytes);
        bytes.put_slice(&fields);
        bytes
    }
}

struct Signature {
    odd: bool,
    r: U256,
    s: U256,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;

    /// The first account of anvil's and of all who use the same mnemonic.
    const SECRET: [u8; 32] =
        hex!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");

    fn transaction() -> Transaction {
        Transaction {
            chain_id: 31337,
            nonce: 0,
            tip: 1_000_000_000,
            fee: 2_000_000_000,
            gas: 100_000,
            to: Address::repeat_byte(0x11),
            input: Bytes::from_static(&[1, 2, 3]),
        }
    }

    #[test]
    fn an_account_is_the_hash_of_its_key() {
        let signer = Signer::new(&SECRET).unwrap();
        assert_eq!(
            signer.address.to_string(),
            "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
        );
        assert!(Signer::new(&[0; 32]).is_err());
        assert!(Signer::new(&[0xff; 32]).is_err());
    }

    #[test]
    fn what_is_signed_is_the_list_of_nine() {
        let to = "11".repeat(20);
        let fields = format!("827a6980843b9aca008477359400830186a094{to}8083010203c0");
        let length = fields.len() / 2;
        let expected = format!("02{:02x}{fields}", 0xc0 + length);
        assert_eq!(hex::encode(transaction().encode(None)), expected);
    }

    #[test]
    fn a_signed_transaction_names_its_signer() {
        use k256::ecdsa::{RecoveryId, Signature as Raw, VerifyingKey};
        let signer = Signer::new(&SECRET).unwrap();
        let transaction = transaction();
        let (bytes, hash) = transaction.sign(&signer).unwrap();
        assert_eq!(hash, keccak256(&bytes));
        // The last three fields: one byte, and twice 32 behind a byte of length.
        let tail = &bytes[bytes.len() - 67..];
        let (r, s) = (&tail[2..34], &tail[35..]);
        let odd = tail[0] == 1;
        let signature = Raw::from_scalars(
            <[u8; 32]>::try_from(r).unwrap(),
            <[u8; 32]>::try_from(s).unwrap(),
        )
        .unwrap();
        assert_eq!(signature.normalize_s(), None);
        let signed = keccak256(transaction.encode(None));
        let recovered = VerifyingKey::recover_from_prehash(
            signed.as_slice(),
            &signature,
            RecoveryId::new(odd, false),
        )
        .unwrap();
        assert_eq!(recovered, *signer.key.verifying_key());
    }
}
