//! The verifying key: all that a verifier must know of a model.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use stwo::core::fri::FriConfig;
use stwo::core::pcs::PcsConfig;

use crate::challenges::{Extent, Sizes};
use crate::components::Kind;

/// Samples that one proof may hold, for models whose words have one position; see [`VerifyingKey::max_batch`].
pub const MAX_BATCH: u32 = 64;

/// Bytes that a statement may be bound to (who is paid, for which jobs, on which chain): room for [`MAX_BATCH`] jobs.
pub const MAX_BINDING: usize = 640;

/// The accumulator is rescaled by `multiplier / 2^SHIFT`.
pub const SHIFT: u32 = 12;

/// Positions of a sequence that may share a word, as a logarithm.
const MAX_LOG_POSITIONS: u8 = 4;

/// The tallest component that a key may name, as a logarithm. Keeps the LogUp error at 2^-90, see `zkml/README.md`.
pub const MAX_LOG_SIZE: u8 = 22;
/// The shortest: a SIMD vector of the prover.
pub(crate) const MIN_LOG_SIZE: u8 = 4;
const VERSION: u8 = 4;
const ID_DOMAIN: &[u8] = b"ciro/model/4";

/// Parameters of the polynomial commitment. Only these are ever verified.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Preset {
    /// Lowest proving time: blowup 2, 80 queries, 16 bits of work. 96 bits by stwo's formula, 56 in the Johnson regime.
    #[codec(index = 0)]
    Fast,
    /// Smallest proof: blowup 16, 20 queries, 16 bits of work. 96 bits by stwo's formula, 56 in the Johnson regime.
    #[codec(index = 1)]
    Chain,
    /// 100 bits in the Johnson regime: blowup 16, 40 queries, 20 bits of work. 180 bits by stwo's formula.
    #[codec(index = 2)]
    Proven,
}

impl Preset {
    /// The preset numbered `index`, as model files write it.
    pub fn from_index(index: u8) -> Option<Self> {
        match index {
            0 => Some(Self::Fast),
            1 => Some(Self::Chain),
            2 => Some(Self::Proven),
            _ => None,
        }
    }

    /// stwo's configuration for this preset.
    pub fn config(self) -> PcsConfig {
        // With many queries the layers' trees are opened nearly whole: fewer layers would only mean more to fold.
        let (pow_bits, log_blowup_factor, n_queries, fold_step) = match self {
            Self::Fast => (16, 1, 80, 2),
            Self::Chain => (16, 4, 20, 3),
            Self::Proven => (20, 4, 40, 3),
        };
        PcsConfig {
            pow_bits,
            fri_config: FriConfig {
                log_blowup_factor,
                log_last_layer_degree_bound: 2,
                n_queries,
                fold_step,
            },
            lifting_log_size: None,
        }
    }

    /// Bits of security by stwo's formula: a query counts its full blowup, as the capacity conjecture has it.
    pub fn conjectured_bits(self) -> u32 {
        self.config().security_bits()
    }

    /// Bits of security where a query counts half its blowup: the regime up to the Johnson bound, which is proven.
    pub fn johnson_bits(self) -> u32 {
        let PcsConfig {
            pow_bits,
            fri_config,
            ..
        } = self.config();
        fri_config
            .security_bits()
            .checked_div(2)
            .unwrap_or(0)
            .saturating_add(pow_bits)
    }
}

/// All that a verifier must know of a model. Its hash is the model's identity.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct VerifyingKey {
    /// Version of the protocol.
    pub version: u8,
    /// Parameters of the commitment scheme.
    pub preset: Preset,
    /// Outputs that a row of weights feeds, as a logarithm: 4 to 7.
    pub log_lanes: u8,
    /// Rows of each kind of component, as logarithms, in the order of [`Kind::ALL`]; 0 if the model has none of the kind.
    pub log_sizes: [u8; Kind::COUNT],
    /// Neighbouring positions of a sequence that share a word, as a logarithm: 0 to 4.
    pub log_positions: u8,
    /// Values of a row of the vocabulary, as a logarithm: from `log_positions` to `log_lanes`.
    pub log_block: u8,
    /// Inputs of a sample.
    pub inputs: u32,
    /// Inputs of a position of the sample; all of them if the input is no sequence.
    pub input_width: u32,
    /// Outputs of a sample.
    pub outputs: u32,
    /// Outputs of a position of the sample; all of them if the output is no sequence.
    pub output_width: u32,
    /// How often the constant one is read, by biases and by padding.
    pub constant_reads: u32,
    /// Merkle root of the preprocessed columns: weights, wiring and tables.
    pub root: [u8; 32],
    /// Hash of how real values become inputs and outputs real values. Proofs are about integers and do not depend on
    /// it; it is here so that the model's identity vouches for it.
    pub interface: [u8; 32],
}

