//! Records and frames as they travel.

use crate::proto::frame::{IdentityChange, ResolvedFrame};
use crate::proto::record::Value;
use crate::proto::wire::{put_bytes, put_fixed64, put_number, put_text, put_varint};

pub struct Sent<'a> {
    pub source: &'a str,
    pub id: &'a str,
    pub kind: &'a str,
    pub time: Option<i64>,
    pub channel: &'a str,
    pub values: &'a [(&'a str, Value<'a>)],
}

pub fn event(sent: &Sent<'_>) -> Vec<u8> {
    let mut body = head(sent);
    put_text(&mut body, 3, sent.kind);
    put_time(&mut body, 4, sent.time);
    put_text(&mut body, 6, sent.channel);
    put_values(&mut body, 7, sent.values);
    wrapped(1, &body)
}

pub fn profile(sent: &Sent<'_>) -> Vec<u8> {
    let mut body = head(sent);
    put_time(&mut body, 3, sent.time);
    put_values(&mut body, 5, sent.values);
    wrapped(2, &body)
}

pub fn item(catalog: &str, key: &str, values: &[(&str, Value<'_>)]) -> Vec<u8> {
    let mut body = Vec::new();
    put_text(&mut body, 1, catalog);
    put_text(&mut body, 2, key);
    put_values(&mut body, 3, values);
    wrapped(3, &body)
}

/// Of records that came by no node.
pub fn frame(
    raw_offset: u64,
    changes: Vec<IdentityChange>,
    records: &[(u64, Vec<u8>)],
    schema: Option<&[u8]>,
) -> Vec<u8> {
    let records: Vec<_> = records
        .iter()
        .map(|(person, record)| (*person, 0, record.clone()))
        .collect();
    frame_by_nodes(raw_offset, changes, &records, schema)
}

/// Records with their persons and the nodes that they came by.
pub fn frame_by_nodes(
    raw_offset: u64,
    changes: Vec<IdentityChange>,
    records: &[(u64, u32, Vec<u8>)],
    schema: Option<&[u8]>,
) -> Vec<u8> {
    let frame = ResolvedFrame {
        raw_offset,
        received_at_ms: raw_offset as i64 * 10,
        changes,
        persons: records.iter().map(|&(person, ..)| person).collect(),
        nodes: records.iter().map(|&(_, node, _)| node).collect(),
        records: records.iter().map(|(.., record)| &record[..]).collect(),
        schema,
    };
    frame.encode()
}

fn head(sent: &Sent<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    put_text(&mut body, 1, sent.source);
    put_text(&mut body, 2, sent.id);
    body
}

fn wrapped(field: u32, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_bytes(&mut out, field, body);
    out
}

fn put_time(out: &mut Vec<u8>, field: u32, time: Option<i64>) {
    if let Some(time) = time {
        let mut body = Vec::new();
        put_number(&mut body, 1, time.div_euclid(1000) as u64);
        put_number(&mut body, 2, time.rem_euclid(1000) as u64 * 1_000_000);
        put_bytes(out, field, &body);
    }
}

pub fn put_values(out: &mut Vec<u8>, field: u32, values: &[(&str, Value<'_>)]) {
    for (name, value) in values {
        let mut entry = Vec::new();
        put_text(&mut entry, 1, name);
        put_bytes(&mut entry, 2, &encoded(value));
        put_bytes(out, field, &entry);
    }
}

fn encoded(value: &Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    match value {
        Value::Missing => {}
        Value::Flag(flag) => {
            put_varint(&mut out, 1 << 3);
            put_varint(&mut out, u64::from(*flag));
        }
        Value::Number(number) => put_fixed64(&mut out, 2, number.to_bits()),
        Value::Decimal(text) => put_bytes(&mut out, 3, text.as_bytes()),
        Value::Text(text) => put_bytes(&mut out, 4, text.as_bytes()),
        Value::Instant(time) => put_time(&mut out, 5, Some(*time)),
        Value::Date(text) => put_bytes(&mut out, 6, text.as_bytes()),
        Value::Set(items) => {
            let mut body = Vec::new();
            items.iter().for_each(|item| put_bytes(&mut body, 1, item.as_bytes()));
            put_bytes(&mut out, 7, &body);
        }
        Value::Map(entries) => {
            let mut body = Vec::new();
            put_values(&mut body, 1, entries);
            put_bytes(&mut out, 8, &body);
        }
        Value::Point(point) => {
            let mut body = Vec::new();
            put_fixed64(&mut body, 1, point[0].to_bits());
            put_fixed64(&mut body, 2, point[1].to_bits());
            put_bytes(&mut out, 9, &body);
        }
        Value::Cleared => {
            put_varint(&mut out, 10 << 3);
            put_varint(&mut out, 0);
        }
    }
    out
}
