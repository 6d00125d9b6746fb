//! Adds valid checksums to mutated contents, so that the fuzzer reaches the code behind the check.

use serde_json::{Value as Json, json};
use xxhash_rust::xxh3::xxh3_64;

/// Appends the XXH3-64 of contents, as in identity snapshots and memberships.
pub fn with_digest(contents: &[u8]) -> Vec<u8> {
    [contents, &xxh3_64(contents).to_le_bytes()].concat()
}

/// Returns JSON as the manifest of an index snapshot.
pub fn manifest(json: &[u8]) -> Vec<u8> {
    [format!("{:08x}\n", crc32fast::hash(json)).as_bytes(), json].concat()
}

/// Sets the length and checksum of a file in the JSON of a manifest.
pub fn set_entry(json: &mut Json, name: &str, contents: &[u8]) {
    match json {
        Json::Object(fields) if fields.get("name").is_some_and(|found| found == name) => {
            fields.insert("bytes".into(), json!(contents.len()));
            fields.insert("crc32".into(), json!(crc32fast::hash(contents)));
        }
        Json::Object(fields) => fields.values_mut().for_each(|field| set_entry(field, name, contents)),
        Json::Array(items) => items.iter_mut().for_each(|item| set_entry(item, name, contents)),
        _ => {}
    }
}
