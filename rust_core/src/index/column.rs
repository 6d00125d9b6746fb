//! Growing and gathering columns: how `Values` come to be.

use super::texts::{TextColumn, Texts};
use super::view::{Column, Scalar, Values};
use crate::number;
use crate::record;
use crate::schema::Type;

/// One value on its way into a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Unknown,
    One(Scalar),
    /// Ascending and distinct.
    Set(Vec<u32>),
    /// Ascending by key, keys distinct.
    Map(Vec<(u32, Scalar)>),
}

/// Where a gathered row comes from: which of the columns, and its row there. `NOWHERE` gathers an unknown.
pub type Pick = (u32, u32);
pub const NOWHERE: Pick = (u32::MAX, 0);
/// A row of `patch` that sets unknown.
pub const NO_ROW: u32 = u32::MAX;

impl Cell {
    /// A sent value of a declared type. Unknown if it is cleared or does not fit (ingestion refuses what does not).
    pub fn of(value: &record::Value<'_>, kind: Type, texts: &mut Texts) -> Cell {
        match (kind, value) {
            (Type::Set, record::Value::Set(items)) => {
                let mut codes: Vec<u32> = items.iter().map(|item| texts.intern(item)).collect();
                codes.sort_unstable();
                codes.dedup();
                Cell::Set(codes)
            }
            (Type::Map, record::Value::Map(entries)) => Cell::Map(map_entries(entries, texts)),
            _ => scalar(value, Some(kind), texts).map_or(Cell::Unknown, Cell::One),
        }
    }
}

