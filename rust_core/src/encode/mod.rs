//! Encodes columns of a file as Ingest requests according to a mapping (docs/import.md).

mod columns;
mod mapping;
mod template;
#[cfg(test)]
mod tests;
mod times;
mod values;

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;

use crate::error::{Error, Result};
use crate::proto::wire::{put_bytes, put_text};
use columns::FileColumn;
use mapping::{FieldSpec, Mapping, Records};
use template::Template;
use values::put_value;

/// The maximum size of a request: the default limit of gRPC.
const MAX_REQUEST: usize = 4 << 20;

pub struct RecordEncoder {
    mapping: Mapping,
    workspace: String,
}

/// The columns that the mapping uses, by name.
type Columns = BTreeMap<String, FileColumn>;

/// The column with a value that cannot be converted, and the reason.
type Misfit = (String, String);

impl RecordEncoder {
    /// Parses a mapping; returns `Error::Invalid` with the key that is wrong.
    pub fn new(mapping: &[u8], workspace: &str) -> Result<RecordEncoder> {
        Ok(RecordEncoder {
            mapping: Mapping::parse(mapping)?,
            workspace: workspace.to_owned(),
        })
    }

    /// Encodes an Arrow IPC stream as IngestRequest messages of at most 4 MiB. `first_row` is the number of the first row.
    ///
    /// Returns `Error::Invalid` with a missing column, or with row and column of a value that cannot be converted.
    pub fn encode(&self, stream: &[u8], first_row: u64) -> Result<Vec<Vec<u8>>> {
        let unreadable = |error| Error::Invalid(format!("the batch is not a readable Arrow IPC stream: {error}"));
        let reader = StreamReader::try_new(stream, None).map_err(unreadable)?;
        let mut requests = Requests::new(&self.workspace);
        let mut row = first_row;
        for batch in reader {
            let batch = batch.map_err(unreadable)?;
            let columns = self.columns(&batch)?;
            self.encode_batch(&columns, batch.num_rows(), row, &mut requests)?;
            row += batch.num_rows() as u64;
        }
        Ok(requests.finish())
    }

    fn columns(&self, batch: &RecordBatch) -> Result<Columns> {
        let schema = batch.schema();
        let mut columns = Columns::new();
        for (name, user, as_text) in self.mapping.columns() {
            let Some(array) = batch.column_by_name(name) else {
                let has: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
                return Err(Error::Invalid(format!(
                    "{user}: the file has no column {name:?}; it has {}",
                    has.join(", ")
                )));
            };
            if !columns.contains_key(name) {
                columns.insert(name.to_owned(), FileColumn::read(name, array)?);
            }
            if as_text && matches!(columns.get(name), Some(FileColumn::Set(_))) {
                return Err(Error::Invalid(format!(
                    "{user}: column {name} is a list, which has no text; use it with as: set"
                )));
            }
        }
        Ok(columns)
    }

    fn encode_batch(&self, columns: &Columns, rows: usize, first_row: u64, requests: &mut Requests) -> Result<()> {
        let mut writer = RowWriter {
            mapping: &self.mapping,
            bound: BoundMapping::new(&self.mapping, columns),
            body: Vec::new(),
            part: Vec::new(),
            value: Vec::new(),
            text: String::new(),
        };
        let mut record = Vec::new();
        for row in 0..rows {
            let number = first_row + row as u64;
            let at = |(column, what): Misfit| Error::Invalid(format!("row {number}, {column}: {what}"));
            writer.write(row, number).map_err(at)?;
            record.clear();
            put_bytes(&mut record, self.mapping.records.field(), &writer.body);
            requests.push(&record, number)?;
        }
        Ok(())
    }
}

/// Builds requests of limited size.
struct Requests {
    workspace: String,
    full: Vec<Vec<u8>>,
    open: Vec<u8>,
    /// The length of a request without records.
    empty: usize,
}

impl Requests {
    fn new(workspace: &str) -> Self {
        let mut open = Vec::new();
        put_text(&mut open, 1, workspace);
        Requests {
            workspace: workspace.to_owned(),
            full: Vec::new(),
            empty: open.len(),
            open,
        }
    }

    fn push(&mut self, record: &[u8], row: u64) -> Result<()> {
        // The tag and length of a record take at most six bytes.
        if self.open.len() + record.len() + 6 > MAX_REQUEST {
            if self.empty + record.len() + 6 > MAX_REQUEST {
                return Err(Error::Invalid(format!(
                    "row {row}: the record is larger than {MAX_REQUEST} bytes"
                )));
            }
            let next = Requests::new(&self.workspace).open;
            self.full.push(std::mem::replace(&mut self.open, next));
        }
        put_bytes(&mut self.open, 2, record);
        Ok(())
    }

