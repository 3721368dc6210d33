//! Products of two tensors that both depend on the input: attention, gates, means over positions.

use crate::{
    function::{Function, Step},
    network::Op,
    sequence::{is_masked, Product, LARGEST_MASK, MASKED},
    tensor::product,
};

use super::{
    call::{Call, Problem},
    constant::broadcast,
    wire::{Value, Wire},
    Lowering,
};

impl Lowering {
    /// The product of the matrices in the last two axes of two tensors.
    pub(super) fn matrices(&mut self, a: &Wire, b: &Wire) -> Result<Wire, Problem> {
        let ([a_lead @ .., rows, depth], [b_lead @ .., inner, columns]) =
            (a.shape.as_slice(), b.shape.as_slice())
        else {
            return Err("it multiplies vectors of one sample; give them a second axis".into());
        };
        if depth != inner {
            let (a, b) = (&a.shape, &b.shape);
            return Err(format!("matrices of shapes {a:?} and {b:?} do not fit together").into());
        }
        let (_, _, lead) = broadcast(a_lead, b_lead)?;
        let shape = [lead.as_slice(), &[*rows, *columns]].concat();
        let a = self.expand(a, &[lead.as_slice(), &[*rows, *depth]].concat())?;
        let b = self.expand(b, &[lead.as_slice(), &[*depth, *columns]].concat())?;
        let ((a_factor, a), (b_factor, b)) = (without_factor(a), without_factor(b));
        let sources = vec![self.tensor(&a, &a.shape)?, self.tensor(&b, &b.shape)?];
        let factor = a_factor * b_factor;
        let node = Op::Product(Product {
            factor,
            ..Default::default()
        });
        Ok(Wire::new(self.push(sources, shape.clone(), node)?, shape))
    }

    /// The matrix product of a softmax with values.
    pub(super) fn attend(&mut self, scores: &Wire, values: &Wire) -> Result<Wire, Problem> {
        let ([lead @ .., rows, depth], [values_lead @ .., inner, columns]) =
            (scores.shape.as_slice(), values.shape.as_slice())
        else {
            return Err("a softmax of one row cannot be multiplied; give it a second axis".into());
        };
        if depth != inner || lead != values_lead {
            let (a, b) = (&scores.shape, &values.shape);
            return Err(format!("matrices of shapes {a:?} and {b:?} do not fit together").into());
        }
        let shape = [lead, &[*rows, *columns]].concat();
        let sources = vec![self.scaled(scores)?, self.tensor(values, &values.shape)?];
        Ok(Wire::new(
            self.push(sources, shape.clone(), Op::Attend)?,
            shape,
        ))
    }

    /// The tensor of what a wire reads; a factor becomes part of the product that makes it.
    pub(super) fn scaled(&mut self, wire: &Wire) -> Result<usize, Problem> {
        match self.made_by_product(wire) {
            Some((node, sources)) => self.push(sources, wire.shape.clone(), Op::Product(node)),
            None => self.tensor(wire, &wire.shape),
        }
    }

    /// The products of the elements of two tensors.
    pub(super) fn elements(&mut self, a: &Wire, b: &Wire) -> Result<Wire, Problem> {
        let (_, _, shape) = broadcast(&a.shape, &b.shape)?;
        let ones = |wire: &Wire| {
            let rank = shape.len() - wire.shape.len();
            rank + wire
                .shape
                .iter()
                .rposition(|&size| size != 1)
                .map_or(0, |at| at + 1)
        };
        // The factor that ends in axes of size 1 goes second: one value for each row of the other.
        let (a, b) = if ones(a) < ones(b) { (b, a) } else { (a, b) };
        let lead = shape.get(..ones(b)).unwrap_or(&[]).to_vec();
        let row = product(shape.get(ones(b)..).unwrap_or(&[])).unwrap_or(1);
        let single = [lead.clone(), vec![1; shape.len() - lead.len()]].concat();
        let (a, b) = (self.expand(a, &shape)?, self.expand(b, &single)?);
        let matrix = |wire: &Wire, size: usize| Wire {
            shape: [lead.as_slice(), &[size, 1]].concat(),
            ..wire.clone()
        };
        let made = self.matrices(&matrix(&a, row), &matrix(&b, 1))?;
        let tensor = self.tensor(&made, &shape)?;
        Ok(Wire::new(tensor, shape))
    }

