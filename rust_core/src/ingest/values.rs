//! Whether a value fits the field that was declared for it.

use std::fmt::Display;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use super::dates::{is_date, is_month_day};
use super::rejection::Rejection;
use crate::number;
use crate::proto::record::Value;
use crate::proto::schema::{Field, Type};

const MAX_TEXT: usize = 64 << 10;
/// The year 10000; dates end there too.
const END_OF_TIME_MS: i64 = 253_402_300_800_000;
/// 1900-01-01.
pub const START_OF_TIME_MS: i64 = -2_208_988_800_000;

/// What is wrong: reason and message. The caller knows the field's path.
pub type Misfit = (&'static str, String);

/// The rejection of an entry that does not fit; `group` is `properties` or `attributes`.
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
        Value::Missing => "nothing",
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
                "only a profile update clears; leave it out here".into(),
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
    ("WRONG_TYPE", format!("{found} was sent; it is declared to be {wanted}"))
}

fn number(value: &Value) -> Result<(), Misfit> {
    // Written out only where it is wrong: this is the busiest path there is.
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
            "a text of {} bytes; at most {MAX_TEXT} are kept, so shorten it",
            held.len()
        );
        return Err(("TOO_LONG", message));
    }
    Ok(())
}

/// One of the declared values, if any are; compared after NFKC (semantics C7).
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
        "an instant lies within the years 1900 to 9999; check the unit".into(),
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
    let message =
        format!("({latitude}, {longitude}) is no point: latitude is within ±90 and longitude within ±180 degrees");
    Err(("INVALID_POINT", message))
}

/// A map holds single values; which kinds is not declared.
fn in_map(key: &str, value: &Value) -> Result<(), Misfit> {
    let fits = match value {
        Value::Flag(_) => Ok(()),
        Value::Number(_) | Value::Decimal(_) => number(value),
        Value::Text(held) => text(held),
        Value::Instant(ms) => instant(*ms),
        Value::Date(held) => date(is_date(held) || is_month_day(held), held, "2026-11-22"),
        _ => Err((
            "WRONG_TYPE",
            "a map holds flags, numbers, texts, instants and dates".to_owned(),
        )),
    };
    fits.map_err(|(reason, message)| (reason, format!("key {key:.40}: {message}")))
}
