//! NumPy files: samples in, outputs out.

use anyhow::{anyhow, bail, ensure, Context, Result};
use ciro_zkml_model::{Model, Values};
use npyz::{DType, NpyFile, NpyHeader, Order, TypeChar, WriterBuilder};
use std::{fs, path::Path};

/// An array of real numbers, row-major.
#[derive(Debug, PartialEq)]
pub struct Array {
    /// Length of every axis.
    pub shape: Vec<usize>,
    /// The elements.
    pub values: Vec<f32>,
}

/// Samples for a model: the batch axis first, then the model's input shape, or one flattened axis.
#[derive(Debug)]
pub struct Samples {
    /// Number of samples, at least 1.
    pub batch: usize,
    /// The elements, row-major.
    pub values: Vec<f32>,
}

/// Reads an array of floats, integers or booleans as float32, whatever the order of its axes in the file.
pub fn read(path: &Path) -> Result<Array> {
    let name = path.display();
    let bytes = fs::read(path).with_context(|| format!("cannot read {name}"))?;
    decode(&bytes).with_context(|| format!("{name} is not an array that can be used"))
}

/// Reads the samples of a batch for a model.
pub fn read_samples(path: &Path, model: &Model) -> Result<Samples> {
    let Array { shape, values } = read(path)?;
    let sample: Vec<usize> = model.input.shape.iter().map(|n| *n as usize).collect();
    let fits = match shape.split_first() {
        Some((_, rest)) => rest == sample || rest == [model.columns()],
        None => false,
    };
    ensure!(
        fits,
        "{}: shape {} does not fit the model: it wants {} or {}",
        path.display(),
        show(&shape),
        show_batch(&sample),
        show_batch(&[model.columns()]),
    );
    ensure!(shape[0] > 0, "{}: there are no samples", path.display());
    Ok(Samples {
        batch: shape[0],
        values,
    })
}

/// The header of a file, and as much data as it says.
fn open(bytes: &[u8]) -> Result<(NpyHeader, &[u8])> {
    let mut data = bytes;
    let header = NpyHeader::from_reader(&mut data).context("not a .npy file")?;
    // Nothing is allocated on the header's word alone.
    let expected = header.dtype().num_bytes().and_then(|size| {
        header
            .shape()
            .iter()
            .try_fold(size as u64, |product, n| product.checked_mul(*n))
    });
    ensure!(
        expected == Some(data.len() as u64),
        "it holds {} bytes of data, which is not what its header says",
        data.len()
    );
    Ok((header, data))
}

fn decode(bytes: &[u8]) -> Result<Array> {
    let (header, data) = open(bytes)?;
    let dtype = header.dtype();
    let shape: Vec<usize> = header.shape().iter().map(|n| *n as usize).collect();
    let order = header.order();
    let file = NpyFile::with_header(header, data);
    let unsupported = || {
        anyhow!(
            "its element type {} is not supported: save float32, float64, integers or booleans",
            dtype.descr()
        )
    };
    let DType::Plain(element) = &dtype else {
        return Err(unsupported());
    };
    macro_rules! as_f32 {
        ($type:ty) => {
            file.into_vec::<$type>()?
                .into_iter()
                .map(|x| x as f32)
                .collect()
        };
    }
    let values: Vec<f32> = match (element.type_char(), element.size_field()) {
        (TypeChar::Float, 4) => file.into_vec::<f32>()?,
        (TypeChar::Float, 8) => as_f32!(f64),
        (TypeChar::Int, 1) => as_f32!(i8),
        (TypeChar::Int, 2) => as_f32!(i16),
        (TypeChar::Int, 4) => as_f32!(i32),
        (TypeChar::Int, 8) => as_f32!(i64),
        (TypeChar::Uint, 1) => as_f32!(u8),
        (TypeChar::Uint, 2) => as_f32!(u16),
        (TypeChar::Uint, 4) => as_f32!(u32),
        (TypeChar::Uint, 8) => as_f32!(u64),
        (TypeChar::Bool, 1) => file
            .into_vec::<bool>()?
            .into_iter()
            .map(|x| u8::from(x).into())
            .collect(),
        _ => return Err(unsupported()),
    };
    let values = match order {
        Order::C => values,
        Order::Fortran => row_major(&values, &shape),
    };
    Ok(Array { shape, values })
}

