//! A proof with all that it proves: the `.proof` file.

use alloc::vec::Vec;
use ciro_zkml_air::{Tensor, VerifyingKey, MAX_BATCH, MAX_BINDING};
use codec::{Decode, Encode};

use crate::verify::{verify, Statement, VerifyError};

const MAGIC: &[u8; 8] = b"CIROPRF2";

/// A proof with its statement and the identity of its model.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Receipt {
    /// Identity of the model, see [`VerifyingKey::id`].
    pub model: [u8; 32],
    /// What the proof is bound to.
    pub binding: Vec<u8>,
    /// Samples.
    pub batch: u32,
    /// The quantised input, `[batch][inputs]`.
    pub input: Tensor<Vec<i8>>,
    /// The last layer's accumulators, `[batch][outputs]`.
    pub output: Tensor<Vec<i32>>,
    /// The proof.
    pub proof: Vec<u8>,
}

/// Why bytes are not a proof file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReceiptError {
    /// The file does not begin like a proof file of this version.
    Magic,
    /// The file is cut, too long, or not encoded the one way there is.
    Encoding,
}

impl core::fmt::Display for ReceiptError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Magic => "not a Ciro proof file of this version",
            Self::Encoding => "the proof file is cut or damaged: fetch it again",
        })
    }
}

impl core::error::Error for ReceiptError {}

impl Receipt {
    /// The file's bytes.
    pub fn encode_file(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        self.encode_to(&mut bytes);
        bytes
    }

    /// Reads a file. Only the one encoding that [`Self::encode_file`] writes is accepted.
    ///
    /// # Errors
    /// If the bytes are not such a file.
    pub fn decode_file(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(ReceiptError::Magic)?;
        let receipt = Self::decode(&mut rest).map_err(|_| ReceiptError::Encoding)?;
        let canonical = rest.is_empty()
            && receipt.binding.len() <= MAX_BINDING
            && receipt.batch <= MAX_BATCH
            && receipt.encode_file() == bytes;
        canonical.then_some(receipt).ok_or(ReceiptError::Encoding)
    }

    /// Verifies the proof under the key of the model that the verifier trusts.
    ///
    /// # Errors
    /// As [`verify`]; and [`VerifyError::Sum`] if the receipt names another model.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), VerifyError> {
        if self.model != key.id() {
            return Err(VerifyError::Sum);
        }
        verify(key, &self.statement(), &self.proof)
    }

    /// What the proof proves, of the model.
    pub fn statement(&self) -> Statement<'_> {
        Statement {
            binding: &self.binding,
            batch: self.batch,
            input: self.input.borrowed(),
            output: self.output.borrowed(),
        }
    }
}
