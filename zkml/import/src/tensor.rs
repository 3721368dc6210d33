//! Constant tensors.

use crate::onnx::{data_type, TensorProto};

/// A constant: its shape and elements, as many as the shape says.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub dims: Vec<usize>,
    pub data: Data,
    /// The element type in the file, see [`data_type`]; 0 for what the importer made.
    pub element: i32,
}

/// The elements of a constant.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    Float(Vec<f32>),
    Int(Vec<i64>),
    /// Sizes of axes, `None` that of the batch axis.
    Sizes(Vec<Option<i64>>),
    Text(Vec<String>),
}

impl Tensor {
    pub fn new(dims: Vec<usize>, data: Data) -> Self {
        Self {
            dims,
            data,
            element: 0,
        }
    }

    pub fn floats(values: &[f32]) -> Self {
        Self::new(vec![values.len()], Data::Float(values.to_vec()))
    }

    pub fn ints(values: &[i64]) -> Self {
        Self::new(vec![values.len()], Data::Int(values.to_vec()))
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
        let elements = count(&dims).ok_or("its shape is too large")?;
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
            data_type::INT8 if raw => {
                Data::Int(words(proto, |bytes| i8::from_le_bytes(bytes).into())?)
            }
            data_type::UINT8 if raw => Data::Int(words(proto, |[byte]: [u8; 1]| byte.into())?),
            data_type::INT16 if raw => {
                Data::Int(words(proto, |bytes| i16::from_le_bytes(bytes).into())?)
            }
            data_type::UINT16 if raw => {
                Data::Int(words(proto, |bytes| u16::from_le_bytes(bytes).into())?)
            }
            data_type::INT32
            | data_type::BOOL
            | data_type::INT8
            | data_type::UINT8
            | data_type::INT16
            | data_type::UINT16 => Data::Int(proto.int32_data.iter().map(|&v| v.into()).collect()),
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
        let tensor = Self {
            dims,
            data,
            element: proto.data_type,
        };
        let found = tensor.len();
        match found == elements {
            true => Ok(tensor),
            false => Err(format!(
                "it has {found} elements where its shape {:?} asks for {elements}",
                tensor.dims
            )),
        }
    }

    /// The elements as numbers.
    pub fn into_floats(self) -> Result<Vec<f32>, String> {
        match self.data {
            Data::Float(values) => Ok(values),
            Data::Int(values) => Ok(values.into_iter().map(|v| v as f32).collect()),
            Data::Sizes(sizes) => {
                let known: Option<Vec<f32>> = sizes
                    .into_iter()
                    .map(|size| size.map(|size| size as f32))
                    .collect();
                known.ok_or_else(|| {
                    "the size of the batch is used in arithmetic; export with constant sizes".into()
                })
            }
            Data::Text(_) => Err("a constant holds strings where numbers are expected".into()),
        }
    }

    /// The elements as integers.
    pub fn into_ints(self) -> Result<Vec<i64>, String> {
        match self.data {
            Data::Int(values) => Ok(values),
            Data::Sizes(sizes) => {
                let known: Option<Vec<i64>> = sizes.into_iter().collect();
                known.ok_or_else(|| {
                    "it depends on the size of the batch; export with constant sizes".into()
                })
            }
            _ => Err("a constant does not hold integers where integers are expected".into()),
        }
    }

    /// The elements as sizes of axes.
    pub fn into_sizes(self) -> Result<Vec<Option<i64>>, String> {
        match self.data {
            Data::Sizes(sizes) => Ok(sizes),
            _ => Ok(self.into_ints()?.into_iter().map(Some).collect()),
        }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        match &self.data {
            Data::Float(values) => values.len(),
            Data::Int(values) => values.len(),
            Data::Sizes(values) => values.len(),
            Data::Text(values) => values.len(),
        }
    }

    /// The one number that all elements are, if there is one.
    pub fn uniform(&self) -> Option<f32> {
        let same = |values: &[f32]| {
            let first = *values.first()?;
            values.iter().all(|value| *value == first).then_some(first)
        };
        match &self.data {
            Data::Float(values) => same(values),
            Data::Int(values) => {
                same(&values.iter().map(|&value| value as f32).collect::<Vec<_>>())
            }
            Data::Sizes(_) | Data::Text(_) => None,
        }
    }

    /// The elements at `indices` as a tensor of shape `dims`; `None` if there is no such element.
    pub fn pick(&self, indices: &[u32], dims: Vec<usize>) -> Option<Self> {
        fn at<T: Clone>(values: &[T], indices: &[u32]) -> Option<Vec<T>> {
            indices
                .iter()
                .map(|index| values.get(*index as usize).cloned())
                .collect()
        }
        let data = match &self.data {
            Data::Float(values) => Data::Float(at(values, indices)?),
            Data::Int(values) => Data::Int(at(values, indices)?),
            Data::Sizes(values) => Data::Sizes(at(values, indices)?),
            Data::Text(values) => Data::Text(at(values, indices)?),
        };
        Some(Self {
            dims,
            data,
            element: self.element,
        })
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

/// Number of elements of a constant, if its places have 32-bit indices even without its axes of size 0.
pub(crate) fn count(dims: &[usize]) -> Option<usize> {
    let nonzero: Vec<usize> = dims.iter().map(|&axis| axis.max(1)).collect();
    let places = product(&nonzero).filter(|&places| u32::try_from(places).is_ok())?;
    Some(if dims.contains(&0) { 0 } else { places })
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