/// Column-major elements in row-major order.
fn row_major(values: &[f32], shape: &[usize]) -> Vec<f32> {
    (0..values.len())
        .map(|mut row_major| {
            // Peel the axes off from the last, which is the fastest here and the slowest in the file.
            let mut position = 0;
            let mut stride = values.len();
            for n in shape.iter().rev() {
                stride /= n;
                position += row_major % n * stride;
                row_major /= n;
            }
            values[position]
        })
        .collect()
}

/// The outputs of a batch as a file: float32 `[batch, …output shape]`, or int64 `[batch]` where the model classifies.
pub fn encode_outputs(model: &Model, output: &[i32]) -> Result<Vec<u8>> {
    let batch = output.len() / model.outputs().max(1);
    match model.dequantise(output) {
        Values::Float(values) => {
            let mut shape = vec![batch as u64];
            shape.extend(model.output.shape.iter().map(|n| u64::from(*n)));
            encode(&shape, &values)
        }
        Values::Class(labels) => encode(&[batch as u64], &labels),
    }
}

/// Whether a file holds exactly the outputs that the model gives for these accumulators, as [`encode_outputs`] writes
/// them or with the output's axes flattened.
pub fn holds_outputs(path: &Path, model: &Model, output: &[i32]) -> Result<bool> {
    let name = path.display();
    let bytes = fs::read(path).with_context(|| format!("cannot read {name}"))?;
    let mut data = &bytes[..];
    let header =
        NpyHeader::from_reader(&mut data).with_context(|| format!("{name} is not a .npy file"))?;
    let batch = (output.len() / model.outputs().max(1)) as u64;
    let shape = header.shape().to_vec();
    let (fits, expected) = match model.dequantise(output) {
        Values::Float(values) => {
            let axes = model.output.shape.iter().map(|n| u64::from(*n));
            let full: Vec<u64> = [batch].into_iter().chain(axes).collect();
            let fits = shape == full || shape == [batch, model.outputs() as u64];
            (fits, encode(&[values.len() as u64], &values)?)
        }
        Values::Class(labels) => (shape == [batch], encode(&[batch], &labels)?),
    };
    let mut expected = &expected[..];
    let wanted = NpyHeader::from_reader(&mut expected)?.dtype();
    ensure!(
        header.dtype() == wanted,
        "{name}: outputs of this model have the element type {}, not {}",
        wanted.descr(),
        header.dtype().descr()
    );
    let row_major = header.order() == Order::C || shape.len() < 2;
    ensure!(row_major, "{name}: save the outputs in row-major order");
    Ok(fits && data == expected)
}

/// The last layer's accumulators as a file: int32 `[batch, …output shape]`.
pub fn encode_accumulators(model: &Model, output: &[i32]) -> Result<Vec<u8>> {
    let batch = output.len() / model.outputs().max(1);
    let axes = model.output.shape.iter().map(|n| u64::from(*n));
    let shape: Vec<u64> = [batch as u64].into_iter().chain(axes).collect();
    encode(&shape, output)
}

/// Reads accumulators as [`encode_accumulators`] writes them, row-major.
pub fn read_accumulators(path: &Path) -> Result<Vec<i32>> {
    let name = path.display();
    let bytes = fs::read(path).with_context(|| format!("cannot read {name}"))?;
    let (header, data) = open(&bytes).with_context(|| name.to_string())?;
    ensure!(
        header.dtype() == <i32 as npyz::AutoSerialize>::default_dtype(),
        "{name}: accumulators have the element type int32, not {}",
        header.dtype().descr()
    );
    let row_major = header.order() == Order::C || header.shape().len() < 2;
    ensure!(
        row_major,
        "{name}: save the accumulators in row-major order"
    );
    Ok(NpyFile::with_header(header, data).into_vec()?)
}

