//! The main trace: what the model computed, laid out in columns.

use ciro_zkml_air::components::{max, requant, sponge, tree};
use ciro_zkml_air::public::{signed, unit_positions};
use ciro_zkml_air::{Form, Kind, CONSTANT_ADDRESS, INPUT_ADDRESS, SHIFT};
use ciro_zkml_model::{Model, Op, Trace, TreeNode, Trees};
use rayon::prelude::*;
use stwo::core::fields::m31::BaseField;
use stwo::prover::backend::simd::column::BaseColumn;

use crate::layout::{feature_name, Embeddings, Layout, Lookup, Place, ProductRow, NONE};
use crate::opening;

/// Columns of the main trace, component by component, in the order of the key's.
pub(crate) struct Witness {
    pub components: Vec<(Kind, Vec<BaseColumn>)>,
}

/// A run of the model being laid out.
struct Writer<'a> {
    layout: &'a Layout,
    batch: usize,
    positions: usize,
    /// Every word by its address, for each sample and each position of it.
    memory: Vec<Vec<i32>>,
    /// How often each number is looked up in the range table.
    range: Vec<u32>,
}

impl Witness {
    /// Lays out the run of `input` (`[batch][inputs]`), whose nodes' values are `trace`, for a statement of `form`.
    pub fn new(layout: &Layout, model: &Model, form: Form, input: &[i8], trace: &[Trace]) -> Self {
        let mut writer = Writer {
            layout,
            batch: form.batch as usize,
            positions: layout.key.positions() as usize,
            memory: Vec::new(),
            range: vec![0; 1 << SHIFT],
        };
        let input: Vec<i32> = input.iter().map(|value| i32::from(*value)).collect();
        writer.fill_memory(model, &input, trace);
        let output = trace.last().map_or(&[][..], |last| &last.acc);
        let mut components: Vec<(Kind, Vec<BaseColumn>)> = Vec::new();
        for (kind, log_size) in form.components(&layout.key) {
            let height = (kind, 1 << log_size);
            let columns = match kind {
                Kind::Relay => writer.relay(),
                Kind::Linear => writer.read(layout.linear_addresses.iter().copied()),
                Kind::Requant => {
                    let (requant, activation) = writer.requant(trace);
                    components.push((kind, requant));
                    components.push((Kind::Activation, vec![activation]));
                    continue;
                }
                Kind::Max => writer.maxima(),
                Kind::Product => writer.products(),
                Kind::Embedding => {
                    let (embedding, vocabulary) = writer.embeddings(model, trace);
                    components.push((kind, embedding));
                    components.push((Kind::Vocabulary, vec![vocabulary]));
                    continue;
                }
                Kind::Tree => {
                    for (kind, columns) in writer.trees(model) {
                        components.push((kind, columns));
                    }
                    continue;
                }
                Kind::Sponge => {
                    let input = form.committed.input.then_some((0, &input[..]));
                    let output = (sponge::OUTPUT_BLOCK, output);
                    let output = form.committed.output.then_some(output);
                    let tensors: Vec<_> = input.into_iter().chain(output).collect();
                    opening::absorb(&tensors, 1 << log_size)
                }
                Kind::InputPort => {
                    opening::count_bytes(&input, &mut writer.range);
                    opening::offer(&layout.key, height, form.batch, &input)
                }
                Kind::OutputPort => opening::offer(&layout.key, height, form.batch, output),
                // Made with what looks them up.
                Kind::Range | Kind::Activation | Kind::Node | Kind::Feature | Kind::Vocabulary => {
                    continue
                }
            };
            components.push((kind, columns));
        }
        let range = writer.range.iter().copied().map(BaseField::from).collect();
        components.push((Kind::Range, vec![range]));
        components.sort_by_key(|(kind, _)| *kind as usize);
        Self { components }
    }

    /// All columns, in the order of their commitment.
    pub fn columns(&self) -> impl Iterator<Item = &BaseColumn> {
        self.components.iter().flat_map(|(_, columns)| columns)
    }
}

