//! The tables of activation functions.

use ciro_zkml_air::components::table::ACTIVATION_TABLE;
use ciro_zkml_air::Kind;
use ciro_zkml_model::{Activation, Bounds, Model};

use super::{column, signed_column, Table};

/// The tables, one after the other, and which of them each node looks up.
pub(super) struct Activations {
    pub table: Table,
    /// The number of each node's table; 0 for nodes without one.
    pub tables: Vec<u32>,
    /// Index of the row that holds the activation of zero, for each node.
    pub zero_rows: Vec<usize>,
}

impl Activations {
    /// A table for each function of the model, over all values that it can meet.
    pub fn new(model: &Model, bounds: &Bounds) -> Self {
        let mut functions: Vec<(&Activation, i32, i32)> = Vec::new();
        let mut used: Vec<Option<usize>> = Vec::new();
        for (node, &(low, high)) in model.nodes.iter().zip(&bounds.quantised) {
            used.push(node.requant().map(|requant| {
                let known = functions.iter_mut().enumerate();
                let mut same = known.filter(|(_, (function, ..))| **function == requant.activation);
                if let Some((index, (_, from, to))) = same.next() {
                    (*from, *to) = (low.min(*from), high.max(*to));
                    return index;
                }
                drop(same);
                functions.push((&requant.activation, low, high));
                functions.len() - 1
            }));
        }

        let (mut tables, mut keys, mut values, mut zeros) = (vec![], vec![], vec![], vec![]);
        for (number, (function, low, high)) in (ACTIVATION_TABLE..).zip(functions) {
            zeros.push(keys.len() + low.unsigned_abs() as usize);
            keys.extend(low..=high);
            values.extend((low..=high).map(|q| function.apply(q)));
            tables.resize(keys.len(), number);
        }
        let columns = vec![column(tables), signed_column(keys), signed_column(values)];
        let number =
            |index: &Option<usize>| index.map_or(0, |index| ACTIVATION_TABLE + index as u32);
        let zero = |index: &Option<usize>| index.map_or(0, |index| zeros[index]);
        Self {
            table: Table::new(Kind::Activation, "activation tables", columns),
            tables: used.iter().map(number).collect(),
            zero_rows: used.iter().map(zero).collect(),
        }
    }
}