    fn finish(mut self) -> Vec<Vec<u8>> {
        if self.open.len() > self.empty {
            self.full.push(self.open);
        }
        self.full
    }
}

/// The fields of a mapping with their columns, so that rows need no lookup by name.
struct BoundMapping<'a> {
    templates: Vec<(&'static str, u32, template::BoundTemplate<'a>)>,
    channel: Option<template::BoundTemplate<'a>>,
    identifiers: Vec<(template::BoundTemplate<'a>, template::BoundTemplate<'a>)>,
    occurred_at: Option<(&'a FieldSpec, &'a FileColumn)>,
    entries: Vec<(&'a str, &'a FieldSpec, &'a FileColumn)>,
}

impl<'a> BoundMapping<'a> {
    fn new(mapping: &'a Mapping, columns: &'a Columns) -> Self {
        let bind = |template: &'a Template| template.bind(columns);
        let templates = mapping.required.iter();
        BoundMapping {
            templates: templates
                .map(|(key, field, template)| (*key, *field, bind(template)))
                .collect(),
            channel: mapping.channel.as_ref().map(bind),
            identifiers: mapping
                .identifiers
                .iter()
                .map(|(namespace, value)| (bind(namespace), bind(value)))
                .collect(),
            occurred_at: mapping
                .occurred_at
                .as_ref()
                .map(|field| (field, &columns[&field.column])),
            entries: mapping
                .entries
                .iter()
                .map(|(name, field)| (name.as_str(), field, &columns[&field.column]))
                .collect(),
        }
    }
}

/// Writes the Event, ProfileUpdate or CatalogItem of a row into `body`.
struct RowWriter<'a> {
    mapping: &'a Mapping,
    bound: BoundMapping<'a>,
    body: Vec<u8>,
    part: Vec<u8>,
    value: Vec<u8>,
    text: String,
}

impl RowWriter<'_> {
    fn write(&mut self, row: usize, number: u64) -> std::result::Result<(), Misfit> {
        self.body.clear();
        for (key, field, template) in &self.bound.templates {
            if let Err(column) = template.render(row, number, &mut self.text) {
                return Err((
                    format!("column {column}"),
                    format!("it is empty, and {key} needs it in every row"),
                ));
            }
            put_text(&mut self.body, *field, &self.text);
        }
        let layout = self.mapping.records.layout();
        if let Some((field, column)) = self.bound.occurred_at {
            self.value.clear();
            match values::put_instant(&mut self.value, field, column, row, self.mapping.zone) {
                Ok(true) => put_bytes(&mut self.body, layout.occurred_at, &self.value),
                Ok(false) if self.mapping.records == Records::Event => {
                    return Err((
                        format!("column {}", field.column),
                        "it is empty, and an event needs its time".into(),
                    ));
                }
                Ok(false) => {}
                Err(what) => return Err((format!("column {}", field.column), what)),
            }
        }
        self.write_identifiers(row, number, layout.identifiers);
        if let Some(channel) = &self.bound.channel
            && channel.render(row, number, &mut self.text).is_ok()
        {
            put_text(&mut self.body, layout.channel, &self.text);
        }
        self.write_entries(row, layout.entries)
    }

    /// Writes the identifiers; leaves out those with a missing value.
    fn write_identifiers(&mut self, row: usize, number: u64, field: u32) {
        for (namespace, value) in &self.bound.identifiers {
            self.part.clear();
            if namespace.render(row, number, &mut self.text).is_err() {
                continue;
            }
            put_text(&mut self.part, 1, &self.text);
            if value.render(row, number, &mut self.text).is_err() {
                continue;
            }
            put_text(&mut self.part, 2, &self.text);
            put_bytes(&mut self.body, field, &self.part);
        }
    }

    fn write_entries(&mut self, row: usize, number: u32) -> std::result::Result<(), Misfit> {
        for (name, field, column) in &self.bound.entries {
            self.value.clear();
            let put = put_value(&mut self.value, field, column, row, self.mapping.zone);
            if put.map_err(|what| (format!("column {}", field.column), what))? {
                self.part.clear();
                put_text(&mut self.part, 1, name);
                put_bytes(&mut self.part, 2, &self.value);
                put_bytes(&mut self.body, number, &self.part);
            }
        }
        Ok(())
    }
}
