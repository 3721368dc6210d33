//! The main trace: what the model computed, laid out in columns.

use ciro_zkml_air::public::signed;
use ciro_zkml_air::SHIFT;
use ciro_zkml_model::LayerTrace;
use stwo::core::fields::m31::BaseField;
use stwo::prover::backend::simd::column::BaseColumn;

use crate::layout::Layout;

/// Columns of the main trace, component by component.
pub(crate) struct Witness {
    /// A column a sample: the activation that the row reads.
    pub dense: Vec<BaseColumn>,
    /// Three columns a sample: quotient, remainder, activation.
    pub requant: Vec<BaseColumn>,
    /// How often each remainder is looked up.
    pub range: BaseColumn,
    /// How often each row of the activation tables is looked up.
    pub activation: BaseColumn,
}

impl Witness {
    /// Lays out the run of `input` (`[batch][inputs]`), whose layers are `trace`.
    pub fn new(layout: &Layout, batch: usize, input: &[i8], trace: &[LayerTrace]) -> Self {
        let memory = memory(layout, batch, input, trace);
        let dense = memory
            .iter()
            .map(|sample| column(layout.dense_addresses.iter().map(|at| sample[*at as usize])))
            .collect();

        let rows = 1usize << layout.key.requant_log_size;
        let padding = rows - layout.requant_rows.len();
        let mut range = vec![0u32; 1 << SHIFT];
        let mut activation = vec![0u32; 1 << layout.key.activation_log_size];
        // A padding row looks up zero in the range table, twice.
        range[0] += (2 * padding * batch) as u32;
        let mut requant = Vec::new();
        for sample in 0..batch {
            let mut columns = [(); 3].map(|()| vec![BaseField::from(0u32); rows]);
            for (index, row) in layout.requant_rows.iter().enumerate() {
                let layer = &trace[row.layer];
                let outputs = layer.acc.len() / batch;
                let at = sample * outputs + row.output;
                let (q, out) = (layer.q[at], layer.out[at]);
                let rescaled = i64::from(layer.acc[at]) * i64::from(row.multiplier);
                let remainder = rescaled + (1 << (SHIFT - 1)) - (i64::from(q) << SHIFT);
                columns[0][index] = signed(q);
                columns[1][index] = signed(remainder as i32);
                columns[2][index] = signed(out);
                range[remainder as usize] += 1;
                activation[row.activation_row.wrapping_add_signed(q as isize)] += 1;
            }
            requant.extend(columns.map(|values| column(values.into_iter())));
        }
        Self {
            dense,
            requant,
            range: column(range.into_iter().map(BaseField::from)),
            activation: column(activation.into_iter().map(BaseField::from)),
        }
    }
}

/// Every activation by its address, for each sample: the constant one, the input, then each hidden layer's output.
fn memory(
    layout: &Layout,
    batch: usize,
    input: &[i8],
    trace: &[LayerTrace],
) -> Vec<Vec<BaseField>> {
    let inputs = layout.key.inputs as usize;
    (0..batch)
        .map(|sample| {
            let mut values = vec![BaseField::from(1u32)];
            let input = &input[sample * inputs..(sample + 1) * inputs];
            values.extend(input.iter().map(|value| signed((*value).into())));
            for layer in trace {
                let width = layer.out.len() / batch;
                let out = &layer.out[sample * width..(sample + 1) * width];
                values.extend(out.iter().map(|value| signed(*value)));
            }
            values
        })
        .collect()
}

fn column(values: impl Iterator<Item = BaseField>) -> BaseColumn {
    values.collect()
}
