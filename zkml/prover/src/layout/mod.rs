//! A model laid out as preprocessed columns: which row of which component stands for what.

mod activations;
mod linear;
mod maxima;
mod trees;

use ciro_zkml_air::public::signed;
use ciro_zkml_air::{Kind, Preset, VerifyingKey, CONSTANT_ADDRESS, INPUT_ADDRESS, SHIFT};
use ciro_zkml_model::{Model, Op};
use stwo::core::fields::m31::BaseField;

use crate::ProverError;
use activations::Activations;
use linear::Linear;
pub(crate) use maxima::{MaxRow, Maxima};
pub(crate) use trees::{feature_name, TreeSteps};

const MIN_LOG_SIZE: u32 = 4;
const MAX_LOG_SIZE: u32 = 20;

/// A requantised output: a row of that component.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequantRow {
    pub node: usize,
    pub element: usize,
    pub multiplier: u32,
    pub bias: i32,
    pub address: u32,
    /// Index of the row of the activation tables that holds the activation of zero.
    pub activation_row: usize,
}

/// A model as the constraint system sees it.
pub(crate) struct Layout {
    /// The key, but for its root.
    pub key: VerifyingKey,
    /// Preprocessed columns in the order of their commitment.
    pub columns: Vec<Vec<BaseField>>,
    /// Where each element of each tensor is written.
    pub tensors: Vec<Vec<u32>>,
    /// Addresses in use.
    pub addresses: usize,
    /// The address that each row of the linear component reads, padding included.
    pub linear_addresses: Vec<u32>,
    /// The rows of the requantisation component, without padding.
    pub requant_rows: Vec<RequantRow>,
    pub maxima: Maxima,
    pub trees: TreeSteps,
}

/// Hands out addresses and counts how often each is read.
pub(crate) struct Memory {
    reads: Vec<u32>,
}

impl Memory {
    /// The next free addresses.
    fn allocate(&mut self, len: usize) -> Vec<u32> {
        let first = self.reads.len();
        self.reads.resize(first + len, 0);
        (first..first + len).map(|address| address as u32).collect()
    }

    fn read(&mut self, address: u32) {
        self.reads[address as usize] += 1;
    }

    fn reads(&self, address: u32) -> BaseField {
        self.reads[address as usize].into()
    }
}

/// The rows of a component, column by column, before padding.
struct Table {
    kind: Kind,
    what: &'static str,
    columns: Vec<Vec<BaseField>>,
    /// What the columns hold on padding rows.
    padding: Vec<BaseField>,
}

impl Table {
    fn new(kind: Kind, what: &'static str, columns: Vec<Vec<BaseField>>) -> Self {
        let padding = vec![BaseField::from(0u32); columns.len()];
        Self {
            kind,
            what,
            columns,
            padding,
        }
    }

    fn rows(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    /// Rows with padding, as a logarithm; 0 if there are none, but for weights, which every model has.
    fn log_size(&self) -> Result<u32, ProverError> {
        let rows = self.rows();
        if rows == 0 && self.kind != Kind::Linear {
            return Ok(0);
        }
        fits(self.what, rows)?;
        Ok(rows.next_power_of_two().ilog2().max(MIN_LOG_SIZE))
    }

    /// The columns with their padding.
    fn padded(self, log_size: u32) -> impl Iterator<Item = Vec<BaseField>> {
        let columns = self.columns.into_iter().zip(self.padding);
        columns.map(move |(mut column, padding)| {
            column.resize(1 << log_size, padding);
            column
        })
    }
}

/// Refuses more rows than a component may have, before they are made.
fn fits(what: &'static str, rows: usize) -> Result<(), ProverError> {
    let limit = 1 << MAX_LOG_SIZE;
    match rows <= limit {
        true => Ok(()),
        false => Err(ProverError::TooLarge { what, rows, limit }),
    }
}

/// Numbers as a column.
fn column(values: impl IntoIterator<Item = u32>) -> Vec<BaseField> {
    values.into_iter().map(Into::into).collect()
}

impl Layout {
    pub fn new(model: &Model) -> Result<Self, ProverError> {
        let bounds = model.validate()?;
        let preset = Preset::from_index(model.preset).ok_or(ProverError::Preset(model.preset))?;
        let inputs = model.inputs();
        // The constant, the public inputs, and the inputs as the model reads them.
        let mut memory = Memory { reads: Vec::new() };
        memory.allocate(INPUT_ADDRESS as usize + inputs);
        let mut tensors = vec![memory.allocate(inputs)];
        let mut linear = Linear::new(model);
        let activations = Activations::new(model, &bounds);
        let mut maxima = Maxima::default();
        let mut trees = TreeSteps::default();
        let mut requant_rows = Vec::new();
        for (index, node) in model.nodes.iter().enumerate() {
            let tensor = |source: &u32| tensors[*source as usize].as_slice();
            let sources: Vec<&[u32]> = node.sources.iter().map(tensor).collect();
            let made = match &node.op {
                Op::Linear(map) => {
                    linear.add(model, index, map, &sources, &mut memory);
                    fits("weights", linear.addresses.len())?;
                    let Some(requant) = &map.requant else {
                        break;
                    };
                    fits("activations", requant_rows.len() + node.elements())?;
                    let made = memory.allocate(node.elements());
                    let channel = map.channels(&node.shape);
                    requant_rows.extend(made.iter().enumerate().map(|(element, address)| {
                        RequantRow {
                            node: index,
                            element,
                            multiplier: requant.multipliers[channel(element)],
                            bias: map.bias[channel(element)],
                            address: *address,
                            activation_row: activations.zero_rows[index],
                        }
                    }));
                    made
                }
                Op::MaxPool(window) => {
                    let shape = model
                        .tensor_shape(node.sources[0] as usize)
                        .unwrap_or_default();
                    let area = window.kernel[0] as usize * window.kernel[1] as usize;
                    fits("maxima", maxima.rows.len() + node.elements() * (area - 1))?;
                    maxima.add(&node.shape, window, sources[0], &shape, &mut memory)
                }
                Op::Select(elements) => {
                    let all = sources.concat();
                    elements
                        .iter()
                        .map(|element| all[*element as usize])
                        .collect()
                }
                Op::Trees(ensemble) => {
                    linear.add_constants(&ensemble.base, &mut memory);
                    trees.add(ensemble, sources[0], linear.lanes, &mut memory);
                    break;
                }
            };
            tensors.push(made);
        }
        Self {
            key: VerifyingKey {
                version: VerifyingKey::CURRENT_VERSION,
                preset,
                log_lanes: linear.lanes.ilog2() as u8,
                log_sizes: [0; Kind::COUNT],
                inputs: inputs as u32,
                outputs: model.outputs() as u32,
                constant_reads: 0,
                root: [0; 32],
                interface: model.interface(),
            },
            columns: Vec::new(),
            tensors,
            addresses: memory.reads.len(),
            linear_addresses: Vec::new(),
            requant_rows,
            maxima,
            trees,
        }
        .finish(linear, activations, memory)
    }

