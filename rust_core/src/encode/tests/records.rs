//! Conversion of rows to records and requests.

use std::sync::Arc;

use arrow_array::{BooleanArray, Float64Array, Int64Array, StringArray};
use proptest::prelude::*;

use super::fixtures::{base, encode, event, mapping, records, stream, texts};
use crate::encode::MAX_REQUEST;
use crate::proto::record::{Item, Profile, Record, Value};

proptest! {
    #![proptest_config(crate::testing::cases(256))]

    #[test]
    fn rows_convert_to_events(rows in prop::collection::vec((any::<Option<i64>>(), any::<Option<f64>>(), any::<Option<String>>(), any::<Option<bool>>()), 1..30)) {
        let mut columns = base(rows.len());
        columns.push(("i", Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>())));
        columns.push(("f", Arc::new(rows.iter().map(|row| row.1).collect::<Float64Array>())));
        columns.push(("t", Arc::new(rows.iter().map(|row| row.2.as_deref()).collect::<StringArray>())));
        columns.push(("b", Arc::new(rows.iter().map(|row| row.3).collect::<BooleanArray>())));
        let mapping = mapping(r#""channel": "{t}", "properties": {"b": "b", "f": "f", "i": "i", "t": "t"}"#);
        let requests = encode(&mapping, &stream(columns)).unwrap();
        let records = records(&requests);
        prop_assert_eq!(records.len(), rows.len());
        for (at, (record, (int, float, text, flag))) in records.iter().zip(&rows).enumerate() {
            let event = event(record);
            let id = (100 + at).to_string();
            prop_assert_eq!((event.source, event.id, event.kind, event.occurred_at_ms), ("tills", id.as_str(), "order", Some(7000)));
            prop_assert_eq!(&event.identifiers, &[("card", "c")]);
            prop_assert_eq!(event.channel, text.as_deref().unwrap_or(""));
            let decimal = int.map(|int| int.to_string()).unwrap_or_default();
            let mut expected = Vec::new();
            expected.extend(flag.map(|flag| ("b", Value::Flag(flag))));
            expected.extend(float.map(|float| ("f", Value::Number(float))));
            expected.extend(int.map(|int| ("i", match int.unsigned_abs() <= 1 << 53 {
                true => Value::Number(int as f64),
                false => Value::Decimal(&decimal),
            })));
            expected.extend(text.as_deref().map(|text| ("t", Value::Text(text))));
            prop_assert_eq!(format!("{:?}", event.properties), format!("{expected:?}"));
        }
    }
}

#[test]
fn rows_convert_to_profiles_and_items() {
    let columns = || vec![("key", texts(&[Some("k")])), ("city", texts(&[Some("x")]))];
    let profile = r#"{"records": "profile", "source": "crm", "id": "{key}", "identifiers": [{"namespace": "card", "value": "{key}"}], "attributes": {"city": "city"}}"#;
    let requests = encode(profile, &stream(columns())).unwrap();
    let expected = Profile {
        source: "crm",
        id: "k",
        occurred_at_ms: None,
        identifiers: vec![("card", "k")],
        attributes: vec![("city", Value::Text("x"))],
    };
    assert_eq!(records(&requests), [Record::Profile(expected)]);
    let item = r#"{"records": "item", "catalog": "store", "key": "{key}", "attributes": {"city": "city"}}"#;
    let requests = encode(item, &stream(columns())).unwrap();
    let expected = Item {
        catalog: "store",
        key: "k",
        attributes: vec![("city", Value::Text("x"))],
    };
    assert_eq!(records(&requests), [Record::Item(expected)]);
}

#[test]
fn requests_keep_to_the_size_limit_and_contain_all_records() {
    let long = "x".repeat(300_000);
    let mut columns = base(40);
    columns.push(("x", texts(&vec![Some(long.as_str()); 40])));
    let encoded = encode(&mapping(r#""properties": {"x": "x"}"#), &stream(columns)).unwrap();
    assert!(encoded.len() > 2);
    let ids: Vec<String> = records(&encoded)
        .iter()
        .map(|record| event(record).id.to_owned())
        .collect();
    assert_eq!(ids, (100..140).map(|row| row.to_string()).collect::<Vec<_>>());
    let huge = "x".repeat(MAX_REQUEST);
    let mut columns = base(1);
    columns.push(("x", texts(&[Some(huge.as_str())])));
    let error = encode(&mapping(r#""properties": {"x": "x"}"#), &stream(columns))
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("row 100"), "{error}");
}
