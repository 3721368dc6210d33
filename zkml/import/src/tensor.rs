//! Constant tensors.

use crate::onnx::{data_type, TensorProto};

/// A constant: its shape and elements, as many as the shape says.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub dims: Vec<usize>,
    pub data: Data,
}

/// The elements of a constant.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    Float(Vec<f32>),
    Int(Vec<i64>),
    Text(Vec<String>),
}

impl Tensor {
    pub fn floats(values: &[f32]) -> Self {
        Self {
            dims: vec![values.len()],
            data: Data::Float(values.to_vec()),
        }
    }

    pub fn ints(values: &[i64]) -> Self {
        Self {
            dims: vec![values.len()],
            data: Data::Int(values.to_vec()),
        }
    }

    /// The same elements without axes.
    pub fn scalar(self) -> Self {
        Self {
            dims: vec![],
            ..self
        }
    }

    /// Reads a tensor of the file; the error is a clause about it.
    pub fn read(proto: &TensorProto) -> Result<Self, String> {
        if proto.data_location != 0 {
            return Err("its elements are in another file; save the model as one file (torch: external_data=False)".into());
        }
        let dims: Vec<usize> = proto
            .dims
            .iter()
            .map(|&axis| usize::try_from(axis).map_err(|_| format!("axis of size {axis}")))
            .collect::<Result<_, _>>()?;
        let elements = product(&dims).ok_or("its shape is too large")?;
        let raw = !proto.raw_data.is_empty();
        let data = match proto.data_type {
            data_type::FLOAT if raw => Data::Float(words(proto, f32::from_le_bytes)?),
            data_type::FLOAT => Data::Float(proto.float_data.clone()),
            data_type::DOUBLE if raw => {
                Data::Float(words(proto, |bytes| f64::from_le_bytes(bytes) as f32)?)
            }
            data_type::DOUBLE => Data::Float(proto.double_data.iter().map(|&v| v as f32).collect()),
            data_type::INT64 if raw => Data::Int(words(proto, i64::from_le_bytes)?),
            data_type::INT64 => Data::Int(proto.int64_data.clone()),
            data_type::INT32 if raw => {
                Data::Int(words(proto, |bytes| i32::from_le_bytes(bytes).into())?)
            }
            data_type::BOOL if raw => Data::Int(words(proto, |[byte]: [u8; 1]| byte.into())?),
            data_type::INT32 | data_type::BOOL => {
                Data::Int(proto.int32_data.iter().map(|&v| v.into()).collect())
            }
            data_type::STRING => {
                let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
                Data::Text(proto.string_data.iter().map(text).collect())
            }
            other => {
                return Err(format!(
                    "element type {other} is not supported; export with float32 weights"
                ))
            }
        };
        let found = match &data {
            Data::Float(values) => values.len(),
            Data::Int(values) => values.len(),
            Data::Text(values) => values.len(),
        };
        match found == elements {
            true => Ok(Self { dims, data }),
            false => Err(format!(
                "it has {found} elements where its shape {dims:?} asks for {elements}"
            )),
        }
    }

    /// The elements as numbers.
    pub fn into_floats(self) -> Result<Vec<f32>, String> {
        match self.data {
            Data::Float(values) => Ok(values),
            Data::Int(values) => Ok(values.into_iter().map(|v| v as f32).collect()),
            Data::Text(_) => Err("a constant holds strings where numbers are expected".into()),
        }
    }

    /// The elements as integers.
    pub fn into_ints(self) -> Result<Vec<i64>, String> {
        match self.data {
            Data::Int(values) => Ok(values),
            _ => Err("a constant does not hold integers where integers are expected".into()),
        }
    }

    /// The matrix this is, as rows, columns and row-major elements.
    pub fn into_matrix(self, transposed: bool) -> Result<(usize, usize, Vec<f32>), String> {
        let &[rows, columns] = self.dims.as_slice() else {
            return Err(format!(
                "the weights have shape {:?}; they must be a matrix",
                self.dims
            ));
        };
        let values = self.into_floats()?;
        if !transposed {
            return Ok((rows, columns, values));
        }
        let column = |j: usize| values.iter().skip(j).step_by(columns.max(1)).copied();
        Ok((columns, rows, (0..columns).flat_map(column).collect()))
    }

    /// The elements repeated to fill one sample of shape `shape`, if broadcasting leaves the batch and that shape alone.
    pub fn broadcast(self, shape: &[usize]) -> Result<Vec<f32>, String> {
        let mismatch = format!(
            "a constant of shape {:?} does not fit samples of shape {shape:?}",
            self.dims
        );
        let axes = self.dims.clone();
        let mut dims = axes.as_slice();
        // Along the batch axis the constant must have size 1.
        if let (true, Some((1, rest))) = (dims.len() == shape.len() + 1, dims.split_first()) {
            dims = rest;
        }
        let own = shape
            .len()
            .checked_sub(dims.len())
            .and_then(|skip| shape.get(skip..))
            .ok_or(mismatch.clone())?;
        if dims
            .iter()
            .zip(own)
            .any(|(&axis, &size)| axis != size && axis != 1)
        {
            return Err(mismatch);
        }
        let mut values = self.into_floats()?;
        // From the last axis to the first: repeat every block of an axis of size 1, then the whole for missing axes.
        let mut block = 1_usize;
        for (&axis, &size) in dims.iter().zip(own).rev() {
            if axis == 1 && size != 1 {
                values = values
                    .chunks(block)
                    .flat_map(|part| part.repeat(size))
                    .collect();
            }
            block = block.saturating_mul(size);
        }
        let missing = shape.len() - own.len();
        Ok(values.repeat(shape.iter().take(missing).product()))
    }
}

/// Number of elements of a shape, unless it overflows.
pub(crate) fn product(dims: &[usize]) -> Option<usize> {
    dims.iter()
        .try_fold(1_usize, |product, &axis| product.checked_mul(axis))
}

/// The raw bytes of a tensor, `N` at a time.
fn words<const N: usize, T>(
    proto: &TensorProto,
    read: impl Fn([u8; N]) -> T,
) -> Result<Vec<T>, String> {
    let (words, rest) = proto.raw_data.as_chunks::<N>();
    match rest.is_empty() {
        true => Ok(words.iter().map(|&word| read(word)).collect()),
        false => Err(format!(
            "its {} bytes are no whole number of elements",
            proto.raw_data.len()
        )),
    }
}
