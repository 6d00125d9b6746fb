//! Encodes `quanyu.api.event.v1.Value` messages. Default values are encoded, too, because each value has a kind.

use super::wire::{put_bytes, put_fixed64, put_number, put_text, put_varint};

pub fn put_flag(out: &mut Vec<u8>, flag: bool) {
    put_varint(out, 1 << 3);
    put_varint(out, u64::from(flag));
}

pub fn put_decimal(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, 3, text.as_bytes());
}

pub fn put_text_value(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, 4, text.as_bytes());
}

/// `ms`: milliseconds since 1970 UTC.
pub fn put_instant(out: &mut Vec<u8>, ms: i64) {
    put_timestamp(out, 5, ms);
}

pub fn put_date(out: &mut Vec<u8>, (year, month, day): (i32, i32, i32)) {
    put_bytes(out, 6, format!("{year:04}-{month:02}-{day:02}").as_bytes());
}

/// `day`: month * 100 + day.
pub fn put_month_day(out: &mut Vec<u8>, day: u16) {
    put_bytes(out, 6, format!("{:02}-{:02}", day / 100, day % 100).as_bytes());
}

/// Writes the items in the order of their texts.
pub fn put_set(out: &mut Vec<u8>, items: &mut [&str]) {
    let mut inner = Vec::new();
    items.sort_unstable();
    items.iter().for_each(|item| put_bytes(&mut inner, 1, item.as_bytes()));
    put_bytes(out, 7, &inner);
}

/// `entries`: as `put_entry` writes them to field 1.
pub fn put_map(out: &mut Vec<u8>, entries: &[u8]) {
    put_bytes(out, 8, entries);
}

/// `point`: latitude and longitude in degrees.
pub fn put_point(out: &mut Vec<u8>, point: [f64; 2]) {
    let mut inner = Vec::new();
    put_fixed64(&mut inner, 1, point[0].to_bits());
    put_fixed64(&mut inner, 2, point[1].to_bits());
    put_bytes(out, 9, &inner);
}

/// Writes an entry of a map of values.
pub fn put_entry(out: &mut Vec<u8>, field: u32, name: &str, value: &[u8]) {
    let mut entry = Vec::new();
    put_text(&mut entry, 1, name);
    put_bytes(&mut entry, 2, value);
    put_bytes(out, field, &entry);
}

/// Writes a `google.protobuf.Timestamp` of milliseconds since 1970 UTC.
pub fn put_timestamp(out: &mut Vec<u8>, field: u32, ms: i64) {
    let mut inner = Vec::new();
    put_number(&mut inner, 1, ms.div_euclid(1000) as u64);
    put_number(&mut inner, 2, ms.rem_euclid(1000) as u64 * 1_000_000);
    put_bytes(out, field, &inner);
}
