//! Sums of a number by person.

use std::ops::Range;

use crate::eval::kernels::bits::Bits;
use crate::eval::kernels::range_masks;
use crate::eval::operators::batch::Batch;
use crate::index::columns::ints::{Codes, Ints};

/// Sums by person, of 128 bits when they must be.
pub enum Sums {
    /// Of so many people, of whom nothing has been added.
    Nothing(usize),
    /// No sum, nor any part of one, is larger than `most`.
    Narrow {
        sums: Vec<i64>,
        most: u64,
    },
    Wide(Vec<i128>),
}

impl Sums {
    pub fn new(people: usize) -> Sums {
        Sums::Nothing(people)
    }

    /// Adds the values of a batch, none of which is larger than `largest`.
    pub fn add_all(&mut self, batch: &Batch, mask: Option<&Bits>, largest: u64, value: impl Fn(usize) -> i64) {
        self.allow(largest.saturating_mul(batch.len() as u64));
        match self {
            Sums::Nothing(_) => {}
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
        let largest = largest(ints, rows.clone());
        /// By the loop of that width.
        macro_rules! of_codes {
            ($codes:expr) => {{
                let codes = &$codes[rows];
                self.add_all(batch, mask, largest, |row| {
                    base.wrapping_add(step.wrapping_mul(i64::from(codes[row])))
                });
            }};
        }
        match codes {
            Codes::Same(_) => self.add_all(batch, mask, largest, |_| base),
            Codes::Byte(codes) => of_codes!(codes),
            Codes::Short(codes) => of_codes!(codes),
            Codes::Word(codes) => of_codes!(codes),
            Codes::Wide(values) => {
                let values = &values[rows];
                self.add_all(batch, mask, largest, |row| values[row]);
            }
        }
    }

    /// Adds a number of each of the first people, or of those who are chosen of them.
    pub fn add_totals(&mut self, totals: &Ints, chosen: Option<&[u16]>) {
        let of = |&person: &u16| Some(usize::from(person)).filter(|&row| row < totals.len());
        let mut numbers = match chosen {
            None => range_masks::numbers(totals, 0..totals.len()).into_owned(),
            Some(people) => {
                let rows = people.iter().map(of);
                rows.map(|row| row.map_or(0, |row| totals.get(row))).collect()
            }
        };
        let largest = largest(totals, 0..totals.len());
        if let Sums::Nothing(people) = *self {
            numbers.resize(people, 0);
            *self = Sums::Narrow {
                sums: numbers,
                most: largest,
            };
            return;
        }
        self.allow(largest);
        match self {
            Sums::Nothing(_) => {}
            Sums::Narrow { sums, .. } => sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number),
            Sums::Wide(sums) => {
                let pairs = sums.iter_mut().zip(numbers);
                pairs.for_each(|(sum, number)| *sum += i128::from(number));
            }
        }
    }

    /// Before as much is added to a sum: wide ones where it might not fit.
    fn allow(&mut self, more: u64) {
        if let Sums::Nothing(people) = *self {
            *self = Sums::Narrow {
                sums: vec![0; people],
                most: 0,
            };
        }
        if let Sums::Narrow { sums, most } = self {
            *most = most.saturating_add(more);
            if *most > i64::MAX as u64 {
                *self = Sums::Wide(sums.iter().map(|&sum| sum.into()).collect());
            }
        }
    }

    pub fn get(&self, person: usize) -> i128 {
        match self {
            Sums::Nothing(_) => 0,
            Sums::Narrow { sums, .. } => sums[person].into(),
            Sums::Wide(sums) => sums[person],
        }
    }

    pub fn bytes(&self) -> usize {
        match self {
            Sums::Nothing(_) => 0,
            Sums::Narrow { sums, .. } => size_of_val(&sums[..]),
            Sums::Wide(sums) => size_of_val(&sums[..]),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Sums::Nothing(people) => *people,
            Sums::Narrow { sums, .. } => sums.len(),
            Sums::Wide(sums) => sums.len(),
        }
    }

    /// In whole millionths, if each is of 64 bits.
    pub fn whole(self) -> std::result::Result<Vec<i64>, Sums> {
        match self {
            Sums::Nothing(people) => Ok(vec![0; people]),
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

/// None of some numbers of a column is larger, whatever its sign.
fn largest(ints: &Ints, rows: Range<usize>) -> u64 {
    let (base, step, codes) = ints.parts();
    let of = |code: u32| {
        let over = step.unsigned_abs().saturating_mul(code.into());
        base.unsigned_abs().saturating_add(over)
    };
    match codes {
        Codes::Same(_) => of(0),
        Codes::Byte(_) => of(u8::MAX.into()),
        Codes::Short(_) => of(u16::MAX.into()),
        Codes::Word(_) => of(u32::MAX),
        Codes::Wide(values) => values[rows].iter().map(|value| value.unsigned_abs()).max().unwrap_or(0),
    }
}
