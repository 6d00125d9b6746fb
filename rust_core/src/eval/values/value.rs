//! Values of people and their protobuf messages.

use std::collections::{BTreeMap, BTreeSet};

use crate::eval::kernels::ratio::{Ratio, UNIT};
use crate::index::columns::cells::date_of;
use crate::index::columns::texts::Texts;
use crate::index::view::Scalar;
use crate::proto::value::{
    put_date, put_decimal, put_entry, put_flag, put_instant, put_map, put_month_day, put_point, put_set, put_text_value,
};

/// A value of one person.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Bool(bool),
    Number(Decimal),
    Text(String),
    /// Milliseconds since 1970 UTC.
    Instant(i64),
    /// Days since 1970-01-01.
    Date(i32),
    /// month * 100 + day.
    MonthDay(u16),
    /// Milliseconds.
    Duration(i64),
    Set(BTreeSet<String>),
    Map(BTreeMap<String, Value>),
    /// Latitude and longitude in degrees.
    Point([f64; 2]),
}

/// A number, rounded down to six fractional digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// The shortest decimal text: "12.5", "-0.000001".
    pub text: String,
    /// True if the number has more digits.
    pub is_truncated: bool,
}

impl Value {
    pub fn set(items: impl Iterator<Item = String>) -> Value {
        Value::Set(items.collect())
    }

    /// Converts a value of a map entry.
    pub fn of_scalar(scalar: Scalar, texts: &Texts) -> Value {
        match scalar {
            Scalar::Bool(flag) => Value::Bool(flag),
            Scalar::Number(millionths) => Value::Number(Decimal::of(Ratio::millionths(millionths.into()))),
            Scalar::Text(code) => Value::Text(texts.get(code).to_owned()),
            Scalar::Instant(ms) => Value::Instant(ms),
            Scalar::Date(days) => Value::Date(days),
            Scalar::MonthDay(day) => Value::MonthDay(day),
            Scalar::Point(point) => Value::Point(point),
        }
    }

    /// Returns whether the message has fewer digits than the number.
    pub fn is_truncated(&self) -> bool {
        matches!(self, Value::Number(Decimal { is_truncated: true, .. }))
    }

    /// Encodes a `quanyu.api.event.v1.Value`. A duration is encoded as a decimal number of milliseconds.
    pub fn message(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Value::Bool(flag) => put_flag(&mut out, *flag),
            Value::Number(number) => put_decimal(&mut out, &number.text),
            Value::Text(text) => put_text_value(&mut out, text),
            Value::Instant(ms) => put_instant(&mut out, *ms),
            Value::Date(days) => put_date(&mut out, date_of(*days)),
            Value::MonthDay(day) => put_month_day(&mut out, *day),
            Value::Duration(ms) => put_decimal(&mut out, &ms.to_string()),
            Value::Set(items) => {
                let mut items: Vec<&str> = items.iter().map(String::as_str).collect();
                put_set(&mut out, &mut items);
            }
            Value::Map(entries) => {
                let mut inner = Vec::new();
                entries
                    .iter()
                    .for_each(|(key, value)| put_entry(&mut inner, 1, key, &value.message()));
                put_map(&mut out, &inner);
            }
            Value::Point(point) => put_point(&mut out, *point),
        }
        out
    }
}

impl Decimal {
    /// Rounds a fraction down to six digits.
    pub fn of(number: Ratio) -> Decimal {
        let (num, den) = number.parts();
        let (whole, mut rest) = (num.div_euclid(den), num.rem_euclid(den).unsigned_abs());
        let mut millionths = 0;
        for _ in 0..6 {
            let digit;
            (digit, rest) = next_digit(rest, den.unsigned_abs());
            millionths = millionths * 10 + digit;
        }
        Decimal {
            text: shortest(whole, millionths),
            is_truncated: rest != 0,
        }
    }
}

/// Returns the next decimal digit of `rest / den`, which is below 1, and the remainder times ten.
fn next_digit(rest: u128, den: u128) -> (u64, u128) {
    if let Some(tenfold) = rest.checked_mul(10) {
        return ((tenfold / den) as u64, tenfold % den);
    }
    let (mut digit, mut left) = (0, 0);
    for _ in 0..10 {
        left += rest;
        if left >= den {
            (digit, left) = (digit + 1, left - den);
        }
    }
    (digit, left)
}

/// Formats `whole + millionths / 10^6`; `whole` may be negative.
fn shortest(whole: i128, millionths: u64) -> String {
    let unit = UNIT as u64;
    let (sign, whole, millionths) = match (whole < 0, millionths) {
        (true, 0) => ("-", whole.unsigned_abs(), 0),
        (true, _) => ("-", whole.unsigned_abs() - 1, unit - millionths),
        (false, _) => ("", whole.unsigned_abs(), millionths),
    };
    if millionths == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{millionths:06}")
        .trim_end_matches('0')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::number::to_decimal;

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn decimals_of_millionths_are_exact(millionths in any::<i64>()) {
            let decimal = Decimal::of(Ratio::millionths(millionths.into()));
            prop_assert_eq!(decimal, Decimal { text: to_decimal(millionths), is_truncated: false });
        }

        #[test]
        fn finer_numbers_are_rounded_down_and_marked(num in any::<i64>(), den in 1..i64::MAX) {
            let decimal = Decimal::of(Ratio::new(num.into(), den.into()));
            let scaled = i128::from(num) * i128::from(UNIT);
            let (floor, den) = (scaled.div_euclid(den.into()), i128::from(den));
            prop_assert_eq!(decimal.is_truncated, scaled % den != 0);
            if let Ok(floor) = i64::try_from(floor) {
                prop_assert_eq!(decimal.text, to_decimal(floor));
            }
        }

        #[test]
        fn large_denominators_do_not_change_the_decimal(num in any::<i32>(), den in 1..i32::MAX) {
            let scale = i128::MAX / i128::from(i32::MAX) - 1;
            let scaled = Ratio::new(i128::from(num) * scale, i128::from(den) * scale);
            prop_assert_eq!(Decimal::of(scaled), Decimal::of(Ratio::new(num.into(), den.into())));
        }
    }
}
