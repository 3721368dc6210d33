//! Lists among the attributes of ONNX nodes.

use crate::{
    graph::attribute,
    onnx::{data_type, NodeProto, TensorProto},
    ImportError,
};

pub(super) fn ints<'a>(node: &'a NodeProto, name: &str) -> &'a [i64] {
    attribute(node, name).map_or(&[], |attribute| &attribute.ints)
}

pub(super) fn string(node: &NodeProto, name: &str) -> Option<String> {
    let attribute = attribute(node, name)?;
    Some(String::from_utf8_lossy(&attribute.s).into_owned())
}

pub(super) fn strings(node: &NodeProto, name: &str) -> Vec<String> {
    let strings = attribute(node, name).map_or(&[][..], |attribute| &attribute.strings);
    strings
        .iter()
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .collect()
}

/// A list of numbers: floats, or a tensor under the same name or that name with `_as_tensor`.
pub(super) fn numbers(node: &NodeProto, name: &str) -> Result<Vec<f64>, ImportError> {
    let attributes = [
        attribute(node, name),
        attribute(node, &format!("{name}_as_tensor")),
    ];
    for attribute in attributes.into_iter().flatten() {
        if let Some(tensor) = &attribute.t {
            let problem = || ImportError::node(node, format!("{name} is not a tensor of numbers"));
            return elements(tensor).ok_or_else(problem);
        }
        if !attribute.floats.is_empty() {
            return Ok(attribute.floats.iter().map(|&value| value.into()).collect());
        }
    }
    Ok(vec![])
}

/// The elements of a tensor of floats, doubles or bytes.
pub(super) fn elements(tensor: &TensorProto) -> Option<Vec<f64>> {
    let raw = &tensor.raw_data;
    match tensor.data_type {
        _ if tensor.data_location != 0 => None,
        data_type::FLOAT if raw.is_empty() => Some(
            tensor
                .float_data
                .iter()
                .map(|&value| value.into())
                .collect(),
        ),
        data_type::DOUBLE if raw.is_empty() => Some(tensor.double_data.clone()),
        data_type::UINT8 if raw.is_empty() => Some(
            tensor
                .int32_data
                .iter()
                .map(|&value| value.into())
                .collect(),
        ),
        data_type::FLOAT => match raw.as_chunks() {
            (words, []) => Some(
                words
                    .iter()
                    .map(|&word| f32::from_le_bytes(word).into())
                    .collect(),
            ),
            _ => None,
        },
        data_type::DOUBLE => match raw.as_chunks() {
            (words, []) => Some(words.iter().map(|&word| f64::from_le_bytes(word)).collect()),
            _ => None,
        },
        data_type::UINT8 => Some(raw.iter().map(|&byte| byte.into()).collect()),
        _ => None,
    }
}