impl Writer<'_> {
    fn fill_memory(&mut self, model: &Model, input: &[i32], trace: &[Trace]) {
        let values = self.batch * self.positions;
        self.memory = vec![vec![0; self.layout.addresses]; values];
        self.fill_public(input);
        for (index, (node, trace)) in model.nodes.iter().zip(trace).enumerate() {
            if matches!(node.op, Op::Embedding(_)) {
                self.fill_tensor(index + 1, &trace.out);
            }
        }
        let rows = self.layout.requant_rows.iter();
        for (row, elements) in rows.zip(self.layout.requant_elements.chunks(self.positions)) {
            let out = &trace[row.node].out;
            let own = out.len() / self.batch;
            for (value, memory) in self.memory.iter_mut().enumerate() {
                let (sample, position) = (value / self.positions, value % self.positions);
                if elements[position] != NONE {
                    memory[row.address as usize] = out[sample * own + elements[position] as usize];
                }
            }
        }
        for row in &self.layout.maxima.rows {
            for memory in &mut self.memory {
                let larger = memory[row.first as usize].max(memory[row.second as usize]);
                memory[row.address as usize] = larger;
            }
        }
    }

    /// The public words, and as the model reads them.
    fn fill_public(&mut self, input: &[i32]) {
        let key = &self.layout.key;
        let units = unit_positions(key);
        let public = self.layout.public_words() as usize;
        for (value, memory) in self.memory.iter_mut().enumerate() {
            let (sample, position) = (value / self.positions, value % self.positions);
            let input = &input[sample * key.inputs as usize..];
            memory[CONSTANT_ADDRESS as usize] = 1;
            let words = (0..key.input_words()).map(|word| {
                input[key.value_at(key.inputs, key.input_width, word, position as u32)]
            });
            let units = units
                .clone()
                .map(|unit| i32::from(unit as usize == position));
            for (index, value) in words.chain(units).enumerate() {
                let address = INPUT_ADDRESS as usize + index;
                memory[address] = value;
                memory[address + public] = value;
            }
        }
    }

    /// A tensor that words hold as they are, `[batch][elements]`.
    fn fill_tensor(&mut self, tensor: usize, values: &[i32]) {
        let places = &self.layout.places[tensor];
        for (value, memory) in self.memory.iter_mut().enumerate() {
            let own = &values[value / self.positions * places.len()..];
            for (place, own) in places.iter().zip(own) {
                match place {
                    Place::Whole(address) => memory[*address as usize] = *own,
                    Place::At { address, position } => {
                        if *position as usize == value % self.positions {
                            memory[*address as usize] = *own;
                        }
                    }
                    Place::Constant(_) => {}
                }
            }
        }
    }

    /// A column for each value of a word: the words at `addresses`.
    fn read(&self, addresses: impl Iterator<Item = u32> + Clone + Sync) -> Vec<BaseColumn> {
        let value = |values: &Vec<i32>| {
            let read = addresses.clone().map(|at| signed(values[at as usize]));
            read.collect()
        };
        self.memory.par_iter().map(value).collect()
    }

    /// Addresses followed by the constant's, on padding rows.
    fn padded(
        &self,
        kind: Kind,
        addresses: impl Iterator<Item = u32> + Clone + Sync,
    ) -> Vec<BaseColumn> {
        let rows = self.layout.key.rows(kind) as usize;
        let padding = std::iter::repeat(CONSTANT_ADDRESS);
        self.read(addresses.chain(padding).take(rows))
    }

    fn relay(&self) -> Vec<BaseColumn> {
        let public = self.layout.public_words();
        self.padded(Kind::Relay, INPUT_ADDRESS..INPUT_ADDRESS + public)
    }

    /// Quotients, remainders and activations; and how often each row of the activation tables is looked up.
    fn requant(&mut self, trace: &[Trace]) -> (Vec<BaseColumn>, BaseColumn) {
        let layout = self.layout;
        let rows = layout.key.rows(Kind::Requant) as usize;
        let (padding, word) = (rows - layout.requant_rows.len(), self.memory.len());
        let mut activation = vec![0u32; layout.key.rows(Kind::Activation) as usize];
        // A padding row looks up zero in the range table, twice.
        self.range[0] += (2 * padding * word) as u32;
        let mut cells = vec![vec![BaseField::from(0u32); rows]; requant::CELLS_PER_VALUE * word];
        for value in 0..word {
            let (sample, position) = (value / self.positions, value % self.positions);
            let elements = layout.requant_elements.chunks(self.positions);
            for (index, (row, elements)) in layout.requant_rows.iter().zip(elements).enumerate() {
                let node = &trace[row.node];
                // Where a word holds nothing, it holds the activation of zero, which is zero.
                let (acc, q, out) = match elements[position] {
                    NONE => (0, 0, 0),
                    element => {
                        let at = sample * (node.acc.len() / self.batch) + element as usize;
                        (node.acc[at], node.q[at], node.out[at])
                    }
                };
                let rescaled = i64::from(acc) * i64::from(row.multiplier);
                let remainder = rescaled + (1 << (SHIFT - 1)) - (i64::from(q) << SHIFT);
                for (part, cell) in [q, remainder as i32, out].into_iter().enumerate() {
                    cells[part * word + value][index] = signed(cell);
                }
                self.range[remainder as usize] += 1;
                activation[row.activation_row.wrapping_add_signed(q as isize)] += 1;
            }
        }
        let activation = activation.into_iter().map(BaseField::from).collect();
        (columns(cells), activation)
    }

    /// The two factors.
    fn products(&self) -> Vec<BaseColumn> {
        let rows = &self.layout.products.rows;
        let read = |of: fn(&ProductRow) -> u32| self.padded(Kind::Product, rows.iter().map(of));
        [read(|row| row.first), read(|row| row.second)].concat()
    }

    /// Tokens' bytes and values, and how often each row of the vocabulary is looked up.
    fn embeddings(&self, model: &Model, trace: &[Trace]) -> (Vec<BaseColumn>, BaseColumn) {
        let Embeddings {
            lookups,
            width,
            blocks,
            ..
        } = &self.layout.embeddings;
        let key = &self.layout.key;
        let block = key.sizes(1).block as usize;
        let rows = key.rows(Kind::Embedding) as usize;
        let node = model
            .nodes
            .iter()
            .position(|node| matches!(node.op, Op::Embedding(_)));
        let out = node.map_or(&[][..], |node| &trace[node].out);
        let own = out.len() / self.batch;
        let mut counts = vec![0u32; key.rows(Kind::Vocabulary) as usize];
        let mut values = vec![vec![BaseField::from(0u32); rows]; block * self.batch];
        // A word of bytes is the same at all its positions.
        let byte = |of: fn(&Lookup) -> u32| {
            let words = self
                .padded(Kind::Embedding, lookups.iter().map(of))
                .into_iter();
            words.step_by(self.positions).collect::<Vec<_>>()
        };
        for sample in 0..self.batch {
            let memory = &self.memory[sample * self.positions];
            for (index, lookup) in lookups.iter().enumerate() {
                let [upper, lower] = [lookup.upper, lookup.lower]
                    .map(|address| (memory[address as usize] + 128) as usize);
                let token = upper << 8 | lower;
                counts[token * blocks + lookup.block as usize] += 1;
                let from = lookup.block as usize * block;
                let row = &out[sample * own + lookup.token * width..][..*width];
                for (at, value) in row[from..].iter().take(block).enumerate() {
                    values[sample * block + at][index] = signed(*value);
                }
            }
        }
        let mut embedding = byte(|lookup| lookup.upper);
        embedding.extend(byte(|lookup| lookup.lower));
        embedding.extend(columns(values));
        (embedding, counts.into_iter().map(BaseField::from).collect())
    }

    /// The two values and the larger.
    fn maxima(&mut self) -> Vec<BaseColumn> {
        let rows = &self.layout.maxima.rows;
        let padding = self.layout.key.rows(Kind::Max) as usize - rows.len();
        self.range[0] += (padding * self.memory.len()) as u32;
        for values in &self.memory {
            for row in rows {
                let of = |address: u32| values[address as usize];
                let distance = 2 * of(row.address) - of(row.first) - of(row.second);
                self.range[distance as usize] += 1;
            }
        }
        let read =
            |of: fn(&crate::layout::MaxRow) -> u32| self.padded(Kind::Max, rows.iter().map(of));
        let cells = [
            read(|row| row.first),
            read(|row| row.second),
            read(|row| row.address),
        ];
        debug_assert_eq!(cells.len(), max::CELLS_PER_VALUE);
        cells.concat()
    }

    /// The walks through the trees, and how often nodes and features are looked up.
    fn trees(&mut self, model: &Model) -> [(Kind, Vec<BaseColumn>); 3] {
        let layout = self.layout;
        let Some(Op::Trees(trees)) = model.nodes.last().map(|node| &node.op) else {
            unreachable!("only trees have steps")
        };
        let rows = |kind: Kind| layout.key.rows(kind) as usize;
        let zero = BaseField::from(0u32);
        let mut walks = Walks {
            layout,
            batch: self.batch,
            steps: vec![vec![zero; rows(Kind::Tree)]; tree::STEP_CELLS_PER_SAMPLE * self.batch],
            nodes: vec![0; rows(Kind::Node)],
            reads: vec![vec![0; rows(Kind::Feature)]; 2 * self.batch],
        };
        for (sample, values) in self.memory.iter().enumerate() {
            let features: Vec<i32> = layout
                .trees
                .features
                .iter()
                .map(|address| values[*address as usize])
                .collect();
            walks.walk(sample, trees, &features, &mut self.range);
        }
        let counts = |counts: Vec<u32>| counts.into_iter().map(BaseField::from).collect();
        let mut features = self.padded(Kind::Feature, layout.trees.features.iter().copied());
        features.extend(walks.reads.into_iter().map(counts));
        debug_assert_eq!(features.len(), tree::FEATURE_CELLS_PER_SAMPLE * self.batch);
        [
            (Kind::Tree, columns(walks.steps)),
            (Kind::Node, vec![counts(walks.nodes)]),
            (Kind::Feature, features),
        ]
    }
}

