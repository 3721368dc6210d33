//! Operators that treat every element by itself.

use crate::{
    function::{Function, Step},
    network::{Linear, Map, Op},
    onnx::data_type,
    tensor::Tensor,
};

use super::{
    call::{Call, Problem},
    constant,
    wire::{Steps, Value, Wire},
    Lowering,
};

/// Whether an operator is a function of one value.
pub(super) fn is_function(op: &str) -> bool {
    matches!(
        op,
        "Relu"
            | "Clip"
            | "LeakyRelu"
            | "PRelu"
            | "Sigmoid"
            | "Tanh"
            | "HardSigmoid"
            | "HardSwish"
            | "Elu"
            | "Selu"
            | "Celu"
            | "Softplus"
            | "Softsign"
            | "Gelu"
            | "Erf"
            | "Mish"
            | "Swish"
            | "Exp"
            | "Log"
            | "Sqrt"
            | "Abs"
            | "Neg"
            | "Reciprocal"
    )
}

impl Lowering {
    /// A function of one value.
    pub(super) fn function(&mut self, call: &Call) -> Result<Value, Problem> {
        if let (Ok(tensor), "Neg" | "Sqrt" | "Exp" | "Log" | "Abs" | "Reciprocal") =
            (call.constant(0), call.op())
        {
            let mut values = tensor.clone().into_floats()?;
            self.program(call)?.apply(&mut values);
            return self.made(Tensor {
                dims: tensor.dims.clone(),
                ..Tensor::floats(&values)
            });
        }
        let wire = call.wire(0)?;
        let function = self.program(call)?;
        Ok(Value::Tensor(self.followed(wire, &function)?))
    }

    /// The function that a node applies.
    fn program(&self, call: &Call) -> Result<Function, Problem> {
        use Step::*;
        let number = |index: usize, name: &str, default: f32| -> Result<f32, Problem> {
            match call.optional(index)? {
                Some(tensor) => tensor
                    .uniform()
                    .ok_or_else(|| "its limits must be single numbers".into()),
                None => Ok(call.float(name, default)),
            }
        };
        let alpha = |default: f32| call.float("alpha", default);
        let steps = match call.op() {
            "Relu" => vec![X, Relu],
            "Clip" => match (
                number(1, "min", f32::NEG_INFINITY)?,
                number(2, "max", f32::INFINITY)?,
            ) {
                (low, high) if low == 0.0 && high == f32::INFINITY => vec![X, Relu],
                (low, high) if low <= high => vec![X, Clip(low, high)],
                (low, high) => {
                    return Err(format!("its limits {low} and {high} leave nothing").into())
                }
            },
            "LeakyRelu" => vec![X, Leaky(alpha(0.01))],
            "PRelu" => match call.constant(1)?.uniform() {
                Some(slope) => vec![X, Leaky(slope)],
                None => {
                    return Err(
                        "only one slope for all channels is supported; use LeakyRelu".into(),
                    )
                }
            },
            "Sigmoid" => vec![X, Sigmoid],
            "Tanh" => vec![X, Tanh],
            "HardSigmoid" => vec![X, HardSigmoid(alpha(0.2), call.float("beta", 0.5))],
            "HardSwish" => vec![X, X, HardSigmoid(1.0 / 6.0, 0.5), Mul],
            "Elu" => vec![X, Elu(alpha(1.0))],
            "Selu" => {
                let (alpha, gamma) = (alpha(1.673_263_2), call.float("gamma", 1.050_701));
                vec![X, Elu(alpha), Affine(gamma, 0.0)]
            }
            "Celu" => match alpha(1.0) {
                alpha if alpha > 0.0 => {
                    vec![X, Affine(1.0 / alpha, 0.0), Elu(1.0), Affine(alpha, 0.0)]
                }
                alpha => return Err(format!("alpha {alpha} must be positive").into()),
            },
            "Softplus" => vec![X, Softplus],
            "Softsign" => vec![X, Softsign],
            "Gelu" if call.text("approximate") == "tanh" => {
                // x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
                let cube = [X, X, X, X, Mul, Mul, Affine(0.044_715, 0.0), Add];
                let rest = [Affine(0.797_884_6, 0.0), Tanh, Affine(0.5, 0.5), Mul];
                [&[X][..], &cube, &rest].concat()
            }
            "Gelu" => vec![
                X,
                X,
                Affine(std::f32::consts::FRAC_1_SQRT_2, 0.0),
                Erf,
                Affine(0.5, 0.5),
                Mul,
            ],
            "Mish" => vec![X, X, Softplus, Tanh, Mul],
            "Swish" => vec![X, X, Affine(alpha(1.0), 0.0), Sigmoid, Mul],
            "Erf" => vec![X, Erf],
            "Exp" => vec![X, Exp],
            "Log" => vec![X, Log],
            "Sqrt" => vec![X, Sqrt],
            "Abs" => vec![X, Abs],
            "Reciprocal" => vec![X, Reciprocal],
            _ => vec![X, Affine(-1.0, 0.0)],
        };
        Ok(Function::program(&steps))
    }

