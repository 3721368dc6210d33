//! Operators that move data: they change where elements are read, and compute nothing.

use std::rc::Rc;

use ciro_zkml_model::{MAX_ELEMENTS, MAX_RANK};

use crate::{
    function::{Function, Step},
    network::{Linear, Op},
    tensor::{product, Data, Tensor},
};

use super::{
    axes::{Axes, Moved},
    call::{Call, Problem},
    wire::{Value, Wire},
    Lowering,
};

impl Lowering {
    pub(super) fn movement(&mut self, call: &Call) -> Result<Value, Problem> {
        match call.value(0)? {
            Value::Constant(tensor) => {
                let (indices, shape) = self.moved(call, &tensor.dims.clone(), false)?;
                let missing = "it reads an element that does not exist; export the model again";
                let tensor = match indices {
                    Some(indices) => tensor.pick(&indices, shape).ok_or(missing)?,
                    None => Tensor {
                        dims: shape,
                        ..Tensor::clone(tensor)
                    },
                };
                self.made(tensor)
            }
            // A label has no axes to speak of.
            Value::Class(..)
                if matches!(call.op(), "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze") =>
            {
                Ok(call.value(0)?.clone())
            }
            _ => {
                let mut wire = call.wire(0)?;
                if self.moves_batch(call, &wire)? {
                    wire = wire.with_batch();
                }
                let (indices, shape) = self.moved(call, &wire.shape, !wire.counts_batch)?;
                Ok(Value::Tensor(self.read_at(&wire, indices, shape)?))
            }
        }
    }

    /// The rows of a constant table at the input's tokens.
    pub(super) fn embedding(&mut self, call: &Call) -> Result<Value, Problem> {
        let (table, tokens) = (call.constant(0)?, call.wire(1)?);
        let &[vocabulary, width] = table.dims.as_slice() else {
            return Err("the table of an embedding must be a matrix".into());
        };
        if call.int("axis", 0) != 0 {
            return Err("it gathers columns; an embedding gathers rows".into());
        }
        let plain = tokens.tensor == 0 && tokens.moved.is_none() && tokens.function.is_identity();
        if !plain
            || self
                .network
                .vocabulary
                .is_some_and(|known| known != vocabulary)
        {
            return Err("the indices are computed; only the input's tokens, all of one vocabulary, can be looked up".into());
        }
        self.network.vocabulary = Some(vocabulary);
        let shape = [tokens.shape.as_slice(), &[width]].concat();
        let table = table.clone().into_floats()?;
        let tensor = self.push(vec![0], shape.clone(), Op::Embedding(table))?;
        Ok(Value::Tensor(Wire::new(tensor, shape)))
    }

    /// Whether the operator moves the batch behind other axes, or makes one axis of it and others.
    fn moves_batch(&self, call: &Call, wire: &Wire) -> Result<bool, Problem> {
        let whole = wire.with_batch();
        Ok(match call.op() {
            "Transpose" => {
                let moves = |order: Vec<i64>| order.first() != Some(&0);
                wire.shape.len() > 1 && call.ints("perm").is_some_and(moves)
            }
            "Reshape" => {
                let target = call.constant(1)?.clone().into_sizes()?;
                let keeps_rows =
                    |shape: Vec<usize>| shape.len() > 1 && shape.last() == wire.shape.last();
                wire.axes().reshape(&target, self.batch).is_none()
                    && whole
                        .axes()
                        .reshape(&one_sample(&target), None)
                        .is_some_and(keeps_rows)
            }
            _ => false,
        })
    }

    /// What the operator does to a tensor of shape `shape`; `batch` if an axis for the batch comes before these.
    fn moved(&self, call: &Call, shape: &[usize], batch: bool) -> Result<Moved, Problem> {
        let axes = Axes { shape, batch };
        let (indices, shape) = match call.op() {
            "Reshape" => (None, self.reshape(call, axes)?),
            "Flatten" => (None, axes.flatten(call.int("axis", 1))?),
            "Squeeze" => (None, axes.squeeze(call.list("axes", 1)?)?),
            "Unsqueeze" => (
                None,
                axes.unsqueeze(&call.list("axes", 1)?.ok_or("it names no axes")?)?,
            ),
            "Transpose" => axes.transpose(call.ints("perm"))?,
            "Slice" => axes.slice(call)?,
            "Gather" => axes.gather(call)?,
            op => axes.blocks(call, op == "DepthToSpace")?,
        };
        if shape.len() > MAX_RANK || product(&shape).is_none_or(|count| count as u64 > MAX_ELEMENTS)
        {
            return Err(format!("the shape {shape:?} is too large").into());
        }
        match batch && shape.contains(&0) {
            true => Err("nothing is left of the sample; export the model again".into()),
            false => Ok((indices, shape)),
        }
    }

