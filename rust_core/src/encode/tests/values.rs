//! Conversion of column values.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::*;

use super::fixtures::{base, encode, event, mapping, records, stream, texts};
use crate::encode::times;
use crate::proto::record::{Record, Value};

/// Converts a column according to a field of the mapping; returns the debug text of each value.
fn values(field: &str, column: ArrayRef) -> std::result::Result<Vec<Option<String>>, String> {
    let mut columns = base(column.len());
    columns.push(("x", column));
    let mapping = mapping(&format!(
        r#""zone": "America/New_York", "properties": {{"p": {field}}}"#
    ));
    let requests = encode(&mapping, &stream(columns)).map_err(|error| error.to_string())?;
    let property = |record: &Record| event(record).properties.first().map(|(_, value)| format!("{value:?}"));
    Ok(records(&requests).iter().map(property).collect())
}

/// Converts a column of one row; returns an empty text if it has no value.
fn convert_one(field: &str, column: ArrayRef) -> String {
    let mut values = values(field, column).unwrap();
    assert_eq!(values.len(), 1);
    values.remove(0).unwrap_or_default()
}

fn debug_text(value: Value) -> String {
    format!("{value:?}")
}

#[test]
fn each_column_type_converts_to_its_value() {
    let plain = r#""x""#;
    assert_eq!(
        convert_one(plain, Arc::new(UInt64Array::from(vec![u64::MAX]))),
        debug_text(Value::Decimal("18446744073709551615"))
    );
    assert_eq!(
        convert_one(plain, Arc::new(Float32Array::from(vec![1.1]))),
        debug_text(Value::Number(1.1))
    );
    let decimal = Decimal128Array::from(vec![-1250])
        .with_precision_and_scale(9, 2)
        .unwrap();
    assert_eq!(
        convert_one(plain, Arc::new(decimal)),
        debug_text(Value::Decimal("-12.50"))
    );
    let dictionary: DictionaryArray<types::Int8Type> = vec!["x"].into_iter().collect();
    assert_eq!(convert_one(plain, Arc::new(dictionary)), debug_text(Value::Text("x")));
    let instant = TimestampNanosecondArray::from(vec![-1]).with_timezone("+08:00");
    assert_eq!(convert_one(plain, Arc::new(instant)), debug_text(Value::Instant(-1)));
    // The instant is 2017-01-01 00:00 in New York.
    let wall = TimestampMicrosecondArray::from(vec![1_483_228_800_000_000]);
    assert_eq!(
        convert_one(plain, Arc::new(wall.clone())),
        debug_text(Value::Instant(1_483_246_800_000))
    );
    assert_eq!(
        convert_one(r#"{"column": "x", "as": "date"}"#, Arc::new(wall)),
        debug_text(Value::Date("2017-01-01"))
    );
    assert_eq!(
        convert_one(plain, Arc::new(Date32Array::from(vec![20_779]))),
        debug_text(Value::Date("2026-11-22"))
    );
    assert_eq!(convert_one(plain, Arc::new(NullArray::new(1))), "");
    let mut list = ListBuilder::new(StringBuilder::new());
    list.append_value([Some("a"), None, Some("b")]);
    assert_eq!(
        convert_one(plain, Arc::new(list.finish())),
        debug_text(Value::Set(vec!["a", "b"]))
    );
    let binary: ArrayRef = Arc::new(BinaryArray::from(vec![b"x".as_slice()]));
    assert!(
        values(plain, binary)
            .unwrap_err()
            .contains("column x: a column of type Binary")
    );
}

#[test]
fn as_selects_the_type_of_a_value() {
    let text = |text| texts(&[Some(text)]);
    let of = |kind: &str| format!(r#"{{"column": "x", "as": "{kind}"}}"#);
    assert_eq!(
        convert_one(&of("text"), Arc::new(Float64Array::from(vec![123.0]))),
        debug_text(Value::Text("123"))
    );
    let half = TimestampMillisecondArray::from(vec![1_795_336_200_500]).with_timezone("UTC");
    assert_eq!(
        convert_one(&of("text"), Arc::new(half)),
        debug_text(Value::Text("2026-11-22T08:30:00.5Z"))
    );
    assert_eq!(
        convert_one(&of("number"), text("12.50")),
        debug_text(Value::Decimal("12.50"))
    );
    assert_eq!(
        convert_one(&of("decimal"), Arc::new(Int8Array::from(vec![-3]))),
        debug_text(Value::Decimal("-3"))
    );
    assert_eq!(
        convert_one(&of("flag"), Arc::new(UInt8Array::from(vec![1]))),
        debug_text(Value::Flag(true))
    );
    assert_eq!(convert_one(&of("flag"), text("false")), debug_text(Value::Flag(false)));
    assert_eq!(
        convert_one(&of("date"), text("02-29")),
        debug_text(Value::Date("02-29"))
    );
    assert_eq!(
        convert_one(&of("instant"), text("2026-11-22T08:30:00.1239+08:00")),
        debug_text(Value::Instant(1_795_307_400_123))
    );
    assert_eq!(
        convert_one(&of("instant"), text("2026-11-22 08:30:00")),
        debug_text(Value::Instant(1_795_354_200_000))
    );
    assert_eq!(
        convert_one(&of("instant"), Arc::new(Date32Array::from(vec![0]))),
        debug_text(Value::Instant(18_000_000))
    );
    assert_eq!(
        convert_one(&of("set"), text(" a,, b ")),
        debug_text(Value::Set(vec!["a", "b"]))
    );
    let invalid = [
        ("number", "1,000"),
        ("decimal", "abc"),
        ("flag", "yes"),
        ("date", "2026-02-30"),
        ("instant", "yesterday"),
    ];
    for (kind, value) in invalid {
        let error = values(&of(kind), texts(&[None, Some(value)])).unwrap_err();
        assert!(
            error.starts_with("row 101, column x: ") && error.contains(value),
            "{error}"
        );
    }
    let error = values(&of("instant"), Arc::new(Int64Array::from(vec![7]))).unwrap_err();
    assert!(error.contains("format"), "{error}");
}

#[test]
fn formats_parse_the_texts_they_describe() {
    let of = |format: &str| format!(r#"{{"column": "x", "as": "instant", "format": "{format}"}}"#);
    assert_eq!(
        convert_one(&of("ms"), Arc::new(Int64Array::from(vec![-5]))),
        debug_text(Value::Instant(-5))
    );
    assert_eq!(
        convert_one(&of("ns"), texts(&[Some("-1")])),
        debug_text(Value::Instant(-1))
    );
    assert_eq!(
        convert_one(&of("%d/%m/%Y %H:%M"), texts(&[Some("22/11/2026 08:30")])),
        debug_text(Value::Instant(1_795_354_200_000))
    );
    assert_eq!(
        convert_one(&of("%d/%m/%Y"), texts(&[Some("01/01/1970")])),
        debug_text(Value::Instant(18_000_000))
    );
    assert_eq!(
        convert_one(&of("%s %z"), texts(&[Some("7 +0100")])),
        debug_text(Value::Instant(7000))
    );
}

#[test]
fn skipped_wall_times_are_rejected_and_repeated_ones_take_the_first() {
    let zone = chrono_tz::America::New_York;
    let wall = |text: &str| times::parse(text, zone).unwrap();
    let exact = |text: &str| times::parse(text, chrono_tz::UTC).unwrap();
    assert_eq!(wall("2026-03-08 02:30:00"), exact("2026-03-08T03:30:00-04:00"));
    assert_eq!(wall("2026-11-01 01:30:00"), exact("2026-11-01T01:30:00-04:00"));
    let samoa = times::parse("2011-12-30 12:00:00", chrono_tz::Pacific::Apia).unwrap();
    assert_eq!(samoa, exact("2011-12-31T12:00:00+14:00"));
}