/// Why a key is not one that proofs can be verified against.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum KeyError {
    /// The key is of another version of the protocol.
    Version,
    /// The lanes are not 16, 32, 64 or 128, or a row of the vocabulary has more values or fewer than a word.
    Lanes,
    /// A component is shorter than 2^4 or taller than 2^22 rows, or one that every model needs is missing.
    LogSize,
    /// The positions of a word are more than 16, or those of input or output are not whole words.
    Positions,
    /// There are no inputs, or too many for the components that read them.
    Inputs,
    /// There are no outputs, or more than the linear component can compute.
    Outputs,
    /// The constant is read more often than there are rows that could.
    Reads,
}

impl KeyError {
    /// What is wrong and what to do about it.
    pub fn message(self) -> &'static str {
        match self {
            Self::Version => "the key is of another protocol version: import the model again",
            Self::Lanes => "the key's lanes must be 16, 32, 64 or 128, and no fewer than a vocabulary's row has values",
            Self::LogSize => "a component of the key is missing or outside 2^4 to 2^22 rows",
            Self::Positions => "the key's positions are more than 16, or do not make whole words",
            Self::Inputs => "the key has no inputs, or more than its rows can read",
            Self::Outputs => "the key has no outputs, or more than its rows can compute",
            Self::Reads => "the key reads the constant more often than its rows can",
        }
    }
}

impl core::fmt::Display for KeyError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for KeyError {}

impl VerifyingKey {
    /// A key with the current version; the caller fills in what the model's compilation found.
    pub const CURRENT_VERSION: u8 = VERSION;

    /// Checks every field against what the constraint system can express.
    ///
    /// # Errors
    /// Names the first field that is out of range.
    pub fn validate(&self) -> Result<(), KeyError> {
        if self.version != VERSION {
            return Err(KeyError::Version);
        }
        let blocks = self.log_positions..=self.log_lanes;
        if !(4..=7).contains(&self.log_lanes) || !blocks.contains(&self.log_block) {
            return Err(KeyError::Lanes);
        }
        let in_range = |log: &u8| *log == 0 || (MIN_LOG_SIZE..=MAX_LOG_SIZE).contains(log);
        if !self.log_sizes.iter().all(in_range)
            || self.rows(Kind::Linear) == 0
            || self.rows(Kind::Range) != 1 << SHIFT
        {
            return Err(KeyError::LogSize);
        }
        let whole = |values: u32, width: u32| {
            let positions = values.checked_div(width).unwrap_or(0);
            let words = positions == 1 || positions & self.positions().wrapping_sub(1) == 0;
            values == positions.saturating_mul(width)
                && words
                && (self.log_positions > 0 || values == width)
        };
        if self.log_positions > MAX_LOG_POSITIONS
            || !whole(self.inputs, self.input_width)
            || !whole(self.outputs, self.output_width)
        {
            return Err(KeyError::Positions);
        }
        let readers = [Kind::Relay, Kind::Linear, Kind::Feature].map(|kind| self.rows(kind));
        if self.inputs == 0
            || u64::from(self.input_words()) > readers.into_iter().max().unwrap_or(0)
        {
            return Err(KeyError::Inputs);
        }
        if self.outputs == 0
            || u64::from(self.output_words()) > self.rows(Kind::Linear) << self.log_lanes
        {
            return Err(KeyError::Outputs);
        }
        let rows = Kind::ALL.into_iter().map(|kind| self.rows(kind));
        if u64::from(self.constant_reads) > rows.fold(0, u64::saturating_add).saturating_mul(2) {
            return Err(KeyError::Reads);
        }
        Ok(())
    }