    /// The wire that reads another one's elements at `indices`.
    pub(super) fn read_at(
        &mut self,
        wire: &Wire,
        indices: Option<Vec<u32>>,
        shape: Vec<usize>,
    ) -> Result<Wire, Problem> {
        let Some(indices) = indices else {
            return Ok(Wire {
                shape,
                ..wire.clone()
            });
        };
        self.reserve_elements(indices.len() as u64)?;
        let in_order =
            indices.len() == wire.len() && indices.iter().copied().eq(0..indices.len() as u32);
        let moved = match in_order {
            true => wire.moved.clone(),
            false => Some(
                indices
                    .iter()
                    .map(|index| wire.place(*index))
                    .collect::<Rc<[u32]>>(),
            ),
        };
        Ok(Wire {
            moved,
            shape,
            ..wire.clone()
        })
    }

    pub(super) fn split(&mut self, call: &Call) -> Result<Vec<Value>, Problem> {
        let wire = call.wire(0)?;
        let axes = wire.axes();
        let axis = axes.axis(call.int("axis", 0))?;
        let size = axes.size(axis);
        let parts = match call.list("split", 1)? {
            Some(parts) => parts,
            None => {
                let count = call.node.output.len().max(1);
                let part = size.div_ceil(count);
                (0..count)
                    .map(|index| part.min(size.saturating_sub(index * part)) as i64)
                    .collect()
            }
        };
        let mut from = 0_usize;
        let mut values = Vec::new();
        for part in parts {
            let part = usize::try_from(part).ok().filter(|part| *part > 0);
            let until = part
                .and_then(|part| from.checked_add(part))
                .filter(|until| *until <= size);
            let until =
                until.ok_or_else(|| format!("its parts do not divide an axis of size {size}"))?;
            let (indices, shape) = axes.take(axis, &(from..until).collect::<Vec<_>>());
            values.push(Value::Tensor(self.read_at(&wire, Some(indices), shape)?));
            from = until;
        }
        Ok(values)
    }

    pub(super) fn concat(&mut self, call: &Call) -> Result<Value, Problem> {
        let constants: Option<Vec<&Tensor>> = (0..call.operands.len())
            .map(|index| call.constant(index).ok())
            .collect();
        if let Some(constants) = constants {
            return concat_constants(call, &constants).and_then(|tensor| self.made(tensor));
        }
        if (0..call.operands.len()).any(|index| matches!(call.value(index), Ok(Value::Constant(_))))
        {
            return Err("it joins computed values with a constant, which is not supported".into());
        }
        let wires: Vec<Wire> = (0..call.operands.len())
            .map(|index| call.wire(index))
            .collect::<Result<_, _>>()?;
        if let Some(value) = self.binary(&wires)? {
            return Ok(value);
        }
        let first = wires.first().ok_or("it joins nothing")?;
        let axes = Axes {
            shape: &first.shape,
            batch: true,
        };
        let axis = axes.axis(call.int("axis", 1))?;
        let rest = |shape: &[usize]| {
            let mut rest = shape.to_vec();
            rest.get_mut(axis)
                .map(|size| std::mem::replace(size, 0))
                .map(|size| (rest, size))
        };
        let expected = rest(&first.shape).map(|(rest, _)| rest);
        let (mut sources, mut starts, mut sizes) = (vec![], vec![], vec![]);
        let mut start = 0_u32;
        for wire in &wires {
            let (own, size) = rest(&wire.shape).ok_or("its operands have different axes")?;
            if Some(own) != expected {
                return Err(format!(
                    "shapes {:?} and {:?} cannot be joined",
                    first.shape, wire.shape
                )
                .into());
            }
            let tensor = self.in_place(wire)?;
            let tensor = self.own_scale(tensor)?;
            let elements: usize = self.network.tensor_shape(tensor).iter().product();
            sources.push(tensor);
            starts.push(start);
            sizes.push(size);
            start = start
                .checked_add(elements as u32)
                .ok_or("its operands are too large")?;
        }
        let mut shape = first.shape.clone();
        if let Some(size) = shape.get_mut(axis) {
            *size = sizes.iter().sum();
        }
        self.reserve_elements(product(&shape).map_or(u64::MAX, |elements| elements as u64))?;
        let inner: usize = shape.iter().skip(axis + 1).product();
        let outer: usize = shape.iter().take(axis).product();
        let mut indices = Vec::new();
        for block in 0..outer {
            for ((wire, start), size) in wires.iter().zip(&starts).zip(&sizes) {
                let own = (block * size * inner) as u32;
                indices.extend(
                    (own..own + (size * inner) as u32).map(|index| start + wire.place(index)),
                );
            }
        }
        let tensor = self.push(sources, shape.clone(), Op::Select(indices))?;
        Ok(Value::Tensor(Wire::new(tensor, shape)))
    }