fn encode<T: npyz::AutoSerialize + Copy>(shape: &[u64], values: &[T]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(shape)
        .writer(&mut bytes)
        .begin_nd()?;
    writer.extend(values.iter().copied())?;
    writer.finish()?;
    if values.is_empty() {
        bail!("there are no values to write");
    }
    Ok(bytes)
}

fn show(shape: &[usize]) -> String {
    let axes: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("[{}]", axes.join(", "))
}

fn show_batch(sample: &[usize]) -> String {
    let axes: Vec<String> = sample.iter().map(|n| format!(", {n}")).collect();
    format!("[batch{}]", axes.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_order(shape: &[u64], fortran: bool, values: &[f32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let order = if fortran { Order::Fortran } else { Order::C };
        let mut writer = npyz::WriteOptions::new()
            .default_dtype()
            .shape(shape)
            .order(order)
            .writer(&mut bytes)
            .begin_nd()
            .unwrap();
        writer.extend(values.iter().copied()).unwrap();
        writer.finish().unwrap();
        bytes
    }

    #[test]
    fn floats_survive() {
        let values = [0.5, -1.25, f32::MAX, 1e-40, 3.0, 0.1];
        let array = decode(&encode(&[2, 3], &values).unwrap()).unwrap();
        assert_eq!(
            array,
            Array {
                shape: vec![2, 3],
                values: values.to_vec()
            }
        );
    }

    #[test]
    fn other_numbers_are_converted() {
        let expected = Array {
            shape: vec![3],
            values: vec![0.0, 1.0, 7.0],
        };
        for bytes in [
            encode(&[3], &[0f64, 1.0, 7.0]),
            encode(&[3], &[0i8, 1, 7]),
            encode(&[3], &[0i16, 1, 7]),
            encode(&[3], &[0i32, 1, 7]),
            encode(&[3], &[0i64, 1, 7]),
            encode(&[3], &[0u8, 1, 7]),
            encode(&[3], &[0u16, 1, 7]),
            encode(&[3], &[0u32, 1, 7]),
            encode(&[3], &[0u64, 1, 7]),
        ] {
            assert_eq!(decode(&bytes.unwrap()).unwrap(), expected);
        }
        let flags = decode(&encode(&[2], &[true, false]).unwrap()).unwrap();
        assert_eq!(flags.values, [1.0, 0.0]);
    }

    #[test]
    fn column_major_files_are_read_in_row_major_order() {
        // [[0, 1, 2], [3, 4, 5]] column by column.
        let bytes = with_order(&[2, 3], true, &[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(
            decode(&bytes).unwrap().values,
            [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
        );
        let shape = [2, 3, 4];
        let column_major: Vec<f32> = (0..24)
            .map(|i| {
                let (a, b, c) = (i % 2, i / 2 % 3, i / 6);
                (a * 12 + b * 4 + c) as f32
            })
            .collect();
        let expected: Vec<f32> = (0..24).map(|i| i as f32).collect();
        assert_eq!(row_major(&column_major, &shape), expected);
    }

    #[test]
    fn damaged_files_are_refused() {
        let good = encode(&[2, 3], &[0f32; 6]).unwrap();
        assert!(decode(b"").is_err());
        assert!(decode(b"PK\x03\x04").is_err());
        assert!(decode(&good[..good.len() - 1]).is_err());
        assert!(decode(&[&good[..], &[0]].concat()).is_err());
        // A header that promises 2^60 elements.
        let text = String::from_utf8_lossy(&good).replace("(2, 3)", &format!("({},)", 1u64 << 60));
        assert!(decode(text.as_bytes()).is_err());
    }

    #[test]
    fn text_is_no_number() {
        let mut bytes = encode(&[1], &[0f32]).unwrap();
        let at = bytes.windows(3).position(|w| w == b"<f4").unwrap();
        bytes[at..at + 3].copy_from_slice(b"|S4");
        let error = decode(&bytes).unwrap_err().to_string();
        assert!(error.contains("element type"), "{error}");
    }
}
