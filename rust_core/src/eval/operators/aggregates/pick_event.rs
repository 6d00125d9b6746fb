//! Measures that pick one event of a person: the first, the last, or the latest with the most frequent value.

use std::cmp::Ordering;
use std::rc::Rc;

use crate::eval::kernels::bits::Bits;
use crate::eval::kernels::column::{Column, Data, Datum};
use crate::eval::kernels::gather::gather;
use crate::eval::kernels::groups::Groups;
use crate::eval::kernels::interner::Interner;
use crate::eval::operators::batch::{BATCH_ROWS, Batch};

use crate::error::Result;
use crate::index::columns::texts::Texts;

/// A row of one of the `KeptBatches`. References to events of one run are in order of the events.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct RowRef(u32);

impl RowRef {
    const ROWS: u32 = BATCH_ROWS.ilog2();

    fn new(batch: usize, row: usize) -> RowRef {
        RowRef((batch as u32) << RowRef::ROWS | row as u32)
    }

    fn batch(self) -> usize {
        (self.0 >> RowRef::ROWS) as usize
    }

    fn row(self) -> usize {
        self.0 as usize & (BATCH_ROWS - 1)
    }
}

/// Batches with the values of their events.
struct KeptBatches<'a> {
    texts: &'a Texts,
    batches: Vec<(Rc<Batch<'a>>, Column<'a>)>,
    /// The memory of the values.
    bytes: usize,
}

impl<'a> KeptBatches<'a> {
    /// Adds a batch; returns its number.
    fn push(&mut self, batch: &Rc<Batch<'a>>, value: &Column<'a>) -> usize {
        self.bytes += value.bytes();
        self.batches.push((batch.clone(), value.clone()));
        self.batches.len() - 1
    }

    /// Compares two events of one person.
    fn compare(&self, a: RowRef, b: RowRef) -> Ordering {
        let batch = |row_ref: RowRef| &self.batches[row_ref.batch()].0;
        batch(a).compare(a.row(), batch(b), b.row(), self.texts)
    }

    fn values(&self, row_refs: &[Option<RowRef>]) -> Result<Column<'a>> {
        let sources: Vec<&Column> = self.batches.iter().map(|(_, value)| value).collect();
        gather(row_refs.len(), &sources, |person| {
            row_refs[person].map(|row_ref| (row_ref.batch(), row_ref.row()))
        })
    }
}

/// The value of the first or the last event.
pub struct FirstOrLast<'a> {
    last: bool,
    times: Vec<i64>,
    row_refs: Vec<Option<RowRef>>,
    kept: KeptBatches<'a>,
}

impl<'a> FirstOrLast<'a> {
    pub fn new(last: bool, people: usize, texts: &'a Texts) -> Self {
        FirstOrLast {
            last,
            times: vec![0; people],
            row_refs: vec![None; people],
            kept: KeptBatches {
                texts,
                batches: Vec::new(),
                bytes: 0,
            },
        }
    }

    pub fn add(&mut self, batch: &Rc<Batch<'a>>, mask: Option<&Bits>, value: &Column<'a>) {
        let number = self.kept.push(batch, value);
        let wanted = if self.last { Ordering::Greater } else { Ordering::Less };
        let occurred = batch.times();
        batch.each(mask, |row, person| {
            let (time, row_ref) = (occurred[row], RowRef::new(number, row));
            let better = self.row_refs[person].is_none_or(|held| {
                let times = time.cmp(&self.times[person]);
                times.then_with(|| self.kept.compare(row_ref, held)) == wanted
            });
            if better {
                self.times[person] = time;
                self.row_refs[person] = Some(row_ref);
            }
        });
    }

    pub fn bytes(&self) -> usize {
        size_of_val(&self.times[..]) + size_of_val(&self.row_refs[..]) + self.kept.bytes
    }

    pub fn finish(self) -> Result<Column<'a>> {
        self.kept.values(&self.row_refs)
    }
}

/// The most frequent value; among equally frequent values, the one that occurred last.
pub struct MostFrequent<'a> {
    /// Each event as (value number, (person, row)).
    seen: Vec<(u32, (u16, RowRef))>,
    numbers: Interner,
    /// True if the values are texts: their numbers are then their codes.
    of_texts: bool,
    people: usize,
    kept: KeptBatches<'a>,
}

