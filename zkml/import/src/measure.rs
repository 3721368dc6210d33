//! What calibration samples show of a float network.

use crate::{
    network::{Linear, Map, Network, Node, Op},
    sequence::is_masked,
    ImportError,
};

/// What the samples show of one node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    /// Smallest and largest sum before the function, value that a norm divides, or sum weighted by the exponentials of an
    /// attention, of which the largest in a row is 1; 0 included.
    pub sums: (f64, f64),
    /// Smallest and largest value; 0 included.
    pub values: (f64, f64),
    /// For each map of a linear node, what its inputs are like.
    pub inputs: Vec<Moments>,
}

/// Sums over the values of each input of a map: a column of a matrix product, or a channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moments {
    sums: Vec<f64>,
    squares: Vec<f64>,
    count: f64,
}

impl Moments {
    fn new(inputs: usize) -> Self {
        Self {
            sums: vec![0.0; inputs],
            squares: vec![0.0; inputs],
            count: 0.0,
        }
    }

    /// Adds a tensor whose inputs come in runs of `run` elements.
    fn add(&mut self, values: &[f32], run: usize) {
        let (inputs, run) = (self.sums.len().max(1), run.max(1));
        for block in values.chunks_exact(inputs * run) {
            let moments = self.sums.iter_mut().zip(&mut self.squares);
            for ((sum, square), run) in moments.zip(block.chunks_exact(run)) {
                for &value in run {
                    *sum += f64::from(value);
                    *square += f64::from(value) * f64::from(value);
                }
            }
            self.count += run as f64;
        }
    }

    pub fn mean(&self, input: usize) -> f64 {
        self.sums
            .get(input)
            .map_or(0.0, |sum| sum / self.count.max(1.0))
    }

    pub fn variance(&self, input: usize) -> f64 {
        let square = self
            .squares
            .get(input)
            .map_or(0.0, |square| square / self.count.max(1.0));
        (square - self.mean(input).powi(2)).max(0.0)
    }
}

/// Runs the samples through the network; also returns its outputs.
pub(crate) fn measure(
    network: &Network,
    samples: &[f32],
) -> Result<(Vec<Measured>, Vec<f32>), ImportError> {
    let mut measured: Vec<Measured> = network
        .nodes
        .iter()
        .map(|node| match &node.op {
            Op::Linear(linear) => {
                let inputs = (0..linear.maps.len())
                    .map(|map| Moments::new(inputs_of(network, node, linear, map).0));
                Measured {
                    inputs: inputs.collect(),
                    ..Default::default()
                }
            }
            _ => Measured::default(),
        })
        .collect();
    let mut outputs = Vec::new();
    for sample in samples.chunks_exact(network.inputs().max(1)) {
        let mut trace = network.run(sample);
        if trace
            .sums
            .iter()
            .chain(&trace.values)
            .flatten()
            .any(|value| !value.is_finite())
        {
            let problem = "the network overflows floating point on it; check that it is scaled as in training";
            return Err(ImportError::Calibration(problem.into()));
        }
        for ((node, measured), (sums, values)) in network
            .nodes
            .iter()
            .zip(&mut measured)
            .zip(trace.sums.iter().zip(&trace.values))
        {
            widen(&mut measured.sums, sums);
            widen(&mut measured.values, values);
            let Op::Linear(linear) = &node.op else {
                continue;
            };
            for (map, (moments, source)) in
                measured.inputs.iter_mut().zip(&node.sources).enumerate()
            {
                let tensor = match source.checked_sub(1) {
                    None => sample,
                    Some(node) => trace.values.get(node).map_or(&[][..], Vec::as_slice),
                };
                moments.add(tensor, inputs_of(network, node, linear, map).1);
            }
        }
        outputs.append(&mut trace.sums.pop().unwrap_or_default());
    }
    Ok((measured, outputs))
}

/// Number of inputs of a map that are told apart, and of consecutive elements of each.
fn inputs_of(network: &Network, node: &Node, linear: &Linear, map: usize) -> (usize, usize) {
    let shape = node
        .sources
        .get(map)
        .map_or(&[][..], |source| network.tensor_shape(*source));
    match linear.maps.get(map) {
        Some(Map::Dense(_)) => (shape.last().copied().unwrap_or(1), 1),
        Some(Map::Conv(_)) => (
            shape.first().copied().unwrap_or(1),
            shape.iter().skip(1).product(),
        ),
        _ => (linear.bias.len(), linear.run_length(&node.shape)),
    }
}

/// Largest magnitude in a range.
pub(crate) fn magnitude((low, high): (f64, f64)) -> f64 {
    high.max(-low)
}

/// Widens a range to hold all values that are not hidden.
fn widen(range: &mut (f64, f64), values: &[f32]) {
    for &value in values.iter().filter(|value| !is_masked(**value)) {
        *range = (range.0.min(value.into()), range.1.max(value.into()));
    }
}
