//! A model laid out as preprocessed columns: which row of which component stands for what.

use ciro_zkml_air::lookup::{IDENTITY_TABLE, RELU_TABLE};
use ciro_zkml_air::public::signed;
use ciro_zkml_air::{Preset, VerifyingKey, CONSTANT_ADDRESS, INPUT_ADDRESS, SHIFT};
use ciro_zkml_model::{Activation, Model};
use stwo::core::fields::m31::BaseField;

use crate::ProverError;

/// Where a hidden activation comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequantRow {
    pub layer: usize,
    pub output: usize,
    pub multiplier: u32,
    /// Index of the row of the activation tables that holds the activation of zero.
    pub activation_row: usize,
}

/// A model as the constraint system sees it.
pub(crate) struct Layout {
    /// The key, but for its root.
    pub key: VerifyingKey,
    /// Preprocessed columns in the order of their commitment.
    pub columns: Vec<Vec<BaseField>>,
    /// The activation that each row of the dense component reads.
    pub dense_addresses: Vec<u32>,
    /// The rows of the requantisation component, without padding.
    pub requant_rows: Vec<RequantRow>,
}

const MIN_LOG_SIZE: u32 = 4;
const MAX_LOG_SIZE: u32 = 20;

impl Layout {
    pub fn new(model: &Model) -> Result<Self, ProverError> {
        let bounds = model.validate()?;
        let preset = Preset::from_index(model.preset).ok_or(ProverError::Preset(model.preset))?;
        let log_lanes = log_lanes(model);
        let dense = DenseTable::new(model, 1 << log_lanes);
        let activations = ActivationTable::new(model, bounds.q_min, bounds.q_max);
        let requant = RequantTable::new(model, &dense, &activations, 1 << log_lanes);

        let dense_log_size = log_size("weights", dense.addresses.len())?;
        let requant_log_size = log_size("activations", requant.rows.len())?;
        let activation_log_size = log_size("activation tables", activations.rows.len())?;
        let padding = (1usize << dense_log_size) - dense.addresses.len();
        let constant_reads = dense.constant_reads + padding as u32;
        let key = VerifyingKey {
            version: VerifyingKey::CURRENT_VERSION,
            preset,
            log_lanes: log_lanes as u8,
            dense_log_size: dense_log_size as u8,
            requant_log_size: requant_log_size as u8,
            activation_log_size: activation_log_size as u8,
            inputs: model.inputs() as u32,
            outputs: model.outputs() as u32,
            input_reads: dense.blocks.first().copied().unwrap_or(0),
            constant_reads,
            root: [0; 32],
            interface: model.interface(),
        };
        key.validate()?;

        let mut columns = Vec::new();
        let mut push = |values: Vec<BaseField>, log_size: u32| {
            let mut values = values;
            values.resize(1 << log_size, BaseField::from(0u32));
            columns.push(values);
        };
        push(
            dense.addresses.iter().map(|at| (*at).into()).collect(),
            dense_log_size,
        );
        push(
            dense.poles.iter().map(|pole| (*pole).into()).collect(),
            dense_log_size,
        );
        for lane in dense.weights {
            push(lane, dense_log_size);
        }
        for column in requant.columns {
            push(column, requant_log_size);
        }
        push((0..1u32 << SHIFT).map(Into::into).collect(), SHIFT);
        for column in 0..3 {
            let values = activations.rows.iter().map(|row| row[column]).collect();
            push(values, activation_log_size);
        }

        let mut dense_addresses = dense.addresses;
        dense_addresses.resize(1 << dense_log_size, CONSTANT_ADDRESS);
        Ok(Self {
            key,
            columns,
            dense_addresses,
            requant_rows: requant.rows,
        })
    }
}

/// Rows that `len` entries need, as a logarithm.
fn log_size(what: &'static str, len: usize) -> Result<u32, ProverError> {
    let log_size = len.next_power_of_two().ilog2().max(MIN_LOG_SIZE);
    if log_size > MAX_LOG_SIZE {
        return Err(ProverError::TooLarge {
            what,
            rows: len,
            limit: 1 << MAX_LOG_SIZE,
        });
    }
    Ok(log_size)
}

/// The fewest lanes that hold the widest layer in one block, or as many as there may be.
fn log_lanes(model: &Model) -> u32 {
    let widest = model.layers.iter().map(|layer| layer.outputs).max();
    widest.unwrap_or(1).next_power_of_two().ilog2().clamp(4, 6)
}

/// Addresses of the inputs of each layer.
fn input_addresses(model: &Model) -> Vec<u32> {
    let mut next = INPUT_ADDRESS;
    model
        .layers
        .iter()
        .map(|layer| {
            let first = next;
            next += layer.inputs;
            first
        })
        .collect()
}

