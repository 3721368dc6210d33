//! Functions as tables of integers.

use ciro_zkml_model::{Activation, Curve};

use crate::function::Function;

/// Most steps from the smallest to the largest argument that calibration shows.
const STEPS: f64 = 8192.0;
/// How far beyond the calibration range a table goes.
const MARGIN: f64 = 1.5;
/// Largest magnitude of an argument in a table.
const FARTHEST: f64 = 16384.0;
/// Number of places at which a function's slope is looked at.
const PLACES: u32 = 2048;

/// The values of a function: steps of `scale` from `low` to `high`.
pub(super) struct Grid {
    pub scale: f64,
    pub low: i16,
    pub high: i16,
    /// How much larger than planned a step of the argument is.
    pub coarser: f64,
}

impl Grid {
    /// The table of a function whose arguments lie in `first..=last`, and the scale of its arguments: fine enough that a
    /// step of the argument is at most about a step of the value.
    pub fn curve(&self, function: &Function, (first, last): (f64, f64)) -> (f64, Activation) {
        let width = if last > first { last - first } else { 1.0 };
        // Straight pieces land on the grid of the values; what is curved gains from finer arguments.
        let fine = if function.is_straight() { 1.0 } else { 2.0 };
        let planned = self.scale / (fine * slope(function, first, width));
        let argument = if planned.is_normal() {
            planned.max(width / STEPS)
        } else {
            width / 255.0
        } * self.coarser;
        let steps = |x: f64| (MARGIN * x / argument).clamp(-FARTHEST, FARTHEST);
        let ends = (steps(first).floor() as i32, steps(last).ceil() as i32);
        (argument, self.table(function, argument, ends))
    }

    /// The same for as large arguments as a table may have, in steps twice those of the values: the table depends on the
    /// function and these alone.
    pub fn shared_curve(&self, function: &Function) -> (f64, Activation) {
        let argument = 2.0 * self.scale * self.coarser;
        let farthest = FARTHEST as i32;
        (
            argument,
            self.table(function, argument, (-farthest, farthest)),
        )
    }

    fn table(&self, function: &Function, argument: f64, (from, to): (i32, i32)) -> Activation {
        let value = |q: i32| {
            (function.eval(f64::from(q) * argument) / self.scale)
                .round()
                .clamp(self.low.into(), self.high.into()) as i16
        };
        Activation::Curve(trimmed(from, (from..=to).map(value).collect()))
    }
}

/// The largest slope of a function between `first` and `first + width`.
fn slope(function: &Function, first: f64, width: f64) -> f64 {
    let step = width / f64::from(PLACES);
    let at = |place: u32| function.eval(first + f64::from(place) * step);
    let slopes = (0..PLACES).map(|place| (at(place + 1) - at(place)).abs() / step);
    slopes.fold(0.0, f64::max)
}

/// The curve without the ends at which it is constant, as it stays constant outside; 0 stays inside.
fn trimmed(first: i32, mut values: Vec<i16>) -> Curve {
    let before_zero = first.unsigned_abs() as usize;
    while let [.., a, b] = values.as_slice() {
        if a != b || values.len() <= before_zero + 1 {
            break;
        }
        values.pop();
    }
    let equal = values
        .iter()
        .zip(values.iter().skip(1))
        .take(before_zero)
        .take_while(|(a, b)| a == b)
        .count();
    Curve {
        first: first.saturating_add(equal as i32),
        values: values.split_off(equal),
    }
}
