//! Functions of one value: what stands between a tensor and its next linear use.

/// Longest program. Beyond it the function so far becomes a tensor of its own.
const LONGEST: usize = 48;

/// A step of a function: pushes the argument, replaces the top value, or joins the top values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    X,
    /// `x -> scale x + offset`.
    Affine(f32, f32),
    Relu,
    Clip(f32, f32),
    /// Negative values times a slope.
    Leaky(f32),
    Sigmoid,
    /// `x -> clamp(alpha x + beta, 0, 1)`.
    HardSigmoid(f32, f32),
    Tanh,
    Elu(f32),
    Softplus,
    Softsign,
    Erf,
    Exp,
    Log,
    Sqrt,
    Abs,
    Reciprocal,
    /// 1 above a limit, otherwise 0.
    Above(f32),
    Add,
    Sub,
    Mul,
    Div,
    /// The first of three values if the third is not 0, otherwise the second.
    Choose,
}

/// A function of one value as a postfix program.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Function(Vec<Step>);

impl Function {
    pub fn identity() -> Self {
        Self(vec![Step::X])
    }

    pub fn relu() -> Self {
        Self(vec![Step::X, Step::Relu])
    }

    /// A function of the argument by its whole program.
    pub fn program(steps: &[Step]) -> Self {
        Self(steps.to_vec())
    }

    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    pub fn is_identity(&self) -> bool {
        self.0 == [Step::X]
    }

    pub fn is_relu(&self) -> bool {
        self.0 == [Step::X, Step::Relu]
    }

    pub fn is_square(&self) -> bool {
        self.0 == [Step::X, Step::X, Step::Mul]
    }

    /// Whether no value is below 0, as far as the last step shows.
    pub fn is_positive(&self) -> bool {
        matches!(
            self.0.last(),
            Some(Step::Relu | Step::Sigmoid | Step::Softplus | Step::Abs)
        )
    }

    /// Whether only a table of its values can stand for it.
    pub fn is_curve(&self) -> bool {
        !self.is_identity() && !self.is_relu()
    }

    pub fn is_long(&self) -> bool {
        self.0.len() > LONGEST
    }

    /// This function, then one more step.
    pub fn then(mut self, step: Step) -> Self {
        match (self.0.last_mut(), step) {
            (_, Step::Affine(scale, offset)) if (scale, offset) == (1.0, 0.0) => {}
            (Some(Step::Affine(scale, offset)), Step::Affine(a, b)) => {
                (*scale, *offset) = (a * *scale, a * *offset + b);
            }
            (Some(Step::Relu), Step::Relu) => {}
            _ => self.0.push(step),
        }
        self
    }

    /// `next(self(x))`.
    pub fn compose(&self, next: &Function) -> Self {
        let mut steps = Vec::new();
        for step in &next.0 {
            match step {
                Step::X => steps.extend_from_slice(&self.0),
                _ => steps.push(*step),
            }
        }
        Self(steps)
    }

    /// `self(x) step other(x)`, for a step that joins two values.
    pub fn join(&self, other: &Function, step: Step) -> Self {
        Self([&self.0, &other.0, &[step][..]].concat())
    }

    /// This function where `condition` is not 0, otherwise `other`.
    pub fn choose(&self, other: &Function, condition: &Function) -> Self {
        Self([&self.0, &other.0, &condition.0, &[Step::Choose][..]].concat())
    }

    /// This function without its last step, if that is `step` and nothing is joined.
    pub fn without_last(&self, step: Step) -> Option<Self> {
        let (last, rest) = self.0.split_last()?;
        (self.is_chain() && *last == step).then(|| Self(rest.to_vec()))
    }

    /// The affine map that comes first, as scale and offset, and the function that follows it.
    pub fn split_affine(&self) -> (f32, f32, Self) {
        match self.0.as_slice() {
            [Step::X, Step::Affine(scale, offset), rest @ ..] if self.is_chain() => {
                (*scale, *offset, Self([&[Step::X], rest].concat()))
            }
            _ => (1.0, 0.0, self.clone()),
        }
    }

    /// What follows the Relu that this function starts with, if it is at most an affine map.
    pub fn after_relu(&self) -> Option<(f32, f32)> {
        match self.0.as_slice() {
            [Step::X, Step::Relu, Step::Affine(scale, offset)] => Some((*scale, *offset)),
            _ => None,
        }
    }