    /// The mean or sum over the positions of `[positions, channels]`, each counted `weight` times.
    pub(super) fn over_positions(&mut self, wire: &Wire, weight: f32) -> Result<Wire, Problem> {
        let positions = wire.shape.first().copied().unwrap_or(1);
        let ones = Op::Constant(vec![1.0; positions]);
        let ones = Wire::new(
            self.push(vec![], vec![1, positions], ones)?,
            vec![1, positions],
        );
        let mean = Wire {
            function: Function::program(&[Step::X, Step::Affine(weight, 0.0)]),
            ..self.matrices(&ones, wire)?
        };
        let tensor = self.scaled(&mean)?;
        Ok(Wire::new(tensor, mean.shape))
    }

    /// Scores with a constant added, the same for all matrices: a mask, or a bias for each pair of positions.
    pub(super) fn biased(&mut self, wire: &Wire, added: &[f32]) -> Result<Wire, Problem> {
        let (mut node, sources) = self
            .made_by_product(wire)
            .ok_or("masks and biases of pairs are supported on products of matrices only")?;
        let size = wire.shape.iter().rev().take(2).product::<usize>().max(1);
        let (first, rest) = added.split_at_checked(size).unwrap_or((added, &[]));
        if rest.chunks(size).any(|matrix| matrix != first) {
            return Err("a mask or bias must be the same for all heads".into());
        }
        node.bias.resize(size, 0.0);
        for (bias, added) in node.bias.iter_mut().zip(first) {
            *bias = match is_masked(*bias) || *added <= LARGEST_MASK {
                true => MASKED,
                false => *bias + added,
            };
        }
        let tensor = self.push(sources, wire.shape.clone(), Op::Product(node))?;
        Ok(Wire::new(tensor, wire.shape.clone()))
    }

    /// Where with a constant condition: scores, some of them hidden.
    pub(super) fn masked(&mut self, call: &Call) -> Result<Value, Problem> {
        let only = "a constant condition can only hide scores of a softmax, by -inf or a number below -1000";
        let (place, wire) = match call.value(1)? {
            Value::Constant(_) => (1, call.wire(2)?),
            _ => (2, call.wire(1)?),
        };
        let hidden = call.constant(place)?.uniform();
        if hidden.is_none_or(|value| value > LARGEST_MASK) {
            return Err(only.into());
        }
        let condition = call.constant(0)?.clone().broadcast(&wire.shape)?;
        let hides = |condition: &f32| (*condition != 0.0) == (place == 1);
        let bias: Vec<f32> = condition
            .iter()
            .map(|condition| if hides(condition) { MASKED } else { 0.0 })
            .collect();
        Ok(Value::Tensor(self.biased(&wire, &bias)?))
    }

    /// The product that makes a wire's tensor, with the wire's positive factor in it.
    fn made_by_product(&self, wire: &Wire) -> Option<(Product, Vec<usize>)> {
        let node = self.network.nodes.get(wire.tensor.checked_sub(1)?)?;
        let (factor, plain) = without_factor(wire.clone());
        let Op::Product(product) = &node.op else {
            return None;
        };
        if wire.moved.is_some() || wire.shape != node.shape || !plain.function.is_identity() {
            return None;
        }
        let scaled = |bias: &f32| match is_masked(*bias) {
            true => MASKED,
            false => bias * factor,
        };
        let scaled = Product {
            factor: product.factor * factor,
            bias: product.bias.iter().map(scaled).collect(),
        };
        Some((scaled, node.sources.clone()))
    }

    /// Whether a wire reads a product of matrices, which can take a bias for each element.
    pub(super) fn is_product(&self, wire: &Wire) -> bool {
        self.made_by_product(wire).is_some()
    }

    /// The wire that repeats another one's elements along axes of size 1, and along new ones in front.
    pub(super) fn expand(&mut self, wire: &Wire, shape: &[usize]) -> Result<Wire, Problem> {
        if wire.shape == shape {
            return Ok(wire.clone());
        }
        let (places, _, joined) = broadcast(&wire.shape, shape)?;
        match joined == shape {
            true => self.read_at(wire, Some(places), joined),
            false => Err(format!("{:?} cannot be spread over {shape:?}", wire.shape).into()),
        }
    }
}

/// The positive factor with which a wire reads, if that is all it does, and the wire without it.
fn without_factor(wire: Wire) -> (f32, Wire) {
    match wire.function.split_affine() {
        (factor, 0.0, function) if factor > 0.0 && function.is_identity() => {
            (factor, Wire { function, ..wire })
        }
        _ => (1.0, wire),
    }
}
