//! Columns of values over rows, borrowed from the index where possible.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::ops::Range;

use super::bits::Bits;
use super::range_masks;
use super::ratio::Ratio;
use super::sets::Sets;
use crate::error::{Error, Result};
use crate::index::columns::picks::Pick;
use crate::index::view::{Column as Stored, Scalar, Unit, Values};

/// The type of an expression. `Any` is a map entry whose type is not determined yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Bool,
    Number,
    Text,
    Instant,
    Date,
    MonthDay,
    Duration,
    Set,
    Point,
    Any,
}

/// One value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Datum {
    /// No value: all rows of the column are unknown.
    Nothing,
    Bool(bool),
    /// Millionths of a number, milliseconds, days, or month * 100 + day.
    Int(i64),
    Code(u32),
    Point([f64; 2]),
}

impl Eq for Datum {}

impl Hash for Datum {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Datum::Nothing => 0.hash(state),
            Datum::Bool(value) => value.hash(state),
            Datum::Int(value) => value.hash(state),
            Datum::Code(code) => code.hash(state),
            Datum::Point(point) => point.map(f64::to_bits).hash(state),
        }
    }
}

/// A column of values. The data of unknown rows is arbitrary.
#[derive(Clone, Debug)]
pub struct Column<'a> {
    pub known: Bits,
    pub data: Data<'a>,
}

