//! Matrix products, and sums along axes.

use crate::{
    function::Function,
    network::{Linear, Map, Op},
    tensor::Tensor,
};

use super::{
    call::{Call, Problem},
    norm::Row,
    wire::{Value, Wire},
    Lowering,
};

impl Lowering {
    pub(super) fn gemm(&mut self, call: &Call) -> Result<Value, Problem> {
        if call.int("transA", 0) != 0 {
            return Err("transA is not supported; transpose the input instead".into());
        }
        let wire = call.wire(0)?;
        let transposed = call.int("transB", 0) != 0;
        let (rows, columns, mut weights) = call.constant(1)?.clone().into_matrix(transposed)?;
        let alpha = call.float("alpha", 1.0);
        weights.iter_mut().for_each(|weight| *weight *= alpha);
        let mut bias = vec![0.0; columns];
        if let Some(constant) = call.optional(2)? {
            let beta = call.float("beta", 1.0);
            bias = constant.clone().broadcast(&[columns])?;
            bias.iter_mut().for_each(|bias| *bias *= beta);
        }
        match wire.shape.len() - usize::from(wire.counts_batch) {
            1 => Ok(Value::Tensor(self.dense(&wire, rows, weights, bias)?)),
            _ => Err(unfit(rows, columns, &wire.shape)),
        }
    }

    pub(super) fn matmul(&mut self, call: &Call) -> Result<Value, Problem> {
        match (call.value(0)?, call.value(1)?) {
            (Value::Tensor(a), Value::Tensor(b)) => {
                return self.matrices(a, b).map(Value::Tensor);
            }
            (Value::Softmax(scores), Value::Tensor(values)) => {
                return self.attend(scores, values).map(Value::Tensor);
            }
            _ => {}
        }
        let mut weights = call.constant(1)?.clone();
        let wire = call.wire(0)?;
        while let (true, Some((1, rest))) = (weights.dims.len() > 2, weights.dims.split_first()) {
            weights.dims = rest.to_vec();
        }
        let (rows, columns, weights) = weights.into_matrix(false)?;
        Ok(Value::Tensor(self.dense(
            &wire,
            rows,
            weights,
            vec![0.0; columns],
        )?))
    }

    /// A matrix product along the last axis; `weights` is row-major `[rows][outputs]`.
    pub(super) fn dense(
        &mut self,
        wire: &Wire,
        rows: usize,
        weights: Vec<f32>,
        bias: Vec<f32>,
    ) -> Result<Wire, Problem> {
        let outputs = bias.len();
        let (last, before) = wire.shape.split_last().unwrap_or((&0, &[]));
        if *last != rows || outputs == 0 {
            return Err(unfit(rows, outputs, &wire.shape));
        }
        let shape = [before, &[outputs]].concat();
        // A batch among the axes is none of the tensor's.
        let rows_of = |size: &&usize| !wire.counts_batch || **size != 1;
        let before: Vec<usize> = before.iter().filter(rows_of).copied().collect();
        let tensor = self.tensor(wire, &[before.as_slice(), &[rows]].concat())?;
        let (maps, function) = (vec![Map::Dense(weights)], Function::identity());
        let linear = Linear {
            maps,
            axis: before.len(),
            bias,
            function,
            range: None,
        };
        let own = [before.as_slice(), &[outputs]].concat();
        let tensor = self.push(vec![tensor], own, Op::Linear(linear))?;
        Ok(Wire::new(tensor, shape))
    }

    /// Two values: 0, and the wire's one.
    pub(super) fn zero_before(&mut self, wire: &Wire) -> Result<Wire, Problem> {
        self.dense(wire, 1, vec![0.0, 1.0], vec![0.0; 2])
    }

    /// The sum or mean along axes.
    pub(super) fn reduce(&mut self, call: &Call) -> Result<Value, Problem> {
        let wire = call.wire(0)?;
        let rank = wire.shape.len();
        let axes = wire.axes();
        let named = call.list("axes", 1)?.unwrap_or_default();
        let reduced: Vec<usize> = match named.as_slice() {
            [] if call.int("noop_with_empty_axes", 0) != 0 => return Ok(Value::Tensor(wire)),
            [] => {
                return Err("it reduces the batch axis, which mixes samples; name the axes".into())
            }
            named => named
                .iter()
                .map(|&axis| axes.axis(axis))
                .collect::<Result<_, _>>()?,
        };
        let (kept, mut order): (Vec<usize>, Vec<usize>) = {
            let kept: Vec<usize> = (0..rank).filter(|axis| !reduced.contains(axis)).collect();
            (kept.clone(), kept)
        };
        order.extend((0..rank).filter(|axis| reduced.contains(axis)));
        let keeps = call.int("keepdims", 1) != 0;
        let size = |axis: &usize| axes.size(*axis);
        let shape: Vec<usize> = match keeps {
            true => (0..rank)
                .map(|axis| {
                    if reduced.contains(&axis) {
                        1
                    } else {
                        size(&axis)
                    }
                })
                .collect(),
            false => kept.iter().map(size).collect(),
        };
        let count: usize = wire.len() / kept.iter().map(size).product::<usize>().max(1);
        let weight = if call.op() == "ReduceMean" {
            1.0 / count as f32
        } else {
            1.0
        };
        let last = rank.saturating_sub(1);
        if reduced == [last] && wire.function.is_square() {
            let squares = self.squares(&wire, weight)?;
            return Ok(Value::Tensor(Wire { shape, ..squares }));
        }
        if rank == 2 && reduced == [0] {
            let sums = self.over_positions(&wire, weight)?;
            return Ok(Value::Tensor(Wire { shape, ..sums }));
        }
        if rank == 3 && kept == [0] {
            // All of an image's positions: a window as large as the image.
            return Ok(Value::Tensor(self.whole_window(&wire, weight, shape)?));
        }
        let (indices, _) = axes.permute(&order)?;
        let moved = self.read_at(&wire, indices, vec![wire.len() / count.max(1), count])?;
        self.reserve_parameters(count as u64)?;
        let sum = self.dense(&moved, count, vec![weight; count], vec![0.0])?;
        if reduced == [last] && call.op() == "ReduceMean" {
            self.remember(&sum, Row::Mean, &wire);
        }
        Ok(Value::Tensor(Wire { shape, ..sum }))
    }

    /// A linear model of `outputs` rows of coefficients.
    pub(super) fn rows(
        &mut self,
        wire: &Wire,
        coefficients: &[f32],
        bias: Vec<f32>,
    ) -> Result<Wire, Problem> {
        let (inputs, outputs) = (wire.shape.last().copied().unwrap_or(0), bias.len());
        if wire.shape.len() != 1 || inputs.checked_mul(outputs) != Some(coefficients.len()) {
            let found = coefficients.len();
            return Err(format!(
                "its {found} coefficients do not fit {inputs} inputs and {outputs} outputs"
            )
            .into());
        }
        let matrix = Tensor {
            dims: vec![outputs, inputs],
            ..Tensor::floats(coefficients)
        };
        let (rows, _, weights) = matrix.into_matrix(true)?;
        self.dense(wire, rows, weights, bias)
    }
}

fn unfit(rows: usize, columns: usize, shape: &[usize]) -> Problem {
    format!("a {rows} x {columns} matrix does not fit samples of shape {shape:?}; flatten them before the layer").into()
}
