//! Tests the conversion of Arrow columns to records.

mod file;
mod mappings;
mod records;
mod values;