    /// A wire with one more function.
    pub(super) fn followed(&mut self, wire: Wire, next: &Function) -> Result<Wire, Problem> {
        let function = match next.steps() {
            [Step::X, step] => wire.function.clone().then(*step),
            _ => wire.function.compose(next),
        };
        if !function.is_long() {
            return Ok(Wire { function, ..wire });
        }
        let tensor = self.in_place(&wire)?;
        Ok(Wire {
            tensor,
            function: next.clone(),
            ..wire
        })
    }

    pub(super) fn arithmetic(&mut self, call: &Call) -> Result<Value, Problem> {
        if let (Ok(a), Ok(b), 2) = (call.constant(0), call.constant(1), call.operands.len()) {
            return constant::arithmetic(call.op(), a, b).and_then(|tensor| self.made(tensor));
        }
        let values = (call.value(0)?, call.operands.len());
        match values {
            (Value::Tensor(wire), 1) => return Ok(Value::Tensor(wire.clone())),
            (_, 2) => {}
            (_, count) => return self.sum(call, count),
        }
        match (call.value(0)?, call.value(1)?) {
            (Value::Constant(tensor), _) => self.with_constant(call, call.wire(1)?, tensor, true),
            (_, Value::Constant(tensor)) => self.with_constant(call, call.wire(0)?, tensor, false),
            _ => self.with_tensor(call, call.wire(0)?, call.wire(1)?),
        }
    }

    /// A sum of more than two tensors.
    fn sum(&mut self, call: &Call, count: usize) -> Result<Value, Problem> {
        if call.op() != "Sum" {
            return Err(format!("{count} operands are not supported; use two").into());
        }
        let wires: Vec<Wire> = (0..count)
            .map(|index| call.wire(index))
            .collect::<Result<_, _>>()?;
        let factors = vec![1.0; wires.len()];
        self.add(&wires, &factors)
    }