/// The state of one person while events are read value by value.
#[derive(Clone, Copy, Default)]
struct ModeState {
    /// The current value, how often it occurred, and its latest event.
    number: u32,
    count: u32,
    latest: RowRef,
    /// The best value so far, how often it occurred, and its latest event.
    best_number: u32,
    best_count: u32,
    best: RowRef,
}

impl<'a> MostFrequent<'a> {
    pub fn new(people: usize, texts: &'a Texts) -> Self {
        MostFrequent {
            seen: Vec::new(),
            numbers: Interner::default(),
            of_texts: false,
            people,
            kept: KeptBatches {
                texts,
                batches: Vec::new(),
                bytes: 0,
            },
        }
    }

    pub fn add(&mut self, batch: &Rc<Batch<'a>>, mask: Option<&Bits>, value: &Column<'a>) -> Result<()> {
        let kept = self.kept.push(batch, value);
        self.of_texts |= matches!(value.data, Data::Code(_) | Data::One(Datum::Code(_)));
        let numbers = self.numbers.intern_column(value)?;
        self.seen.reserve(batch.len());
        batch.each(mask, |row, person| {
            self.seen.push((numbers[row], (person as u16, RowRef::new(kept, row))));
        });
        Ok(())
    }

    pub fn bytes(&self) -> usize {
        size_of_val(&self.seen[..]) + self.kept.bytes
    }

    pub fn finish(mut self) -> Result<Column<'a>> {
        let mut states = vec![ModeState::default(); self.people];
        let seen = std::mem::take(&mut self.seen);
        let mut batches = self.kept.batches.iter().map(|(batch, _)| batch);
        // If all events are in one run, the order of the references is that of the events.
        let first = batches.next();
        if batches.all(|batch| first.is_some_and(|first| first.is_of_run(batch))) {
            by_number(seen, |number, (person, row_ref)| {
                states[usize::from(person)].observe(number, row_ref, RowRef::cmp);
            });
        } else {
            by_number(seen, |number, (person, row_ref)| {
                states[usize::from(person)].observe(number, row_ref, |a, b| self.kept.compare(*a, *b));
            });
        }
        let known = Bits::from_fn(states.len(), |person| states[person].best_count > 0);
        if self.of_texts {
            let codes = states.iter().map(|state| state.best_number).collect();
            return Ok(Column {
                known,
                data: Data::Code(codes),
            });
        }
        let best = |person: usize| known.get(person).then_some(states[person].best);
        self.kept.values(&(0..states.len()).map(best).collect::<Vec<_>>())
    }
}

impl ModeState {
    #[inline]
    fn observe(&mut self, number: u32, row_ref: RowRef, order: impl Fn(&RowRef, &RowRef) -> Ordering) {
        if self.number != number || self.best_count == 0 {
            (self.number, self.count, self.latest) = (number, 1, row_ref);
        } else {
            self.count += 1;
            self.latest = std::cmp::max_by(self.latest, row_ref, &order);
        }
        if self.count > self.best_count || self.count == self.best_count && order(&self.latest, &self.best).is_gt() {
            (self.best_number, self.best_count, self.best) = (number, self.count, self.latest);
        }
    }
}

/// Calls `call` with all pairs, grouped by number.
fn by_number<T: Copy>(mut pairs: Vec<(u32, T)>, mut call: impl FnMut(u32, T)) {
    let (mut least, mut most) = (u32::MAX, 0);
    for &(number, _) in &pairs {
        (least, most) = (number.min(least), number.max(most));
    }
    let span = most.saturating_sub(least) as usize + 1;
    if span > SPARSE * pairs.len() {
        pairs.sort_unstable_by_key(|&(number, _)| number);
        return pairs.into_iter().for_each(|(number, value)| call(number, value));
    }
    pairs.iter_mut().for_each(|(number, _)| *number -= least);
    Groups::of(&pairs, span).each(|number, values| {
        values.iter().for_each(|&value| call(least + number as u32, value));
    });
}

/// If the range of numbers is more than this many times their count, they are sorted instead of counted.
const SPARSE: usize = 4;
