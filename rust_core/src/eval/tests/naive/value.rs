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

#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub enum V {
    Bool(bool),
    Num(Fraction),
    Text(String),
    Int(i64),
    Set(BTreeSet<String>),
    Point([f64; 2]),
    Map,
}

pub fn nfkc(text: &str) -> String {
    text.nfkc().collect()
}

pub fn of_val(val: &Val) -> V {
    match val {
        Val::Bool(value) => V::Bool(*value),
        Val::Num(value) => V::Num(Fraction::new((*value).into(), 1_000_000)),
        Val::Text(text) => V::Text(nfkc(text)),
        Val::Instant(ms) => V::Int(*ms),
        Val::Date(days) => V::Int((*days).into()),
        Val::MonthDay(day) => V::Int((*day).into()),
        Val::Set(set) => V::Set(set.iter().map(|text| nfkc(text)).collect()),
        Val::Point(point) => V::Point(*point),
        Val::Map(_) => V::Map,
    }
}

/// `asked_at`: the plan's as-of.
pub fn of_value(value: &Value, asked_at: i64) -> V {
    match value {
        Value::Num(number) => V::Num(Fraction::new(number.0.into(), 1_000_000)),
        Value::Text(text) => V::Text(nfkc(text)),
        Value::Bool(value) => V::Bool(*value),
        Value::Instant(value) => V::Int(*value),
        Value::Duration(value) => V::Int(value.resolve(asked_at)),
        Value::Date(days) => V::Int((*days).into()),
        Value::MonthDay(day) => V::Int((*day).into()),
        Value::Point(point) => V::Point(*point),
    }
}