/// The cells of the step component, and the lookups it makes.
struct Walks<'a> {
    layout: &'a Layout,
    batch: usize,
    steps: Vec<Vec<BaseField>>,
    nodes: Vec<u32>,
    /// Lookups of each feature, for each sample; then of each feature's negative.
    reads: Vec<Vec<u32>>,
}

impl Walks<'_> {
    fn walk(&mut self, sample: usize, trees: &Trees, features: &[i32], range: &mut [u32]) {
        let mut row = 0;
        for (tree, plan) in trees.trees.iter().zip(&self.layout.trees.trees) {
            let path: Vec<usize> = tree.path(features).collect();
            let leaf = path[path.len() - 1];
            let number = |node: usize| plan.first_node as i32 + node as i32;
            for step in 0..plan.depth {
                let node = path.get(step).copied().unwrap_or(leaf);
                let next = path.get(step + 1).copied().unwrap_or(leaf);
                let (feature, bound, negative) = match &tree.nodes[node] {
                    TreeNode::Branch {
                        input, threshold, ..
                    } => {
                        let (input, threshold) = (*input as usize, i32::from(*threshold));
                        match features[input] <= threshold {
                            true => (input, threshold, false),
                            false => (input, -threshold - 1, true),
                        }
                    }
                    TreeNode::Leaf(_) => (0, i8::MAX.into(), false),
                };
                let value = if negative {
                    -features[feature]
                } else {
                    features[feature]
                };
                self.nodes[plan.entries[node] + usize::from(negative)] += 1;
                self.reads[usize::from(negative) * self.batch + sample][feature] += 1;
                range[(bound - value) as usize] += 1;
                let name = feature_name(feature) + i32::from(negative);
                self.write(
                    sample,
                    row,
                    [number(node), name, bound, value, number(next)],
                );
                row += 1;
            }
            let TreeNode::Leaf(values) = &tree.nodes[leaf] else {
                unreachable!("a walk ends in a leaf")
            };
            for (slot, value) in values.iter().enumerate() {
                self.nodes[plan.entries[leaf] + 1 + slot] += 1;
                self.write(sample, row, [number(leaf), 0, *value, 0, number(leaf)]);
                row += 1;
            }
        }
    }

    fn write(&mut self, sample: usize, row: usize, cells: [i32; tree::STEP_CELLS_PER_SAMPLE]) {
        let at = self.layout.trees.positions[row];
        for (part, value) in cells.into_iter().enumerate() {
            self.steps[part * self.batch + sample][at] = signed(value);
        }
    }
}

fn columns(cells: Vec<Vec<BaseField>>) -> Vec<BaseColumn> {
    cells
        .into_iter()
        .map(|column| column.into_iter().collect())
        .collect()
}
