//! The largest of many as chains of maxima of two.

use ciro_zkml_air::Kind;

use super::words::Largest;
use super::{column, Memory, Table};

/// A row: where the two values are, and where the larger goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MaxRow {
    pub first: u32,
    pub second: u32,
    pub address: u32,
}

/// The rows of the component, without padding, each after those whose results it reads.
#[derive(Default)]
pub(crate) struct Maxima {
    pub rows: Vec<MaxRow>,
}

impl Maxima {
    /// Adds the rows that find the largest of some words.
    pub(super) fn add(&mut self, largest: &Largest, memory: &mut Memory) {
        let mut so_far = largest.of[0];
        for (index, &second) in largest.of.iter().enumerate().skip(1) {
            let address = match index + 1 == largest.of.len() {
                true => largest.address,
                false => memory.allocate(1)[0],
            };
            memory.read(so_far);
            memory.read(second);
            self.rows.push(MaxRow {
                first: so_far,
                second,
                address,
            });
            so_far = address;
        }
    }

    pub(super) fn readdress(&mut self, change: impl Fn(&mut u32)) {
        for row in &mut self.rows {
            change(&mut row.first);
            change(&mut row.second);
        }
    }

    pub(super) fn table(&self, memory: &Memory) -> Table {
        let of = |field: fn(&MaxRow) -> u32| column(self.rows.iter().map(field));
        let reads = self
            .rows
            .iter()
            .map(|row| memory.reads(row.address))
            .collect();
        let columns = vec![
            of(|row| row.first),
            of(|row| row.second),
            of(|row| row.address),
            reads,
        ];
        Table::new(Kind::Max, "maxima", columns)
    }
}
