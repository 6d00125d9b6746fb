//! Files as Arrow gives them, against the records that the mapping asks for.

mod file;
mod mappings;
mod records;
mod values;
