//! Hashes the idempotency key and the contents of a record, so that copies can be recognised.
//!
//! The hash does not depend on the order of map entries, which Protobuf does not keep, or of the items of a set.

use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128_with_seed};

use super::generation::Key;
use crate::number;
use crate::proto::record::{Entries, Identifier, Record, Value};

/// Returns the hashes of key and contents; `None` for catalog items, which are not deduplicated.
pub fn key(record: &Record) -> Option<(Key, u64)> {
    match record {
        Record::Event(event) => {
            let mut hash = text(1, event.kind);
            hash = mix(hash, event.occurred_at_ms.unwrap_or_default() as u64);
            hash = mix(hash, identifiers(&event.identifiers));
            hash = text(hash, event.channel);
            Some((hash_key(event.source, event.id), mix(hash, entries(&event.properties))))
        }
        Record::Profile(profile) => {
            let time = profile.occurred_at_ms.map_or(2, |time| mix(3, time as u64));
            let hash = mix(time, identifiers(&profile.identifiers));
            Some((
                hash_key(profile.source, profile.id),
                mix(hash, entries(&profile.attributes)),
            ))
        }
        Record::Item(_) => None,
    }
}

/// Returns the hash of the key; zeros for a catalog item.
pub fn record_key(record: &Record) -> [u64; 2] {
    let key = match record {
        Record::Event(event) => hash_key(event.source, event.id),
        Record::Profile(profile) => hash_key(profile.source, profile.id),
        Record::Item(_) => return [0; 2],
    };
    [key.high, key.low]
}

/// Hashes (source, id) to 128 bits. The length of the source distinguishes ("ab", "c") from ("a", "bc").
fn hash_key(source: &str, id: &str) -> Key {
    let hash = xxh3_128_with_seed(id.as_bytes(), text(source.len() as u64, source));
    Key {
        high: (hash >> 64) as u64,
        low: hash as u64,
    }
}

fn text(seed: u64, text: &str) -> u64 {
    xxh3_64_with_seed(text.as_bytes(), seed)
}

fn mix(seed: u64, number: u64) -> u64 {
    xxh3_64_with_seed(&number.to_le_bytes(), seed)
}

/// Hashes identifiers independently of their order.
fn identifiers(identifiers: &[Identifier]) -> u64 {
    let hashes = identifiers
        .iter()
        .map(|(namespace, value)| text(text(4, namespace), value));
    hashes.fold(0, u64::wrapping_add)
}

fn entries(entries: &Entries) -> u64 {
    let hashes = entries.iter().map(|(name, entry)| text(value(entry), name));
    hashes.fold(0, u64::wrapping_add)
}

fn value(value: &Value) -> u64 {
    match value {
        Value::Missing => 10,
        Value::Flag(flag) => 11 + u64::from(*flag),
        // 12.5 and "12.50" are the same number.
        Value::Number(double) => number(number::from_double(*double)),
        Value::Decimal(decimal) => number(number::from_decimal(decimal)),
        Value::Text(held) => text(14, held),
        Value::Instant(ms) => mix(15, *ms as u64),
        Value::Date(date) => text(16, date),
        Value::Set(items) => items.iter().fold(17, |sum, item| sum.wrapping_add(text(18, item))),
        Value::Map(map) => mix(19, entries(map)),
        Value::Point([latitude, longitude]) => mix(mix(20, latitude.to_bits()), longitude.to_bits()),
        Value::Cleared => 21,
    }
}

fn number(millionths: Option<i64>) -> u64 {
    mix(13, millionths.unwrap_or(i64::MIN) as u64)
}
