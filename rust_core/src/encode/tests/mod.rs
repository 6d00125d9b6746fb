//! Tests the conversion of Arrow columns to records.

mod fixtures;
mod mappings;
mod records;
mod values;