    /// Rows of the component of `kind`; 0 if the model has none.
    pub fn rows(&self, kind: Kind) -> u64 {
        let log_size = self.log_sizes.get(kind as usize).copied().unwrap_or(0);
        match log_size {
            0 => 0,
            log_size => 1u64.checked_shl(log_size.into()).unwrap_or(0),
        }
    }

    /// The model's identity: a hash of the whole key.
    pub fn id(&self) -> [u8; 32] {
        use blake2::Digest;
        let mut hasher = blake2::Blake2s256::new();
        hasher.update(ID_DOMAIN);
        hasher.update(self.encode());
        hasher.finalize().into()
    }

    /// Inputs of a sample.
    pub fn inputs(&self) -> u32 {
        self.inputs
    }

    /// Outputs of a sample.
    pub fn outputs(&self) -> u32 {
        self.outputs
    }

    /// Neighbouring positions of a sequence that share a word.
    pub fn positions(&self) -> u32 {
        1u32.checked_shl(self.log_positions.into()).unwrap_or(0)
    }

    /// Samples that one proof may hold: a word has at most [`MAX_BATCH`] values.
    pub fn max_batch(&self) -> u32 {
        MAX_BATCH
            .checked_shr(self.log_positions.into())
            .unwrap_or(0)
    }

    /// Values of the words and rows of a proof of `batch` samples.
    pub fn sizes(&self, batch: u32) -> Sizes {
        Sizes {
            batch,
            positions: self.positions(),
            lanes: self.lanes(),
            block: 1u32.checked_shl(self.log_block.into()).unwrap_or(0),
            input: Extent {
                values: self.inputs,
                width: self.input_width,
            },
            output: Extent {
                values: self.outputs,
                width: self.output_width,
            },
        }
    }

    /// Words of the input.
    pub fn input_words(&self) -> u32 {
        self.words(self.inputs, self.input_width)
    }

    /// Words of the output.
    pub fn output_words(&self) -> u32 {
        self.words(self.outputs, self.output_width)
    }

    /// What is no sequence is the same in every position of its words.
    fn words(&self, values: u32, width: u32) -> u32 {
        if values == width {
            values
        } else {
            values.checked_shr(self.log_positions.into()).unwrap_or(0)
        }
    }

    /// The index, within a sample's `values` with `width` at each position, of the value that `word` has at `position`.
    pub fn value_at(&self, values: u32, width: u32, word: u32, position: u32) -> usize {
        if values == width {
            return word as usize;
        }
        let (block, channel) = (
            word.checked_div(width).unwrap_or(0),
            word.checked_rem(width).unwrap_or(0),
        );
        let position = block
            .saturating_mul(self.positions())
            .saturating_add(position);
        position.saturating_mul(width).saturating_add(channel) as usize
    }

    /// Lanes of a row of weights.
    pub fn lanes(&self) -> u32 {
        1u32.checked_shl(self.log_lanes.into()).unwrap_or(0)
    }

    /// Height of the tallest component, as a logarithm.
    pub fn max_log_size(&self) -> u32 {
        self.log_sizes.into_iter().max().unwrap_or(0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> VerifyingKey {
        let mut log_sizes = [0; Kind::COUNT];
        log_sizes[Kind::Linear as usize] = 4;
        log_sizes[Kind::Range as usize] = SHIFT as u8;
        VerifyingKey {
            version: VERSION,
            preset: Preset::Fast,
            log_lanes: 5,
            log_sizes,
            log_positions: 2,
            log_block: 3,
            inputs: 1,
            input_width: 1,
            outputs: 1,
            output_width: 1,
            constant_reads: 0,
            root: [0; 32],
            interface: [0; 32],
        }
    }

    #[test]
    fn a_row_of_the_vocabulary_is_no_narrower_than_a_word_and_no_wider_than_a_row_of_weights() {
        let with = |log_block| VerifyingKey { log_block, ..key() }.validate();
        assert_eq!([2, 3, 5].map(with), [Ok(()); 3]);
        assert_eq!([0, 1, 6, 255].map(with), [Err(KeyError::Lanes); 4]);
    }

    #[test]
    fn presets_have_the_bits_that_they_claim() {
        let bits = [Preset::Fast, Preset::Chain, Preset::Proven]
            .map(|preset| (preset.conjectured_bits(), preset.johnson_bits()));
        assert_eq!(bits, [(96, 56), (96, 56), (180, 100)]);
    }
}