    /// Arithmetic with a constant, which comes first or second.
    fn with_constant(
        &mut self,
        call: &Call,
        wire: Wire,
        constant: &Tensor,
        first: bool,
    ) -> Result<Value, Problem> {
        let uniform = constant
            .uniform()
            .filter(|_| constant.dims.len() <= wire.shape.len() + 1 && constant.len() == 1);
        let values = match uniform {
            Some(value) => vec![value],
            None => constant.clone().broadcast(&wire.shape)?,
        };
        let each = |f: fn(f32) -> f32| values.iter().map(|&value| f(value)).collect::<Vec<_>>();
        let (ones, zeros) = (vec![1.0; values.len()], vec![0.0; values.len()]);
        let step = |step: fn(f32) -> Step| match constant.uniform() {
            Some(limit) => Ok(step(limit)),
            None => Err(Problem::from("only one limit for all values is supported")),
        };
        let (factors, offsets) = match (call.op(), first) {
            ("Add" | "Sum", _) => (ones, values),
            ("Mul", _) => (values, zeros),
            ("Sub", false) => (ones, each(|value| -value)),
            ("Sub", true) => (each(|_| -1.0), values),
            ("Div", false) => (each(|value| 1.0 / value), zeros),
            ("Max", _) => {
                let step = step(|low| {
                    if low == 0.0 {
                        Step::Relu
                    } else {
                        Step::Clip(low, f32::INFINITY)
                    }
                })?;
                return Ok(Value::Tensor(
                    self.followed(wire, &Function::program(&[Step::X, step]))?,
                ));
            }
            ("Min", _) => {
                let step = step(|high| Step::Clip(f32::NEG_INFINITY, high))?;
                return Ok(Value::Tensor(
                    self.followed(wire, &Function::program(&[Step::X, step]))?,
                ));
            }
            ("Pow", false) => {
                let function = power(constant.uniform())?;
                return Ok(Value::Tensor(self.followed(wire, &function)?));
            }
            ("Div", true) if uniform.is_some() => {
                let factor = values.first().copied().unwrap_or(1.0);
                let steps = [Step::X, Step::Reciprocal, Step::Affine(factor, 0.0)];
                let wire = self.followed(wire, &Function::program(&steps))?;
                return Ok(Value::Tensor(wire));
            }
            ("Div", true) => {
                return Err("only division by a constant, or of one number, is supported".into())
            }
            _ => return Err("only powers of computed values are supported".into()),
        };
        let uneven = uniform.is_none() && matches!(call.op(), "Add" | "Sum" | "Sub");
        if uneven && factors.first() == Some(&1.0) && self.is_product(&wire) {
            return Ok(Value::Tensor(self.biased(&wire, &offsets)?));
        }
        Ok(Value::Tensor(self.affine(wire, &factors, &offsets)?))
    }

    /// Arithmetic of two tensors.
    fn with_tensor(&mut self, call: &Call, a: Wire, b: Wire) -> Result<Value, Problem> {
        let step = match call.op() {
            "Add" | "Sum" => Step::Add,
            "Sub" => Step::Sub,
            "Mul" => Step::Mul,
            "Div" => Step::Div,
            op => {
                return Err(format!(
                    "both operands depend on the input, which is not supported for {op}"
                )
                .into())
            }
        };
        let joined = a.function.join(&b.function, step);
        if a.reads_like(&b) && !joined.is_long() {
            // A function of one value, written out as several operators.
            return Ok(Value::Tensor(Wire {
                function: joined,
                ..a
            }));
        }
        match step {
            Step::Add => self.add(&[a, b], &[1.0, 1.0]),
            Step::Sub => match self.centred(&a, &b)? {
                Some(made) => Ok(Value::Tensor(made)),
                None => self.add(&[a, b], &[1.0, -1.0]),
            },
            Step::Mul => {
                let made = match self.written_norm(&a, &b, false)? {
                    None => self.written_norm(&b, &a, false)?,
                    made => made,
                };
                made.map_or_else(|| self.elements(&a, &b), Ok)
                    .map(Value::Tensor)
            }
            _ => match self.written_norm(&a, &b, true)? {
                Some(made) => Ok(Value::Tensor(made)),
                None => Err("it divides by a computed value, which only norms may; export a softmax as one operator".into()),
            },
        }
    }

    /// The sum of tensors times one factor each.
    fn add(&mut self, wires: &[Wire], factors: &[f32]) -> Result<Value, Problem> {
        let first = wires.first().ok_or("it adds nothing")?;
        let mut joined = first.shape.clone();
        for wire in wires {
            joined = constant::broadcast(&joined, &wire.shape)?.2;
        }
        let wires: Vec<Wire> = wires
            .iter()
            .map(|wire| self.expand(wire, &joined))
            .collect::<Result<_, _>>()?;
        let sources: Vec<usize> = wires
            .iter()
            .map(|wire| self.any_shape(wire))
            .collect::<Result<_, _>>()?;
        let tensor = sources.first().copied().unwrap_or(0);
        let (axis, shape) = (
            self.axis_of(tensor),
            self.network.tensor_shape(tensor).to_vec(),
        );
        let channels = shape.get(axis).copied().unwrap_or(1);
        let maps = factors
            .iter()
            .map(|factor| Map::Scale(vec![*factor; channels]))
            .collect();
        let bias = vec![0.0; channels];
        let linear = Linear {
            maps,
            axis,
            bias,
            function: Function::identity(),
            range: None,
        };
        let tensor = self.push(sources, shape, Op::Linear(linear))?;
        Ok(Value::Tensor(Wire::new(tensor, joined)))
    }

