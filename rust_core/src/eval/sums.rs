//! Sums of a number by person.

use std::ops::Range;

use super::batch::Batch;
use super::bits::Bits;
use crate::index::ints::{Codes, Ints};

/// Sums by person, of 128 bits when they must be.
pub enum Sums {
    /// No sum, nor any part of one, is larger than `most`.
    Narrow {
        sums: Vec<i64>,
        most: u64,
    },
    Wide(Vec<i128>),
}

impl Sums {
    pub fn new(people: usize) -> Sums {
        Sums::Narrow {
            sums: vec![0; people],
            most: 0,
        }
    }

    /// Adds the values of a batch, none of which is larger than `largest`.
    pub fn add_all(&mut self, batch: &Batch, mask: Option<&Bits>, largest: u64, value: impl Fn(usize) -> i64) {
        if let Sums::Narrow { sums, most } = self {
            *most = most.saturating_add(largest.saturating_mul(batch.len() as u64));
            if *most > i64::MAX as u64 {
                *self = Sums::Wide(sums.iter().map(|&sum| sum.into()).collect());
            }
        }
        match self {
            Sums::Narrow { sums, .. } => {
                batch.each(mask, |row, person| sums[person] = sums[person].wrapping_add(value(row)))
            }
            // 2^63 events of 2^63 millionths do not fill it.
            Sums::Wide(sums) => batch.each(mask, |row, person| sums[person] += i128::from(value(row))),
        }
    }

    /// Adds the batch's rows of a stored column.
    pub fn add_stored(&mut self, batch: &Batch, mask: Option<&Bits>, ints: &Ints, rows: Range<usize>) {
        let (base, step, codes) = ints.parts();
        let largest = |code: u32| {
            base.unsigned_abs()
                .saturating_add(step.unsigned_abs().saturating_mul(code.into()))
        };
        /// By the loop of that width.
        macro_rules! of_codes {
            ($codes:expr, $most:expr) => {{
                let codes = &$codes[rows];
                self.add_all(batch, mask, largest($most), |row| {
                    base.wrapping_add(step.wrapping_mul(i64::from(codes[row])))
                });
            }};
        }
        match codes {
            Codes::Same(_) => self.add_all(batch, mask, largest(0), |_| base),
            Codes::Byte(codes) => of_codes!(codes, u8::MAX.into()),
            Codes::Short(codes) => of_codes!(codes, u16::MAX.into()),
            Codes::Word(codes) => of_codes!(codes, u32::MAX),
            Codes::Wide(values) => {
                let values = &values[rows];
                let largest = values.iter().map(|value| value.unsigned_abs()).max().unwrap_or(0);
                self.add_all(batch, mask, largest, |row| values[row]);
            }
        }
    }

    pub fn get(&self, person: usize) -> i128 {
        match self {
            Sums::Narrow { sums, .. } => sums[person].into(),
            Sums::Wide(sums) => sums[person],
        }
    }

    pub fn bytes(&self) -> usize {
        match self {
            Sums::Narrow { sums, .. } => size_of_val(&sums[..]),
            Sums::Wide(sums) => size_of_val(&sums[..]),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Sums::Narrow { sums, .. } => sums.len(),
            Sums::Wide(sums) => sums.len(),
        }
    }

    /// In whole millionths, if each is of 64 bits.
    pub fn whole(self) -> std::result::Result<Vec<i64>, Sums> {
        match self {
            Sums::Narrow { sums, .. } => Ok(sums),
            Sums::Wide(sums) => {
                let narrow = sums
                    .iter()
                    .map(|&sum| i64::try_from(sum).ok())
                    .collect::<Option<Vec<i64>>>();
                narrow.ok_or(Sums::Wide(sums))
            }
        }
    }
}
