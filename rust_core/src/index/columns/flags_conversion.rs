//! Converts plain columns of text codes or sets to flags and back.

use super::cells::Unit;
use super::flags::Flags;
use super::picks::span;
use super::values::Column;
use crate::proto::schema::Type;
use crate::storage::buffer::Buffer;

impl Flags {
    /// Encodes a plain column of codes or sets; returns `None` if it has too many distinct texts. Unknown rows get no texts.
    pub fn of(column: &Column, is_known: impl Fn(usize) -> bool) -> Option<Flags> {
        let sets = match column {
            Column::Ints(Unit::Code, _) => false,
            Column::Set { .. } => true,
            _ => return None,
        };
        let mut flags = Flags {
            sets,
            rows: column.len(),
            codes: Buffer::default(),
            words: Buffer::default(),
        };
        for row in (0..column.len()).filter(|&row| is_known(row)) {
            flags.copy(row, column, row);
            if flags.has_too_many_texts() {
                return None;
            }
        }
        Some(flags)
    }

    /// Creates an empty plain column of the same type.
    pub fn empty_like(&self) -> Column {
        Column::of_type(if self.sets { Type::Set } else { Type::Text })
    }

    /// Converts to a plain column; rows without a text get an arbitrary code.
    pub fn to_plain_column(&self) -> Column {
        match self.sets {
            false => Column::Ints(Unit::Code, self.codes().into_iter().map(i64::from).collect()),
            true => {
                let (mut ends, mut codes) = (Vec::with_capacity(self.rows), Vec::new());
                for row in 0..self.rows {
                    codes.extend(self.of_row(row));
                    ends.push(codes.len() as u32);
                }
                Column::Set {
                    ends: ends.into(),
                    codes: codes.into(),
                }
            }
        }
    }

    /// Replaces rows: each pick is (row here, row of `from` that replaces it); `from` is a plain column.
    pub fn patch(&mut self, picks: &[(u32, u32)], from: &Column, is_known: impl Fn(usize) -> bool) {
        let stride = self.stride();
        for &(row, source) in picks {
            let (row, source) = (row as usize, source as usize);
            let words = self.words.to_mut().iter_mut().skip(row / 64).step_by(stride);
            words.for_each(|word| *word &= !(1 << (row % 64)));
            if is_known(source) {
                self.copy(row, from, source);
            }
        }
    }

    /// Adds the texts of a known row of a plain column.
    fn copy(&mut self, row: usize, from: &Column, source: usize) {
        match from {
            Column::Ints(_, codes) => self.set(row, &[codes.get(source) as u32]),
            Column::Set { ends, codes } => self.set(row, &codes[span(ends, source)]),
            _ => {}
        }
    }
}