    /// Puts the columns together.
    fn finish(
        mut self,
        mut linear: Linear,
        activations: Activations,
        mut memory: Memory,
    ) -> Result<Self, ProverError> {
        let relay = self.relay(&mut linear, &memory);
        let linear_table = linear.table();
        let mut linear_addresses = linear.addresses.clone();
        let requant = self.requant(&linear, &activations, &memory);
        let range = Table::new(Kind::Range, "remainders", vec![column(0..1 << SHIFT)]);
        let [steps, nodes, features] = self.trees.tables();
        let tables = [
            relay,
            linear_table,
            requant,
            range,
            activations.table,
            self.maxima.table(&memory),
            steps,
            nodes,
            features,
        ];
        for table in tables {
            let log_size = table.log_size()?;
            let padding = match log_size {
                0 => 0,
                log_size => (1 << log_size) - table.rows() as u32,
            };
            let reads = match table.kind {
                Kind::Relay | Kind::Linear | Kind::Feature => 1,
                Kind::Max => 2,
                _ => 0,
            };
            memory.reads[CONSTANT_ADDRESS as usize] += reads * padding;
            self.key.log_sizes[table.kind as usize] = log_size as u8;
            if log_size > 0 {
                self.columns.extend(table.padded(log_size));
            }
        }
        linear_addresses.resize(self.key.rows(Kind::Linear) as usize, CONSTANT_ADDRESS);
        self.linear_addresses = linear_addresses;
        self.trees.place(
            self.key.rows(Kind::Tree) as usize,
            &self.key,
            &mut self.columns,
        );
        self.key.constant_reads = memory.reads[CONSTANT_ADDRESS as usize];
        self.key.validate()?;
        Ok(self)
    }

    /// The rows that read the public inputs and write them for the model. There are none if the model reads each input
    /// exactly once: then it reads the public ones.
    fn relay(&mut self, linear: &mut Linear, memory: &Memory) -> Table {
        let inputs = self.key.inputs;
        let internal = INPUT_ADDRESS + inputs..INPUT_ADDRESS + 2 * inputs;
        let mut columns = vec![Vec::new(); 3];
        if internal
            .clone()
            .all(|address| memory.reads[address as usize] == 1)
        {
            let public = |address: &mut u32| {
                if internal.contains(address) {
                    *address -= inputs;
                }
            };
            linear.addresses.iter_mut().for_each(public);
            self.tensors.iter_mut().flatten().for_each(public);
            self.maxima.readdress(public);
            self.trees.readdress(public);
        } else {
            columns[0] = column(INPUT_ADDRESS..INPUT_ADDRESS + inputs);
            columns[1] = column(internal.clone());
            columns[2] = internal.map(|address| memory.reads(address)).collect();
        }
        Table::new(Kind::Relay, "inputs", columns)
    }

    fn requant(&self, linear: &Linear, activations: &Activations, memory: &Memory) -> Table {
        let mut columns = vec![Vec::new(); 7];
        for row in &self.requant_rows {
            let (pole, lane) = linear.place(row.node, row.element);
            let values = [
                row.address.into(),
                pole.into(),
                lane.into(),
                BaseField::from(row.multiplier).inverse(),
                signed(row.bias),
                memory.reads(row.address),
                activations.tables[row.node].into(),
            ];
            for (column, value) in columns.iter_mut().zip(values) {
                column.push(value);
            }
        }
        Table::new(Kind::Requant, "activations", columns)
    }
}

/// The field elements of signed integers, as a column.
fn signed_column(values: impl IntoIterator<Item = i32>) -> Vec<BaseField> {
    values.into_iter().map(signed).collect()
}