/// The data of a column by physical type.
#[derive(Clone, Debug)]
pub enum Data<'a> {
    /// The same value in all rows.
    One(Datum),
    Bool(Cow<'a, [bool]>),
    Int(Cow<'a, [i64]>),
    Ratio(Vec<Ratio>),
    Code(Cow<'a, [u32]>),
    Set(Sets<'a>),
    Point(Cow<'a, [[f64; 2]]>),
}

/// The values of a column of one physical type.
#[derive(Clone, Copy)]
pub enum View<'c, T> {
    One(T),
    Many(&'c [T]),
}

impl<T: Copy> View<'_, T> {
    #[inline]
    pub fn get(&self, row: usize) -> T {
        match self {
            View::One(value) => *value,
            View::Many(values) => values[row],
        }
    }
}

/// Numbers: either all are whole millionths, or exact fractions.
#[derive(Clone, Copy)]
pub enum Numbers<'c> {
    Whole(View<'c, i64>),
    Exact(&'c [Ratio]),
}

impl Numbers<'_> {
    #[inline]
    pub fn get(&self, row: usize) -> Ratio {
        match self {
            Numbers::Whole(view) => Ratio::millionths(view.get(row).into()),
            Numbers::Exact(values) => values[row],
        }
    }
}

impl<'a> Column<'a> {
    /// Returns a column with the same value in all rows.
    pub fn one(len: usize, datum: Datum) -> Column<'a> {
        Column {
            known: Bits::all(len),
            data: Data::One(datum),
        }
    }

    /// Returns a column without known values.
    pub fn unknown(len: usize) -> Column<'a> {
        Column {
            known: Bits::none(len),
            data: Data::One(Datum::Nothing),
        }
    }

    pub fn int(known: Bits, values: Vec<i64>) -> Column<'a> {
        Column {
            known,
            data: Data::Int(values.into()),
        }
    }

    /// Returns a column of exact numbers, as integers if all are whole millionths.
    pub fn exact(known: Bits, values: Vec<Ratio>) -> Column<'a> {
        let whole = |row: usize| {
            if known.get(row) {
                values[row].to_millionths()
            } else {
                Some(0)
            }
        };
        match (0..values.len()).map(whole).collect::<Option<Vec<i64>>>() {
            Some(whole) => Column::int(known, whole),
            None => Column {
                known,
                data: Data::Ratio(values),
            },
        }
    }

    pub fn len(&self) -> usize {
        self.known.len()
    }

    pub fn into_owned(self) -> Column<'static> {
        let data = match self.data {
            Data::One(datum) => Data::One(datum),
            Data::Bool(values) => Data::Bool(values.into_owned().into()),
            Data::Int(values) => Data::Int(values.into_owned().into()),
            Data::Ratio(values) => Data::Ratio(values),
            Data::Code(values) => Data::Code(values.into_owned().into()),
            Data::Set(sets) => Data::Set(sets.into_owned()),
            Data::Point(values) => Data::Point(values.into_owned().into()),
        };
        Column {
            known: self.known,
            data,
        }
    }

    /// Returns the bytes that the column owns; data borrowed from the index is not counted.
    pub fn bytes(&self) -> usize {
        let data = match &self.data {
            Data::Bool(Cow::Owned(values)) => size_of_val(&values[..]),
            Data::Int(Cow::Owned(values)) => size_of_val(&values[..]),
            Data::Ratio(values) => size_of_val(&values[..]),
            Data::Code(Cow::Owned(codes)) => size_of_val(&codes[..]),
            Data::Point(Cow::Owned(points)) => size_of_val(&points[..]),
            Data::Set(sets) => sets.bytes(),
            Data::One(_) | Data::Bool(_) | Data::Int(_) | Data::Code(_) | Data::Point(_) => 0,
        };
        self.known.bytes() + data
    }

    pub fn bools(&self) -> Result<View<'_, bool>> {
        match &self.data {
            Data::One(Datum::Nothing) => Ok(View::One(false)),
            Data::One(Datum::Bool(value)) => Ok(View::One(*value)),
            Data::Bool(values) => Ok(View::Many(values)),
            _ => Err(self.mismatch("true or false")),
        }
    }

    pub fn ints(&self) -> Result<View<'_, i64>> {
        match &self.data {
            Data::One(Datum::Nothing) => Ok(View::One(0)),
            Data::One(Datum::Int(value)) => Ok(View::One(*value)),
            Data::Int(values) => Ok(View::Many(values)),
            _ => Err(self.mismatch("whole numbers")),
        }
    }

    pub fn numbers(&self) -> Result<Numbers<'_>> {
        match &self.data {
            Data::Ratio(values) => Ok(Numbers::Exact(values)),
            _ => self.ints().map(Numbers::Whole),
        }
    }

    pub fn codes(&self) -> Result<View<'_, u32>> {
        match &self.data {
            Data::One(Datum::Nothing) => Ok(View::One(0)),
            Data::One(Datum::Code(code)) => Ok(View::One(*code)),
            Data::Code(codes) => Ok(View::Many(codes)),
            _ => Err(self.mismatch("texts")),
        }
    }

    pub fn points(&self) -> Result<View<'_, [f64; 2]>> {
        match &self.data {
            Data::One(Datum::Nothing) => Ok(View::One([0.0; 2])),
            Data::One(Datum::Point(point)) => Ok(View::One(*point)),
            Data::Point(points) => Ok(View::Many(points)),
            _ => Err(self.mismatch("points")),
        }
    }

    /// Returns the sets; `None` if no row is known.
    pub fn sets(&self) -> Result<Option<&Sets<'a>>> {
        match &self.data {
            Data::One(Datum::Nothing) => Ok(None),
            Data::Set(sets) => Ok(Some(sets)),
            _ => Err(self.mismatch("sets")),
        }
    }

    fn mismatch(&self, wanted: &str) -> Error {
        let found = match &self.data {
            Data::One(_) => "one value",
            Data::Bool(_) => "true or false",
            Data::Int(_) | Data::Ratio(_) => "numbers or times",
            Data::Code(_) => "texts",
            Data::Set(_) => "sets",
            Data::Point(_) => "points",
        };
        Error::Invalid(format!(
            "expected a column of {wanted}, found {found}; the schema and the index disagree"
        ))
    }

    /// Reads a range of rows of a stored column; rows that it lacks are unknown.
    pub fn slice(values: &'a Values, rows: Range<usize>) -> Column<'a> {
        let known = Bits::slice(&values.known, rows.clone());
        if known.is_none() {
            return Column::unknown(rows.len());
        }
        let data = match &values.data {
            Stored::Bool(values) => Data::Bool(padded(values, rows)),
            Stored::Ints(Unit::Code, codes) => Data::Code(filled(
                range_masks::codes(codes, existing(codes.len(), &rows)).into(),
                rows,
            )),
            Stored::Ints(_, ints) => Data::Int(filled(range_masks::numbers(ints, existing(ints.len(), &rows)), rows)),
            Stored::Point(points) => Data::Point(padded(points, rows)),
            Stored::Set { ends, codes } => Data::Set(Sets::slice(ends, codes, rows)),
            Stored::Map { .. } => Data::One(Datum::Nothing),
            Stored::Flags(flags) if flags.are_sets() => {
                let flags = flags
                    .iter()
                    .map(|(code, words)| (code, Bits::slice(words, rows.clone())));
                Data::Set(Sets::Flags(flags.collect()))
            }
            Stored::Flags(flags) => {
                let codes = flags.codes();
                let codes = codes[existing(codes.len(), &rows)].to_vec();
                Data::Code(filled(codes.into(), rows))
            }
        };
        Column { known, data }
    }

    /// Reads given rows of a stored column with `read`; rows that it lacks are unknown.
    pub fn picked(
        values: &Values,
        rows: impl Iterator<Item = usize>,
        read: impl for<'v> Fn(&'v Values, Range<usize>) -> Column<'v>,
    ) -> Column<'a> {
        let picks: Vec<Pick> = rows.map(|row| (0, row as u32)).collect();
        Column::gathered(&[Some(values)], &picks, read)
    }

    /// Reads given rows of several columns: each pick is (column, row); `NO_ROW` is unknown.
    pub fn gathered(
        columns: &[Option<&Values>],
        picks: &[Pick],
        read: impl for<'v> Fn(&'v Values, Range<usize>) -> Column<'v>,
    ) -> Column<'a> {
        let values = Values::gather(columns, picks);
        read(&values, 0..picks.len()).into_owned()
    }

    /// Reads the entry of a key in a stored map. Missing entries and entries of another type are unknown.
    pub fn entries(values: &'a Values, rows: Range<usize>, key: u32, kind: Kind) -> Column<'a> {
        let Stored::Map { ends, entries } = &values.data else {
            return Column::unknown(rows.len());
        };
        let found = rows.map(|row| {
            let end = *ends.get(row).filter(|_| values.is_known(row))? as usize;
            let start = row.checked_sub(1).map_or(0, |before| ends[before] as usize);
            let entries = &entries[start..end];
            let index = entries.binary_search_by_key(&key, |entry| entry.0).ok()?;
            datum(entries[index].1, kind)
        });
        Column::collect(found.collect())
    }

    /// Collects values of one physical type.
    pub fn collect(data: Vec<Option<Datum>>) -> Column<'a> {
        fn every<T: Default>(data: &[Option<Datum>], of: impl Fn(Datum) -> Option<T>) -> Vec<T> {
            data.iter()
                .map(|datum| datum.and_then(&of).unwrap_or_default())
                .collect()
        }
        let known = Bits::from_fn(data.len(), |row| data[row].is_some());
        let typed = match data.iter().flatten().next() {
            Some(Datum::Bool(_)) => Data::Bool(every(&data, Datum::bool).into()),
            Some(Datum::Int(_)) => Data::Int(every(&data, Datum::int).into()),
            Some(Datum::Code(_)) => Data::Code(every(&data, Datum::code).into()),
            Some(Datum::Point(_)) => Data::Point(every(&data, Datum::point).into()),
            Some(Datum::Nothing) | None => Data::One(Datum::Nothing),
        };
        Column { known, data: typed }
    }
}

