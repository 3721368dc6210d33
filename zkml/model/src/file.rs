//! The `.ciro` file: `b"CIRO"`, format version (`u16`, little endian), SCALE-encoded model, and the BLAKE2s-256
//! checksum of everything before it.

use blake2::{Blake2s256, Digest};
use codec::{Decode, Encode, MemTrackingInput};

use crate::{Model, ModelError};

/// The format version this build reads and writes.
pub const FORMAT_VERSION: u16 = 3;
/// Largest model file accepted, in bytes.
pub const MAX_FILE_BYTES: usize = 1 << 30;

const MAGIC: &[u8; 4] = b"CIRO";
const CHECKSUM_BYTES: usize = 32;

impl Model {
    /// The bytes of a `.ciro` file.
    pub fn encode_file(&self) -> Vec<u8> {
        let mut file = MAGIC.to_vec();
        file.extend(FORMAT_VERSION.to_le_bytes());
        self.encode_to(&mut file);
        let checksum = Blake2s256::digest(&file);
        file.extend(checksum);
        file
    }

    /// Reads a `.ciro` file and validates the model. Accepts exactly what [`Model::encode_file`] writes for a valid
    /// model; never panics.
    pub fn decode_file(file: &[u8]) -> Result<Model, ModelError> {
        if file.len() > MAX_FILE_BYTES {
            let (found, limit) = (file.len() as u64, MAX_FILE_BYTES as u64);
            return Err(ModelError::TooLarge {
                what: "the size of the model file",
                found,
                limit,
            });
        }
        let versioned = file.strip_prefix(MAGIC).ok_or(ModelError::NotAModelFile)?;
        let (version, _) = versioned.split_first_chunk().ok_or(ModelError::Checksum)?;
        let version = u16::from_le_bytes(*version);
        if version != FORMAT_VERSION {
            return Err(ModelError::Version {
                found: version,
                supported: FORMAT_VERSION,
            });
        }
        let (contents, checksum) = file
            .split_last_chunk::<CHECKSUM_BYTES>()
            .ok_or(ModelError::Checksum)?;
        if Blake2s256::digest(contents).as_slice() != checksum {
            return Err(ModelError::Checksum);
        }
        let mut payload = contents
            .get(MAGIC.len() + size_of::<u16>()..)
            .ok_or(ModelError::Checksum)?;
        // What decodes takes a few times the room of its encoding, unless it was made to take all the memory there is.
        let limit = payload.len().saturating_mul(8).saturating_add(1 << 20);
        let model = Model::decode(&mut MemTrackingInput::new(&mut payload, limit))
            .map_err(|error| ModelError::Malformed(error.to_string()))?;
        if !payload.is_empty() {
            return Err(ModelError::Malformed("bytes are left over".into()));
        }
        model.validate()?;
        Ok(model)
    }
}