fn map_entries(entries: &[(&str, record::Value<'_>)], texts: &mut Texts) -> Vec<(u32, Scalar)> {
    let mut scalars = Vec::with_capacity(entries.len());
    // Of a key sent twice the last counts.
    for (key, value) in entries.iter().rev() {
        let code = texts.intern(key);
        if let Some(scalar) = scalar(value, None, texts)
            && scalars.iter().all(|&(other, _)| other != code)
        {
            scalars.push((code, scalar));
        }
    }
    scalars.sort_unstable_by_key(|&(code, _)| code);
    scalars
}

/// `kind` is `None` inside a map, whose values are not declared.
fn scalar(value: &record::Value<'_>, kind: Option<Type>, texts: &mut Texts) -> Option<Scalar> {
    let is = |kinds: &[Type]| kind.is_none_or(|kind| kinds.contains(&kind));
    match value {
        record::Value::Flag(flag) if is(&[Type::Bool]) => Some(Scalar::Bool(*flag)),
        record::Value::Number(number) if is(&[Type::Number, Type::Money]) => {
            number::from_double(*number).map(Scalar::Number)
        }
        record::Value::Decimal(text) if is(&[Type::Number, Type::Money]) => {
            number::from_decimal(text).map(Scalar::Number)
        }
        record::Value::Text(text) if is(&[Type::Text, Type::Enum]) => Some(Scalar::Text(texts.intern(text))),
        record::Value::Instant(instant) if is(&[Type::Instant]) => Some(Scalar::Instant(*instant)),
        record::Value::Date(text) if is(&[Type::Date]) && text.len() > 5 => days_of(text).map(Scalar::Date),
        record::Value::Date(text) if is(&[Type::MonthDay]) => month_day_of(text).map(Scalar::MonthDay),
        record::Value::Point(point) if is(&[Type::Point]) => Some(Scalar::Point(*point)),
        _ => None,
    }
}

/// "11-22" as 1122.
fn month_day_of(text: &str) -> Option<u16> {
    let (month, day) = text.split_once('-')?;
    let (month, day): (u16, u16) = (month.parse().ok()?, day.parse().ok()?);
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(month * 100 + day)
}

/// "2026-11-22" as days since 1970-01-01.
fn days_of(text: &str) -> Option<i32> {
    let (year, month_day) = text.split_once('-')?;
    let year: i32 = year.parse().ok().filter(|year| (0..=9999).contains(year))?;
    let month_day = i32::from(month_day_of(month_day)?);
    let (month, day) = (month_day / 100, month_day % 100);
    // Years that begin in March, so that the leap day is the last: 306 days lie between 1 March of year 0 and 1 January of year 1.
    let (year, month) = if month < 3 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let (century_days, leap_days) = (
        365 * year,
        year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400),
    );
    Some(century_days + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468)
}

/// The inverse of `days_of`: year, month, day.
pub fn date_of(days: i32) -> (i32, i32, i32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
    (year + year_of_era + era * 400, month, day)
}

impl Values {
    pub fn of_type(kind: Type) -> Values {
        Values {
            known: Vec::new(),
            data: Column::of_type(kind),
        }
    }

    pub fn len(&self) -> usize {
        self.data.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn push(&mut self, cell: &Cell) {
        let row = self.len();
        if row.is_multiple_of(64) {
            self.known.push(0);
        }
        if self.data.push(cell) {
            self.known[row / 64] |= 1 << (row % 64);
        }
    }

    /// Unknowns up to `rows`.
    pub fn pad(&mut self, rows: usize) {
        if self.len() < rows {
            self.data.pad(rows);
            self.known.resize(rows.div_ceil(64), 0);
        }
    }

    pub fn cell(&self, row: usize) -> Cell {
        if row >= self.len() || !self.is_known(row) {
            return Cell::Unknown;
        }
        self.data.cell(row)
    }

    /// The picked rows of columns of one type; an absent column is unknown throughout.
    pub fn gather(columns: &[Option<&Values>], picks: &[Pick]) -> Values {
        let column = |source: u32| columns.get(source as usize).copied().flatten();
        let is_known = |&(source, row): &Pick| column(source).is_some_and(|column| column.is_known(row as usize));
        let word = |picks: &[Pick]| {
            picks
                .iter()
                .rev()
                .fold(0, |word, pick| word << 1 | u64::from(is_known(pick)))
        };
        let first = columns.iter().flatten().next();
        Values {
            known: picks.chunks(64).map(word).collect(),
            data: first.map_or_else(Column::default, |first| {
                Column::gather(&first.data, picks, |source| column(source).map(|column| &column.data))
            }),
        }
    }

    /// Sets some rows, growing to `rows`: each of `picks` is a row here and the row of `from` that goes there.
    pub fn patch(&mut self, rows: usize, picks: &[(u32, u32)], from: &Values) {
        self.pad(rows);
        if self.data.patch(picks, &from.data) {
            for &(row, source) in picks {
                let (word, bit) = (row as usize / 64, row % 64);
                let is_known = u64::from(from.is_known(source as usize));
                self.known[word] = self.known[word] & !(1 << bit) | is_known << bit;
            }
            return;
        }
        let mut all: Vec<Pick> = (0..self.len() as u32).map(|row| (0, row)).collect();
        for &(row, source) in picks {
            all[row as usize] = if source == NO_ROW { NOWHERE } else { (1, source) };
        }
        *self = Values::gather(&[Some(self), Some(from)], &all);
    }

    /// An empty column of the same type.
    pub fn none(&self) -> Values {
        Values::gather(&[Some(self)], &[])
    }

    pub fn any_known(&self) -> bool {
        self.known.iter().any(|&word| word != 0)
    }

    pub fn bytes_in_memory(&self) -> usize {
        8 * self.known.capacity() + self.data.bytes_in_memory()
    }
}

/// The picked elements of the slices that the sources have; the default where there is none.
pub fn gather_fixed<'a, T: Copy + Default + 'a>(picks: &[Pick], slice: impl Fn(u32) -> Option<&'a [T]>) -> Vec<T> {
    let element = |&(source, row): &Pick| slice(source).map_or_else(T::default, |slice| slice[row as usize]);
    picks.iter().map(element).collect()
}

/// The picked lists of columns of lists: the ends of the lists, and their elements.
fn gather_lists<'a, T: Copy + 'a>(
    picks: &[Pick],
    column: impl Fn(u32) -> Option<(&'a [u32], &'a [T])>,
) -> (Vec<u32>, Vec<T>) {
    let list = |&(source, row): &Pick| {
        let (ends, elements) = column(source)?;
        Some(&elements[span(ends, row as usize)])
    };
    let room = picks.iter().filter_map(list).map(<[T]>::len).sum();
    let (mut ends, mut elements) = (Vec::with_capacity(picks.len()), Vec::with_capacity(room));
    for pick in picks {
        elements.extend_from_slice(list(pick).unwrap_or_default());
        ends.push(elements.len() as u32);
    }
    (ends, elements)
}

/// Where row `row` of a column of lists lies.
pub fn span(ends: &[u32], row: usize) -> std::ops::Range<usize> {
    let from = if row == 0 { 0 } else { ends[row - 1] as usize };
    from..ends[row] as usize
}

impl TextColumn {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn gather(columns: &[&TextColumn], picks: &[Pick]) -> TextColumn {
        let list = |source: u32| {
            columns
                .get(source as usize)
                .map(|column| (&column.ends[..], &column.bytes[..]))
        };
        let (ends, bytes) = gather_lists(picks, list);
        TextColumn { ends, bytes }
    }
}

/// A source's slice (or lists), where its column is of the variant.
macro_rules! slice_of {
    ($column:expr, $variant:ident) => {
        |source| match $column(source) {
            Some(Column::$variant(data)) => Some(&data[..]),
            _ => None,
        }
    };
    ($column:expr, $variant:ident, $elements:ident) => {
        |source| match $column(source) {
            Some(Column::$variant { ends, $elements }) => Some((&ends[..], &$elements[..])),
            _ => None,
        }
    };
}

impl Column {
    pub fn of_type(kind: Type) -> Column {
        match kind {
            Type::Bool => Column::Bool(Vec::new()),
            Type::Number | Type::Money => Column::Number(Vec::new()),
            Type::Text | Type::Enum => Column::Text(Vec::new()),
            Type::Instant => Column::Instant(Vec::new()),
            Type::Date => Column::Date(Vec::new()),
            Type::MonthDay => Column::MonthDay(Vec::new()),
            Type::Set => Column::Set {
                ends: Vec::new(),
                codes: Vec::new(),
            },
            Type::Map => Column::Map {
                ends: Vec::new(),
                entries: Vec::new(),
            },
            Type::Point => Column::Point(Vec::new()),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Column::Bool(data) => data.len(),
            Column::Number(data) | Column::Instant(data) => data.len(),
            Column::Text(data) => data.len(),
            Column::Date(data) => data.len(),
            Column::MonthDay(data) => data.len(),
            Column::Point(data) => data.len(),
            Column::Set { ends, .. } | Column::Map { ends, .. } => ends.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the cell is known and of this column's type.
    fn push(&mut self, cell: &Cell) -> bool {
        match (&mut *self, cell) {
            (Column::Bool(data), Cell::One(Scalar::Bool(value))) => data.push(*value),
            (Column::Number(data), Cell::One(Scalar::Number(value))) => data.push(*value),
            (Column::Text(data), Cell::One(Scalar::Text(value))) => data.push(*value),
            (Column::Instant(data), Cell::One(Scalar::Instant(value))) => data.push(*value),
            (Column::Date(data), Cell::One(Scalar::Date(value))) => data.push(*value),
            (Column::MonthDay(data), Cell::One(Scalar::MonthDay(value))) => data.push(*value),
            (Column::Point(data), Cell::One(Scalar::Point(value))) => data.push(*value),
            (Column::Set { ends, codes }, Cell::Set(items)) => {
                codes.extend_from_slice(items);
                ends.push(codes.len() as u32);
            }
            (Column::Map { ends, entries }, Cell::Map(items)) => {
                entries.extend_from_slice(items);
                ends.push(entries.len() as u32);
            }
            _ => {
                self.pad(self.len() + 1);
                return false;
            }
        }
        true
    }

    fn pad(&mut self, rows: usize) {
        match self {
            Column::Bool(data) => data.resize(rows, false),
            Column::Number(data) | Column::Instant(data) => data.resize(rows, 0),
            Column::Text(data) => data.resize(rows, 0),
            Column::Date(data) => data.resize(rows, 0),
            Column::MonthDay(data) => data.resize(rows, 0),
            Column::Point(data) => data.resize(rows, [0.0; 2]),
            Column::Set { ends, codes } => ends.resize(rows, codes.len() as u32),
            Column::Map { ends, entries } => ends.resize(rows, entries.len() as u32),
        }
    }

    fn cell(&self, row: usize) -> Cell {
        Cell::One(match self {
            Column::Bool(data) => Scalar::Bool(data[row]),
            Column::Number(data) => Scalar::Number(data[row]),
            Column::Text(data) => Scalar::Text(data[row]),
            Column::Instant(data) => Scalar::Instant(data[row]),
            Column::Date(data) => Scalar::Date(data[row]),
            Column::MonthDay(data) => Scalar::MonthDay(data[row]),
            Column::Point(data) => Scalar::Point(data[row]),
            Column::Set { ends, codes } => return Cell::Set(codes[span(ends, row)].to_vec()),
            Column::Map { ends, entries } => return Cell::Map(entries[span(ends, row)].to_vec()),
        })
    }

    /// The picked rows of columns like `like`.
    fn gather<'a>(like: &Column, picks: &[Pick], column: impl Fn(u32) -> Option<&'a Column>) -> Column {
        match like {
            Column::Bool(_) => Column::Bool(gather_fixed(picks, slice_of!(column, Bool))),
            Column::Number(_) => Column::Number(gather_fixed(picks, slice_of!(column, Number))),
            Column::Text(_) => Column::Text(gather_fixed(picks, slice_of!(column, Text))),
            Column::Instant(_) => Column::Instant(gather_fixed(picks, slice_of!(column, Instant))),
            Column::Date(_) => Column::Date(gather_fixed(picks, slice_of!(column, Date))),
            Column::MonthDay(_) => Column::MonthDay(gather_fixed(picks, slice_of!(column, MonthDay))),
            Column::Point(_) => Column::Point(gather_fixed(picks, slice_of!(column, Point))),
            Column::Set { .. } => {
                let (ends, codes) = gather_lists(picks, slice_of!(column, Set, codes));
                Column::Set { ends, codes }
            }
            Column::Map { .. } => {
                let (ends, entries) = gather_lists(picks, slice_of!(column, Map, entries));
                Column::Map { ends, entries }
            }
        }
    }

    /// Overwrites rows in place; false (and nothing done) for lists, whose rows cannot be.
    fn patch(&mut self, picks: &[(u32, u32)], from: &Column) -> bool {
        fn overwrite<T: Copy>(data: &mut [T], picks: &[(u32, u32)], from: &[T]) {
            for &(row, source) in picks {
                if let Some(&value) = from.get(source as usize) {
                    data[row as usize] = value;
                }
            }
        }
        match (self, from) {
            (Column::Bool(data), Column::Bool(from)) => overwrite(data, picks, from),
            (Column::Number(data), Column::Number(from)) => overwrite(data, picks, from),
            (Column::Text(data), Column::Text(from)) => overwrite(data, picks, from),
            (Column::Instant(data), Column::Instant(from)) => overwrite(data, picks, from),
            (Column::Date(data), Column::Date(from)) => overwrite(data, picks, from),
            (Column::MonthDay(data), Column::MonthDay(from)) => overwrite(data, picks, from),
            (Column::Point(data), Column::Point(from)) => overwrite(data, picks, from),
            _ => return false,
        }
        true
    }

    fn bytes_in_memory(&self) -> usize {
        match self {
            Column::Bool(data) => data.capacity(),
            Column::Number(data) | Column::Instant(data) => 8 * data.capacity(),
            Column::Text(data) => 4 * data.capacity(),
            Column::Date(data) => 4 * data.capacity(),
            Column::MonthDay(data) => 2 * data.capacity(),
            Column::Point(data) => 16 * data.capacity(),
            Column::Set { ends, codes } => 4 * (ends.capacity() + codes.capacity()),
            Column::Map { ends, entries } => 4 * ends.capacity() + size_of::<(u32, Scalar)>() * entries.capacity(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell() -> impl Strategy<Value = Cell> {
        prop_oneof![
            Just(Cell::Unknown),
            prop::collection::btree_set(0..9u32, 0..4).prop_map(|set| Cell::Set(set.into_iter().collect())),
        ]
    }

    proptest! {
        #[test]
        fn dates_are_read_back(days in -600_000..2_000_000i32) {
            let (year, month, day) = date_of(days);
            prop_assume!((0..=9999).contains(&year));
            prop_assert_eq!(days_of(&format!("{year:04}-{month:02}-{day:02}")), Some(days));
        }

        #[test]
        fn a_patched_column_holds_the_new_cells_and_keeps_the_others(
            old in prop::collection::vec(cell(), 0..99),
            new in prop::collection::btree_map(0..150u32, cell(), 0..9),
        ) {
            let column = |cells: &mut dyn Iterator<Item = Cell>| {
                let mut values = Values::of_type(Type::Set);
                cells.for_each(|cell| values.push(&cell));
                values
            };
            let (mut values, from) = (column(&mut old.iter().cloned()), column(&mut new.values().cloned()));
            let picks: Vec<_> = new.keys().copied().zip(0..).collect();
            values.patch(150, &picks, &from);
            for row in 0..150 {
                let expected = new.get(&(row as u32)).or(old.get(row)).cloned().unwrap_or(Cell::Unknown);
                prop_assert_eq!(values.cell(row), expected);
            }
        }
    }

    #[test]
    fn known_days() {
        assert_eq!(days_of("1970-01-01"), Some(0));
        assert_eq!(days_of("2000-02-29"), Some(11_016));
        assert_eq!(days_of("1969-12-31"), Some(-1));
        assert_eq!(month_day_of("02-29"), Some(229));
    }
}
