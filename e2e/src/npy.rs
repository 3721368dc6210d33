//! The `.npy` arrays of `models/`.

use anyhow::{ensure, Context, Result};
use std::{fs, path::Path};

/// An array of 4- or 8-byte little-endian elements, row-major.
pub struct Array {
    /// Length of every axis.
    pub shape: Vec<usize>,
    kind: String,
    data: Vec<u8>,
}

impl Array {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display();
        let bytes = fs::read(path).with_context(|| format!("cannot read {name}"))?;
        Self::decode(&bytes).with_context(|| format!("{name} is no array that can be used here"))
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        ensure!(
            bytes.starts_with(b"\x93NUMPY\x01"),
            "not a .npy file of version 1"
        );
        let length = bytes.get(8..10).context("the header is cut")?;
        let length = usize::from(u16::from_le_bytes([length[0], length[1]]));
        let header = bytes.get(10..10 + length).context("the header is cut")?;
        let header = std::str::from_utf8(header)?;
        ensure!(
            header.contains("'fortran_order': False"),
            "the array is not row-major"
        );
        let after = |key: &str| header.split_once(key).map(|(_, rest)| rest);
        let kind = after("'descr': '")
            .and_then(|rest| rest.split('\'').next())
            .context("no element type")?;
        let shape = after("'shape': (")
            .and_then(|rest| rest.split(')').next())
            .context("no shape")?;
        let shape = shape
            .split(',')
            .map(str::trim)
            .filter(|axis| !axis.is_empty())
            .map(str::parse)
            .collect::<Result<Vec<usize>, _>>()?;
        Ok(Self {
            shape,
            kind: kind.to_owned(),
            data: bytes[10 + length..].to_vec(),
        })
    }

    /// The elements as float32.
    pub fn floats(&self) -> Result<Vec<f32>> {
        self.elements("<f4", f32::from_le_bytes)
    }

    /// The elements as int64.
    pub fn integers(&self) -> Result<Vec<i64>> {
        self.elements("<i8", i64::from_le_bytes)
    }

    fn elements<T, const N: usize>(&self, kind: &str, read: fn([u8; N]) -> T) -> Result<Vec<T>> {
        ensure!(
            self.kind == kind,
            "the elements are {}, not {kind}",
            self.kind
        );
        let (elements, rest) = self.data.as_chunks::<N>();
        let expected: usize = self.shape.iter().product();
        ensure!(
            rest.is_empty() && elements.len() == expected,
            "the data does not fit the shape"
        );
        Ok(elements.iter().map(|bytes| read(*bytes)).collect())
    }
}

/// Writes float32 elements, row-major, as a file.
pub fn write_floats(path: &Path, shape: &[usize], values: &[f32]) -> Result<()> {
    let axes: Vec<String> = shape.iter().map(|axis| format!("{axis},")).collect();
    let header = format!(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}",
        axes.join(" ")
    );
    // Magic, version, length and header together are a multiple of 64 bytes, the last a line feed.
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(format!("{header:<0$}\n", length - 1).as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository;

    #[test]
    fn reads_the_test_set() {
        let images = Array::read(&repository("models/digits-test-x.npy")).unwrap();
        let labels = Array::read(&repository("models/digits-test-y.npy")).unwrap();
        assert_eq!(images.shape[1..], [64]);
        assert_eq!(labels.shape, images.shape[..1]);
        assert!(images
            .floats()
            .unwrap()
            .iter()
            .all(|pixel| (0.0..=1.0).contains(pixel)));
        assert!(labels
            .integers()
            .unwrap()
            .iter()
            .all(|label| (0..10).contains(label)));
        assert!(images.integers().is_err());
    }

    #[test]
    fn reads_what_it_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        let values = [0.5, -1.0, 2.0, 3.25, 0.0, 1e-9];
        write_floats(&path, &[2, 3], &values).unwrap();
        let array = Array::read(&path).unwrap();
        assert_eq!(
            (&array.shape[..], &array.floats().unwrap()[..]),
            (&[2, 3][..], &values[..])
        );
        assert_eq!((fs::metadata(&path).unwrap().len() - 24) % 64, 0);
    }
}
