//! Templates and rejected mappings.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, Int64Array};
use proptest::prelude::*;

use super::fixtures::{encode, event, mapping, records, stream, texts};
use crate::encode::template::Template;
use crate::encode::{Columns, RecordEncoder};

proptest! {
    #![proptest_config(crate::testing::cases(256))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        let _ = RecordEncoder::new(&bytes, "shop");
        let _ = encode(&mapping(""), &bytes);
    }

    #[test]
    fn a_template_without_braces_renders_unchanged(text in "[^{}]{1,20}") {
        let columns = Columns::new();
        let template = Template::parse(&text).unwrap();
        let mut out = String::new();
        prop_assert_eq!(template.bind(&columns).render(0, 0, &mut out), Ok(()));
        prop_assert_eq!(out, text);
    }
}

#[test]
fn templates_omit_empty_optional_parts_and_reject_empty_required_ones() {
    let columns = |card: Option<&str>| {
        vec![
            ("at", Arc::new(Int64Array::from(vec![7])) as ArrayRef),
            ("card", texts(&[card])),
            ("shop", texts(&[Some("s")])),
        ]
    };
    let two = mapping(
        r#""channel": "{shop}-{card}", "identifiers": [{"namespace": "card", "value": "{card}"}, {"namespace": "member:{shop}", "value": "{{{row}}}"}]"#,
    );
    let requests = encode(&two, &stream(columns(Some("")))).unwrap();
    let found = records(&requests);
    assert_eq!(
        (event(&found[0]).channel, &event(&found[0]).identifiers[..]),
        ("", &[("member:s", "{100}")][..])
    );
    let error = encode(&mapping(r#""id": "{card}""#), &stream(columns(None)))
        .unwrap_err()
        .to_string();
    assert_eq!(error, "row 100, column card: it is empty, and id needs it in every row");
    let error = encode(&mapping(r#""id": "{basket}""#), &stream(columns(None)))
        .unwrap_err()
        .to_string();
    assert_eq!(error, "id: the file has no column \"basket\"; it has at, card, shop");
    let no_time = vec![
        ("at", Arc::new(Int64Array::from(vec![None])) as ArrayRef),
        ("card", texts(&[Some("c")])),
    ];
    assert!(
        encode(&mapping(""), &stream(no_time))
            .unwrap_err()
            .to_string()
            .contains("column at: it is empty")
    );
}

#[test]
fn an_invalid_mapping_is_rejected_with_the_path_of_the_field() {
    let cases = [
        (mapping(r#""records": "row""#), "mapping: records"),
        (mapping(r#""attributes": {}"#), "mapping: attributes: not a key"),
        (mapping(r#""id": 7"#), "mapping: id"),
        (mapping(r#""id": "{a""#), "mapping: id"),
        (mapping(r#""id": "a}""#), "mapping: id"),
        (mapping(r#""zone": "Mars""#), "mapping: zone"),
        (mapping(r#""identifiers": []"#), "mapping: identifiers"),
        (
            mapping(r#""identifiers": [{"namespace": "card"}]"#),
            "mapping: identifiers[0]: value",
        ),
        (
            mapping(r#""properties": {"p": {"as": "text"}}"#),
            "mapping: properties.p: column",
        ),
        (
            mapping(r#""properties": {"p": {"column": "x", "as": "word"}}"#),
            "mapping: properties.p.as",
        ),
        (
            mapping(r#""properties": {"p": {"column": "x", "format": "%Y"}}"#),
            "mapping: properties.p: format",
        ),
        (
            mapping(r#""properties": {"p": {"column": "x", "separator": ";"}}"#),
            "mapping: properties.p: separator",
        ),
        (
            mapping(r#""occurred_at": {"column": "at", "as": "text"}"#),
            "mapping: occurred_at.as",
        ),
        (
            mapping(r#""occurred_at": {"column": "at", "format": "minutes"}"#),
            "mapping: occurred_at.format",
        ),
        (
            r#"{"records": "item", "key": "{k}"}"#.into(),
            "mapping: catalog: it is required",
        ),
        ("[]".into(), "mapping: it must be an object"),
        ("{".into(), "mapping: not JSON"),
    ];
    for (mapping, start) in cases {
        let error = RecordEncoder::new(mapping.as_bytes(), "shop")
            .err()
            .unwrap()
            .to_string();
        assert!(error.starts_with(start), "{error:?} does not start with {start:?}");
    }
    let list = {
        let mut list = ListBuilder::new(StringBuilder::new());
        list.append_value([Some("a")]);
        list.finish()
    };
    let columns = vec![
        ("at", Arc::new(Int64Array::from(vec![7])) as ArrayRef),
        ("card", Arc::new(list)),
    ];
    let error = encode(&mapping(""), &stream(columns)).unwrap_err().to_string();
    assert!(error.contains("card is a list"), "{error}");
}
