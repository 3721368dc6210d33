//! What JSON and UBJSON say.

use std::collections::BTreeMap;

/// Most nested lists and tables.
pub(super) const MAX_NESTING: usize = 32;
/// Most values of a file.
pub(super) const MAX_VALUES: usize = 1 << 26;

/// A value of a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// A number, rounded once to each width.
    Number {
        single: f32,
        double: f64,
    },
    Text(String),
    List(Vec<Value>),
    Table(BTreeMap<String, Value>),
}

impl Value {
    /// The entry of a table, if it is one and has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Table(entries) => entries.get(key),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn list(&self) -> Option<&[Value]> {
        match self {
            Value::List(values) => Some(values),
            _ => None,
        }
    }

    pub fn single(&self) -> Option<f32> {
        match self {
            Value::Number { single, .. } => Some(*single),
            _ => None,
        }
    }

    /// The integer that this is, a truth value counting as 0 or 1.
    pub fn int(&self) -> Option<i64> {
        match self {
            Value::Bool(value) => Some((*value).into()),
            // Integers of a file are below 2^53, where `f64` has them all.
            Value::Number { double, .. }
                if double.fract() == 0.0 && double.abs() < 2_f64.powi(53) =>
            {
                Some(*double as i64)
            }
            _ => None,
        }
    }
}
