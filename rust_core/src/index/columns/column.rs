//! Appends to columns, gathers rows from them and overwrites rows.

use super::cells::Cell;
use super::flags::Flags;
use super::ints::Ints;
use super::picks::{NO_ROW, Pick, gather_fixed, gather_lists, patch_lists, span};
use super::texts::TextColumn;
use crate::index::view::{Column, Scalar, Unit, Values};
use crate::proto::schema::Type;
use crate::storage::buffer::Buffer;

impl Values {
    /// Creates an empty column for values of a declared type.
    pub fn of_type(kind: Type) -> Values {
        Values {
            known: Buffer::default(),
            data: Column::of_type(kind),
        }
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a row; a cell of another type becomes unknown.
    pub fn push(&mut self, cell: &Cell) {
        let row = self.len();
        if row.is_multiple_of(64) {
            self.known.to_mut().push(0);
        }
        if self.data.push(cell) {
            self.known.to_mut()[row / 64] |= 1 << (row % 64);
        }
    }

    /// Appends unknown rows until the column has `rows` rows.
    pub fn pad(&mut self, rows: usize) {
        if self.len() < rows {
            self.data.pad(rows);
            self.known.to_mut().resize(rows.div_ceil(64), 0);
        }
    }

    /// Returns the value of a row; unknown beyond the end.
    pub fn cell(&self, row: usize) -> Cell {
        if row >= self.len() || !self.is_known(row) {
            return Cell::Unknown;
        }
        self.data.cell(row)
    }

    /// Gathers the picked rows of columns of one type; an absent column holds only unknown values.
    pub fn gather(columns: &[Option<&Values>], picks: &[Pick]) -> Values {
        let column = |source: u32| columns.get(source as usize).copied().flatten();
        let is_known = |&(source, row): &Pick| column(source).is_some_and(|column| column.is_known(row as usize));
        // Unknown rows may hold any value; rows without a source are the cheapest.
        let picks: Vec<Pick> = picks
            .iter()
            .map(|pick| if is_known(pick) { *pick } else { NO_ROW })
            .collect();
        let word = |picks: &[Pick]| {
            let bits = picks.iter().rev().map(|pick| u64::from(*pick != NO_ROW));
            bits.fold(0, |word, bit| word << 1 | bit)
        };
        let first = columns.iter().flatten().next();
        Values {
            known: picks.chunks(64).map(word).collect(),
            data: first.map_or_else(Column::default, |first| {
                Column::gather(&first.data, &picks, |source| column(source).map(|column| &column.data))
            }),
        }
    }

    /// Overwrites rows and grows the column to `rows` rows.
    ///
    /// Each pick is (row here, row of `from` that replaces it), ascending by the first.
    pub fn patch(&mut self, rows: usize, picks: &[(u32, u32)], from: &Values) {
        self.pad(rows);
        if !self.any_known() {
            let mut all = vec![NO_ROW; self.len()];
            picks.iter().for_each(|&(row, source)| all[row as usize] = (0, source));
            *self = Values::gather(&[Some(from)], &all);
            return;
        }
        self.data.patch(picks, from);
        let known = self.known.to_mut();
        for &(row, source) in picks {
            let (word, bit) = (row as usize / 64, row % 64);
            let is_known = u64::from(from.is_known(source as usize));
            known[word] = known[word] & !(1 << bit) | is_known << bit;
        }
    }

    /// Converts the column to flags if that takes no more memory.
    pub fn encode_flags(&mut self) {
        if let Some(flags) = Flags::of(&self.data, |row| self.is_known(row)) {
            self.data = Column::Flags(flags);
        }
    }

    /// Creates an empty column of the same type.
    pub fn empty_like(&self) -> Values {
        Values::gather(&[Some(self)], &[])
    }

    /// Returns whether any row is known.
    pub fn any_known(&self) -> bool {
        self.known.iter().any(|&word| word != 0)
    }

    pub fn bytes_in_memory(&self) -> usize {
        self.known.bytes_in_memory() + self.data.bytes_in_memory()
    }
}

impl TextColumn {
    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Gathers the picked rows.
    pub fn gather(columns: &[&TextColumn], picks: &[Pick]) -> TextColumn {
        let list = |source: u32| {
            columns
                .get(source as usize)
                .map(|column| (&column.ends[..], &column.bytes[..]))
        };
        let (ends, bytes) = gather_lists(picks, list);
        TextColumn {
            ends: ends.into(),
            bytes: bytes.into(),
        }
    }
}

/// Returns a closure that gives the slice (or lists) of a source if its column is of the variant.
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
    /// Creates an empty column for values of a declared type.
    pub fn of_type(kind: Type) -> Column {
        match kind {
            Type::Bool => Column::Bool(Buffer::default()),
            Type::Number | Type::Money => Column::ints(Unit::Millionths),
            Type::Text | Type::Enum => Column::ints(Unit::Code),
            Type::Instant => Column::ints(Unit::Instant),
            Type::Date => Column::ints(Unit::Date),
            Type::MonthDay => Column::ints(Unit::MonthDay),
            Type::Set => Column::Set {
                ends: Buffer::default(),
                codes: Buffer::default(),
            },
            Type::Map => Column::Map {
                ends: Buffer::default(),
                entries: Vec::new(),
            },
            Type::Point => Column::Point(Buffer::default()),
        }
    }

