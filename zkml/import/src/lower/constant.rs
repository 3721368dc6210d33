//! Constants, and what is computed from them alone.

use ciro_zkml_model::MAX_ELEMENTS;

use crate::{
    graph::attribute,
    onnx::{data_type, NodeProto},
    tensor::{count, product, Data, Tensor},
};

use super::{
    call::{Call, Problem},
    wire::Value,
    Lowering,
};

/// The value of a Constant node.
pub(super) fn literal(node: &NodeProto) -> Result<Value, Problem> {
    let [value] = node.attribute.as_slice() else {
        return Err("a Constant must have one value".into());
    };
    let tensor = match (value.name.as_str(), &value.t) {
        ("value", Some(tensor)) => Tensor::read(tensor)?,
        ("value_float", _) => Tensor::floats(&[value.f]).scalar(),
        ("value_floats", _) => Tensor::floats(&value.floats),
        ("value_int", _) => Tensor::ints(&[value.i]).scalar(),
        ("value_ints", _) => Tensor::ints(&value.ints),
        (other, _) => {
            return Err(format!("a Constant with attribute '{other}' is not supported").into())
        }
    };
    Ok(Value::constant(tensor))
}

/// A ConstantOfShape.
pub(super) fn filled(call: &Call) -> Result<Value, Problem> {
    let axes = call.constant(0)?.clone().into_ints()?;
    let dims: Option<Vec<usize>> = axes
        .iter()
        .map(|&axis| usize::try_from(axis).ok())
        .collect();
    let dims = dims.ok_or_else(|| format!("{axes:?} is no shape"))?;
    let count = count(&dims).filter(|&count| count as u64 <= MAX_ELEMENTS);
    let count = count.ok_or_else(|| format!("the shape {dims:?} is too large"))?;
    let value = attribute(call.node, "value").and_then(|value| value.t.as_ref());
    let value = value
        .map(Tensor::read)
        .transpose()?
        .unwrap_or(Tensor::floats(&[0.0]));
    let tensor = value.pick(&vec![0; count], dims);
    Ok(Value::constant(tensor.ok_or("its value is empty")?))
}

/// The places in two constants whose elements broadcasting puts together, and the shape of the result.
type Joined = (Vec<u32>, Vec<u32>, Vec<usize>);

pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Result<Joined, Problem> {
    let rank = a.len().max(b.len());
    let padded =
        |dims: &[usize]| [vec![1; rank.saturating_sub(dims.len())], dims.to_vec()].concat();
    let (a, b) = (padded(a), padded(b));
    let joined = |(&a, &b): (&usize, &usize)| match (a, b) {
        (1, size) | (size, 1) => Some(size),
        (a, b) => (a == b).then_some(a),
    };
    let dims: Option<Vec<usize>> = a.iter().zip(&b).map(joined).collect();
    let dims = dims.ok_or_else(|| format!("shapes {a:?} and {b:?} do not fit together"))?;
    if product(&dims).is_none_or(|count| count as u64 > MAX_ELEMENTS) {
        return Err(format!("the shape {dims:?} is too large").into());
    }
    let places = |own: &[usize]| {
        // From the last axis to the first: every block once for each place along the axis.
        let mut places = vec![0_u32];
        let mut block = 1_u32;
        for (&size, &axis) in dims.iter().zip(own).rev() {
            let step = if axis == 1 { 0 } else { block };
            let shifted = |at: usize| {
                places
                    .iter()
                    .map(move |place| place + at as u32 * step)
                    .collect::<Vec<_>>()
            };
            places = (0..size).flat_map(shifted).collect();
            block = block.saturating_mul(axis as u32);
        }
        places
    };
    Ok((places(&a), places(&b), dims))
}

/// The arithmetic of two constants.
pub(super) fn arithmetic(op: &str, a: &Tensor, b: &Tensor) -> Result<Tensor, Problem> {
    let (first, second, dims) = broadcast(&a.dims, &b.dims)?;
    let missing = || Problem::from("a constant has fewer elements than its shape says");
    let a = a.pick(&first, dims.clone()).ok_or_else(missing)?;
    let b = b.pick(&second, dims.clone()).ok_or_else(missing)?;
    let whole = |tensor: &Tensor| matches!(tensor.data, Data::Int(_) | Data::Sizes(_));
    if whole(&a) && whole(&b) {
        let pairs = a.into_ints()?.into_iter().zip(b.into_ints()?);
        let of = |(a, b): (i64, i64)| match op {
            "Add" => a.checked_add(b),
            "Sub" => a.checked_sub(b),
            "Mul" => a.checked_mul(b),
            "Div" => a.checked_div(b),
            "Max" => Some(a.max(b)),
            "Min" => Some(a.min(b)),
            "Mod" => a.checked_rem_euclid(b),
            _ => None,
        };
        let values: Option<Vec<i64>> = pairs.map(of).collect();
        let values =
            values.ok_or("its integer constants have no result; fold constants on export")?;
        return Ok(Tensor {
            dims,
            ..Tensor::ints(&values)
        });
    }
    let pairs = a.into_floats()?.into_iter().zip(b.into_floats()?);
    let of = |(a, b): (f32, f32)| match op {
        "Add" => a + b,
        "Sub" => a - b,
        "Mul" => a * b,
        "Div" => a / b,
        "Max" => a.max(b),
        "Min" => a.min(b),
        _ => a.powf(b),
    };
    let values: Vec<f32> = pairs.map(of).collect();
    Ok(Tensor {
        dims,
        ..Tensor::floats(&values)
    })
}

