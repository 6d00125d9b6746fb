//! Measures that choose one of a person's events: the first, the last, the last of the most frequent value.

use std::cmp::Ordering;
use std::rc::Rc;

use super::batch::Batch;
use super::bits::Bits;
use super::column::{Column, gather};
use super::groups::Groups;
use super::numbers::Numbers;

use crate::error::Result;
use crate::index::texts::Texts;

/// A batch of `Kept` and its row.
type Place = (u32, u32);

/// Batches with the value of their events.
struct Kept<'a> {
    texts: &'a Texts,
    batches: Vec<(Rc<Batch<'a>>, Column<'a>)>,
    /// Of the values.
    bytes: usize,
}

impl<'a> Kept<'a> {
    /// Gives the batch's number.
    fn push(&mut self, batch: &Rc<Batch<'a>>, value: &Column<'a>) -> u32 {
        self.bytes += value.bytes();
        self.batches.push((batch.clone(), value.clone()));
        self.batches.len() as u32 - 1
    }

    fn order(&self, a: Place, b: Place) -> Ordering {
        let batch = |(batch, _): Place| &self.batches[batch as usize].0;
        batch(a).order(a.1 as usize, batch(b), b.1 as usize, self.texts)
    }

    fn values(&self, places: &[Option<Place>]) -> Result<Column<'a>> {
        let sources: Vec<&Column> = self.batches.iter().map(|(_, value)| value).collect();
        gather(places.len(), &sources, |person| {
            places[person].map(|(batch, row)| (batch as usize, row as usize))
        })
    }
}

/// The value of the first or the last event.
pub struct Chosen<'a> {
    last: bool,
    times: Vec<i64>,
    places: Vec<Option<Place>>,
    kept: Kept<'a>,
}

impl<'a> Chosen<'a> {
    pub fn new(last: bool, people: usize, texts: &'a Texts) -> Self {
        Chosen {
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
            let (time, place) = (occurred[row], (number, row as u32));
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
pub struct Most<'a> {
    /// By person: the number of a value, and at which position among all events it was met, as one.
    seen: Vec<(u32, u64)>,
    numbers: Numbers,
    /// By batch: the position of its first event.
    starts: Vec<u32>,
    people: usize,
    kept: Kept<'a>,
}

impl<'a> Most<'a> {
    pub fn new(people: usize, texts: &'a Texts) -> Self {
        Most {
            seen: Vec::new(),
            numbers: Numbers::default(),
            starts: Vec::new(),
            people,
            kept: Kept {
                texts,
                batches: Vec::new(),
                bytes: 0,
            },
        }
    }

    pub fn add(&mut self, batch: &Rc<Batch<'a>>, mask: Option<&Bits>, value: &Column<'a>) -> Result<()> {
        let last = self.kept.batches.last().map_or(0, |(batch, _)| batch.len() as u32);
        let start = self.starts.last().map_or(0, |start| start + last);
        self.starts.push(start);
        self.kept.push(batch, value);
        let numbers = self.numbers.of(value)?;
        self.seen.reserve(batch.len());
        batch.each(mask, |row, person| {
            let met = u64::from(numbers[row]) << 32 | u64::from(start + row as u32);
            self.seen.push((person as u32, met));
        });
        Ok(())
    }

    pub fn bytes(&self) -> usize {
        size_of_val(&self.seen[..]) + self.kept.bytes
    }

    pub fn finish(self) -> Result<Column<'a>> {
        let mut places: Vec<Option<Place>> = vec![None; self.people];
        Groups::of(&self.seen, self.people).each(|person, seen| places[person] = self.best(seen));
        self.kept.values(&places)
    }

    fn best(&self, seen: &mut [u64]) -> Option<Place> {
        if let &mut [one] = seen {
            return Some(self.place(one));
        }
        seen.sort_unstable();
        let alike = || seen.chunk_by(|a, b| a >> 32 == b >> 32);
        let most = alike().map(<[_]>::len).max()?;
        let frequent = alike().filter(|same| same.len() == most).flatten();
        frequent
            .map(|&met| self.place(met))
            .reduce(|a, b| if self.kept.order(a, b).is_gt() { a } else { b })
    }

    fn place(&self, met: u64) -> Place {
        let position = met as u32;
        let batch = self.starts.partition_point(|&start| start <= position) - 1;
        (batch as u32, position - self.starts[batch])
    }
}

/// The number of distinct values.
pub struct Distinct {
    seen: Vec<(u32, u32)>,
    numbers: Numbers,
    people: usize,
}

impl Distinct {
    pub fn new(people: usize) -> Self {
        Distinct {
            seen: Vec::new(),
            numbers: Numbers::default(),
            people,
        }
    }

    pub fn add(&mut self, batch: &Batch, mask: Option<&Bits>, value: &Column) -> Result<()> {
        let numbers = self.numbers.of(value)?;
        self.seen.reserve(batch.len());
        batch.each(mask, |row, person| self.seen.push((person as u32, numbers[row])));
        Ok(())
    }

    pub fn bytes(&self) -> usize {
        size_of_val(&self.seen[..])
    }

    pub fn finish(self) -> Vec<u32> {
        distinct(&self.seen, self.people)
    }
}

/// How many different numbers each person has.
pub fn distinct(seen: &[(u32, u32)], people: usize) -> Vec<u32> {
    let mut counts = vec![0; people];
    Groups::of(seen, people).each(|person, numbers| {
        counts[person] = match numbers {
            [_] => 1,
            &mut [a, b] => 1 + u32::from(a != b),
            more => {
                more.sort_unstable();
                more.chunk_by(|a, b| a == b).count() as u32
            }
        };
    });
    counts
}