    /// A tensor whose scale can be chosen: a copy, if it holds the input's values or what no linear node makes.
    fn own_scale(&mut self, tensor: usize) -> Result<usize, Problem> {
        let mut seen = tensor;
        while let Some(node) = seen
            .checked_sub(1)
            .and_then(|node| self.network.nodes.get(node))
        {
            match (&node.op, node.sources.as_slice()) {
                (Op::MaxPool(_) | Op::Select(_), [source]) => seen = *source,
                (Op::Linear(_), _) => return Ok(tensor),
                _ => break,
            }
        }
        let (axis, shape) = (
            self.axis_of(tensor),
            self.network.tensor_shape(tensor).to_vec(),
        );
        let channels = shape.get(axis).copied().unwrap_or(1);
        let linear = Linear::scale(
            axis,
            vec![1.0; channels],
            vec![0.0; channels],
            Function::identity(),
        );
        self.push(vec![tensor], shape, Op::Linear(linear))
    }

    /// `Concat(1 - p, p)`, the two classes' probabilities of a logistic output: class 1 wins if its logit is above 0.
    fn binary(&mut self, wires: &[Wire]) -> Result<Option<Value>, Problem> {
        let [negative, positive] = wires else {
            return Ok(None);
        };
        let complement = positive.function.clone().then(Step::Affine(-1.0, 1.0));
        let Some(function) = positive.function.without_last(Step::Sigmoid) else {
            return Ok(None);
        };
        if positive.shape != [1]
            || !negative.reads_like(positive)
            || negative.function != complement
        {
            return Ok(None);
        }
        let logit = Wire {
            function,
            ..positive.clone()
        };
        self.notes.push(
            "the logistic output becomes two: 0 for the first class, its logit for the second"
                .into(),
        );
        Ok(Some(Value::Probabilities(self.zero_before(&logit)?)))
    }

    /// The sample's shape after a Reshape.
    fn reshape(&self, call: &Call, axes: Axes) -> Result<Vec<usize>, Problem> {
        let mut target = call.constant(1)?.clone().into_sizes()?;
        if !axes.batch {
            target = one_sample(&target);
        }
        let keeps_zero = call.int("allowzero", 0) == 0;
        let shape = axes
            .reshape(&target, self.batch)
            .filter(|_| keeps_zero || !target.contains(&Some(0)));
        let shown: Vec<i64> = target.iter().map(|axis| axis.unwrap_or(0)).collect();
        shape.ok_or_else(|| match axes.batch {
            true => format!(
                "target {shown:?} does not keep the batch axis for samples of shape {:?}; export with a dynamic batch axis",
                axes.shape
            )
            .into(),
            false => format!("target {shown:?} does not fit a constant of shape {:?}", axes.shape).into(),
        })
    }
}

/// A shape for a batch of one sample.
fn one_sample(target: &[Option<i64>]) -> Vec<Option<i64>> {
    target.iter().map(|axis| axis.or(Some(1))).collect()
}

fn concat_constants(call: &Call, constants: &[&Tensor]) -> Result<Tensor, Problem> {
    if constants
        .iter()
        .any(|tensor| tensor.dims.len() != 1 && tensor.len() != 1)
    {
        return Err("it joins constants with several axes; fold constants on export".into());
    }
    let whole = |tensor: &&&Tensor| matches!(tensor.data, Data::Int(_) | Data::Sizes(_));
    let tensors = constants.iter().map(|tensor| (*tensor).clone());
    let (count, data) = if constants.iter().all(|tensor| whole(&tensor)) {
        let sizes: Vec<_> = tensors
            .map(Tensor::into_sizes)
            .collect::<Result<Vec<_>, _>>()?
            .concat();
        (sizes.len(), Data::Sizes(sizes))
    } else {
        let floats: Vec<f32> = tensors
            .map(Tensor::into_floats)
            .collect::<Result<Vec<_>, _>>()?
            .concat();
        (floats.len(), Data::Float(floats))
    };
    match call.int("axis", 0) {
        0 | -1 => Ok(Tensor::new(vec![count], data)),
        axis => Err(format!("a list has no axis {axis}").into()),
    }
}