    /// Whether a larger argument never gives a smaller value, as far as the steps show.
    pub fn is_monotone(&self) -> bool {
        let monotone = |step: &Step| match step {
            Step::Affine(scale, _) | Step::HardSigmoid(scale, _) => *scale >= 0.0,
            Step::Leaky(slope) | Step::Elu(slope) => *slope >= 0.0,
            Step::Clip(low, high) => low <= high,
            Step::Abs
            | Step::Reciprocal
            | Step::Add
            | Step::Sub
            | Step::Mul
            | Step::Div
            | Step::Choose => false,
            _ => true,
        };
        self.is_chain() && self.0.iter().all(monotone)
    }

    /// Whether the function is made of straight pieces.
    pub fn is_straight(&self) -> bool {
        let straight = |step: &Step| {
            use Step::*;
            matches!(
                step,
                X | Affine(..) | Relu | Clip(..) | Leaky(_) | HardSigmoid(..) | Abs | Add | Sub
            )
        };
        self.0.iter().all(straight)
    }

    pub fn eval(&self, x: f64) -> f64 {
        self.eval_on(x, &mut Vec::new())
    }

    /// Replaces every value by the function's.
    pub fn apply(&self, values: &mut [f32]) {
        if self.is_identity() {
            return;
        }
        if self.is_relu() {
            values.iter_mut().for_each(|value| *value = value.max(0.0));
            return;
        }
        let mut stack = Vec::new();
        for value in values {
            *value = self.eval_on((*value).into(), &mut stack) as f32;
        }
    }

    fn eval_on(&self, x: f64, stack: &mut Vec<f64>) -> f64 {
        stack.clear();
        for step in &self.0 {
            let value = match step {
                Step::X => x,
                step => step.run(stack),
            };
            stack.push(value);
        }
        stack.pop().unwrap_or(f64::NAN)
    }

    /// Whether the argument appears once, so that the steps follow one another.
    fn is_chain(&self) -> bool {
        self.0.iter().filter(|step| **step == Step::X).count() == 1
    }
}

impl Step {
    /// The value of a step, whose operands it takes.
    fn run(self, stack: &mut Vec<f64>) -> f64 {
        let mut next = || stack.pop().unwrap_or(f64::NAN);
        let top = next();
        match self {
            Step::Add => next() + top,
            Step::Sub => next() - top,
            Step::Mul => next() * top,
            Step::Div => next() / top,
            Step::Choose => {
                let (no, yes) = (next(), next());
                if top == 0.0 {
                    no
                } else {
                    yes
                }
            }
            step => step.of(top),
        }
    }

    /// The value of a step that takes one.
    fn of(self, x: f64) -> f64 {
        match self {
            Step::Affine(scale, offset) => f64::from(scale) * x + f64::from(offset),
            Step::Relu => x.max(0.0),
            Step::Clip(low, high) => x.max(low.into()).min(high.into()),
            Step::Leaky(slope) if x < 0.0 => f64::from(slope) * x,
            Step::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Step::HardSigmoid(alpha, beta) => {
                (f64::from(alpha) * x + f64::from(beta)).clamp(0.0, 1.0)
            }
            Step::Tanh => x.tanh(),
            Step::Elu(alpha) if x < 0.0 => f64::from(alpha) * x.exp_m1(),
            Step::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Step::Softsign => x / (1.0 + x.abs()),
            Step::Erf => erf(x),
            Step::Exp => x.exp(),
            Step::Log => x.ln(),
            Step::Sqrt => x.sqrt(),
            Step::Abs => x.abs(),
            Step::Reciprocal => 1.0 / x,
            Step::Above(limit) => f64::from(u8::from(x > f64::from(limit))),
            Step::Leaky(_) | Step::Elu(_) | Step::X => x,
            Step::Add | Step::Sub | Step::Mul | Step::Div | Step::Choose => x,
        }
    }
}

/// The error function, to seven digits (Abramowitz and Stegun, 7.1.26).
fn erf(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let factors = [
        1.061_405_429,
        -1.453_152_027,
        1.421_413_741,
        -0.284_496_736,
        0.254_829_592,
    ];
    let sum = factors.iter().fold(0.0, |sum, factor| (sum + factor) * t);
    (1.0 - sum * (-x * x).exp()).copysign(x)
}