    /// `factor x + offset`, one of each for every element or for all.
    pub(super) fn affine(
        &mut self,
        wire: Wire,
        factors: &[f32],
        offsets: &[f32],
    ) -> Result<Wire, Problem> {
        let uniform = |values: &[f32]| {
            let first = *values.first()?;
            values.iter().all(|value| *value == first).then_some(first)
        };
        if let (Some(factor), Some(offset)) = (uniform(factors), uniform(offsets)) {
            return self.followed(
                wire,
                &Function::program(&[Step::X, Step::Affine(factor, offset)]),
            );
        }
        let tensor = self.any_shape(&wire)?;
        let shape = self.network.tensor_shape(tensor).to_vec();
        let along = |axis: usize| {
            Some((
                per_channel(factors, &shape, axis)?,
                per_channel(offsets, &shape, axis)?,
            ))
        };
        let axes = [self.axis_of(tensor)].into_iter().chain(0..shape.len());
        let found = axes
            .filter_map(|axis| along(axis).map(|values| (axis, values)))
            .next();
        let (axis, (factors, offsets), shape) = match found {
            Some((axis, values)) => (axis, values, shape),
            None if uniform(factors) == Some(1.0) && shape == wire.shape => {
                return self.with_offsets(tensor, offsets.to_vec(), shape);
            }
            None => (0, (factors.to_vec(), offsets.to_vec()), vec![wire.len()]),
        };
        let linear = Linear::scale(axis, factors, offsets, Function::identity());
        let tensor = self.push(vec![tensor], shape, Op::Linear(linear))?;
        Ok(Wire::new(tensor, wire.shape))
    }

    /// A tensor with a constant for each element added.
    fn with_offsets(
        &mut self,
        tensor: usize,
        offsets: Vec<f32>,
        shape: Vec<usize>,
    ) -> Result<Wire, Problem> {
        let constant = self.push(vec![], shape.clone(), Op::Constant(offsets))?;
        let axis = self.axis_of(tensor);
        let channels = shape.get(axis).copied().unwrap_or(1);
        let linear = Linear {
            maps: vec![Map::Scale(vec![1.0; channels]); 2],
            axis,
            bias: vec![0.0; channels],
            function: Function::identity(),
            range: None,
        };
        let made = self.push(vec![tensor, constant], shape.clone(), Op::Linear(linear))?;
        Ok(Wire::new(made, shape))
    }

    /// scikit-learn's `(x - offset) * scale`.
    pub(super) fn scaler(&mut self, call: &Call) -> Result<Value, Problem> {
        let wire = call.wire(0)?;
        let (offset, scale) = (call.floats("offset"), call.floats("scale"));
        let spread = |values: &[f32], default: f32| match values {
            [] => Ok(vec![default; wire.len()]),
            values => Tensor::floats(values).broadcast(&wire.shape),
        };
        let (offset, scale) = (spread(offset, 0.0)?, spread(scale, 1.0)?);
        let offsets: Vec<f32> = offset
            .iter()
            .zip(&scale)
            .map(|(offset, scale)| -offset * scale)
            .collect();
        Ok(Value::Tensor(self.affine(wire, &scale, &offsets)?))
    }

    /// What a QuantizeLinear makes: the same values, with their steps in mind.
    pub(super) fn quantize(&mut self, call: &Call) -> Result<Value, Problem> {
        let wire = call.wire(0)?;
        let one = |tensor: &Tensor| tensor.uniform().filter(|_| tensor.len() == 1);
        let scale = one(call.constant(1)?).filter(|scale| scale.is_normal() && *scale > 0.0);
        let scale = scale.ok_or("activations need one positive scale; quantise them per tensor")?;
        let (zero_point, element) = match call.optional(2)? {
            Some(point) => (
                one(point).ok_or("activations need one zero point")?,
                point.element,
            ),
            None => (0.0, data_type::UINT8),
        };
        let low = match element {
            data_type::INT8 => -128,
            data_type::UINT8 => 0,
            other => {
                return Err(format!(
                    "integers of element type {other} are not supported; quantise to 8 bits"
                )
                .into())
            }
        };
        // Eight bits, so that the cast is exact.
        Ok(Value::Quantised(
            wire,
            Steps {
                scale,
                zero_point: zero_point as i64,
                low,
            },
        ))
    }

