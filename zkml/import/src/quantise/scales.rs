//! The real values that integers stand for.

use ciro_zkml_model::Activation;

use crate::{
    function::Function,
    measure::Measured,
    network::{Linear, Map, Network, Op},
    ImportError,
};

use super::{activation::Grid, graph::Tensor, keeps_sign};

/// The scale of every tensor. Pools and movements keep the scale of what they read, and tensors that one movement joins
/// share theirs.
pub(super) struct Scales {
    input: (f32, i8),
    /// For each tensor, the first of those with which it shares its scale.
    groups: Vec<usize>,
    /// For each tensor, the scale of its group, at the group's place.
    scales: Vec<f64>,
    /// For each tensor, whether it has no values below 0.
    positive: Vec<bool>,
    /// For each node, how much coarser than planned its requantised values are.
    coarser: Vec<f64>,
    /// Whether the network is a transformer.
    sequence: bool,
}

/// Largest magnitude of the values of transformers: of most, of functions other than Relu, and of sums of tensors.
const TOP: i16 = 255;
const CURVE_TOP: i16 = 511;
pub(super) const SUM_TOP: i16 = 2047;

impl Scales {
    pub fn new(
        network: &Network,
        measured: &[Measured],
        calibration: &[f32],
    ) -> Result<Self, ImportError> {
        let groups = groups(network);
        let input = input(network, &groups, calibration)?;
        let mut scales = Self {
            input,
            scales: vec![0.0; groups.len()],
            positive: vec![input.1 == i8::MIN],
            coarser: vec![1.0; network.nodes.len()],
            sequence: network.is_sequence(),
            groups,
        };
        for (node, measured) in network.nodes.iter().zip(measured) {
            let mut positive = node
                .sources
                .iter()
                .all(|source| scales.positive.get(*source) == Some(&true));
            let tensor = scales.positive.len();
            if let Op::Linear(linear) = &node.op {
                let (low, high) = linear
                    .range
                    .map_or(measured.values, |(low, high)| (low.into(), high.into()));
                positive = match &linear.function {
                    function if function.is_relu() => true,
                    function if function.is_identity() => {
                        positive && keeps_sign(linear) && !scales.sequence
                    }
                    _ => low >= 0.0,
                };
                let (lowest, highest) = scales.limits(linear, positive);
                let scale = match lowest {
                    0 => high / f64::from(highest),
                    lowest => (high / f64::from(highest)).max(-low / -f64::from(lowest)),
                };
                let scale = scales.on_grid(linear, scale);
                let group = scales
                    .groups
                    .get(tensor)
                    .and_then(|group| scales.scales.get_mut(*group));
                if let Some(planned) = group {
                    *planned = planned.max(scale);
                }
            }
            scales.positive.push(positive);
        }
        if scales.sequence {
            scales.share_curves(network);
        }
        // What never fires needs some scale.
        scales
            .scales
            .iter_mut()
            .filter(|scale| !scale.is_normal())
            .for_each(|scale| *scale = 1.0);
        Ok(scales)
    }

    /// Gives the tensors of one function the same scale where that takes no more than one bit, so that they share a table.
    fn share_curves(&mut self, network: &Network) {
        let curves: Vec<(usize, &Function)> = (1..=network.nodes.len())
            .filter_map(|tensor| Some((tensor, &network.linear(tensor)?.function)))
            .filter(|(_, function)| function.is_curve())
            .collect();
        let planned = self.scales.clone();
        let of = |tensor: usize| {
            let group = self.groups.get(tensor)?;
            Some((*group, *planned.get(*group)?))
        };
        for &(tensor, function) in &curves {
            let Some((group, own)) = of(tensor) else {
                continue;
            };
            let same = curves.iter().filter(|(_, other)| *other == function);
            let scales = same.filter_map(|(other, _)| Some(of(*other)?.1));
            let shared = scales
                .filter(|scale| *scale <= 2.0 * own)
                .fold(own, f64::max);
            if let Some(scale) = self.scales.get_mut(group) {
                *scale = scale.max(shared);
            }
        }
    }

    /// Scale and zero point of the input.
    pub fn input(&self) -> (f32, i8) {
        self.input
    }

    /// Scale and zero point of a tensor.
    pub fn tensor(&self, tensor: usize) -> (f64, i64) {
        match self.groups.get(tensor) {
            Some(0) => (self.input.0.into(), self.input.1.into()),
            Some(group) => (self.scales.get(*group).copied().unwrap_or(1.0), 0),
            None => (1.0, 0),
        }
    }

    /// Scale of a hidden linear node's requantised values, and its activation.
    pub fn node(&self, node: usize, linear: &Linear, measured: &Measured) -> (f64, Activation) {
        let (scale, _) = self.tensor(node + 1);
        let positive = self.positive.get(node + 1) == Some(&true);
        let (low, high) = self.limits(linear, positive);
        if !linear.function.is_curve() {
            // Eight bits have one value more below 0.
            let low = if low == -127 { -128 } else { low };
            return (scale, Activation::Clamp { low, high });
        }
        let grid = Grid {
            scale,
            low,
            high,
            coarser: self.coarser.get(node).copied().unwrap_or(1.0),
        };
        match self.sequence {
            true => grid.shared_curve(&linear.function),
            false => grid.curve(&linear.function, measured.sums),
        }
    }

