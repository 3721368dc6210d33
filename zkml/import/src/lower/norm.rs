//! Norms of rows along the last axis, as one operator or written out.

use crate::{
    function::{Function, Step},
    network::{Linear, Map, Op},
    sequence::Norm,
};

use super::{
    call::{Call, Problem},
    wire::{Value, Wire},
    Lowering,
};

/// What a tensor holds of the rows of a wire.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Row {
    Mean,
    /// The values less their mean.
    Centred,
    /// The sum of the squares.
    Squares,
}

impl Lowering {
    /// LayerNormalization, RMSNormalization and their like.
    pub(super) fn normalization(&mut self, call: &Call) -> Result<Value, Problem> {
        let wire = call.wire(0)?;
        let axes = wire.axes();
        if axes.axis(call.int("axis", -1))? + 1 != wire.shape.len() {
            return Err("only norms along the last axis are supported".into());
        }
        let norm = Norm {
            centred: call.op() == "LayerNormalization",
            epsilon: call.float("epsilon", 1e-5),
        };
        let width = [wire.shape.last().copied().unwrap_or(1)];
        let spread = |index: usize, default: f32| match call.optional(index)? {
            Some(constant) => Ok::<_, Problem>(constant.clone().broadcast(&width)?),
            None => Ok(vec![default; width[0]]),
        };
        let (gain, bias) = (spread(1, 1.0)?, spread(2, 0.0)?);
        let normal = self.normal(&wire, norm)?;
        let rows = wire.len() / width[0].max(1);
        let made = self.affine(normal, &gain.repeat(rows), &bias.repeat(rows))?;
        Ok(Value::Tensor(made))
    }

    /// LpNormalization with the Euclidean norm.
    pub(super) fn unit(&mut self, call: &Call) -> Result<Value, Problem> {
        let wire = call.wire(0)?;
        let axes = wire.axes();
        let axis = axes.axis(call.int("axis", -1))?;
        if axis + 1 != wire.shape.len() || call.int("p", 2) != 2 {
            return Err("only the Euclidean norm along the last axis is supported".into());
        }
        let root = (axes.size(axis) as f32).sqrt();
        let norm = Norm {
            centred: false,
            epsilon: 0.0,
        };
        let normal = self.normal(&wire, norm)?;
        Ok(Value::Tensor(self.affine(normal, &[1.0 / root], &[0.0])?))
    }

    fn normal(&mut self, wire: &Wire, norm: Norm) -> Result<Wire, Problem> {
        let tensor = self.tensor(wire, &wire.shape)?;
        let tensor = self.push(vec![tensor], wire.shape.clone(), Op::Norm(norm))?;
        Ok(Wire::new(tensor, wire.shape.clone()))
    }

    /// Remembers what a tensor holds of a wire's rows.
    pub(super) fn remember(&mut self, made: &Wire, row: Row, of: &Wire) {
        self.rows.push((made.tensor, row, of.clone()));
    }

    /// What a wire holds of another one's rows, before the wire's function.
    fn row_of(&self, wire: &Wire) -> Option<(Row, Wire)> {
        let known = self.rows.iter().find(|(made, ..)| *made == wire.tensor);
        let (_, row, of) = known.filter(|_| wire.moved.is_none())?;
        Some((*row, of.clone()))
    }

    /// The sum of the squares of each row, times a factor.
    pub(super) fn squares(&mut self, wire: &Wire, factor: f32) -> Result<Wire, Problem> {
        let (width, lead) = wire.shape.split_last().ok_or("it has no axis")?;
        let as_matrix = |rows: usize, columns: usize| Wire {
            shape: [lead, &[rows, columns]].concat(),
            function: Function::identity(),
            ..wire.clone()
        };
        let sums = self.matrices(&as_matrix(1, *width), &as_matrix(*width, 1))?;
        let sums = Wire {
            shape: [lead, &[1]].concat(),
            ..sums
        };
        self.remember(&sums, Row::Squares, &as_matrix(1, *width));
        self.followed(
            sums,
            &Function::program(&[Step::X, Step::Affine(factor, 0.0)]),
        )
    }

    /// `x - mean(x)`, if that is what a difference of two tensors is.
    pub(super) fn centred(&mut self, a: &Wire, b: &Wire) -> Result<Option<Wire>, Problem> {
        let is_mean = self
            .row_of(b)
            .is_some_and(|(row, of)| row == Row::Mean && of.reads_like(a));
        if !is_mean || !a.function.is_identity() || !b.function.is_identity() {
            return Ok(None);
        }
        let width = a.shape.last().copied().unwrap_or(1);
        let linear = Linear {
            maps: vec![Map::Scale(vec![1.0; width]), Map::Dense(vec![-1.0; width])],
            axis: a.shape.len().saturating_sub(1),
            bias: vec![0.0; width],
            function: Function::identity(),
            range: None,
        };
        let mean = [a.shape.split_last().map_or(&[][..], |(_, lead)| lead), &[1]].concat();
        let sources = vec![self.tensor(a, &a.shape)?, self.tensor(b, &mean)?];
        let tensor = self.push(sources, a.shape.clone(), Op::Linear(linear))?;
        let made = Wire::new(tensor, a.shape.clone());
        self.remember(&made, Row::Centred, a);
        Ok(Some(made))
    }

    /// `x` times a function of the sum of its squares, if that makes it a norm: `divided` for a quotient.
    pub(super) fn written_norm(
        &mut self,
        x: &Wire,
        of_squares: &Wire,
        divided: bool,
    ) -> Result<Option<Wire>, Problem> {
        let Some((Row::Squares, of)) = self.row_of(of_squares) else {
            return Ok(None);
        };
        if of.tensor != x.tensor || of.moved != x.moved || !x.function.is_identity() {
            return Ok(None);
        }
        let Some((gain, offset)) = inverse_root(&of_squares.function, divided) else {
            return Ok(None);
        };
        // gain / sqrt(sum + offset) = gain / sqrt(width) / sqrt(mean + offset / width)
        let width = x.shape.last().copied().unwrap_or(1) as f64;
        let epsilon = (offset / width) as f32;
        let centred = self.row_of(x).filter(|(row, _)| *row == Row::Centred);
        let norm = Norm {
            centred: centred.is_some(),
            epsilon,
        };
        let source = centred.map_or(x.clone(), |(_, of)| of);
        let normal = self.normal(&source, norm)?;
        let gain = (gain / width.sqrt()) as f32;
        // What is left of a file's rounded constants is no factor.
        let gain = if (gain - 1.0).abs() < 1e-5 { 1.0 } else { gain };
        Ok(Some(self.affine(normal, &[gain], &[0.0])?))
    }
}

/// `gain` and `offset` of a function `gain / sqrt(v + offset)`, or of one over it.
fn inverse_root(function: &Function, inverted: bool) -> Option<(f64, f64)> {
    let of = |v: f64| match inverted {
        true => 1.0 / function.eval(v),
        false => function.eval(v),
    };
    let far = 2.0_f64.powi(60);
    let gain = of(far) * far.sqrt();
    let offset = (gain / of(0.0)).powi(2);
    let fits = |power: i32| {
        let v = 2.0_f64.powi(power);
        let expected = gain / (v + offset).sqrt();
        (of(v) - expected).abs() <= 1e-4 * expected
    };
    (gain > 0.0 && gain.is_finite() && offset.is_finite() && (-24..24).all(fits))
        .then_some((gain, offset))
}
