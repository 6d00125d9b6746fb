//! Encodes the values of a column as Value messages.

use std::fmt::Write;

use arrow_array::cast::AsArray;
use chrono::NaiveDate;
use chrono_tz::Tz;

use super::columns::{FileColumn, Instants, date};
use super::mapping::{As, FieldSpec};
use super::times::{self, TimeFormat};
use crate::ingest::{is_date, is_month_day};
use crate::number;
use crate::proto::wire::{put_bytes, put_fixed64, put_number, put_varint};

/// A double represents all integers up to this one.
const EXACT: i128 = 1 << 53;

/// The result of a conversion; the error tells what is wrong with the value.
type Put<T = bool> = Result<T, String>;

/// Writes the Value message of a row; returns false and writes nothing for null.
pub fn put_value(out: &mut Vec<u8>, field: &FieldSpec, column: &FileColumn, row: usize, zone: Tz) -> Put {
    if column.is_null(row) {
        return Ok(false);
    }
    match field.kind {
        None => put_plain(out, column, row, zone)?,
        Some(As::Text) => put_bytes(out, 4, text_of(column, row).as_bytes()),
        Some(As::Number) => put_decimal_or_number(out, column, row)?,
        Some(As::Decimal) => put_bytes(out, 3, decimal_of(column, row)?.as_bytes()),
        Some(As::Flag) => put_flag(out, flag_of(column, row)?),
        Some(As::Date) => put_bytes(out, 6, date_of(column, row, zone)?.as_bytes()),
        Some(As::Instant) => {
            let ms = instant_of(field, column, row, zone)?;
            put_bytes(out, 5, &timestamp(ms));
        }
        Some(As::Set) => put_set(out, field, column, row)?,
    }
    Ok(true)
}

/// Writes the Timestamp message of a row; returns false and writes nothing for null.
pub fn put_instant(out: &mut Vec<u8>, field: &FieldSpec, column: &FileColumn, row: usize, zone: Tz) -> Put {
    if column.is_null(row) {
        return Ok(false);
    }
    out.extend(timestamp(instant_of(field, column, row, zone)?));
    Ok(true)
}

fn timestamp(ms: i64) -> Vec<u8> {
    let mut out = Vec::with_capacity(20);
    put_number(&mut out, 1, ms.div_euclid(1000) as u64);
    put_number(&mut out, 2, ms.rem_euclid(1000) as u64 * 1_000_000);
    out
}

fn put_flag(out: &mut Vec<u8>, flag: bool) {
    // A oneof also encodes false.
    put_varint(out, 1 << 3);
    put_varint(out, u64::from(flag));
}

fn put_plain(out: &mut Vec<u8>, column: &FileColumn, row: usize, zone: Tz) -> Put<()> {
    match column {
        FileColumn::Absent => {}
        FileColumn::Flag(array) => put_flag(out, array.value(row)),
        FileColumn::Int(_) | FileColumn::Unsigned(_) | FileColumn::Float(_) | FileColumn::Decimal(_) => {
            put_decimal_or_number(out, column, row)?
        }
        FileColumn::Text(array) => put_bytes(out, 4, array.value(row).as_bytes()),
        FileColumn::Instant(instants) => put_bytes(out, 5, &timestamp(timestamp_ms(instants, row, zone)?)),
        FileColumn::Date(_) => put_bytes(out, 6, date_of(column, row, zone)?.as_bytes()),
        FileColumn::Set(array) => put_items(out, array.value(row).as_string::<i32>().iter().flatten()),
    }
    Ok(())
}

fn integer(column: &FileColumn, row: usize) -> Option<i128> {
    match column {
        FileColumn::Int(array) => Some(i128::from(array.value(row))),
        FileColumn::Unsigned(array) => Some(i128::from(array.value(row))),
        _ => None,
    }
}

fn put_decimal_or_number(out: &mut Vec<u8>, column: &FileColumn, row: usize) -> Put<()> {
    let double = match column {
        FileColumn::Float(array) => Some(array.value(row)),
        _ => integer(column, row)
            .filter(|value| value.abs() <= EXACT)
            .map(|value| value as f64),
    };
    match double {
        Some(double) => put_fixed64(out, 2, double.to_bits()),
        None => put_bytes(out, 3, decimal_of(column, row)?.as_bytes()),
    }
    Ok(())
}

fn text_of(column: &FileColumn, row: usize) -> String {
    let mut text = String::new();
    column.put_text(row, &mut text);
    text
}

fn unfit(column: &FileColumn, row: usize, wanted: &str) -> String {
    match column {
        FileColumn::Set(_) => format!("a list is not a {wanted}"),
        _ => format!("{:.60?} is not a {wanted}", text_of(column, row)),
    }
}

