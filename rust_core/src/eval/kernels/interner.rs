//! Numbers distinct values, so that they can be compared cheaply.

use std::borrow::Cow;

use hashbrown::HashMap;

use super::column::{self, Column, View};
use super::ratio::Ratio;
use crate::error::Result;

/// Gives equal values of columns of one type equal numbers. Texts have numbers already: their codes.
#[derive(Default)]
pub struct Interner {
    numbers: HashMap<Key, u32>,
}

#[derive(PartialEq, Eq, Hash)]
enum Key {
    /// Millionths, milliseconds, days, or month-days.
    Whole(i64),
    /// Other fractions, in lowest terms.
    Fraction(i128, i128),
}

impl Key {
    fn of(value: Ratio) -> Key {
        value.to_millionths().map_or_else(
            || {
                let (num, den) = value.reduced().parts();
                Key::Fraction(num, den)
            },
            Key::Whole,
        )
    }
}

impl Interner {
    /// Returns the number of each row's value; the numbers of unknown rows are arbitrary.
    pub fn intern_column<'c>(&mut self, column: &'c Column) -> Result<Cow<'c, [u32]>> {
        if let Ok(codes) = column.codes() {
            return Ok(match codes {
                View::Many(codes) => codes.into(),
                View::One(code) => vec![code; column.len()].into(),
            });
        }
        let rows = 0..column.len();
        if let Ok(bools) = column.bools() {
            return Ok(rows.map(|row| bools.get(row).into()).collect());
        }
        let values = column.numbers()?;
        let key = |row: usize| match &values {
            column::Numbers::Whole(values) => Key::Whole(values.get(row)),
            column::Numbers::Exact(values) => Key::of(values[row]),
        };
        Ok(rows.map(|row| self.number(key(row))).collect())
    }

    fn number(&mut self, key: Key) -> u32 {
        let next = self.numbers.len() as u32;
        *self.numbers.entry(key).or_insert(next)
    }
}