    /// Smallest and largest integer of a linear node's tensor.
    fn limits(&self, linear: &Linear, positive: bool) -> (i16, i16) {
        let function = &linear.function;
        let curved = function.is_curve();
        match (self.sequence, positive) {
            (true, true) if curved => (0, CURVE_TOP),
            (_, true) => (0, 255),
            (true, false) if curved => (-CURVE_TOP, CURVE_TOP),
            (true, false) if linear.maps.len() > 1 => (-SUM_TOP, SUM_TOP),
            (true, false) => (-TOP, TOP),
            (false, false) if curved => (-128, 255),
            (false, false) => (-127, 127),
        }
    }

    /// A scale that is no smaller. Those of transformers have few digits, so that sums of tensors need no rounding of
    /// their weights, and layers share the tables of their functions.
    fn on_grid(&self, linear: &Linear, scale: f64) -> f64 {
        let coarse = linear.function.is_curve() || linear.maps.len() > 1;
        match (self.sequence && scale.is_normal(), coarse) {
            (false, _) => scale,
            (true, true) => power_of_two(scale),
            (true, false) => {
                let unit = power_of_two(scale) / 8.0;
                unit * (scale / unit).ceil()
            }
        }
    }

    /// The input as the model reads it.
    pub fn input_tensor(&self, shape: &[usize]) -> Tensor {
        Tensor {
            index: 0,
            shape: shape.to_vec(),
            scale: self.input.0.into(),
            zero_point: self.input.1.into(),
            range: (i8::MIN.into(), i8::MAX.into()),
        }
    }

    /// Makes the steps of a node's requantised values larger: those of a table's arguments, or of the tensor.
    pub fn coarsen(&mut self, node: usize, curved: bool, factor: f64) {
        let group = self.groups.get(node + 1).copied().unwrap_or(0);
        let factor = match self.sequence {
            true => power_of_two(factor),
            false => factor,
        };
        let slot = if curved {
            self.coarser.get_mut(node)
        } else {
            self.scales.get_mut(group)
        };
        if let Some(scale) = slot {
            *scale *= factor;
        }
    }
}

/// The smallest power of two that is no smaller.
pub(super) fn power_of_two(scale: f64) -> f64 {
    scale.log2().ceil().exp2()
}

/// For each tensor, the first of those that share its scale.
fn groups(network: &Network) -> Vec<usize> {
    let mut groups: Vec<usize> = (0..=network.nodes.len()).collect();
    for (index, node) in network.nodes.iter().enumerate() {
        if let Op::MaxPool(_) | Op::Select(_) = node.op {
            let tensors = || node.sources.iter().chain([&index]).enumerate();
            // The node's own tensor comes after its index.
            let of = |(at, tensor): (usize, &usize)| {
                groups
                    .get(tensor + usize::from(at == node.sources.len()))
                    .copied()
            };
            let joined: Vec<usize> = tensors().filter_map(of).collect();
            let first = joined.iter().copied().min().unwrap_or(0);
            groups
                .iter_mut()
                .filter(|group| joined.contains(group))
                .for_each(|group| *group = first);
        }
    }
    groups
}

/// The input's scale and zero point: those that the file states, or the calibration range, widened to contain 0, over the
/// 256 values of 8 bits. Where a convolution adds zeros around the input, the integer 0 must stand for them.
fn input(
    network: &Network,
    groups: &[usize],
    calibration: &[f32],
) -> Result<(f32, i8), ImportError> {
    let padded = network.nodes.iter().any(|node| match &node.op {
        Op::Linear(linear) => linear.maps.iter().zip(&node.sources).any(|(map, source)| {
            let pads = matches!(map, Map::Conv(conv) if conv.window.pads != [0; 4]);
            pads && groups.get(*source) == Some(&0)
        }),
        _ => false,
    });
    if let Some((scale, zero_point)) = network
        .input
        .filter(|(_, zero_point)| !padded || *zero_point == 0)
    {
        return Ok((scale, zero_point));
    }
    let low = calibration
        .iter()
        .fold(0.0_f64, |low, &x| low.min(x.into()));
    let high = calibration
        .iter()
        .fold(0.0_f64, |high, &x| high.max(x.into()));
    let scale = match (high > low, padded) {
        (true, true) => (high.max(-low) / 127.0) as f32,
        (true, false) => ((high - low) / 255.0) as f32,
        (false, _) => 1.0,
    };
    if !scale.is_normal() {
        return Err(ImportError::Calibration(format!(
            "its range {low}..{high} cannot be quantised; rescale the inputs"
        )));
    }
    // The cast saturates.
    let zero_point = if padded {
        0
    } else {
        (-128.0 - low / f64::from(scale)).round() as i8
    };
    Ok((scale, zero_point))
}