impl Datum {
    fn bool(self) -> Option<bool> {
        if let Datum::Bool(value) = self {
            Some(value)
        } else {
            None
        }
    }

    fn int(self) -> Option<i64> {
        if let Datum::Int(value) = self {
            Some(value)
        } else {
            None
        }
    }

    fn code(self) -> Option<u32> {
        if let Datum::Code(code) = self { Some(code) } else { None }
    }

    fn point(self) -> Option<[f64; 2]> {
        if let Datum::Point(point) = self {
            Some(point)
        } else {
            None
        }
    }
}

/// Converts a stored value; returns `None` if it is not of the kind.
fn datum(scalar: Scalar, kind: Kind) -> Option<Datum> {
    match (scalar, kind) {
        (_, Kind::Any) => Some(Datum::Nothing),
        (Scalar::Bool(value), Kind::Bool) => Some(Datum::Bool(value)),
        (Scalar::Number(value), Kind::Number) | (Scalar::Instant(value), Kind::Instant) => Some(Datum::Int(value)),
        (Scalar::Text(code), Kind::Text) => Some(Datum::Code(code)),
        (Scalar::Date(days), Kind::Date) => Some(Datum::Int(days.into())),
        (Scalar::MonthDay(day), Kind::MonthDay) => Some(Datum::Int(day.into())),
        (Scalar::Point(point), Kind::Point) => Some(Datum::Point(point)),
        _ => None,
    }
}

/// Returns rows of stored values; missing rows have the default.
fn padded<T: Copy + Default>(values: &[T], rows: Range<usize>) -> Cow<'_, [T]> {
    filled(values[existing(values.len(), &rows)].into(), rows)
}

/// Returns the rows that a column of `len` rows has.
fn existing(len: usize, rows: &Range<usize>) -> Range<usize> {
    rows.start.min(len)..rows.end.min(len)
}

/// Extends values with defaults to the length of `rows`.
fn filled<T: Copy + Default>(mut values: Cow<'_, [T]>, rows: Range<usize>) -> Cow<'_, [T]> {
    if values.len() < rows.len() {
        values.to_mut().resize(rows.len(), T::default());
    }
    values
}
