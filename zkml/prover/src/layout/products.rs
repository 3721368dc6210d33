//! Products of matrices as rows of two words.

use ciro_zkml_air::Kind;

use super::words::ProductBlock;
use super::{column, Memory, Table};

/// A row: the two words and whether every position of one meets every position of the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProductRow {
    pub first: u32,
    pub second: u32,
    pub pole: u32,
    pub outer: bool,
}

/// The rows of the component, without padding.
#[derive(Default)]
pub(crate) struct Products {
    pub rows: Vec<ProductRow>,
}

impl Products {
    /// Adds the rows of a block, whose sums have the given pole.
    pub(super) fn add(&mut self, product: &ProductBlock, pole: u32, memory: &mut Memory) {
        for &(first, second) in &product.factors {
            memory.read(first);
            memory.read(second);
            self.rows.push(ProductRow {
                first,
                second,
                pole,
                outer: product.outer,
            });
        }
    }

    pub(super) fn table(&self) -> Table {
        let of = |field: fn(&ProductRow) -> u32| column(self.rows.iter().map(field));
        let columns = vec![
            of(|row| row.first),
            of(|row| row.second),
            of(|row| row.pole),
            of(|row| row.outer.into()),
            of(|row| (!row.outer).into()),
        ];
        Table::new(Kind::Product, "products", columns)
    }
}
