//! Single values: how values of records become cells of a column.

use super::texts::Texts;
use crate::number;
use crate::proto::record;
use crate::proto::schema::Type;

/// A single value of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Unknown,
    One(Scalar),
    /// Text codes, ascending and distinct.
    Set(Vec<u32>),
    /// Entries by the text code of their key, ascending and distinct.
    Map(Vec<(u32, Scalar)>),
}

/// A value that is neither a set nor a map; see `Unit` for the units of the numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    Bool(bool),
    Number(i64),
    Text(u32),
    Instant(i64),
    Date(i32),
    MonthDay(u16),
    Point([f64; 2]),
}

impl Scalar {
    /// Returns the number that stores this scalar in a column of `unit`; `None` if the types differ.
    pub fn int(self, unit: Unit) -> Option<i64> {
        match (unit, self) {
            (Unit::Millionths, Scalar::Number(value)) | (Unit::Instant, Scalar::Instant(value)) => Some(value),
            (Unit::Code, Scalar::Text(value)) => Some(value.into()),
            (Unit::Date, Scalar::Date(value)) => Some(value.into()),
            (Unit::MonthDay, Scalar::MonthDay(value)) => Some(value.into()),
            _ => None,
        }
    }

    /// Returns the scalar that a number stands for in a column of `unit`; the inverse of `int`.
    pub fn of_int(unit: Unit, row: i64) -> Scalar {
        match unit {
            Unit::Millionths => Scalar::Number(row),
            Unit::Code => Scalar::Text(row as u32),
            Unit::Instant => Scalar::Instant(row),
            Unit::Date => Scalar::Date(row as i32),
            Unit::MonthDay => Scalar::MonthDay(row as u16),
        }
    }
}

/// What the numbers of a column stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Numbers and money, in millionths.
    Millionths,
    /// Codes of `Version::texts`, for text and enum values.
    Code,
    /// Milliseconds since the epoch.
    Instant,
    /// Days since 1970-01-01.
    Date,
    /// `month * 100 + day`.
    MonthDay,
}

impl Cell {
    /// Converts a value of a record to a cell of the declared type; unknown if the value is cleared or of another type (ingestion
    /// rejects such values).
    pub fn of(value: &record::Value<'_>, kind: Type, texts: &mut Texts) -> Cell {
        match (kind, value) {
            (Type::Set, record::Value::Set(items)) => {
                let mut codes: Vec<u32> = items.iter().map(|item| texts.intern(item)).collect();
                codes.sort_unstable();
                codes.dedup();
                Cell::Set(codes)
            }
            (Type::Map, record::Value::Map(entries)) => Cell::Map(map_entries(entries, texts)),
            _ => to_scalar(value, Some(kind), texts).map_or(Cell::Unknown, Cell::One),
        }
    }
}

fn map_entries(entries: &[(&str, record::Value<'_>)], texts: &mut Texts) -> Vec<(u32, Scalar)> {
    let mut scalars = Vec::with_capacity(entries.len());
    // If a key occurs twice, the last entry counts.
    for (key, value) in entries.iter().rev() {
        let code = texts.intern(key);
        if let Some(scalar) = to_scalar(value, None, texts)
            && scalars.iter().all(|&(other, _)| other != code)
        {
            scalars.push((code, scalar));
        }
    }
    scalars.sort_unstable_by_key(|&(code, _)| code);
    scalars
}

/// Converts a value to a scalar of type `kind`; `None` accepts every scalar type, as inside maps.
fn to_scalar(value: &record::Value<'_>, kind: Option<Type>, texts: &mut Texts) -> Option<Scalar> {
    let allows = |kinds: &[Type]| kind.is_none_or(|kind| kinds.contains(&kind));
    match value {
        record::Value::Flag(flag) if allows(&[Type::Bool]) => Some(Scalar::Bool(*flag)),
        record::Value::Number(number) if allows(&[Type::Number, Type::Money]) => {
            number::from_double(*number).map(Scalar::Number)
        }
        record::Value::Decimal(text) if allows(&[Type::Number, Type::Money]) => {
            number::from_decimal(text).map(Scalar::Number)
        }
        record::Value::Text(text) if allows(&[Type::Text, Type::Enum]) => Some(Scalar::Text(texts.intern(text))),
        record::Value::Instant(instant) if allows(&[Type::Instant]) => Some(Scalar::Instant(*instant)),
        record::Value::Date(text) if allows(&[Type::Date]) && text.len() > 5 => days_of(text).map(Scalar::Date),
        record::Value::Date(text) if allows(&[Type::MonthDay]) => month_day_of(text).map(Scalar::MonthDay),
        record::Value::Point(point) if allows(&[Type::Point]) => Some(Scalar::Point(*point)),
        _ => None,
    }
}

/// Parses "11-22" as 1122.
fn month_day_of(text: &str) -> Option<u16> {
    let (month, day) = text.split_once('-')?;
    let (month, day): (u16, u16) = (month.parse().ok()?, day.parse().ok()?);
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(month * 100 + day)
}

/// Parses "2026-11-22" as days since 1970-01-01.
fn days_of(text: &str) -> Option<i32> {
    let (year, month_day) = text.split_once('-')?;
    let year: i32 = year.parse().ok().filter(|year| (0..=9999).contains(year))?;
    let month_day = i32::from(month_day_of(month_day)?);
    let (month, day) = (month_day / 100, month_day % 100);
    // Years start in March here, so that the leap day comes last: 306 days separate 1 March of year 0 from 1 January of year 1.
    let (year, month) = if month < 3 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let (century_days, leap_days) = (
        365 * year,
        year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400),
    );
    Some(century_days + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468)
}

/// Returns (year, month, day) of a day; the inverse of `days_of`.
pub fn date_of(days: i32) -> (i32, i32, i32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
    (year + year_of_era + era * 400, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn dates_survive_a_round_trip(days in -600_000..2_000_000i32) {
            let (year, month, day) = date_of(days);
            prop_assume!((0..=9999).contains(&year));
            prop_assert_eq!(days_of(&format!("{year:04}-{month:02}-{day:02}")), Some(days));
        }
    }

    #[test]
    fn sample_dates_convert_to_day_numbers() {
        assert_eq!(days_of("1970-01-01"), Some(0));
        assert_eq!(days_of("2000-02-29"), Some(11_016));
        assert_eq!(days_of("1969-12-31"), Some(-1));
        assert_eq!(month_day_of("02-29"), Some(229));
    }
}
