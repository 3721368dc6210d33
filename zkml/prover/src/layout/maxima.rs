//! Pooling windows as chains of maxima of two.

use ciro_zkml_air::Kind;
use ciro_zkml_model::Window;

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
    /// Adds the windows of an image whose pixels are at `source`; returns where their largest values go.
    pub(super) fn add(
        &mut self,
        shape: &[u32],
        window: &Window,
        source: &[u32],
        image: &[u32],
        memory: &mut Memory,
    ) -> Vec<u32> {
        let (&[channels, height, width], &[_, image_height, image_width]) = (shape, image) else {
            unreachable!("a validated window reads and makes images")
        };
        let plane = (image_height * image_width) as usize;
        let mut made = Vec::with_capacity((channels * height * width) as usize);
        for channel in 0..channels as usize {
            for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                let taps = window.taps([y, x], [image_height, image_width]);
                let addresses = taps.map(|(_, pixel)| source[channel * plane + pixel]);
                let largest = addresses.reduce(|first, second| self.larger(first, second, memory));
                made.push(
                    largest.unwrap_or_else(|| unreachable!("a validated window is not empty")),
                );
            }
        }
        made
    }

    fn larger(&mut self, first: u32, second: u32, memory: &mut Memory) -> u32 {
        memory.read(first);
        memory.read(second);
        let address = memory.allocate(1)[0];
        self.rows.push(MaxRow {
            first,
            second,
            address,
        });
        address
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
