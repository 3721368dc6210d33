//! What masks and the numbers of positions are made of: constants computed from constants.

use ciro_zkml_model::MAX_ELEMENTS;

use crate::tensor::{Data, Tensor};

use super::{
    call::{Call, Problem},
    constant::broadcast,
    wire::Value,
    Lowering,
};

/// A Range of whole numbers.
pub(super) fn range(call: &Call) -> Result<Value, Problem> {
    let one = |index: usize| match call.constant(index)?.clone().into_ints()?.as_slice() {
        [value] => Ok(*value),
        _ => Err(Problem::from("its limits must be single numbers")),
    };
    let (start, limit, delta) = (one(0)?, one(1)?, one(2)?);
    let span = limit.saturating_sub(start);
    let count = match delta {
        0 => return Err("its step is 0".into()),
        delta => span
            .saturating_add(delta - delta.signum())
            .checked_div(delta),
    };
    let count = count.unwrap_or(0).max(0);
    if count as u64 > MAX_ELEMENTS {
        return Err(format!("{count} elements are too many").into());
    }
    let values: Vec<i64> = (0..count).map(|at| start + at * delta).collect();
    Ok(Value::constant(Tensor::ints(&values)))
}

/// Whether an operator decides something about numbers or conditions.
pub(super) fn is_condition(op: &str) -> bool {
    matches!(
        op,
        "Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" | "And" | "Or" | "Not"
    )
}

/// What an operator decides about constants: 1 or 0 for each element.
pub(super) fn condition(call: &Call) -> Result<Tensor, Problem> {
    let a = call.constant(0)?;
    let b = if call.has(1) { call.constant(1)? } else { a };
    let (first, second, dims) = broadcast(&a.dims, &b.dims)?;
    let missing = || Problem::from("a constant has fewer elements than its shape says");
    let a = a
        .pick(&first, dims.clone())
        .ok_or_else(missing)?
        .into_floats()?;
    let b = b
        .pick(&second, dims.clone())
        .ok_or_else(missing)?
        .into_floats()?;
    let holds = |(a, b): (f32, f32)| match call.op() {
        "Equal" => a == b,
        "Greater" => a > b,
        "GreaterOrEqual" => a >= b,
        "Less" => a < b,
        "LessOrEqual" => a <= b,
        "And" => a != 0.0 && b != 0.0,
        "Or" => a != 0.0 || b != 0.0,
        _ => a == 0.0,
    };
    let values: Vec<i64> = a
        .into_iter()
        .zip(b)
        .map(|pair| holds(pair).into())
        .collect();
    Ok(Tensor {
        dims,
        ..Tensor::ints(&values)
    })
}

/// A Where among constants.
pub(super) fn chosen(call: &Call) -> Result<Tensor, Problem> {
    let (condition, yes, no) = (call.constant(0)?, call.constant(1)?, call.constant(2)?);
    let (_, _, dims) = broadcast(&yes.dims, &no.dims)?;
    let (_, _, dims) = broadcast(&condition.dims, &dims)?;
    let spread = |tensor: &Tensor| -> Result<Tensor, Problem> {
        let (places, _, _) = broadcast(&tensor.dims, &dims)?;
        let missing = "a constant has fewer elements than its shape says";
        Ok(tensor.pick(&places, dims.clone()).ok_or(missing)?)
    };
    let whole = |tensor: &Tensor| matches!(tensor.data, Data::Int(_) | Data::Sizes(_));
    let decided = spread(condition)?.into_floats()?;
    let pick = |(yes, no): (f32, f32), decided: &f32| if *decided != 0.0 { yes } else { no };
    if whole(yes) && whole(no) {
        let (yes, no) = (spread(yes)?.into_ints()?, spread(no)?.into_ints()?);
        let pairs = yes.into_iter().zip(no).zip(&decided);
        let values: Vec<i64> = pairs
            .map(|((yes, no), decided)| if *decided != 0.0 { yes } else { no })
            .collect();
        return Ok(Tensor {
            dims,
            ..Tensor::ints(&values)
        });
    }
    let pairs = spread(yes)?
        .into_floats()?
        .into_iter()
        .zip(spread(no)?.into_floats()?);
    let values: Vec<f32> = pairs
        .zip(&decided)
        .map(|(pair, decided)| pick(pair, decided))
        .collect();
    Ok(Tensor {
        dims,
        ..Tensor::floats(&values)
    })
}

impl Lowering {
    /// Expand, to a shape that keeps the batch.
    pub(super) fn expanded(&mut self, call: &Call) -> Result<Value, Problem> {
        let target = call.constant(1)?.clone().into_sizes()?;
        if let Value::Constant(tensor) = call.value(0)? {
            // The size of the batch may stand for 1: there is one sample.
            let dims: Option<Vec<usize>> = target
                .iter()
                .map(|axis| usize::try_from(axis.unwrap_or(1)).ok())
                .collect();
            let dims = dims.ok_or_else(|| format!("{target:?} is no shape"))?;
            let (places, _, dims) = broadcast(&tensor.dims, &dims)?;
            let missing = "a constant has fewer elements than its shape says";
            return self.made(tensor.pick(&places, dims).ok_or(missing)?);
        }
        let wire = call.wire(0)?;
        let own: Option<Vec<usize>> = target
            .iter()
            .skip((target.len() > wire.shape.len()).into())
            .map(|axis| usize::try_from((*axis)?).ok())
            .collect();
        let own = own.ok_or("its shape depends on the batch; export with constant sizes")?;
        let (_, _, shape) = broadcast(&wire.shape, &own)?;
        Ok(Value::Tensor(self.expand(&wire, &shape)?))
    }

    /// The upper or lower triangle of constant matrices.
    pub(super) fn triangle(&mut self, call: &Call) -> Result<Value, Problem> {
        let tensor = call.constant(0)?;
        let offset = match call.optional(1)? {
            Some(offset) => offset.uniform().ok_or("its diagonal must be one number")? as i64,
            None => 0,
        };
        let &[.., rows, columns] = tensor.dims.as_slice() else {
            return Err("it has no matrices".into());
        };
        let upper = call.int("upper", 1) != 0;
        let kept = |index: usize| {
            let (row, column) = (index / columns.max(1) % rows.max(1), index % columns.max(1));
            let beyond = column as i64 - row as i64 - offset;
            if upper {
                beyond >= 0
            } else {
                beyond <= 0
            }
        };
        let data = match &tensor.data {
            Data::Float(values) => {
                let of = |(index, value): (usize, &f32)| if kept(index) { *value } else { 0.0 };
                Data::Float(values.iter().enumerate().map(of).collect())
            }
            _ => {
                let values = tensor.clone().into_ints()?;
                let of = |(index, value): (usize, &i64)| if kept(index) { *value } else { 0 };
                Data::Int(values.iter().enumerate().map(of).collect())
            }
        };
        self.made(Tensor::new(tensor.dims.clone(), data))
    }
}
