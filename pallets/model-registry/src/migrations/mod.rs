//! How storage of earlier versions becomes that of the present one.

pub mod v2;