struct DenseTable {
    addresses: Vec<u32>,
    poles: Vec<u32>,
    /// One column a lane.
    weights: Vec<Vec<BaseField>>,
    /// Blocks of outputs of each layer: how often each of its inputs is read.
    blocks: Vec<u32>,
    /// Pole of each layer's first block. The last layer's come first, so that the verifier can name them.
    first_poles: Vec<u32>,
    constant_reads: u32,
}

impl DenseTable {
    fn new(model: &Model, lanes: usize) -> Self {
        let blocks: Vec<u32> = model
            .layers
            .iter()
            .map(|layer| layer.outputs.div_ceil(lanes as u32))
            .collect();
        let last = blocks.last().copied().unwrap_or(0);
        let mut next = last;
        let mut first_poles: Vec<u32> = blocks
            .iter()
            .map(|blocks| {
                let first = next;
                next += blocks;
                first
            })
            .collect();
        if let Some(pole) = first_poles.last_mut() {
            *pole = 0;
        }

        let mut table = Self {
            addresses: Vec::new(),
            poles: Vec::new(),
            weights: vec![Vec::new(); lanes],
            constant_reads: blocks.iter().sum(),
            blocks,
            first_poles,
        };
        for (index, (layer, first)) in model.layers.iter().zip(input_addresses(model)).enumerate() {
            let outputs = layer.outputs as usize;
            for block in 0..table.blocks[index] {
                let pole = table.first_poles[index] + block;
                let from = block as usize * lanes;
                let to = outputs.min(from + lanes);
                for (input, row) in layer.weights.chunks_exact(outputs).enumerate() {
                    let row = row[from..to].iter().map(|weight| i32::from(*weight));
                    table.push(first + input as u32, pole, row);
                }
                table.push(CONSTANT_ADDRESS, pole, layer.bias[from..to].iter().copied());
            }
        }
        table
    }

    fn push(&mut self, address: u32, pole: u32, mut row: impl Iterator<Item = i32>) {
        self.addresses.push(address);
        self.poles.push(pole);
        for lane in &mut self.weights {
            lane.push(signed(row.next().unwrap_or(0)));
        }
    }
}

/// Rows `(table, key, value)` of the activation tables.
struct ActivationTable {
    rows: Vec<[BaseField; 3]>,
    /// Index of the row of the activation of zero, for each activation in use.
    zero_rows: Vec<(Activation, usize)>,
}

impl ActivationTable {
    fn new(model: &Model, q_min: i32, q_max: i32) -> Self {
        let mut rows: Vec<[BaseField; 3]> = Vec::new();
        let mut zero_rows = Vec::new();
        for activation in [Activation::Identity, Activation::Relu] {
            let used = model
                .layers
                .iter()
                .filter_map(|layer| layer.requant.as_ref())
                .any(|requant| requant.activation == activation);
            if used {
                zero_rows.push((activation, rows.len() + q_min.unsigned_abs() as usize));
                let table = table_of(activation).into();
                rows.extend(
                    (q_min..=q_max).map(|q| [table, signed(q), signed(activation.apply(q))]),
                );
            }
        }
        Self { rows, zero_rows }
    }

    fn zero_row(&self, activation: Activation) -> usize {
        self.zero_rows
            .iter()
            .find(|(used, _)| *used == activation)
            .map_or(0, |(_, row)| *row)
    }
}

fn table_of(activation: Activation) -> u32 {
    match activation {
        Activation::Identity => IDENTITY_TABLE,
        Activation::Relu => RELU_TABLE,
    }
}

struct RequantTable {
    rows: Vec<RequantRow>,
    columns: [Vec<BaseField>; 6],
}

impl RequantTable {
    fn new(model: &Model, dense: &DenseTable, activations: &ActivationTable, lanes: usize) -> Self {
        let mut table = Self {
            rows: Vec::new(),
            columns: Default::default(),
        };
        let next_inputs = input_addresses(model).into_iter().skip(1);
        for (index, (layer, first)) in model.layers.iter().zip(next_inputs).enumerate() {
            let Some(requant) = &layer.requant else {
                continue;
            };
            for (output, &multiplier) in requant.multipliers.iter().enumerate() {
                let row = [
                    BaseField::from(first) + BaseField::from(output),
                    BaseField::from(dense.first_poles[index]) + BaseField::from(output / lanes),
                    (output % lanes).into(),
                    BaseField::from(multiplier).inverse(),
                    dense.blocks[index + 1].into(),
                    table_of(requant.activation).into(),
                ];
                for (column, value) in table.columns.iter_mut().zip(row) {
                    column.push(value);
                }
                table.rows.push(RequantRow {
                    layer: index,
                    output,
                    multiplier,
                    activation_row: activations.zero_row(requant.activation),
                });
            }
        }
        table
    }
}
