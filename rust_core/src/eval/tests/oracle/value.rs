//! The values of the oracle.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use crate::eval::tests::world::Val;
use crate::plan::Value;

/// A fraction in lowest terms with a positive denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fraction(pub i128, pub i128);

impl Fraction {
    pub fn new(num: i128, den: i128) -> Fraction {
        let gcd = |mut a: i128, mut b: i128| {
            while b != 0 {
                (a, b) = (b, a % b);
            }
            a.abs()
        };
        let divisor = gcd(num, den).max(1) * den.signum();
        Fraction(num / divisor, den / divisor)
    }

    pub fn whole(number: usize) -> Fraction {
        Fraction(number as i128, 1)
    }

    pub fn plus(self, other: Fraction) -> Fraction {
        Fraction::new(self.0 * other.1 + other.0 * self.1, self.1 * other.1)
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Fraction) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Fraction) -> Ordering {
        (self.0 * other.1).cmp(&(other.0 * self.1))
    }
}

/// A known value. `Int` holds instants, dates, month-days and durations. Maps have no order and are not compared: `Map` holds no entries.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub enum OracleValue {
    Bool(bool),
    Num(Fraction),
    Text(String),
    Int(i64),
    Set(BTreeSet<String>),
    Point([f64; 2]),
    Map,
}

macro_rules! accessor {
    ($name:ident, $variant:ident, $type:ty) => {
        /// Returns the value if it has this type.
        pub fn $name(self) -> Option<$type> {
            match self {
                OracleValue::$variant(value) => Some(value),
                _ => None,
            }
        }
    };
}

impl OracleValue {
    accessor!(into_number, Num, Fraction);
    accessor!(into_text, Text, String);
    accessor!(into_int, Int, i64);
    accessor!(into_set, Set, BTreeSet<String>);
    accessor!(into_point, Point, [f64; 2]);
}

pub fn nfkc(text: &str) -> String {
    text.nfkc().collect()
}

/// Converts a value of the world.
pub fn of_val(val: &Val) -> OracleValue {
    match val {
        Val::Bool(value) => OracleValue::Bool(*value),
        Val::Num(value) => OracleValue::Num(Fraction::new((*value).into(), 1_000_000)),
        Val::Text(text) => OracleValue::Text(nfkc(text)),
        Val::Instant(ms) => OracleValue::Int(*ms),
        Val::Date(days) => OracleValue::Int((*days).into()),
        Val::MonthDay(day) => OracleValue::Int((*day).into()),
        Val::Set(set) => OracleValue::Set(set.iter().map(|text| nfkc(text)).collect()),
        Val::Point(point) => OracleValue::Point(*point),
        Val::Map(_) => OracleValue::Map,
    }
}

/// Converts a literal of a plan with this as-of.
pub fn of_literal(value: &Value, plan_as_of: i64) -> OracleValue {
    match value {
        Value::Num(number) => OracleValue::Num(Fraction::new(number.0.into(), 1_000_000)),
        Value::Text(text) => OracleValue::Text(nfkc(text)),
        Value::Bool(value) => OracleValue::Bool(*value),
        Value::Instant(value) => OracleValue::Int(*value),
        Value::Duration(value) => OracleValue::Int(value.resolve(plan_as_of)),
        Value::Date(days) => OracleValue::Int((*days).into()),
        Value::MonthDay(day) => OracleValue::Int((*day).into()),
        Value::Point(point) => OracleValue::Point(*point),
    }
}
