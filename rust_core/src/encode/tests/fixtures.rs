//! Arrow streams, mappings, and the records that they encode to.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_ipc::writer::StreamWriter;

use crate::encode::{MAX_REQUEST, RecordEncoder};
use crate::error::Result;
use crate::ingest::peek_workspace;
use crate::proto::record::{Event, Record};
use crate::proto::wire::Reader;

/// Writes columns as an Arrow IPC stream.
pub fn stream(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap();
    let mut out = Vec::new();
    let mut writer = StreamWriter::try_new(&mut out, &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    out
}

pub fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// Returns a mapping of events with these additional JSON members.
pub fn mapping(members: &str) -> String {
    let base = r#""records": "event", "source": "tills", "id": "{row}", "type": "order", "occurred_at": {"column": "at", "as": "instant", "format": "s"},
        "identifiers": [{"namespace": "card", "value": "{card}"}]"#;
    let mut mapping: serde_json::Map<_, _> = serde_json::from_str(&format!("{{{base}}}")).unwrap();
    let members: serde_json::Map<_, _> = serde_json::from_str(&format!("{{{members}}}")).unwrap();
    mapping.extend(members);
    serde_json::to_string(&mapping).unwrap()
}

/// Encodes a stream whose first row has number 100.
pub fn encode(mapping: &str, stream: &[u8]) -> Result<Vec<Vec<u8>>> {
    RecordEncoder::new(mapping.as_bytes(), "shop")?.encode(stream, 100)
}

/// Returns the records of all requests in order.
pub fn records(requests: &[Vec<u8>]) -> Vec<Record<'_>> {
    let mut records = Vec::new();
    for request in requests {
        assert!(request.len() <= MAX_REQUEST);
        assert_eq!(peek_workspace(request).unwrap(), "shop");
        let mut reader = Reader::new(request);
        while let Some((field, wire)) = reader.field().unwrap() {
            if field == 2 {
                records.push(Record::decode(wire.bytes().unwrap()).unwrap());
            }
        }
    }
    records
}

pub fn event<'a>(record: &'a Record) -> &'a Event<'a> {
    match record {
        Record::Event(event) => event,
        other => panic!("{other:?} is not an event"),
    }
}

/// Returns the columns that `mapping` requires.
pub fn base(rows: usize) -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("at", Arc::new(Int64Array::from(vec![7; rows]))),
        ("card", texts(&vec![Some("c"); rows])),
    ]
}
