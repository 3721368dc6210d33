//! Comparisons with a number, and what is chosen by them: functions of one value in several pieces.

use crate::{
    function::{Function, Step},
    tensor::Tensor,
};

use super::{
    call::{Call, Problem},
    mask,
    wire::{Value, Wire},
    Lowering,
};

impl Lowering {
    /// Greater and Less: 1 where the comparison with a number holds, otherwise 0.
    pub(super) fn compared(&mut self, call: &Call) -> Result<Value, Problem> {
        let first = matches!(call.value(0)?, Value::Constant(_));
        let (wire, limit) = match first {
            true => (call.wire(1)?, call.constant(0)?),
            false => (call.wire(0)?, call.constant(1)?),
        };
        let limit = single(limit)?;
        let steps = match (call.op() == "Greater") == first {
            true => vec![Step::X, Step::Affine(-1.0, 0.0), Step::Above(-limit)],
            false => vec![Step::X, Step::Above(limit)],
        };
        let wire = self.followed(wire, &Function::program(&steps))?;
        Ok(Value::Tensor(wire))
    }

    /// Where, among functions of the values that it compares.
    pub(super) fn chosen(&mut self, call: &Call) -> Result<Value, Problem> {
        if call.constant(0).is_ok() {
            return match call.all_constant() {
                true => mask::chosen(call).and_then(|tensor| self.made(tensor)),
                false => self.masked(call),
            };
        }
        let condition = call.wire(0)?;
        let [yes, no] = [option(call, 1, &condition)?, option(call, 2, &condition)?];
        let function = yes.choose(&no, &condition.function);
        match function.is_long() {
            true => Err("its pieces are too long; export the function as one operator".into()),
            false => Ok(Value::Tensor(Wire {
                function,
                ..condition
            })),
        }
    }
}

/// The function that operand `index` is of what the condition compares.
fn option(call: &Call, index: usize, condition: &Wire) -> Result<Function, Problem> {
    if let Value::Constant(tensor) = call.value(index)? {
        let value = single(tensor)?;
        return Ok(Function::program(&[Step::X, Step::Affine(0.0, value)]));
    }
    let wire = call.wire(index)?;
    match wire.reads_like(condition) {
        true => Ok(wire.function),
        false => {
            Err("only pieces of one function can be chosen from, and masks must be constant".into())
        }
    }
}

fn single(tensor: &Tensor) -> Result<f32, Problem> {
    let value = tensor.uniform().filter(|_| tensor.len() == 1);
    value.ok_or_else(|| "only single numbers are supported here".into())
}
