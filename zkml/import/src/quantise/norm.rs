//! Norms of rows: `y = x - mean`, `r = 1 / |y|`, `z = y r`. The curve of `r` is the same for all layers of a width.

use ciro_zkml_model::{Map, Model};

use crate::{
    measure::{magnitude, Measured},
    sequence::Norm,
};

use super::{
    graph::{clamp, multiplier, table, Graph, Tensor},
    scales::power_of_two,
};

/// Steps of one standard deviation of what a norm makes.
const STEPS: f64 = 64.0;
/// Largest magnitude of what it makes, if the samples show values beyond that of what it divides.
const NORMAL_TOP: f64 = 1023.0;
/// Largest magnitude of what it divides; shared with what it makes, so that one table serves both.
const CENTRED_TOP: f64 = 511.0;
/// Largest magnitude of a requantised sum of squares, where the width allows it, and where it does not.
const SQUARES_TOP: f64 = 2048.0;
const WIDE_SQUARES_TOP: f64 = 16384.0;
/// Largest inverse of a norm: smaller norms count as if they had it.
const INVERSE_TOP: f64 = 16383.0;
/// Largest factor at which a mean is more precise than the values.
const FINEST: u32 = 8;
/// What a mean's rounded multiplier may change of it.
const MEAN_ERROR: f64 = 1e-4;

/// One step of an accumulator, requantised with multiplier 1.
const STEP: f64 = (1_u32 << Model::SHIFT) as f64;

impl Graph {
    /// Divides the rows of a tensor by their norms.
    pub fn norm(&mut self, norm: Norm, x: &Tensor, measured: &Measured) -> Tensor {
        let width = x.width() as f64;
        let top = CENTRED_TOP.min((WIDE_SQUARES_TOP * STEP / width).sqrt().floor());
        let y = self.divided_by_norm(norm, x, measured, top);
        let epsilon = (f64::from(norm.epsilon) * width / (y.scale * y.scale)).round();
        let times = multiplier(SQUARES_TOP, width * top * top);
        let most = STEP * (WIDE_SQUARES_TOP - 1.0) / f64::from(times) - width * top * top;
        let epsilon = epsilon.min(most.max(0.0));

        let steps = steps(measured);
        // The root of a requantised sum of squares is that of `width times / STEP` standard deviations.
        let numerator = steps * (STEP * width * f64::from(times)).sqrt();
        // As long for all layers of a width, whatever their epsilon, unless that is large.
        let requantised = |sum: f64| sum * f64::from(times) / STEP;
        let last = power_of_two(2.0 * requantised(width * top * top))
            .max(requantised(width * top * top + epsilon).ceil());
        let inverse = table(0, last as i32, |q| {
            (numerator / f64::from(q).max(1.0).sqrt()).min(INVERSE_TOP)
        });
        let lead = x.lead();
        let row = self.reshape(&y, &[lead, &[1, x.width()]].concat());
        let column = self.reshape(&y, &[lead, &[x.width(), 1]].concat());
        let epsilon = if epsilon > 0.0 {
            vec![epsilon as i32]
        } else {
            vec![]
        };
        let inverse = self.product([&row, &column], epsilon, (times, inverse), 1.0);

        let largest = match steps * magnitude(measured.values) <= CENTRED_TOP {
            true => CENTRED_TOP,
            false => NORMAL_TOP,
        };
        let requant = (1, clamp(largest as i32));
        let z = self.product([&column, &inverse], vec![], requant, 1.0 / steps);
        self.reshape(&z, &x.shape)
    }

    /// What is divided by its norm: the values, or those less their mean.
    fn divided_by_norm(&mut self, norm: Norm, x: &Tensor, measured: &Measured, top: f64) -> Tensor {
        let largest = magnitude(measured.sums);
        let width = x.width();
        let (fine, mean) = match norm.centred {
            true => self.mean(x),
            false => (1, None),
        };
        let own = x.scale / f64::from(fine);
        let times = multiplier(top, largest / own);
        let scale = own * STEP / f64::from(times);
        let sources: Vec<&Tensor> = [x].into_iter().chain(&mean).collect();
        let maps = [
            Map::Scale(vec![fine as i8; width]),
            Map::Dense(vec![-1; width]),
        ];
        let maps = maps.into_iter().take(sources.len()).collect();
        self.linear(&sources, maps, &x.shape, (times, clamp(top as i32)), scale)
    }

    /// The mean of every row, in steps finer than the values' by the factor returned with it.
    fn mean(&mut self, x: &Tensor) -> (u32, Option<Tensor>) {
        let exact = |fine: u32| f64::from(fine) * STEP / x.width() as f64;
        let error = |fine: u32| (exact(fine).round().max(1.0) / exact(fine) - 1.0).abs();
        let least = |a: &u32, b: &u32| error(*a).total_cmp(&error(*b));
        let good = (1..=FINEST).find(|fine| error(*fine) <= MEAN_ERROR);
        let fine = good.or((1..=FINEST).min_by(least)).unwrap_or(1);
        let times = exact(fine).round().max(1.0) as u32;
        let top = x.top().saturating_mul(fine as i32);
        let shape = [x.lead(), &[1]].concat();
        let maps = vec![Map::Dense(vec![1; x.width()])];
        let scale = x.scale / f64::from(fine);
        let mean = self.linear(&[x], maps, &shape, (times, clamp(top)), scale);
        (fine, Some(mean))
    }
}

/// Steps of a standard deviation: fewer where the samples show larger values than fit.
fn steps(measured: &Measured) -> f64 {
    let largest = magnitude(measured.values);
    let halvings = (0..6).find(|power| largest * STEPS / 2.0_f64.powi(*power) <= NORMAL_TOP);
    STEPS / 2.0_f64.powi(halvings.unwrap_or(6))
}
