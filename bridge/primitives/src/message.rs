//! Messages: what Ciro and a contract on another chain tell each other.

use crate::{hash::keccak, u128_of, u64_of, word_of, Account, Hash, LaneId, ResultLeaf, Word};
use alloc::{vec, vec::Vec};
use ciro_primitives::ModelId;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// Numbers of the kinds of messages: below 100 from Ciro, above to it.
pub mod kind {
    /// To CiroToken: mint.
    pub const MINT: u64 = 1;
    /// To ResultRegistry: a result of a job on Ciro.
    pub const RESULT: u64 = 2;
    /// To JobManager: a result of one of its own jobs.
    pub const REMOTE_RESULT: u64 = 3;
    /// To CDCPool: take a share of an operator's stake.
    pub const SLASH: u64 = 4;
    /// From CiroToken: tokens were burnt.
    pub const BURN: u64 = 101;
    /// From CiroToken: a mint came too late.
    pub const RETURN: u64 = 102;
}

/// The whole of which a [`Payload::Slash`] takes a share.
pub const MILLION: u32 = 1_000_000;

/// What a message says. Amounts are in plancks, times in Unix seconds.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Payload {
    /// CiroToken mints, until it expires.
    #[codec(index = 1)]
    Mint {
        /// Who gets the tokens there.
        recipient: Word,
        /// How many.
        amount: u128,
        /// The last second in which they can be minted.
        expiry: u64,
        /// Who gets them back on Ciro if they are not minted in time.
        refund: Account,
    },
    /// ResultRegistry notes a result of a job on Ciro.
    #[codec(index = 2)]
    Result(ResultLeaf),
    /// JobManager pays for one of its own jobs.
    #[codec(index = 3)]
    RemoteResult {
        /// The job's number there.
        remote_job: Word,
        /// The model that was run.
        model: ModelId,
        /// What it was run on.
        input_commitment: Hash,
        /// What came out.
        output_hash: Hash,
        /// Who is paid there.
        payee: Word,
    },
    /// CDCPool takes a share of an operator's stake.
    #[codec(index = 4)]
    Slash {
        /// The case on Ciro.
        case: u64,
        /// The operator's account on Ciro.
        operator: Account,
        /// Parts of a [`MILLION`].
        share: u32,
    },
    /// Tokens were burnt on the other chain, for Ciro or for a third chain.
    #[codec(index = 101)]
    Burn {
        /// Where they go: a lane, or [`LaneId::CIRO`].
        destination: LaneId,
        /// Who gets them there.
        recipient: Word,
        /// How many.
        amount: u128,
        /// Who gets them on Ciro if they cannot go on to a third chain.
        refund: Account,
    },
    /// A mint came after its expiry: what it was to mint is still Ciro's.
    #[codec(index = 102)]
    Return {
        /// The mint's nonce.
        nonce: u64,
        /// How many.
        amount: u128,
        /// Who gets them back on Ciro.
        refund: Account,
    },
}

impl Payload {
    /// The [kind]'s number.
    pub fn kind(&self) -> u64 {
        match self {
            Self::Mint { .. } => kind::MINT,
            Self::Result(_) => kind::RESULT,
            Self::RemoteResult { .. } => kind::REMOTE_RESULT,
            Self::Slash { .. } => kind::SLASH,
            Self::Burn { .. } => kind::BURN,
            Self::Return { .. } => kind::RETURN,
        }
    }

    /// Whether it goes from Ciro to another chain, and not the other way.
    pub fn is_outbound(&self) -> bool {
        self.kind() < kind::BURN
    }

    /// The words after the kind.
    fn words(&self) -> Vec<Word> {
        match *self {
            Self::Mint {
                recipient,
                amount,
                expiry,
                refund,
            } => vec![recipient, word_of(amount), word_of(expiry), refund],
            Self::Result(result) => result.words().into(),
            Self::RemoteResult {
                remote_job,
                model,
                input_commitment,
                output_hash,
                payee,
            } => vec![remote_job, model.0, input_commitment, output_hash, payee],
            Self::Slash {
                case,
                operator,
                share,
            } => vec![word_of(case), operator, word_of(share)],
            Self::Burn {
                destination,
                recipient,
                amount,
                refund,
            } => vec![destination.0, recipient, word_of(amount), refund],
            Self::Return {
                nonce,
                amount,
                refund,
            } => vec![word_of(nonce), word_of(amount), refund],
        }
    }

