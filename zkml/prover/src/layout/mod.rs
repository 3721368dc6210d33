//! A model laid out as preprocessed columns: which row of which component stands for what.

mod activations;
mod embedding;
mod linear;
mod maxima;
mod products;
mod trees;
mod words;

use ciro_zkml_air::public::{signed, unit_positions};
use ciro_zkml_air::{
    Kind, Preset, VerifyingKey, CONSTANT_ADDRESS, INPUT_ADDRESS, MAX_BATCH, MAX_LOG_SIZE, SHIFT,
};
use ciro_zkml_model::{Model, Op, Requant};
use stwo::core::fields::m31::BaseField;

use crate::ProverError;
use activations::Activations;
pub(crate) use embedding::Embeddings;
use linear::Linear;
pub(crate) use maxima::{MaxRow, Maxima};
pub(crate) use products::ProductRow;
use products::Products;
pub(crate) use trees::{feature_name, TreeSteps};
use words::{Block, Plan, Words};
pub(crate) use words::{Lookup, Place, NONE};

const MIN_LOG_SIZE: u32 = 4;

/// A word of requantised outputs: a row of that component.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequantRow {
    pub node: usize,
    pub multiplier: u32,
    pub bias: i32,
    pub address: u32,
    pole: u32,
    /// The lane of all its values, or if it is turned their position.
    lane: u32,
    turned: bool,
    /// Index of the row of the activation tables that holds the activation of zero.
    pub activation_row: usize,
}

/// A model as the constraint system sees it.
pub(crate) struct Layout {
    /// The key, but for its root.
    pub key: VerifyingKey,
    /// Preprocessed columns in the order of their commitment.
    pub columns: Vec<Vec<BaseField>>,
    /// Where each element of each tensor is.
    pub places: Vec<Vec<Place>>,
    /// Addresses in use.
    pub addresses: usize,
    /// The address that each row of the linear component reads, padding included.
    pub linear_addresses: Vec<u32>,
    /// The rows of the requantisation component, without padding.
    pub requant_rows: Vec<RequantRow>,
    /// The elements of their words by position; [`NONE`] where there is none.
    pub requant_elements: Vec<u32>,
    pub products: Products,
    pub embeddings: Embeddings,
    pub maxima: Maxima,
    pub trees: TreeSteps,
    next_pole: u32,
}

