//! Products of computed matrices, and attention.
//!
//! A softmax leaves its division to the end: with `e = exp(score - largest score)`, the values are summed up with weights
//! `e`, and only the sums are divided by that of the weights. The curves are the same for all layers, so that their tables
//! are.

use ciro_zkml_model::{Activation, Map, Model, Op, SPAN_LIMIT};

use crate::{
    measure::{magnitude, Measured},
    sequence::{is_masked, Product},
};

use super::graph::{clamp, multiplier, table, Graph, Tensor};

/// Largest magnitude of a product.
const PRODUCT_TOP: i32 = 255;
/// Largest magnitude of a requantised product before it is clamped, where its scale is free.
const PRODUCT_REACH: f64 = 16384.0;

/// Real value of a step of an exponential's argument.
const EXP_STEP: f64 = 1.0 / 16.0;
/// The integer that stands for `exp(0)`.
const EXP_TOP: i32 = 1919;
/// Least real value of a score's step.
const SCORE_STEP: f64 = 1.0 / 32.0;
/// Largest magnitude of a score that is not hidden.
const SCORE_TOP: i32 = 1023;
/// Largest magnitude of such a score before it is clamped.
const SCORE_REACH: i32 = 4096;
/// What a hidden score becomes: below any other by so many steps that nothing is left of its exponential.
const HIDDEN: i32 = -SCORE_TOP - 277;
/// Largest magnitudes of scores where none is hidden: the first that suits them. Other nodes have the same.
const OPEN_SCORE_TOPS: [i32; 2] = [511, 2047];
/// How far beyond the calibration samples scores may go.
const MARGIN: f64 = 1.25;

/// Largest sum of exponentials, requantised.
const SUM_TOP: f64 = 4095.0;
/// Largest magnitudes of sums of values weighted by exponentials: the first that suits them. Sums of tensors have the same.
const WEIGHTED_TOPS: [i32; 3] = [2047, 4095, 8191];
/// What such a sum may be at most if a single weight is not 0.
const SINGLE_TOP: f64 = 256.0;
/// The integer that stands for a probability of 1.
const PROBABILITY_TOP: i32 = 2047;

/// One step of an accumulator, requantised with multiplier 1.
const STEP: f64 = (1_u32 << Model::SHIFT) as f64;

/// Both factors of a product, and its largest accumulator in the float network's values.
struct Factors<'a> {
    a: &'a Tensor,
    b: Tensor,
    /// Real value of an accumulator's step.
    scale: f64,
    /// Largest accumulator without a bias.
    most: f64,
}

