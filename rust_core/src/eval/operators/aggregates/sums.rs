//! Sums a number by person.

use std::ops::Range;

use crate::eval::kernels::bits::Bits;
use crate::eval::kernels::range_masks;
use crate::eval::operators::batch::Batch;
use crate::index::columns::ints::{Codes, Ints};

/// The sum of each person, widened to 128 bits when necessary.
pub enum Sums {
    /// The number of people; all sums are 0.
    Zero(usize),
    /// The magnitude of all sums and partial sums is at most `most`.
    Narrow {
        sums: Vec<i64>,
        most: u64,
    },
    Wide(Vec<i128>),
}

impl Sums {
    pub fn new(people: usize) -> Sums {
        Sums::Zero(people)
    }

    /// Adds the values of a batch, whose magnitude is at most `largest`.
    pub fn add_all(&mut self, batch: &Batch, mask: Option<&Bits>, largest: u64, value: impl Fn(usize) -> i64) {
        self.make_room(largest.saturating_mul(batch.len() as u64));
        match self {
            Sums::Zero(_) => {}
            Sums::Narrow { sums, .. } => {
                batch.each(mask, |row, person| sums[person] = sums[person].wrapping_add(value(row)))
            }
            // 128 bits suffice: 2^63 events of 2^63 millionths fit.
            Sums::Wide(sums) => batch.each(mask, |row, person| sums[person] += i128::from(value(row))),
        }
    }

    /// Adds the rows of the batch in a stored column.
    pub fn add_stored(&mut self, batch: &Batch, mask: Option<&Bits>, ints: &Ints, rows: Range<usize>) {
        let (base, step, codes) = ints.parts();
        let largest = largest(ints, rows.clone());
        /// Instantiates the loop for one width of codes.
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

    /// Adds a total for each person, or for each selected person; people without a total add 0.
    pub fn add_totals(&mut self, totals: &Ints, selected: Option<&[u16]>) {
        let of = |&person: &u16| Some(usize::from(person)).filter(|&row| row < totals.len());
        let mut numbers = match selected {
            None => range_masks::numbers(totals, 0..totals.len()).into_owned(),
            Some(people) => {
                let rows = people.iter().map(of);
                rows.map(|row| row.map_or(0, |row| totals.get(row))).collect()
            }
        };
        let largest = largest(totals, 0..totals.len());
        if let Sums::Zero(people) = *self {
            numbers.resize(people, 0);
            *self = Sums::Narrow {
                sums: numbers,
                most: largest,
            };
            return;
        }
        self.make_room(largest);
        match self {
            Sums::Zero(_) => {}
            Sums::Narrow { sums, .. } => sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number),
            Sums::Wide(sums) => {
                let pairs = sums.iter_mut().zip(numbers);
                pairs.for_each(|(sum, number)| *sum += i128::from(number));
            }
        }
    }

    /// Widens the sums if adding a magnitude of `more` might overflow.
    fn make_room(&mut self, more: u64) {
        if let Sums::Zero(people) = *self {
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
            Sums::Zero(_) => 0,
            Sums::Narrow { sums, .. } => sums[person].into(),
            Sums::Wide(sums) => sums[person],
        }
    }

    pub fn bytes(&self) -> usize {
        match self {
            Sums::Zero(_) => 0,
            Sums::Narrow { sums, .. } => size_of_val(&sums[..]),
            Sums::Wide(sums) => size_of_val(&sums[..]),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Sums::Zero(people) => *people,
            Sums::Narrow { sums, .. } => sums.len(),
            Sums::Wide(sums) => sums.len(),
        }
    }

    /// Returns the sums in 64 bits; returns them unchanged as the error if one does not fit.
    pub fn into_narrow(self) -> std::result::Result<Vec<i64>, Sums> {
        match self {
            Sums::Zero(people) => Ok(vec![0; people]),
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

/// Returns an upper bound of the magnitude of some numbers of a column.
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
