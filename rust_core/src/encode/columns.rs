//! Columns of a file, independent of their Arrow type.

use std::fmt::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Float64Type, Int64Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray, StringArray,
    UInt64Array,
};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Field, TimeUnit};
use chrono::{DateTime, NaiveDate};

use crate::error::{Error, Result};

/// The values of a column of a file.
pub enum FileColumn {
    /// A column without values.
    Absent,
    Flag(BooleanArray),
    Int(Int64Array),
    Unsigned(UInt64Array),
    Float(Float64Array),
    Decimal(Decimal128Array),
    Text(StringArray),
    Instant(Instants),
    Date(Date32Array),
    Set(ListArray),
}

pub struct Instants {
    pub counts: Int64Array,
    pub per_second: i64,
    /// True for wall times: the type has no zone.
    pub wall: bool,
}

impl FileColumn {
    /// Converts an Arrow array; returns `Error::Invalid` with the column if its type is not supported.
    pub fn read(name: &str, array: &ArrayRef) -> Result<FileColumn> {
        let unreadable = |error| Error::Invalid(format!("column {name}: {error}"));
        let cast = |to: &DataType| {
            let options = CastOptions {
                safe: false,
                ..CastOptions::default()
            };
            cast_with_options(array, to, &options).map_err(unreadable)
        };
        Ok(match array.data_type() {
            DataType::Null => FileColumn::Absent,
            DataType::Boolean => FileColumn::Flag(array.as_boolean().clone()),
            DataType::UInt64 => FileColumn::Unsigned(array.as_primitive::<UInt64Type>().clone()),
            kind if kind.is_integer() => FileColumn::Int(cast(&DataType::Int64)?.as_primitive::<Int64Type>().clone()),
            DataType::Float64 => FileColumn::Float(array.as_primitive::<Float64Type>().clone()),
            DataType::Float16 | DataType::Float32 => FileColumn::Float(shortest(&cast(&DataType::Float32)?)),
            DataType::Decimal256(_, scale) => {
                let cast = cast(&DataType::Decimal128(38, *scale))?;
                FileColumn::Decimal(cast.as_primitive::<Decimal128Type>().clone())
            }
            kind @ (DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale)) => {
                let same = matches!(kind, DataType::Decimal128(..));
                let array = if same {
                    array.clone()
                } else {
                    cast(&DataType::Decimal128(38, *scale))?
                };
                FileColumn::Decimal(array.as_primitive::<Decimal128Type>().clone())
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                FileColumn::Text(cast(&DataType::Utf8)?.as_string::<i32>().clone())
            }
            DataType::Dictionary(_, value) => return FileColumn::read(name, &cast(value)?),
            DataType::Timestamp(unit, zone) => FileColumn::Instant(Instants {
                counts: cast(&DataType::Int64)?.as_primitive::<Int64Type>().clone(),
                per_second: per_second(*unit),
                wall: zone.is_none(),
            }),
            DataType::Date32 | DataType::Date64 => {
                FileColumn::Date(cast(&DataType::Date32)?.as_primitive::<Date32Type>().clone())
            }
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) if is_text(item) => {
                let texts = DataType::List(Field::new("item", DataType::Utf8, true).into());
                FileColumn::Set(cast(&texts)?.as_list::<i32>().clone())
            }
            other => {
                return Err(Error::Invalid(format!(
                    "column {name}: a column of type {other} cannot be imported; convert it to a text, number, date, timestamp or list of texts"
                )));
            }
        })
    }

    pub fn is_null(&self, row: usize) -> bool {
        match self {
            FileColumn::Absent => true,
            FileColumn::Flag(array) => array.is_null(row),
            FileColumn::Int(array) => array.is_null(row),
            FileColumn::Unsigned(array) => array.is_null(row),
            FileColumn::Float(array) => array.is_null(row),
            FileColumn::Decimal(array) => array.is_null(row),
            FileColumn::Text(array) => array.is_null(row),
            FileColumn::Instant(instants) => instants.counts.is_null(row),
            FileColumn::Date(array) => array.is_null(row),
            FileColumn::Set(array) => array.is_null(row),
        }
    }

    /// Appends the value as text. Appends nothing for null, or for a set, which the mapping does not allow here.
    pub fn put_text(&self, row: usize, out: &mut String) {
        if self.is_null(row) {
            return;
        }
        // Writing to a String cannot fail.
        let _ = match self {
            FileColumn::Absent | FileColumn::Set(_) => Ok(()),
            FileColumn::Flag(array) => write!(out, "{}", array.value(row)),
            FileColumn::Int(array) => write!(out, "{}", array.value(row)),
            FileColumn::Unsigned(array) => write!(out, "{}", array.value(row)),
            FileColumn::Float(array) => write!(out, "{}", array.value(row)),
            FileColumn::Decimal(array) => write!(out, "{}", array.value_as_string(row)),
            FileColumn::Text(array) => out.write_str(array.value(row)),
            FileColumn::Instant(instants) => instants.put_text(row, out),
            FileColumn::Date(array) => match date(array.value(row)) {
                Some(date) => write!(out, "{date}"),
                None => Ok(()),
            },
        };
    }
}

impl Instants {
    /// Appends the instant in RFC 3339 in UTC with the shortest fraction.
    fn put_text(&self, row: usize, out: &mut String) -> std::fmt::Result {
        let count = self.counts.value(row);
        let (seconds, fraction) = (count.div_euclid(self.per_second), count.rem_euclid(self.per_second));
        let Some(instant) = DateTime::from_timestamp(seconds, 0) else {
            return Ok(());
        };
        write!(out, "{}", instant.format("%Y-%m-%dT%H:%M:%S"))?;
        if fraction > 0 {
            let digits = self.per_second.ilog10() as usize;
            let written = format!("{fraction:0digits$}");
            write!(out, ".{}", written.trim_end_matches('0'))?;
        }
        out.write_char('Z')
    }
}

/// Converts days since 1970-01-01.
pub fn date(days: i32) -> Option<NaiveDate> {
    NaiveDate::from_epoch_days(days)
}

fn is_text(field: &Field) -> bool {
    matches!(
        field.data_type(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Converts single precision to the decimals that it prints as: 1.1, not 1.10000002384.
fn shortest(array: &ArrayRef) -> Float64Array {
    let singles = array.as_primitive::<arrow_array::types::Float32Type>();
    singles
        .iter()
        .map(|value| value.map(|value| value.to_string().parse().unwrap_or(f64::from(value))))
        .collect()
}