    fn ints(unit: Unit) -> Column {
        Column::Ints(unit, Ints::default())
    }

    pub fn len(&self) -> usize {
        match self {
            Column::Bool(data) => data.len(),
            Column::Ints(_, data) => data.len(),
            Column::Point(data) => data.len(),
            Column::Flags(flags) => flags.rows(),
            Column::Set { ends, .. } | Column::Map { ends, .. } => ends.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a row; returns whether the cell is known and of this column's type.
    fn push(&mut self, cell: &Cell) -> bool {
        match (&mut *self, cell) {
            (Column::Bool(data), Cell::One(Scalar::Bool(value))) => data.to_mut().push(*value),
            (Column::Ints(unit, data), Cell::One(value)) if value.int(*unit).is_some() => {
                data.push(value.int(*unit).unwrap_or_default());
            }
            (Column::Point(data), Cell::One(Scalar::Point(value))) => data.to_mut().push(*value),
            (Column::Set { ends, codes }, Cell::Set(items)) => {
                codes.to_mut().extend_from_slice(items);
                ends.to_mut().push(codes.len() as u32);
            }
            (Column::Map { ends, entries }, Cell::Map(items)) => {
                entries.extend_from_slice(items);
                ends.to_mut().push(entries.len() as u32);
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
            Column::Bool(data) => data.to_mut().resize(rows, false),
            Column::Ints(_, data) => data.pad(rows),
            Column::Point(data) => data.to_mut().resize(rows, [0.0; 2]),
            Column::Flags(flags) => flags.pad(rows),
            Column::Set { ends, codes } => ends.to_mut().resize(rows, codes.len() as u32),
            Column::Map { ends, entries } => ends.to_mut().resize(rows, entries.len() as u32),
        }
    }

    fn cell(&self, row: usize) -> Cell {
        Cell::One(match self {
            Column::Bool(data) => Scalar::Bool(data[row]),
            Column::Ints(unit, data) => Scalar::of_int(*unit, data.get(row)),
            Column::Point(data) => Scalar::Point(data[row]),
            Column::Flags(flags) => return flags.cell(row),
            Column::Set { ends, codes } => return Cell::Set(codes[span(ends, row)].to_vec()),
            Column::Map { ends, entries } => return Cell::Map(entries[span(ends, row)].to_vec()),
        })
    }

    /// Gathers the picked rows of columns of the same type as `like`.
    fn gather<'a>(like: &Column, picks: &[Pick], column: impl Fn(u32) -> Option<&'a Column>) -> Column {
        match like {
            Column::Bool(_) => Column::Bool(gather_fixed(picks, slice_of!(column, Bool)).into()),
            Column::Ints(unit, _) => {
                let ints = |source| match column(source) {
                    Some(Column::Ints(_, data)) => Some(data),
                    _ => None,
                };
                Column::Ints(*unit, Ints::gather(ints, picks))
            }
            Column::Point(_) => Column::Point(gather_fixed(picks, slice_of!(column, Point)).into()),
            Column::Flags(flags) => {
                let mut gathered = flags.empty_like();
                for &(source, row) in picks {
                    let cell = column(source).map_or(Cell::Unknown, |column| column.cell(row as usize));
                    gathered.push(&cell);
                }
                gathered
            }
            Column::Set { .. } => {
                let (ends, codes) = gather_lists(picks, slice_of!(column, Set, codes));
                Column::Set {
                    ends: ends.into(),
                    codes: codes.into(),
                }
            }
            Column::Map { .. } => {
                let (ends, entries) = gather_lists(picks, slice_of!(column, Map, entries));
                Column::Map {
                    ends: ends.into(),
                    entries,
                }
            }
        }
    }

    fn patch(&mut self, picks: &[(u32, u32)], from: &Values) {
        fn overwrite<T: Copy>(data: &mut [T], picks: &[(u32, u32)], from: &[T]) {
            for &(row, source) in picks {
                data[row as usize] = from[source as usize];
            }
        }
        if let Column::Flags(flags) = self {
            flags.patch(picks, &from.data, |row| from.is_known(row));
            if flags.has_too_many_texts() {
                *self = flags.to_plain_column();
            }
            return;
        }
        match (self, &from.data) {
            (Column::Bool(data), Column::Bool(from)) => overwrite(data.to_mut(), picks, from),
            (Column::Ints(_, data), Column::Ints(_, ints)) => {
                // Unknown rows are skipped: the numbers that they hold could widen the column.
                let known = picks.iter().filter(|&&(_, source)| from.is_known(source as usize));
                let rows = known.map(|&(row, source)| (row as usize, ints.get(source as usize)));
                data.set(&rows.collect::<Vec<_>>());
            }
            (Column::Point(data), Column::Point(from)) => overwrite(data.to_mut(), picks, from),
            (
                Column::Set { ends, codes },
                Column::Set {
                    ends: other,
                    codes: from,
                },
            ) => {
                patch_lists(ends.to_mut(), codes.to_mut(), picks, (other, from));
            }
            (
                Column::Map { ends, entries },
                Column::Map {
                    ends: other,
                    entries: from,
                },
            ) => {
                patch_lists(ends.to_mut(), entries, picks, (other, from));
            }
            _ => {}
        }
    }

    fn bytes_in_memory(&self) -> usize {
        match self {
            Column::Bool(data) => data.bytes_in_memory(),
            Column::Ints(_, data) => data.bytes_in_memory(),
            Column::Point(data) => data.bytes_in_memory(),
            Column::Flags(flags) => flags.bytes_in_memory(),
            Column::Set { ends, codes } => ends.bytes_in_memory() + codes.bytes_in_memory(),
            Column::Map { ends, entries } => ends.bytes_in_memory() + size_of::<(u32, Scalar)>() * entries.capacity(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell(kind: Type) -> BoxedStrategy<Cell> {
        let numbers = prop_oneof![0..3i64, 0..300i64, any::<i64>()];
        let set = prop::collection::btree_set(0..9u32, 0..4).prop_map(|set| Cell::Set(set.into_iter().collect()));
        let known = match kind {
            Type::Text => (0..4u32).prop_map(|code| Cell::One(Scalar::Text(code))).boxed(),
            Type::Number => numbers.prop_map(|number| Cell::One(Scalar::Number(number))).boxed(),
            Type::Bool => any::<bool>().prop_map(|flag| Cell::One(Scalar::Bool(flag))).boxed(),
            _ => set.boxed(),
        };
        prop_oneof![Just(Cell::Unknown), known].boxed()
    }

    type Patch = (Type, Vec<Cell>, Vec<std::collections::BTreeMap<u32, Cell>>);

    fn patches() -> impl Strategy<Value = Patch> {
        prop::sample::select(vec![Type::Number, Type::Bool, Type::Text, Type::Set]).prop_flat_map(|kind| {
            let patch = prop::collection::btree_map(0..150u32, cell(kind), 0..9);
            let old = prop::collection::vec(cell(kind), 0..99);
            (Just(kind), old, prop::collection::vec(patch, 1..4))
        })
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn a_patched_column_holds_the_new_cells_and_keeps_the_others(
            (kind, mut cells, patches) in patches(), flagged in any::<bool>(),
        ) {
            let column = |cells: &mut dyn Iterator<Item = &Cell>| {
                let mut values = Values::of_type(kind);
                cells.for_each(|cell| values.push(cell));
                values
            };
            let mut values = column(&mut cells.iter());
            cells.resize(150, Cell::Unknown);
            for patch in patches {
                let picks: Vec<_> = patch.keys().copied().zip(0..).collect();
                values.patch(150, &picks, &column(&mut patch.values()));
                if flagged {
                    values.encode_flags();
                }
                patch.into_iter().for_each(|(row, cell)| cells[row as usize] = cell);
                prop_assert_eq!((0..150).map(|row| values.cell(row)).collect::<Vec<_>>(), cells.clone());
            }
        }
    }
}