impl Graph {
    fn factors<'a>(
        &mut self,
        product: &Product,
        [a, b]: [&'a Tensor; 2],
        copied: bool,
    ) -> Factors<'a> {
        let depth = Product::depth(&a.shape);
        let b = if copied { self.copy(b) } else { b.clone() };
        Factors {
            most: depth as f64 * f64::from(a.top()) * f64::from(b.top()),
            scale: a.scale * b.scale * f64::from(product.factor),
            a,
            b,
        }
    }

    /// A product of matrices whose largest magnitude is `largest`; the second factor is `copied` if the sums run over
    /// positions.
    pub fn matrices(
        &mut self,
        node: &Product,
        sources: [&Tensor; 2],
        copied: bool,
        largest: f64,
    ) -> Tensor {
        let factors = self.factors(node, sources, copied);
        let bias: Vec<i32> = node
            .bias
            .iter()
            .map(|bias| (f64::from(*bias) / factors.scale).round() as i32)
            .collect();
        let most = factors.most
            + bias
                .iter()
                .fold(0.0, |most, bias| f64::from(*bias).abs().max(most));
        let wanted = f64::from(PRODUCT_TOP) * factors.scale / largest.max(f64::MIN_POSITIVE);
        let times = (wanted * STEP)
            .max(1.0)
            .min(multiplier(PRODUCT_REACH, most).into()) as u32;
        let scale = factors.scale * STEP / f64::from(times);
        let requant = (times, clamp(PRODUCT_TOP));
        self.product([factors.a, &factors.b], bias, requant, scale)
    }

    /// A product whose values are a softmax's arguments.
    pub fn scores(&mut self, node: &Product, sources: [&Tensor; 2], largest: f64) -> Tensor {
        let factors = self.factors(node, sources, false);
        let shown = || node.bias.iter().filter(|bias| !is_masked(**bias));
        let bias_top = shown().fold(0.0_f64, |most, bias| f64::from(bias.abs()).max(most));
        let most = factors.most + bias_top / factors.scale;
        let [narrow, wide] = OPEN_SCORE_TOPS;
        let (top, reach) = match node.is_masked() {
            true => (SCORE_TOP, f64::from(SCORE_REACH)),
            false if largest * MARGIN <= SCORE_STEP * f64::from(narrow) => (narrow, PRODUCT_REACH),
            false => (wide, PRODUCT_REACH),
        };
        let step = SCORE_STEP.max(largest * MARGIN / f64::from(top));
        let times = (factors.scale * STEP / step)
            .max(1.0)
            .min(multiplier(reach, most).into()) as u32;
        let scale = factors.scale * STEP / f64::from(times);
        // Whatever is added to a hidden score, it stays below all others.
        let hidden = -((reach + 1.0) * STEP / f64::from(times) + most).ceil();
        let bias = node.bias.iter().map(|bias| match is_masked(*bias) {
            true => hidden as i32,
            false => (f64::from(*bias) / factors.scale).round() as i32,
        });
        // No multiplier makes the steps of tiny scores large enough to be hidden; the table does.
        let finer = (scale / SCORE_STEP).min(1.0);
        let (activation, scale) = match node.is_masked() {
            true => (hiding(finer), scale / finer),
            false => (clamp(top), scale),
        };
        let bias = bias.collect();
        self.product([factors.a, &factors.b], bias, (times, activation), scale)
    }

    /// The softmax of scores.
    pub fn softmax(&mut self, scores: &Tensor) -> Tensor {
        let (weights, sum) = self.exponentials(scores);
        let one = f64::from(PROBABILITY_TOP);
        let inverse = self.inverse(&weights, sum, one * f64::from(sum));
        let activation = Activation::Clamp {
            low: 0,
            high: PROBABILITY_TOP as i16,
        };
        let made = self.divided(&weights, &inverse, (1, activation), 1.0 / one);
        self.reshape(&made, &scores.shape)
    }

    /// The product of the softmax of scores with values; it keeps the values' scale.
    pub fn attend(&mut self, scores: &Tensor, values: &Tensor, measured: &Measured) -> Tensor {
        let (weights, sum) = self.exponentials(scores);
        let values = self.copy(values);
        let single = f64::from(EXP_TOP) * f64::from(values.top());
        let most = single * weights.width() as f64;
        let largest = magnitude(measured.sums) / values.scale * f64::from(EXP_TOP) * MARGIN;
        let times = |top: &i32| multiplier((*top).into(), most).min(multiplier(SINGLE_TOP, single));
        let suits = |top: &&i32| largest * f64::from(times(top)) / STEP <= f64::from(**top);
        let [.., widest] = WEIGHTED_TOPS;
        let top = WEIGHTED_TOPS.iter().find(suits).copied().unwrap_or(widest);
        let times = times(&top);
        let requant = (times, clamp(top));
        let weighted = self.product([&weights, &values], vec![], requant, values.scale);
        let inverse = self.inverse(&weights, sum, STEP * f64::from(sum) / f64::from(times));
        let requant = (1, clamp(values.top()));
        let made = self.divided(&weighted, &inverse, requant, values.scale);
        self.reshape(&made, &weighted.shape)
    }

    /// The exponentials of scores less the largest of their row, and the multiplier for their sums.
    fn exponentials(&mut self, scores: &Tensor) -> (Tensor, u32) {
        let scores = self.narrow(scores);
        let width = scores.width();
        let shape = [scores.lead(), &[1]].concat();
        let largest = self.push(&[&scores], &shape, Op::Max, scores.scale);
        let maps = vec![Map::Scale(vec![1; width]), Map::Dense(vec![-1; width])];
        let times = (STEP * scores.scale / EXP_STEP).round().max(1.0) as u32;
        let one = f64::from(EXP_TOP);
        // Half a step is left of the exponential here, and nothing below.
        let last = (-(2.0 * one).ln() / EXP_STEP).floor() as i32;
        let exponential = table(last, 0, |q| one * (f64::from(q) * EXP_STEP).exp());
        let requant = (times, exponential);
        let weights = self.linear(
            &[&scores, &largest],
            maps,
            &scores.shape,
            requant,
            1.0 / one,
        );
        (weights, multiplier(SUM_TOP, one * width as f64))
    }

    /// `numerator` over the requantised sum of each row of weights, at least that of a single 1.
    fn inverse(&mut self, weights: &Tensor, times: u32, numerator: f64) -> Tensor {
        let least = (f64::from(EXP_TOP) * f64::from(times) / STEP)
            .floor()
            .max(1.0);
        let inverse = table(0, SUM_TOP as i32, |q| numerator / f64::from(q).max(least));
        let maps = vec![Map::Dense(vec![1; weights.width()])];
        let shape = [weights.lead(), &[1]].concat();
        self.linear(&[weights], maps, &shape, (times, inverse), 1.0)
    }

    /// Every row of a tensor times one value.
    fn divided(
        &mut self,
        rows: &Tensor,
        inverse: &Tensor,
        requant: (u32, Activation),
        scale: f64,
    ) -> Tensor {
        let column = [&rows.shape, &[1][..]].concat();
        let rows = self.reshape(rows, &column);
        let inverse = self.reshape(inverse, &[inverse.shape.as_slice(), &[1]].concat());
        self.product([&rows, &inverse], vec![], requant, scale)
    }

    /// Scores that lie close enough together for their largest to be taken.
    fn narrow(&mut self, scores: &Tensor) -> Tensor {
        let span = i64::from(scores.range.1) - i64::from(scores.range.0);
        if span < SPAN_LIMIT {
            return scores.clone();
        }
        let [.., top] = OPEN_SCORE_TOPS;
        let times = multiplier(top.into(), scores.top().into());
        let scale = scores.scale * STEP / f64::from(times);
        let maps = vec![Map::Scale(vec![1; scores.width()])];
        self.linear(&[scores], maps, &scores.shape, (times, clamp(top)), scale)
    }
}

/// The function of requantised scores of which some are hidden; their steps are `finer`, 1 or less of a score's.
fn hiding(finer: f64) -> Activation {
    let last = (f64::from(SCORE_TOP) / finer).min(SCORE_REACH.into()) as i32;
    let top = f64::from(SCORE_TOP);
    table(-SCORE_REACH - 1, last, |q| match q < -SCORE_REACH {
        true => HIDDEN.into(),
        false => (finer * f64::from(q)).clamp(-top, top),
    })
}