/// Samples that one proof of a valid model may hold.
pub fn max_batch(model: &Model) -> usize {
    MAX_BATCH as usize / words::positions(model)
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
        let lanes = linear::lanes(model);
        let words = Words::new(model, lanes)?;
        let key = key(model, preset, &words, lanes);
        let mut memory = Memory {
            reads: vec![0; words.addresses as usize],
        };
        let mut linear = Linear::new(lanes);
        let activations = Activations::new(model, &bounds);
        // The last node's blocks have the first poles, so that the verifier can name them.
        let mut layout = Self {
            next_pole: key.output_words().div_ceil(lanes as u32),
            key,
            columns: Vec::new(),
            places: Vec::new(),
            addresses: 0,
            linear_addresses: Vec::new(),
            requant_rows: Vec::new(),
            requant_elements: Vec::new(),
            products: Products::default(),
            embeddings: Embeddings::default(),
            maxima: Maxima::default(),
            trees: TreeSteps::default(),
        };
        for (index, plan) in words.plans.iter().enumerate() {
            layout.add(
                (model, &words),
                (index, plan),
                &activations,
                &mut linear,
                &mut memory,
            )?;
        }
        layout.places = words.places;
        layout.finish(linear, activations, memory)
    }

    /// Adds the rows of a node.
    fn add(
        &mut self,
        (model, words): (&Model, &Words),
        (index, plan): (usize, &Plan),
        activations: &Activations,
        linear: &mut Linear,
        memory: &mut Memory,
    ) -> Result<(), ProverError> {
        let node = &model.nodes[index];
        match (&node.op, plan) {
            (Op::Linear(map), Plan::Linear(blocks)) => {
                let channel = map.channels(&node.shape);
                for (number, block) in (0..).zip(blocks) {
                    let Some(requant) = &map.requant else {
                        linear.add((model, words), index, map, (block, number), memory);
                        continue;
                    };
                    let pole = self.pole();
                    linear.add((model, words), index, map, (block, pole), memory);
                    let of = |element: u32| {
                        let channel = channel(element as usize);
                        let bias = if block.turned { 0 } else { map.bias[channel] };
                        (requant.multipliers[channel], bias)
                    };
                    let zero = activations.zero_rows[index];
                    self.requantise(index, (block, pole), of, (words.positions, zero))?;
                }
                fits("weights", linear.addresses.len())
            }
            (Op::Product(map), Plan::Product(products)) => {
                for product in products {
                    let pole = self.pole();
                    self.products.add(product, pole, memory);
                    if !map.bias.is_empty() {
                        linear.add_bias(words, &map.bias, (&product.block, pole), memory);
                    }
                    let Requant { multipliers, .. } = &map.requant;
                    let zero = activations.zero_rows[index];
                    let block = (&product.block, pole);
                    self.requantise(
                        index,
                        block,
                        |_| (multipliers[0], 0),
                        (words.positions, zero),
                    )?;
                }
                fits("products", self.products.rows.len())
            }
            (_, Plan::Max(largest)) => {
                for largest in largest {
                    fits("maxima", self.maxima.rows.len() + largest.of.len())?;
                    self.maxima.add(largest, memory);
                }
                Ok(())
            }
            (Op::Embedding(embedding), Plan::Embedding(lookups)) => {
                let width = node.shape.last().map_or(1, |axis| *axis as usize);
                fits(
                    "vocabulary",
                    embedding.table.len() / width * width.div_ceil(words.block),
                )?;
                self.embeddings
                    .add(embedding, width, lookups, words.block, memory);
                Ok(())
            }
            (Op::Trees(ensemble), _) => {
                linear.add_constants(words, &ensemble.base, memory);
                let source = words.places[node.sources[0] as usize].iter();
                let source: Vec<u32> = source.map(|place| place.address()).collect();
                self.trees.add(ensemble, &source, linear.lanes, memory);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn pole(&mut self) -> u32 {
        self.next_pole += 1;
        self.next_pole - 1
    }

    /// Adds the rows of a block's words, whose multipliers and biases are `of` their elements.
    fn requantise(
        &mut self,
        node: usize,
        (block, pole): (&Block, u32),
        of: impl Fn(u32) -> (u32, i32),
        (positions, activation_row): (usize, usize),
    ) -> Result<(), ProverError> {
        let lanes = block.elements.len() / positions;
        let rows = if block.turned { positions } else { lanes };
        fits("activations", self.requant_rows.len() + rows)?;
        for lane in 0..rows {
            let from = self.requant_elements.len();
            let of_lane = |position| match block.turned {
                true => block
                    .elements
                    .get(position * positions + lane)
                    .copied()
                    .unwrap_or(NONE),
                false => block.elements[lane * positions + position],
            };
            self.requant_elements.extend((0..positions).map(of_lane));
            let (multiplier, bias) = of(self.requant_elements[from]);
            self.requant_rows.push(RequantRow {
                node,
                multiplier,
                bias,
                address: block.address + lane as u32,
                pole,
                lane: lane as u32,
                turned: block.turned,
                activation_row,
            });
        }
        Ok(())
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
        let requant = self.requant(&activations, &memory);
        let range = Table::new(Kind::Range, "remainders", vec![column(0..1 << SHIFT)]);
        let [steps, nodes, features] = self.trees.tables();
        let [embedding, vocabulary] = self.embeddings.tables(self.key.sizes(1), &memory);
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
            self.products.table(),
            embedding,
            vocabulary,
        ];
        for table in tables {
            let log_size = table.log_size()?;
            let padding = match log_size {
                0 => 0,
                log_size => (1 << log_size) - table.rows() as u32,
            };
            let reads = match table.kind {
                Kind::Relay | Kind::Linear | Kind::Feature => 1,
                Kind::Max | Kind::Product | Kind::Embedding => 2,
                _ => 0,
            };
            memory.reads[CONSTANT_ADDRESS as usize] += reads * padding;
            self.key.log_sizes[table.kind as usize] = log_size as u8;
            if log_size > 0 {
                self.columns.extend(table.padded(log_size));
            }
        }
        self.addresses = memory.reads.len();
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

    /// Words that the verifier states besides the constant: the input's, and the units.
    pub fn public_words(&self) -> u32 {
        self.key.input_words() + unit_positions(&self.key).len() as u32
    }

    /// The rows that read the public words and write them for the model. There are none if the model reads each of them
    /// exactly once: then it reads the public ones.
    fn relay(&mut self, linear: &mut Linear, memory: &Memory) -> Table {
        let public = self.public_words();
        let inner = INPUT_ADDRESS + public..INPUT_ADDRESS + 2 * public;
        let mut columns = vec![Vec::new(); 3];
        let once = |address: u32| memory.reads[address as usize] == 1;
        if self.key.log_positions == 0 && inner.clone().all(once) {
            let outer = |address: &mut u32| {
                if inner.contains(address) {
                    *address -= public;
                }
            };
            linear.addresses.iter_mut().for_each(outer);
            self.maxima.readdress(outer);
            self.trees.readdress(outer);
        } else {
            columns[0] = column(INPUT_ADDRESS..INPUT_ADDRESS + public);
            columns[1] = column(inner.clone());
            columns[2] = inner.map(|address| memory.reads(address)).collect();
        }
        Table::new(Kind::Relay, "inputs", columns)
    }

    fn requant(&self, activations: &Activations, memory: &Memory) -> Table {
        let width = Kind::Requant.columns(self.key.sizes(1)).len();
        let mut columns = vec![Vec::new(); width];
        for row in &self.requant_rows {
            let values = [
                row.address.into(),
                row.pole.into(),
                row.lane.into(),
                BaseField::from(row.multiplier).inverse(),
                signed(row.bias),
                memory.reads(row.address),
                activations.tables[row.node].into(),
                u32::from(row.turned).into(),
            ];
            for (column, value) in columns.iter_mut().zip(values) {
                column.push(value);
            }
        }
        Table::new(Kind::Requant, "activations", columns)
    }
}

/// The key, as far as the words say it.
fn key(model: &Model, preset: Preset, words: &Words, lanes: usize) -> VerifyingKey {
    let (inputs, outputs) = (model.inputs() as u32, model.outputs() as u32);
    VerifyingKey {
        version: VerifyingKey::CURRENT_VERSION,
        preset,
        log_lanes: lanes.ilog2() as u8,
        log_sizes: [0; Kind::COUNT],
        log_positions: words.positions.ilog2() as u8,
        log_block: words.block.ilog2() as u8,
        inputs,
        input_width: words.input_width as u32,
        outputs,
        output_width: words.output_width as u32,
        constant_reads: 0,
        root: [0; 32],
        interface: model.interface(),
    }
}

/// The field elements of signed integers, as a column.
fn signed_column(values: impl IntoIterator<Item = i32>) -> Vec<BaseField> {
    values.into_iter().map(signed).collect()
}