    /// Whether no value of a wire is below 0, as far as the functions on its way show.
    fn is_positive(&self, wire: &Wire) -> bool {
        let mut tensor = wire.tensor;
        while let (true, Some(at)) = (wire.function.is_identity(), tensor.checked_sub(1)) {
            match self
                .network
                .nodes
                .get(at)
                .map(|node| (&node.op, node.sources.as_slice()))
            {
                Some((Op::Linear(linear), _)) => return linear.function.is_positive(),
                Some((_, [source])) => tensor = *source,
                _ => return false,
            }
        }
        wire.function.is_positive()
    }

    /// Constants become floats. Tensors keep the range of their integers.
    pub(super) fn dequantize(&mut self, call: &Call) -> Result<Value, Problem> {
        let (wire, steps) = match call.value(0)? {
            Value::Constant(_) => {
                return constant::dequantised(call).and_then(|tensor| self.made(tensor))
            }
            Value::Quantised(wire, steps) => (wire.clone(), *steps),
            _ => {
                return Err("what it reads is not quantised; put a QuantizeLinear before it".into())
            }
        };
        let Steps {
            scale,
            zero_point,
            low,
        } = steps;
        let real = |q: i64| q.saturating_sub(zero_point) as f32 * scale;
        if wire.tensor == 0 && wire.function.is_identity() {
            let zero_point = i8::try_from(zero_point.saturating_sub(low + 128)).ok();
            self.network.input = self
                .network
                .input
                .or(zero_point.map(|point| (scale, point)));
            return Ok(Value::Tensor(wire));
        }
        // Integers that begin at 0.0 cut negative values: exporters leave the Relu to them.
        let wire = match zero_point == low && !self.is_positive(&wire) {
            true => self.followed(wire, &Function::relu())?,
            false => wire,
        };
        let tensor = self.in_place(&wire)?;
        let node = tensor
            .checked_sub(1)
            .and_then(|at| self.network.nodes.get_mut(at));
        if let Some(Op::Linear(linear)) = node.map(|node| &mut node.op) {
            linear.range.get_or_insert((real(low), real(low + 255)));
        }
        Ok(Value::Tensor(Wire {
            tensor,
            function: Function::identity(),
            ..wire
        }))
    }
}

/// Powers that are worth a program.
fn power(exponent: Option<f32>) -> Result<Function, Problem> {
    use Step::{Mul, Reciprocal, Sqrt, X};
    let steps: &[Step] = match exponent {
        Some(-1.0) => &[X, Reciprocal],
        Some(-0.5) => &[X, Sqrt, Reciprocal],
        Some(0.5) => &[X, Sqrt],
        Some(1.0) => &[X],
        Some(2.0) => &[X, X, Mul],
        Some(3.0) => &[X, X, X, Mul, Mul],
        _ => return Err("only powers of -1, -0.5, 0.5, 1, 2 and 3 are supported".into()),
    };
    Ok(Function::program(steps))
}

/// One value for each place along an axis, if the others do not matter; `values` has one for each element, or one.
fn per_channel(values: &[f32], shape: &[usize], axis: usize) -> Option<Vec<f32>> {
    let channels = *shape.get(axis)?;
    if let [one] = values {
        return Some(vec![*one; channels]);
    }
    let run = shape.iter().skip(axis + 1).product::<usize>().max(1);
    let first: Vec<f32> = values.iter().step_by(run).take(channels).copied().collect();
    let blocks = values.chunks_exact(run).zip(first.iter().cycle());
    let same = blocks
        .into_iter()
        .all(|(block, first)| block.iter().all(|value| value == first));
    (same && first.len() == channels).then_some(first)
}
