//! Validates values against the declaration of their field.

use std::fmt::Display;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use super::dates::{is_date, is_month_day};
use super::rejection::Rejection;
use crate::number;
use crate::proto::record::Value;
use crate::proto::schema::{Field, Type};

const MAX_TEXT: usize = 64 << 10;
/// The start of the year 10000, where dates end, too.
const END_OF_TIME_MS: i64 = 253_402_300_800_000;
/// 1900-01-01.
pub const START_OF_TIME_MS: i64 = -2_208_988_800_000;

/// The reason and the message of a rejection. The caller adds the path of the field.
pub type Misfit = (&'static str, String);

/// Checks an entry; `group` is `properties` or `attributes`.
pub fn check(field: &Field, value: &Value, group: &str) -> Result<(), Rejection> {
    fits(field, value).map_err(|(reason, message)| Rejection {
        reason,
        field: format!("{group}.{}", field.name),
        message,
    })
}

fn fits(field: &Field, value: &Value) -> Result<(), Misfit> {
    match (field.kind, value) {
        (Type::Bool, Value::Flag(_)) => Ok(()),
        (Type::Number | Type::Money, Value::Number(_) | Value::Decimal(_)) => number(value),
        (Type::Text, Value::Text(held)) => text(held),
        (Type::Enum, Value::Text(held)) => text(held).and_then(|()| declared(field, held)),
        (Type::Instant, Value::Instant(ms)) => instant(*ms),
        (Type::Date, Value::Date(held)) => date(is_date(held), held, "2026-11-22"),
        (Type::MonthDay, Value::Date(held)) => date(is_month_day(held), held, "11-22"),
        (Type::Set, Value::Set(items)) => items
            .iter()
            .try_for_each(|item| text(item).and_then(|()| declared(field, item))),
        (Type::Map, Value::Map(entries)) => entries
            .iter()
            .try_for_each(|(key, value)| text(key).and_then(|()| in_map(key, value))),
        (Type::Point, Value::Point(point)) => on_earth(*point),
        _ => Err(wrong_kind(field, value)),
    }
}

fn wrong_kind(field: &Field, value: &Value) -> Misfit {
    let found = match value {
        Value::Missing => "missing value",
        Value::Flag(_) => "flag",
        Value::Number(_) => "number",
        Value::Decimal(_) => "decimal",
        Value::Text(_) => "text",
        Value::Instant(_) => "instant",
        Value::Date(_) => "date",
        Value::Set(_) => "set",
        Value::Map(_) => "map",
        Value::Point(_) => "point",
        Value::Cleared => {
            return (
                "CLEARED_VALUE",
                "only a profile update can clear a value; leave it out here".into(),
            );
        }
    };
    let wanted = match field.kind {
        Type::Bool => "flag",
        Type::Number | Type::Money => "number or decimal",
        Type::Text | Type::Enum => "text",
        Type::Instant => "instant",
        Type::Date => "date (\"2026-11-22\")",
        Type::MonthDay => "date (\"11-22\")",
        Type::Set => "set",
        Type::Map => "map",
        Type::Point => "point",
    };
    (
        "WRONG_TYPE",
        format!("the value is a {found}; the field is declared as {wanted}"),
    )
}

fn number(value: &Value) -> Result<(), Misfit> {
    // Formats the number only if it is wrong: this code runs for each number of each record.
    let (millionths, shown): (_, &dyn Display) = match value {
        Value::Number(double) => (number::from_double(*double), double),
        Value::Decimal(decimal) => (number::from_decimal(decimal), decimal),
        _ => return Ok(()),
    };
    if millionths.is_some() {
        return Ok(());
    }
    let shown = shown.to_string();
    let message = format!("{shown:.40} is not a decimal number within ±9,000,000,000,000; write it like 12.50");
    Err(("INVALID_NUMBER", message))
}

fn text(held: &str) -> Result<(), Misfit> {
    if held.len() > MAX_TEXT {
        let message = format!(
            "a text of {} bytes; at most {MAX_TEXT} are allowed, so shorten it",
            held.len()
        );
        return Err(("TOO_LONG", message));
    }
    Ok(())
}

/// Checks that a text is one of the declared values, if there are any. Compares after NFKC (semantics C7).
fn declared(field: &Field, held: &str) -> Result<(), Misfit> {
    if field.values.is_empty() || field.values.iter().any(|value| value == held) {
        return Ok(());
    }
    let normal = |text: &str| text.nfkc().collect::<String>();
    let plain = is_nfkc_quick(held.chars()) == IsNormalized::Yes;
    let wanted = if plain { held.to_owned() } else { normal(held) };
    if field.values.iter().any(|value| normal(value) == wanted) {
        return Ok(());
    }
    let message = format!("{held:.40} is not one of its declared values: {}", shown(&field.values));
    Err(("UNKNOWN_VALUE", message))
}

fn shown(values: &[String]) -> String {
    let shown: Vec<String> = values.iter().take(12).map(|value| format!("{value:.40}")).collect();
    let first = shown.join(", ");
    if values.len() > 12 {
        format!("{first} ...")
    } else {
        first
    }
}

fn instant(ms: i64) -> Result<(), Misfit> {
    if (START_OF_TIME_MS..END_OF_TIME_MS).contains(&ms) {
        return Ok(());
    }
    Err((
        "INVALID_TIME",
        "an instant must be in the years 1900 to 9999; check the unit".into(),
    ))
}

fn date(valid: bool, held: &str, example: &str) -> Result<(), Misfit> {
    if valid {
        return Ok(());
    }
    let message = format!("{held:.40} is not a day of the calendar written like {example}");
    Err(("INVALID_DATE", message))
}

fn on_earth([latitude, longitude]: [f64; 2]) -> Result<(), Misfit> {
    if latitude.abs() <= 90.0 && longitude.abs() <= 180.0 {
        return Ok(());
    }
    let message = format!(
        "({latitude}, {longitude}) is not a point: latitude must be within ±90 and longitude within ±180 degrees"
    );
    Err(("INVALID_POINT", message))
}

/// Checks an entry of a map, which can have any single value.
fn in_map(key: &str, value: &Value) -> Result<(), Misfit> {
    let fits = match value {
        Value::Flag(_) => Ok(()),
        Value::Number(_) | Value::Decimal(_) => number(value),
        Value::Text(held) => text(held),
        Value::Instant(ms) => instant(*ms),
        Value::Date(held) => date(is_date(held) || is_month_day(held), held, "2026-11-22"),
        _ => Err((
            "WRONG_TYPE",
            "the values of a map are flags, numbers, texts, instants or dates".to_owned(),
        )),
    };
    fits.map_err(|(reason, message)| (reason, format!("key {key:.40}: {message}")))
}
