//! What the names of the graph stand for.

use std::rc::Rc;

use crate::{
    function::Function,
    network::{Linear, Op},
    tensor::Tensor,
};

use super::{axes::Axes, Lowering, Problem};

/// What a name of the graph stands for.
#[derive(Clone)]
pub(super) enum Value {
    Constant(Rc<Tensor>),
    /// A tensor that depends on the input.
    Tensor(Wire),
    /// An image with zeros added at the top, left, bottom and right.
    Padded(Wire, [u32; 4]),
    /// A tensor as integers.
    Quantised(Wire, Steps),
    /// The softmax of these values, along the last axis.
    Softmax(Wire),
    /// Probabilities that rank like these values.
    Probabilities(Wire),
    /// The label of the largest value.
    Class(Wire, Vec<i64>),
}

/// How a QuantizeLinear counts: in 8 bits from `low`, `zero_point` standing for 0.0.
#[derive(Clone, Copy)]
pub(super) struct Steps {
    pub scale: f32,
    pub zero_point: i64,
    pub low: i64,
}

/// A tensor as it is read: a function of elements of a tensor of the network.
#[derive(Clone)]
pub(super) struct Wire {
    pub tensor: usize,
    /// The elements' places in the tensor; `None` if they are all of them in order.
    pub moved: Option<Rc<[u32]>>,
    /// Shape of one sample.
    pub shape: Vec<usize>,
    /// Whether the shape counts the batch, of one sample: exporters of attention move it behind or into other axes.
    pub counts_batch: bool,
    /// What is applied to every element.
    pub function: Function,
}

impl Value {
    /// The tensor that depends on the input, whatever is made of it.
    pub fn wire_mut(&mut self) -> Option<&mut Wire> {
        match self {
            Value::Tensor(wire)
            | Value::Padded(wire, _)
            | Value::Quantised(wire, _)
            | Value::Softmax(wire)
            | Value::Probabilities(wire)
            | Value::Class(wire, _) => Some(wire),
            Value::Constant(_) => None,
        }
    }

    pub fn constant(tensor: Tensor) -> Self {
        Value::Constant(Rc::new(tensor))
    }
}

impl Wire {
    /// All elements of a tensor in order.
    pub fn new(tensor: usize, shape: Vec<usize>) -> Self {
        Self {
            tensor,
            moved: None,
            shape,
            counts_batch: false,
            function: Function::identity(),
        }
    }

    pub fn axes(&self) -> Axes<'_> {
        Axes {
            shape: &self.shape,
            batch: !self.counts_batch,
        }
    }

    /// The same elements in a shape that counts the batch.
    pub fn with_batch(&self) -> Self {
        match self.counts_batch {
            true => self.clone(),
            false => Self {
                shape: [&[1], self.shape.as_slice()].concat(),
                counts_batch: true,
                ..self.clone()
            },
        }
    }

    /// The same elements in a shape that does not count the batch, if that may be its first axis.
    pub fn without_batch(self) -> Self {
        match (self.counts_batch, self.shape.split_first()) {
            (true, Some((1, rest))) if !rest.is_empty() => Self {
                shape: rest.to_vec(),
                counts_batch: false,
                ..self
            },
            _ => self,
        }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether two wires read the same elements of the same tensor in the same order.
    pub fn reads_like(&self, other: &Wire) -> bool {
        self.tensor == other.tensor && self.moved == other.moved && self.shape == other.shape
    }

    /// The element that place `index` of the wire reads.
    pub fn place(&self, index: u32) -> u32 {
        let moved = self.moved.as_ref();
        moved.map_or(index, |places| {
            places.get(index as usize).copied().unwrap_or(0)
        })
    }
}

impl Lowering {
    /// The tensor that holds the wire's function of its tensor's elements, all of them in place.
    pub(super) fn in_place(&mut self, wire: &Wire) -> Result<usize, Problem> {
        let (scale, offset, function) = wire.function.split_affine();
        let mut tensor = wire.tensor;
        if (scale, offset) != (1.0, 0.0) {
            tensor = self.applied(tensor, scale, offset, Function::identity())?;
        }
        match function.after_relu() {
            _ if function.is_identity() => Ok(tensor),
            Some((scale, offset)) => {
                let relu = self.applied(tensor, 1.0, 0.0, Function::relu())?;
                self.applied(relu, scale, offset, Function::identity())
            }
            None => self.applied(tensor, 1.0, 0.0, function),
        }
    }

    /// A node that scales all elements of a tensor alike and applies a function; the same one if asked twice.
    fn applied(
        &mut self,
        tensor: usize,
        scale: f32,
        offset: f32,
        function: Function,
    ) -> Result<usize, Problem> {
        let whole = Function::identity()
            .then(crate::function::Step::Affine(scale, offset))
            .compose(&function);
        let known = self
            .applied
            .iter()
            .find(|(source, of, _)| (*source, of) == (tensor, &whole));
        if let Some((_, _, made)) = known {
            return Ok(*made);
        }
        let (axis, shape) = (
            self.axis_of(tensor),
            self.network.tensor_shape(tensor).to_vec(),
        );
        let channels = shape.get(axis).copied().unwrap_or(1);
        let linear = Linear::scale(
            axis,
            vec![scale; channels],
            vec![offset; channels],
            function,
        );
        let made = self.push(vec![tensor], shape, Op::Linear(linear))?;
        self.applied.push((tensor, whole, made));
        Ok(made)
    }

    /// The tensor that holds what a wire reads, in a tensor of shape `shape`.
    pub(super) fn tensor(&mut self, wire: &Wire, shape: &[usize]) -> Result<usize, Problem> {
        let tensor = self.in_place(wire)?;
        if wire.moved.is_none() && self.network.tensor_shape(tensor) == shape {
            return Ok(tensor);
        }
        let indices = (0..wire.len() as u32)
            .map(|index| wire.place(index))
            .collect();
        self.push(vec![tensor], shape.to_vec(), Op::Select(indices))
    }

    /// The tensor that holds what a wire reads, in whatever shape takes no movement.
    pub(super) fn any_shape(&mut self, wire: &Wire) -> Result<usize, Problem> {
        match wire.moved {
            None => self.in_place(wire),
            Some(_) => self.tensor(wire, &wire.shape),
        }
    }
}