fn decimal_of(column: &FileColumn, row: usize) -> Put<String> {
    let text = text_of(column, row);
    match column {
        FileColumn::Int(_) | FileColumn::Unsigned(_) | FileColumn::Decimal(_) => Ok(text),
        FileColumn::Text(_) if number::from_decimal(&text).is_some() => Ok(text),
        _ => Err(unfit(column, row, "decimal number such as 12.50")),
    }
}

fn flag_of(column: &FileColumn, row: usize) -> Put {
    if let FileColumn::Flag(array) = column {
        return Ok(array.value(row));
    }
    let read = matches!(
        column,
        FileColumn::Text(_) | FileColumn::Int(_) | FileColumn::Unsigned(_)
    );
    match text_of(column, row).as_str() {
        "true" | "1" if read => Ok(true),
        "false" | "0" if read => Ok(false),
        _ => Err(unfit(column, row, "flag (true, false, 1 or 0)")),
    }
}

fn date_of(column: &FileColumn, row: usize, zone: Tz) -> Put<String> {
    let found = match column {
        FileColumn::Date(array) => date(array.value(row)).map(written),
        FileColumn::Instant(instants) => times::date_of(timestamp_ms(instants, row, zone)?, zone).map(written),
        FileColumn::Text(array) => Some(array.value(row).to_owned()),
        _ => None,
    };
    match found {
        Some(text) if is_date(&text) || is_month_day(&text) => Ok(text),
        _ => Err(unfit(column, row, "date such as 2026-11-22")),
    }
}

fn written(date: NaiveDate) -> String {
    let mut text = String::with_capacity(10);
    // Writing to a String cannot fail.
    let _ = write!(text, "{date}");
    text
}

fn timestamp_ms(instants: &Instants, row: usize, zone: Tz) -> Put<i64> {
    let ms = times::count_ms(instants.counts.value(row), instants.per_second);
    let ms = if instants.wall {
        ms.and_then(|ms| times::wall_count_ms(ms, zone))
    } else {
        ms
    };
    ms.ok_or_else(|| "the timestamp is out of range".to_owned())
}

fn instant_of(field: &FieldSpec, column: &FileColumn, row: usize, zone: Tz) -> Put<i64> {
    let found = match (column, &field.format) {
        (FileColumn::Instant(instants), None) => return timestamp_ms(instants, row, zone),
        (FileColumn::Date(array), None) => date(array.value(row)).map(|date| times::start_of(date, zone)),
        (FileColumn::Text(array), None) => times::parse(array.value(row), zone),
        (FileColumn::Text(array), Some(TimeFormat::Pattern(pattern))) => {
            times::parse_as(array.value(row), pattern, zone)
        }
        // A CSV column of integers may have been read as text.
        (FileColumn::Int(_) | FileColumn::Unsigned(_) | FileColumn::Text(_), Some(TimeFormat::Count(per_second))) => {
            let count = text_of(column, row).parse().ok();
            count.and_then(|count| times::count_ms(count, *per_second))
        }
        (FileColumn::Int(_) | FileColumn::Unsigned(_), None) => {
            return Err("an integer is an instant only with format: s, ms, us or ns".to_owned());
        }
        _ => None,
    };
    found.ok_or_else(|| match &field.format {
        Some(TimeFormat::Pattern(pattern)) => unfit(column, row, &format!("time written as {pattern}")),
        Some(TimeFormat::Count(_)) => unfit(column, row, "number of seconds or fractions of a second"),
        None => unfit(
            column,
            row,
            "time such as 2026-11-22T08:30:00+08:00 or 2026-11-22 08:30:00",
        ),
    })
}

fn put_set(out: &mut Vec<u8>, field: &FieldSpec, column: &FileColumn, row: usize) -> Put<()> {
    match column {
        FileColumn::Set(array) => put_items(out, array.value(row).as_string::<i32>().iter().flatten()),
        FileColumn::Text(array) => {
            let items = array.value(row).split(field.separator.as_str()).map(str::trim);
            put_items(out, items.filter(|item| !item.is_empty()));
        }
        _ => {
            return Err(unfit(column, row, "set (a list of texts, or a text with a separator)"));
        }
    }
    Ok(())
}

fn put_items<'a>(out: &mut Vec<u8>, items: impl Iterator<Item = &'a str>) {
    let mut set = Vec::new();
    for item in items {
        put_bytes(&mut set, 1, item.as_bytes());
    }
    put_bytes(out, 7, &set);
}
