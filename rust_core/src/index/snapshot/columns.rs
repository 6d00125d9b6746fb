//! Encodes and decodes columns.

use crate::index::columns::flags::Flags;
use crate::index::columns::ints::{Codes, Ints};
use crate::index::columns::texts::TextColumn;
use crate::index::view::{Column, Scalar, Unit, Values};
use crate::storage::sections::{Decoded, SectionReader, SectionWriter, Stored};

impl Stored for Ints {
    fn put(&self, out: &mut SectionWriter) {
        let (base, step, codes) = self.parts();
        out.one(base);
        out.one(step);
        match codes {
            Codes::Same(rows) => {
                out.one(0u8);
                out.one(*rows as u64);
            }
            Codes::Byte(codes) => tagged(out, 1, codes),
            Codes::Short(codes) => tagged(out, 2, codes),
            Codes::Word(codes) => tagged(out, 4, codes),
            Codes::Wide(rows) => tagged(out, 8, rows),
        }
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        let (base, step) = (input.one()?, input.one()?);
        let codes = match input.one::<u8>()? {
            0 => Codes::Same(input.length()?),
            1 => Codes::Byte(input.many()?),
            2 => Codes::Short(input.many()?),
            4 => Codes::Word(input.many()?),
            8 => Codes::Wide(input.many()?),
            width => return Err(format!("unknown integer width of {width} bytes")),
        };
        Ok(Ints::of_parts(base, step, codes))
    }
}

impl Stored for TextColumn {
    fn put(&self, out: &mut SectionWriter) {
        self.ends.put(out);
        self.bytes.put(out);
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        Ok(TextColumn {
            ends: input.many()?,
            bytes: input.many()?,
        })
    }
}

impl Stored for Values {
    fn put(&self, out: &mut SectionWriter) {
        self.known.put(out);
        self.data.put(out);
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        Ok(Values {
            known: input.many()?,
            data: Stored::get(input)?,
        })
    }
}

impl Stored for Column {
    fn put(&self, out: &mut SectionWriter) {
        match self {
            Column::Bool(data) => tagged(out, 0, data),
            Column::Ints(unit, data) => {
                out.one(
                    UNITS
                        .iter()
                        .position(|other| other == unit)
                        .map_or(0, |at| at as u8 + 1),
                );
                data.put(out);
            }
            Column::Point(data) => tagged(out, 6, data),
            Column::Set { ends, codes } => {
                tagged(out, 7, ends);
                codes.put(out);
            }
            Column::Flags(flags) => {
                let (sets, rows, codes, words) = flags.parts();
                out.one(9u8);
                out.one(u8::from(sets));
                out.one(rows as u64);
                out.many(codes);
                out.many(words);
            }
            Column::Map { ends, entries } => {
                tagged(out, 8, ends);
                out.one(entries.len() as u64);
                for &(key, scalar) in entries {
                    out.one(key);
                    put_scalar(out, scalar);
                }
            }
        }
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        Ok(match input.one::<u8>()? {
            0 => Column::Bool(input.many()?),
            tag @ 1..=5 => Column::Ints(UNITS[usize::from(tag) - 1], Stored::get(input)?),
            6 => Column::Point(input.many()?),
            7 => Column::Set {
                ends: input.many()?,
                codes: input.many()?,
            },
            8 => Column::Map {
                ends: input.many()?,
                entries: input.list(|input| Ok((input.one()?, get_scalar(input)?)))?,
            },
            9 => {
                let (sets, rows) = (input.one::<u8>()? != 0, input.length()?);
                Column::Flags(Flags::of_parts(sets, rows, input.many()?, input.many()?))
            }
            tag => return Err(format!("column of unknown kind {tag}")),
        })
    }
}

/// Units by their tag; tags start at 1.
const UNITS: [Unit; 5] = [Unit::Millionths, Unit::Code, Unit::Instant, Unit::Date, Unit::MonthDay];

/// Writes a tag and an array.
fn tagged<T: bytemuck::NoUninit>(out: &mut SectionWriter, tag: u8, data: &[T]) {
    out.one(tag);
    out.many(data);
}

fn put_scalar(out: &mut SectionWriter, scalar: Scalar) {
    match scalar {
        Scalar::Bool(value) => {
            out.one(0u8);
            out.one(u8::from(value));
        }
        Scalar::Number(value) => {
            out.one(1u8);
            out.one(value);
        }
        Scalar::Text(value) => {
            out.one(2u8);
            out.one(value);
        }
        Scalar::Instant(value) => {
            out.one(3u8);
            out.one(value);
        }
        Scalar::Date(value) => {
            out.one(4u8);
            out.one(value);
        }
        Scalar::MonthDay(value) => {
            out.one(5u8);
            out.one(value);
        }
        Scalar::Point(value) => {
            out.one(6u8);
            out.one(value);
        }
    }
}

fn get_scalar(input: &mut SectionReader<'_>) -> Decoded<Scalar> {
    Ok(match input.one::<u8>()? {
        0 => Scalar::Bool(input.one::<u8>()? != 0),
        1 => Scalar::Number(input.one()?),
        2 => Scalar::Text(input.one()?),
        3 => Scalar::Instant(input.one()?),
        4 => Scalar::Date(input.one()?),
        5 => Scalar::MonthDay(input.one()?),
        6 => Scalar::Point(input.one()?),
        tag => return Err(format!("value of unknown kind {tag}")),
    })
}
