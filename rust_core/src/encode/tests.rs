use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::*;
use arrow_ipc::writer::StreamWriter;
use proptest::prelude::*;

use super::*;
use crate::record::{Event, Record, Value};
use crate::wire::Reader;

fn stream(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap();
    let mut out = Vec::new();
    let mut writer = StreamWriter::try_new(&mut out, &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    out
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// A mapping of events whose only unusual parts are these JSON members.
fn mapping(members: &str) -> String {
    let base = r#""records": "event", "source": "tills", "id": "{row}", "type": "order", "occurred_at": {"column": "at", "as": "instant", "format": "s"},
        "identifiers": [{"namespace": "card", "value": "{card}"}]"#;
    let base: serde_json::Map<_, _> = serde_json::from_str(&format!("{{{base}}}")).unwrap();
    let mut all = base;
    let members: serde_json::Map<_, _> = serde_json::from_str(&format!("{{{members}}}")).unwrap();
    all.extend(members);
    serde_json::to_string(&all).unwrap()
}

fn encode(mapping: &str, stream: &[u8]) -> Result<Vec<Vec<u8>>> {
    RecordEncoder::new(mapping.as_bytes(), "shop")?.encode(stream, 100)
}

/// Records of all requests, in order.
fn records(requests: &[Vec<u8>]) -> Vec<Record<'_>> {
    let mut records = Vec::new();
    for request in requests {
        assert!(request.len() <= MAX_REQUEST);
        assert_eq!(crate::ingest::peek_workspace(request).unwrap(), "shop");
        let mut reader = Reader::new(request);
        while let Some((field, wire)) = reader.field().unwrap() {
            if field == 2 {
                records.push(Record::decode(wire.bytes().unwrap()).unwrap());
            }
        }
    }
    records
}

fn event<'a>(record: &'a Record) -> &'a Event<'a> {
    match record {
        Record::Event(event) => event,
        other => panic!("{other:?} is no event"),
    }
}

fn base(rows: usize) -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("at", Arc::new(Int64Array::from(vec![7; rows]))),
        ("card", texts(&vec![Some("c"); rows])),
    ]
}

/// The values that a field makes of a column.
fn values(field: &str, column: ArrayRef) -> std::result::Result<Vec<Option<String>>, String> {
    let mut columns = base(column.len());
    columns.push(("x", column));
    let mapping = mapping(&format!(
        r#""zone": "America/New_York", "properties": {{"p": {field}}}"#
    ));
    let requests = encode(&mapping, &stream(columns)).map_err(|error| error.to_string())?;
    let shown = |record: &Record| event(record).properties.first().map(|(_, value)| format!("{value:?}"));
    Ok(records(&requests).iter().map(shown).collect())
}

fn one(field: &str, column: ArrayRef) -> String {
    let mut values = values(field, column).unwrap();
    assert_eq!(values.len(), 1);
    values.remove(0).unwrap_or_default()
}

fn shown(value: Value) -> String {
    format!("{value:?}")
}

proptest! {
    #[test]
    fn rows_become_records(rows in prop::collection::vec((any::<Option<i64>>(), any::<Option<f64>>(), any::<Option<String>>(), any::<Option<bool>>()), 1..30)) {
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

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        let _ = RecordEncoder::new(&bytes, "shop");
        let _ = encode(&mapping(""), &bytes);
    }

    #[test]
    fn a_template_without_braces_is_itself(text in "[^{}]{1,20}") {
        let columns = Columns::new();
        let template = Template::parse(&text).unwrap();
        let mut out = String::new();
        prop_assert_eq!(template.bind(&columns).render(0, 0, &mut out), Ok(()));
        prop_assert_eq!(out, text);
    }
}