/// The floats of quantised constants: `(q - zero point) * scale`, with one scale or one for each place on `axis`.
pub(super) fn dequantised(call: &Call) -> Result<Tensor, Problem> {
    let tensor = call.constant(0)?.clone();
    let (scales, dims) = (
        call.constant(1)?.clone().into_floats()?,
        tensor.dims.clone(),
    );
    let zero_points = match call.optional(2)? {
        Some(points) => points.clone().into_floats()?,
        None => vec![0.0],
    };
    let axis = call.int("axis", 1);
    let axis = if axis < 0 {
        axis.saturating_add(dims.len() as i64)
    } else {
        axis
    };
    let run = match scales.len() {
        1 => 1,
        count => {
            let axis = usize::try_from(axis)
                .ok()
                .filter(|axis| dims.get(*axis) == Some(&count));
            let axis = axis
                .ok_or("its scales do not fit the axis; blockwise quantisation is not supported")?;
            dims.iter().skip(axis + 1).product::<usize>().max(1)
        }
    };
    let of = |values: &[f32], channel: usize| match values {
        [one] => *one,
        values => values.get(channel).copied().unwrap_or(0.0),
    };
    let channels = scales.len().max(1);
    let floats = tensor
        .into_floats()?
        .into_iter()
        .enumerate()
        .map(|(index, value)| {
            let channel = index / run % channels;
            (value - of(&zero_points, channel)) * of(&scales, channel)
        });
    let floats: Vec<f32> = floats.collect();
    Ok(Tensor {
        dims,
        ..Tensor::floats(&floats)
    })
}

impl Lowering {
    /// Identity, Cast and Dropout: nothing that the integers would notice.
    pub(super) fn unchanged(&mut self, call: &Call) -> Result<Value, Problem> {
        let value = call.value(0)?.clone();
        let (float, to) = ([data_type::FLOAT, data_type::DOUBLE], call.int("to", 0));
        let to_float = float.iter().any(|float| to == i64::from(*float));
        match (call.op(), &value) {
            ("Dropout", Value::Tensor(_)) => match call
                .optional(2)?
                .cloned()
                .map(Tensor::into_ints)
                .transpose()?
            {
                Some(mode) if mode != [0] => {
                    Err("it is in training mode; export the model for inference".into())
                }
                _ => Ok(value),
            },
            // Tokens stay tokens.
            ("Cast", Value::Tensor(wire))
                if wire.tensor == 0 && self.integers && is_integer(to) =>
            {
                Ok(value)
            }
            ("Cast", Value::Tensor(_)) if !to_float => Err(format!(
                "a cast to element type {to} inside the network is not supported"
            )
            .into()),
            ("Cast", Value::Constant(tensor)) if to == i64::from(data_type::BOOL) => {
                let values = Tensor::clone(tensor).into_floats()?;
                let ints: Vec<i64> = values.iter().map(|value| (*value != 0.0).into()).collect();
                Ok(Value::constant(Tensor {
                    dims: tensor.dims.clone(),
                    ..Tensor::ints(&ints)
                }))
            }
            ("Cast", Value::Constant(tensor)) => match &tensor.data {
                Data::Int(_) | Data::Sizes(_) if to_float => {
                    let floats = Tensor::clone(tensor).into_floats()?;
                    Ok(Value::constant(Tensor {
                        dims: tensor.dims.clone(),
                        ..Tensor::floats(&floats)
                    }))
                }
                Data::Float(values) if !to_float => {
                    // The cast saturates.
                    let ints: Vec<i64> = values.iter().map(|&value| value as i64).collect();
                    Ok(Value::constant(Tensor {
                        dims: tensor.dims.clone(),
                        ..Tensor::ints(&ints)
                    }))
                }
                _ => Ok(value),
            },
            _ => Ok(value),
        }
    }

    /// The sizes of a tensor's axes.
    pub(super) fn shape(&mut self, call: &Call) -> Result<Value, Problem> {
        let sizes: Vec<Option<i64>> = match call.value(0)? {
            Value::Constant(tensor) => tensor.dims.iter().map(|&axis| Some(axis as i64)).collect(),
            _ => {
                let wire = call.wire(0)?;
                let batch: &[Option<i64>] = if wire.counts_batch { &[] } else { &[None] };
                let own = wire.shape.iter().map(|&axis| Some(axis as i64));
                batch.iter().copied().chain(own).collect()
            }
        };
        let rank = sizes.len() as i64;
        let at = |name: &str, default: i64| match call.int(name, default) {
            place if place < 0 => place.saturating_add(rank).clamp(0, rank) as usize,
            place => place.clamp(0, rank) as usize,
        };
        let sizes = sizes
            .get(at("start", 0)..at("end", rank))
            .unwrap_or(&[])
            .to_vec();
        Ok(Value::constant(Tensor::new(
            vec![sizes.len()],
            Data::Sizes(sizes),
        )))
    }

    /// A constant made while evaluating counts like parameters.
    pub(super) fn made(&mut self, tensor: Tensor) -> Result<Value, Problem> {
        self.reserve_elements(tensor.len() as u64)?;
        Ok(Value::constant(tensor))
    }
}

fn is_integer(element: i64) -> bool {
    [data_type::INT32, data_type::INT64]
        .iter()
        .any(|own| element == i64::from(*own))
}
