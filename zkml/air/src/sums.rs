//! Running sums of fractions: how a component's lookups and products become columns of the interaction trace.
//!
//! A component adds fractions; two of them share a column if their denominators are linear. The value of a column at a
//! row is the sum of the row's fractions up to and including its own; the last column of a component also runs over the
//! rows, less the mean, so that its constraint is the same on every row (Haböck, ePrint 2022/1530).

use num_traits::Zero;
use stwo::core::fields::m31::BaseField;
use stwo::core::fields::qm31::SecureField;
use stwo::core::Fraction;
use stwo_constraint_framework::{EvalAtRow, INTERACTION_TRACE_IDX};

/// A fraction over the extension field of an evaluator.
pub type FractionOf<E> = Fraction<<E as EvalAtRow>::EF, <E as EvalAtRow>::EF>;

/// What becomes of a column's fraction: a constraint, or a cell of the trace.
pub trait Target<E: EvalAtRow> {
    /// Takes the next column; `last` for the one that runs over the rows.
    fn column(&mut self, eval: &mut E, fraction: FractionOf<E>, last: bool);
}

/// Groups a row's fractions into columns.
pub struct Sums<E: EvalAtRow, T: Target<E>> {
    target: T,
    /// A fraction that may share its column.
    half: Option<FractionOf<E>>,
    /// A column that is last unless another follows.
    full: Option<FractionOf<E>>,
}

impl<E: EvalAtRow, T: Target<E>> Sums<E, T> {
    /// No fractions yet.
    pub fn new(target: T) -> Self {
        Self {
            target,
            half: None,
            full: None,
        }
    }

    /// Adds a fraction whose denominator has degree one and whose numerator at most two.
    pub fn add(&mut self, eval: &mut E, numerator: E::EF, denominator: E::EF) {
        let fraction = Fraction::new(numerator, denominator);
        match self.half.take() {
            None => self.half = Some(fraction),
            Some(half) => self.fill(eval, join::<E>(half, fraction)),
        }
    }

    /// Adds a fraction whose denominator has degree two: it gets a column of its own.
    pub fn add_alone(&mut self, eval: &mut E, numerator: E::EF, denominator: E::EF) {
        self.fill(eval, Fraction::new(numerator, denominator));
    }

    /// Ends the row; returns the target.
    pub fn finish(mut self, eval: &mut E) -> T {
        if let Some(half) = self.half.take() {
            self.fill(eval, half);
        }
        if let Some(full) = self.full.take() {
            self.target.column(eval, full, true);
        }
        self.target
    }

    fn fill(&mut self, eval: &mut E, fraction: FractionOf<E>) {
        if let Some(full) = self.full.replace(fraction) {
            self.target.column(eval, full, false);
        }
    }
}

#[allow(clippy::arithmetic_side_effects)] // field arithmetic
fn join<E: EvalAtRow>(a: FractionOf<E>, b: FractionOf<E>) -> FractionOf<E> {
    Fraction::new(
        a.numerator * b.denominator.clone() + b.numerator * a.denominator.clone(),
        a.denominator * b.denominator,
    )
}

/// Constrains the interaction trace to hold the sums.
pub struct Constrain<E: EvalAtRow> {
    /// The sum of the row's columns so far.
    previous: E::EF,
    /// The component's total divided by its number of rows.
    mean: SecureField,
}

impl<E: EvalAtRow> Constrain<E> {
    /// For a component of `2^log_size` rows whose fractions sum to `total`.
    #[allow(clippy::arithmetic_side_effects)] // field arithmetic
    pub fn new(total: SecureField, log_size: u32) -> Self {
        let rows = BaseField::from(1u32.checked_shl(log_size).unwrap_or(1));
        Self {
            previous: E::EF::zero(),
            mean: total / rows,
        }
    }
}

impl<E: EvalAtRow> Target<E> for Constrain<E> {
    #[allow(clippy::arithmetic_side_effects)] // field arithmetic
    fn column(&mut self, eval: &mut E, fraction: FractionOf<E>, last: bool) {
        let difference = if last {
            let [previous_row, current] =
                eval.next_extension_interaction_mask(INTERACTION_TRACE_IDX, [-1, 0]);
            current - previous_row - self.previous.clone() + E::EF::from(self.mean)
        } else {
            let [current] = eval.next_extension_interaction_mask(INTERACTION_TRACE_IDX, [0]);
            let difference = current.clone() - self.previous.clone();
            self.previous = current;
            difference
        };
        eval.add_constraint(difference * fraction.denominator - fraction.numerator);
    }
}
