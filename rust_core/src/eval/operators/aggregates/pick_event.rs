//! Measures that choose one of a person's events: the first, the last, the last of the most frequent value.

use std::cmp::Ordering;
use std::rc::Rc;

use crate::eval::kernels::bits::Bits;
use crate::eval::kernels::column::{Column, Data, Datum};
use crate::eval::kernels::gather::gather;
use crate::eval::kernels::groups::Groups;
use crate::eval::kernels::interner::Interner;
use crate::eval::operators::batch::{Batch, MOST};

use crate::error::Result;
use crate::index::columns::texts::Texts;

/// A row of a batch of `Kept`. Of one run's events the later has the higher place.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct RowRef(u32);

impl RowRef {
    const ROWS: u32 = MOST.ilog2();

    fn new(batch: usize, row: usize) -> RowRef {
        RowRef((batch as u32) << RowRef::ROWS | row as u32)
    }

    fn batch(self) -> usize {
        (self.0 >> RowRef::ROWS) as usize
    }

    fn row(self) -> usize {
        self.0 as usize & (MOST - 1)
    }
}

/// Batches with the value of their events.
struct Kept<'a> {
    texts: &'a Texts,
    batches: Vec<(Rc<Batch<'a>>, Column<'a>)>,
    /// Of the values.
    bytes: usize,
}

impl<'a> Kept<'a> {
    /// Gives the batch's number.
    fn push(&mut self, batch: &Rc<Batch<'a>>, value: &Column<'a>) -> usize {
        self.bytes += value.bytes();
        self.batches.push((batch.clone(), value.clone()));
        self.batches.len() - 1
    }

    /// Of one person's events.
    fn order(&self, a: RowRef, b: RowRef) -> Ordering {
        let batch = |place: RowRef| &self.batches[place.batch()].0;
        batch(a).order(a.row(), batch(b), b.row(), self.texts)
    }

    fn values(&self, places: &[Option<RowRef>]) -> Result<Column<'a>> {
        let sources: Vec<&Column> = self.batches.iter().map(|(_, value)| value).collect();
        gather(places.len(), &sources, |person| {
            places[person].map(|place| (place.batch(), place.row()))
        })
    }
}

/// The value of the first or the last event.
pub struct FirstOrLast<'a> {
    last: bool,
    times: Vec<i64>,
    places: Vec<Option<RowRef>>,
    kept: Kept<'a>,
}

impl<'a> FirstOrLast<'a> {
    pub fn new(last: bool, people: usize, texts: &'a Texts) -> Self {
        FirstOrLast {
            last,
            times: vec![0; people],
            places: vec![None; people],
            kept: Kept {
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
            let (time, place) = (occurred[row], RowRef::new(number, row));
            let better = self.places[person].is_none_or(|held| {
                let times = time.cmp(&self.times[person]);
                times.then_with(|| self.kept.order(place, held)) == wanted
            });
            if better {
                self.times[person] = time;
                self.places[person] = Some(place);
            }
        });
    }

    pub fn bytes(&self) -> usize {
        size_of_val(&self.times[..]) + size_of_val(&self.places[..]) + self.kept.bytes
    }

    pub fn finish(self) -> Result<Column<'a>> {
        self.kept.values(&self.places)
    }
}

/// The most frequent value; of equally frequent ones the one seen last.
pub struct MostFrequent<'a> {
    /// By number of the value.
    seen: Vec<(u32, (u16, RowRef))>,
    numbers: Interner,
    /// Then their numbers are their codes.
    of_texts: bool,
    people: usize,
    kept: Kept<'a>,
}

/// Of one person, when the events of some values have been looked at, value by value.
#[derive(Clone, Copy, Default)]
struct Favourite {
    /// The value that is being looked at, how often it was met and when last.
    number: u32,
    times: u32,
    latest: RowRef,
    /// The same of the best value.
    best_number: u32,
    most: u32,
    best: RowRef,
}

impl<'a> MostFrequent<'a> {
    pub fn new(people: usize, texts: &'a Texts) -> Self {
        MostFrequent {
            seen: Vec::new(),
            numbers: Interner::default(),
            of_texts: false,
            people,
            kept: Kept {
                texts,
                batches: Vec::new(),
                bytes: 0,
            },
        }
    }

    pub fn add(&mut self, batch: &Rc<Batch<'a>>, mask: Option<&Bits>, value: &Column<'a>) -> Result<()> {
        let kept = self.kept.push(batch, value);
        self.of_texts |= matches!(value.data, Data::Code(_) | Data::One(Datum::Code(_)));
        let numbers = self.numbers.of(value)?;
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
        let mut favourites = vec![Favourite::default(); self.people];
        let seen = std::mem::take(&mut self.seen);
        let mut batches = self.kept.batches.iter().map(|(batch, _)| batch);
        // Places are in order where all events are of one run.
        let first = batches.next();
        if batches.all(|batch| first.is_some_and(|first| first.is_of_run(batch))) {
            by_number(seen, |number, (person, place)| {
                favourites[usize::from(person)].meet(number, place, RowRef::cmp);
            });
        } else {
            by_number(seen, |number, (person, place)| {
                favourites[usize::from(person)].meet(number, place, |a, b| self.kept.order(*a, *b));
            });
        }
        let known = Bits::from_fn(favourites.len(), |person| favourites[person].most > 0);
        if self.of_texts {
            let codes = favourites.iter().map(|favourite| favourite.best_number).collect();
            return Ok(Column {
                known,
                data: Data::Code(codes),
            });
        }
        let best = |person: usize| known.get(person).then_some(favourites[person].best);
        self.kept.values(&(0..favourites.len()).map(best).collect::<Vec<_>>())
    }
}

impl Favourite {
    #[inline]
    fn meet(&mut self, number: u32, place: RowRef, order: impl Fn(&RowRef, &RowRef) -> Ordering) {
        if self.number != number || self.most == 0 {
            (self.number, self.times, self.latest) = (number, 1, place);
        } else {
            self.times += 1;
            self.latest = std::cmp::max_by(self.latest, place, &order);
        }
        if self.times > self.most || self.times == self.most && order(&self.latest, &self.best).is_gt() {
            (self.best_number, self.most, self.best) = (number, self.times, self.latest);
        }
    }
}

/// Calls with all pairs of a number, one number after the other.
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

/// With more numbers than so many for each value, they are not counted one by one.
const SPARSE: usize = 4;