#[test]
fn each_type_becomes_its_value() {
    let plain = r#""x""#;
    assert_eq!(
        one(plain, Arc::new(UInt64Array::from(vec![u64::MAX]))),
        shown(Value::Decimal("18446744073709551615"))
    );
    assert_eq!(
        one(plain, Arc::new(Float32Array::from(vec![1.1]))),
        shown(Value::Number(1.1))
    );
    let decimal = Decimal128Array::from(vec![-1250])
        .with_precision_and_scale(9, 2)
        .unwrap();
    assert_eq!(one(plain, Arc::new(decimal)), shown(Value::Decimal("-12.50")));
    let dictionary: DictionaryArray<types::Int8Type> = vec!["x"].into_iter().collect();
    assert_eq!(one(plain, Arc::new(dictionary)), shown(Value::Text("x")));
    let instant = TimestampNanosecondArray::from(vec![-1]).with_timezone("+08:00");
    assert_eq!(one(plain, Arc::new(instant)), shown(Value::Instant(-1)));
    // 2017-01-01 00:00 in New York.
    let wall = TimestampMicrosecondArray::from(vec![1_483_228_800_000_000]);
    assert_eq!(
        one(plain, Arc::new(wall.clone())),
        shown(Value::Instant(1_483_246_800_000))
    );
    assert_eq!(
        one(r#"{"column": "x", "as": "date"}"#, Arc::new(wall)),
        shown(Value::Date("2017-01-01"))
    );
    assert_eq!(
        one(plain, Arc::new(Date32Array::from(vec![20_779]))),
        shown(Value::Date("2026-11-22"))
    );
    assert_eq!(one(plain, Arc::new(NullArray::new(1))), "");
    let mut list = ListBuilder::new(StringBuilder::new());
    list.append_value([Some("a"), None, Some("b")]);
    assert_eq!(one(plain, Arc::new(list.finish())), shown(Value::Set(vec!["a", "b"])));
    let binary: ArrayRef = Arc::new(BinaryArray::from(vec![b"x".as_slice()]));
    assert!(
        values(plain, binary)
            .unwrap_err()
            .contains("column x: a column of type Binary")
    );
}

#[test]
fn as_says_what_a_value_is() {
    let text = |text| texts(&[Some(text)]);
    let of = |kind: &str| format!(r#"{{"column": "x", "as": "{kind}"}}"#);
    assert_eq!(
        one(&of("text"), Arc::new(Float64Array::from(vec![123.0]))),
        shown(Value::Text("123"))
    );
    let half = TimestampMillisecondArray::from(vec![1_795_336_200_500]).with_timezone("UTC");
    assert_eq!(
        one(&of("text"), Arc::new(half)),
        shown(Value::Text("2026-11-22T08:30:00.5Z"))
    );
    assert_eq!(one(&of("number"), text("12.50")), shown(Value::Decimal("12.50")));
    assert_eq!(
        one(&of("decimal"), Arc::new(Int8Array::from(vec![-3]))),
        shown(Value::Decimal("-3"))
    );
    assert_eq!(
        one(&of("flag"), Arc::new(UInt8Array::from(vec![1]))),
        shown(Value::Flag(true))
    );
    assert_eq!(one(&of("flag"), text("false")), shown(Value::Flag(false)));
    assert_eq!(one(&of("date"), text("02-29")), shown(Value::Date("02-29")));
    assert_eq!(
        one(&of("instant"), text("2026-11-22T08:30:00.1239+08:00")),
        shown(Value::Instant(1_795_307_400_123))
    );
    assert_eq!(
        one(&of("instant"), text("2026-11-22 08:30:00")),
        shown(Value::Instant(1_795_354_200_000))
    );
    assert_eq!(
        one(&of("instant"), Arc::new(Date32Array::from(vec![0]))),
        shown(Value::Instant(18_000_000))
    );
    assert_eq!(one(&of("set"), text(" a,, b ")), shown(Value::Set(vec!["a", "b"])));
    let wrong = [
        ("number", "1,000"),
        ("decimal", "abc"),
        ("flag", "yes"),
        ("date", "2026-02-30"),
        ("instant", "yesterday"),
    ];
    for (kind, held) in wrong {
        let error = values(&of(kind), texts(&[None, Some(held)])).unwrap_err();
        assert!(
            error.starts_with("row 101, column x: ") && error.contains(held),
            "{error}"
        );
    }
    let error = values(&of("instant"), Arc::new(Int64Array::from(vec![7]))).unwrap_err();
    assert!(error.contains("format"), "{error}");
}

#[test]
fn formats_read_what_they_say() {
    let of = |format: &str| format!(r#"{{"column": "x", "as": "instant", "format": "{format}"}}"#);
    assert_eq!(
        one(&of("ms"), Arc::new(Int64Array::from(vec![-5]))),
        shown(Value::Instant(-5))
    );
    assert_eq!(one(&of("ns"), texts(&[Some("-1")])), shown(Value::Instant(-1)));
    assert_eq!(
        one(&of("%d/%m/%Y %H:%M"), texts(&[Some("22/11/2026 08:30")])),
        shown(Value::Instant(1_795_354_200_000))
    );
    assert_eq!(
        one(&of("%d/%m/%Y"), texts(&[Some("01/01/1970")])),
        shown(Value::Instant(18_000_000))
    );
    assert_eq!(
        one(&of("%s %z"), texts(&[Some("7 +0100")])),
        shown(Value::Instant(7000))
    );
}

#[test]
fn wall_times_that_do_not_exist_or_come_twice() {
    let zone = chrono_tz::America::New_York;
    let wall = |text: &str| times::parse(text, zone).unwrap();
    let exact = |text: &str| times::parse(text, chrono_tz::UTC).unwrap();
    assert_eq!(wall("2026-03-08 02:30:00"), exact("2026-03-08T03:30:00-04:00"));
    assert_eq!(wall("2026-11-01 01:30:00"), exact("2026-11-01T01:30:00-04:00"));
    let samoa = times::parse("2011-12-30 12:00:00", chrono_tz::Pacific::Apia).unwrap();
    assert_eq!(samoa, exact("2011-12-31T12:00:00+14:00"));
}

#[test]
fn templates_leave_out_what_is_empty_unless_it_is_needed() {
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
fn profiles_and_items_have_their_own_fields() {
    let columns = || vec![("key", texts(&[Some("k")])), ("city", texts(&[Some("x")]))];
    let profile = r#"{"records": "profile", "source": "crm", "id": "{key}", "identifiers": [{"namespace": "card", "value": "{key}"}], "attributes": {"city": "city"}}"#;
    let requests = encode(profile, &stream(columns())).unwrap();
    let expected = crate::record::Profile {
        source: "crm",
        id: "k",
        occurred_at_ms: None,
        identifiers: vec![("card", "k")],
        attributes: vec![("city", Value::Text("x"))],
    };
    assert_eq!(records(&requests), [Record::Profile(expected)]);
    let item = r#"{"records": "item", "catalog": "store", "key": "{key}", "attributes": {"city": "city"}}"#;
    let requests = encode(item, &stream(columns())).unwrap();
    let expected = crate::record::Item {
        catalog: "store",
        key: "k",
        attributes: vec![("city", Value::Text("x"))],
    };
    assert_eq!(records(&requests), [Record::Item(expected)]);
}

#[test]
fn requests_stay_below_their_limit_and_lose_nothing() {
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

#[test]
fn a_wrong_mapping_is_named() {
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
    for (mapping, words) in cases {
        let error = RecordEncoder::new(mapping.as_bytes(), "shop")
            .err()
            .unwrap()
            .to_string();
        assert!(error.starts_with(words), "{error:?} does not begin {words:?}");
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
