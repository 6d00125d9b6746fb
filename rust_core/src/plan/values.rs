//! Literal values and sets of days.

use serde::Deserialize;

use super::decimal::Decimal;
use super::moment::Moment;

/// A literal value.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Value {
    Num(Decimal),
    Text(String),
    Bool(bool),
    Instant(i64),
    /// Days since 1970-01-01.
    Date(i32),
    /// `month * 100 + day`.
    MonthDay(u16),
    /// Milliseconds. `Before` with an instant as its `ago` gives the time elapsed since that instant, which grows with the as-of.
    Duration(Moment),
    /// Latitude and longitude in degrees.
    Point([f64; 2]),
}

/// The days of one year on which an anniversary counts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YearDays {
    pub year: i32,
    /// Days as `month * 100 + day`.
    pub month_days: Vec<u16>,
}