    fn from_words(kind: &Word, words: &[Word]) -> Result<Self, MessageError> {
        let kind = u64_of(kind).ok_or(MessageError::UnknownKind)?;
        Ok(match kind {
            kind::MINT => {
                let [recipient, amount, expiry, refund] = exactly(words)?;
                Self::Mint {
                    recipient,
                    amount: amount_of(&amount)?,
                    expiry: number_of(&expiry)?,
                    refund,
                }
            }
            kind::RESULT => {
                let [job, model, input_commitment, output_hash] = exactly(words)?;
                Self::Result(ResultLeaf {
                    job: number_of(&job)?,
                    model: ModelId(model),
                    input_commitment,
                    output_hash,
                })
            }
            kind::REMOTE_RESULT => {
                let [remote_job, model, input_commitment, output_hash, payee] = exactly(words)?;
                Self::RemoteResult {
                    remote_job,
                    model: ModelId(model),
                    input_commitment,
                    output_hash,
                    payee,
                }
            }
            kind::SLASH => {
                let [case, operator, share] = exactly(words)?;
                let share = u32::try_from(number_of(&share)?).ok();
                Self::Slash {
                    case: number_of(&case)?,
                    operator,
                    share: share
                        .filter(|share| *share <= MILLION)
                        .ok_or(MessageError::ValueOutOfRange)?,
                }
            }
            kind::BURN => {
                let [destination, recipient, amount, refund] = exactly(words)?;
                Self::Burn {
                    destination: LaneId(destination),
                    recipient,
                    amount: amount_of(&amount)?,
                    refund,
                }
            }
            kind::RETURN => {
                let [nonce, amount, refund] = exactly(words)?;
                Self::Return {
                    nonce: number_of(&nonce)?,
                    amount: amount_of(&amount)?,
                    refund,
                }
            }
            _ => return Err(MessageError::UnknownKind),
        })
    }
}

/// A message of a lane.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Message {
    /// The lane, whichever way the message goes.
    pub lane: LaneId,
    /// Its number among the lane's messages that go the same way: 0, 1, 2, …
    pub nonce: u64,
    /// What it says.
    pub payload: Payload,
}

/// Why words are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageError {
    /// Less than three words, or another number of them than the kind has.
    WrongWordCount,
    /// No kind has that number.
    UnknownKind,
    /// A number is larger than what it counts can be.
    ValueOutOfRange,
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongWordCount => "the message's kind has another number of words",
            Self::UnknownKind => "no kind of message has that number",
            Self::ValueOutOfRange => "a number in the message is too large",
        })
    }
}

impl core::error::Error for MessageError {}

impl Message {
    /// Words of the longest message.
    pub const MAX_WORDS: usize = 8;

    /// The words: lane, nonce, kind, and what the kind says.
    pub fn words(&self) -> Vec<Word> {
        let mut words = vec![
            self.lane.0,
            word_of(self.nonce),
            word_of(self.payload.kind()),
        ];
        words.extend(self.payload.words());
        words
    }

    /// Reads back what [`Self::words`] wrote, and nothing else.
    pub fn from_words(words: &[Word]) -> Result<Self, MessageError> {
        let ([lane, nonce, kind], rest) = words
            .split_first_chunk()
            .ok_or(MessageError::WrongWordCount)?;
        let payload = Payload::from_words(kind, rest)?;
        Ok(Self {
            lane: LaneId(*lane),
            nonce: number_of(nonce)?,
            payload,
        })
    }

    /// The bytes of the message's leaf: its words in order.
    pub fn bytes(&self) -> Vec<u8> {
        self.words().concat()
    }

    /// The message's hash, by which votes name it.
    pub fn id(&self) -> Hash {
        keccak(&self.bytes())
    }
}

fn exactly<const N: usize>(words: &[Word]) -> Result<[Word; N], MessageError> {
    words.try_into().map_err(|_| MessageError::WrongWordCount)
}

fn number_of(word: &Word) -> Result<u64, MessageError> {
    u64_of(word).ok_or(MessageError::ValueOutOfRange)
}

fn amount_of(word: &Word) -> Result<u128, MessageError> {
    u128_of(word).ok_or(MessageError::ValueOutOfRange)
}
