//! Bytes as `0x` and lowercase hexadecimal digits.

use serde::{de::Error, Deserialize, Deserializer, Serialize, Serializer};

/// As many bytes as there happen to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("0x{}", hex::encode(&self.0)))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text
            .strip_prefix("0x")
            .ok_or_else(|| D::Error::custom("no 0x"))?;
        hex::decode(digits).map(Self).map_err(D::Error::custom)
    }
}

/// `N` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hex<const N: usize>(pub [u8; N]);

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Bytes(self.0.to_vec()).serialize(serializer)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Bytes::deserialize(deserializer)?.0;
        let length = bytes.len();
        let bytes = bytes.try_into();
        bytes
            .map(Self)
            .map_err(|_| D::Error::custom(format!("{length} bytes instead of {N}")))
    }
}

/// A list of hashes or words, written.
pub(crate) fn hexes<const N: usize>(list: &[[u8; N]]) -> Vec<Hex<N>> {
    list.iter().copied().map(Hex).collect()
}

/// A list of hashes or words, read.
pub(crate) fn plain<const N: usize>(list: &[Hex<N>]) -> Vec<[u8; N]> {
    list.iter().map(|hex| hex.0).collect()
}
