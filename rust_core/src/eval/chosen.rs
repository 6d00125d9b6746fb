//! Measures that choose one of a person's events: the first, the last, the last of the most frequent value. And keys of equal values.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::rc::Rc;

use super::batch::Batch;
use super::bits::Bits;
use super::column::{Column, Numbers, gather};
use super::groups::Groups;
use super::ratio::Ratio;
use crate::error::Result;
use crate::index::texts::Texts;

/// A batch of `Kept` and its row.
type Place = (u32, u32);

/// Batches with the value of their events.
struct Kept<'a> {
    texts: &'a Texts,
    batches: Vec<(Rc<Batch<'a>>, Column<'a>)>,
}

impl<'a> Kept<'a> {
    fn push(&mut self, batch: &Rc<Batch<'a>>, value: &Column<'a>) -> u32 {
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

    pub fn finish(self) -> Result<Column<'a>> {
        self.kept.values(&self.places)
    }
}

/// The most frequent value; of equally frequent ones the one seen last.
pub struct Most<'a> {
    seen: Vec<(u32, (Key, Place))>,
    keys: Keys,
    people: usize,
    kept: Kept<'a>,
}

impl<'a> Most<'a> {
    pub fn new(people: usize, texts: &'a Texts) -> Self {
        Most {
            seen: Vec::new(),
            keys: Keys::default(),
            people,
            kept: Kept {
                texts,
                batches: Vec::new(),
            },
        }
    }

    pub fn add(&mut self, batch: &Rc<Batch<'a>>, mask: Option<&Bits>, value: &Column<'a>) -> Result<()> {
        let number = self.kept.push(batch, value);
        let seen = &mut self.seen;
        self.keys.each(batch, mask, value, |row, person, key| {
            seen.push((person, (key, (number, row as u32))))
        })
    }

    pub fn finish(self) -> Result<Column<'a>> {
        let mut places: Vec<Option<Place>> = vec![None; self.people];
        Groups::of(&self.seen, self.people).each(|person, seen| places[person] = self.best(seen));
        self.kept.values(&places)
    }

    fn best(&self, seen: &mut [(Key, Place)]) -> Option<Place> {
        seen.sort_unstable_by_key(|&(key, _)| key);
        let most = seen.chunk_by(|a, b| a.0 == b.0).map(<[_]>::len).max()?;
        let frequent = seen.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() == most);
        frequent
            .flatten()
            .map(|&(_, place)| place)
            .max_by(|&a, &b| self.kept.order(a, b))
    }
}

/// Equal values have equal keys: whole millionths, codes and times are themselves, other fractions are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    Whole(i64),
    Fraction(u32),
}

#[derive(Default)]
pub struct Keys {
    fractions: HashMap<(i128, i128), u32>,
}

impl Keys {
    /// Calls with (row of the batch, person, key) of each event.
    pub fn each(
        &mut self,
        batch: &Batch,
        mask: Option<&Bits>,
        value: &Column,
        mut call: impl FnMut(usize, u32, Key),
    ) -> Result<()> {
        let mut whole = |get: &dyn Fn(usize) -> i64| {
            batch.each(mask, |row, person| call(row, person as u32, Key::Whole(get(row))));
        };
        if let Ok(codes) = value.codes() {
            whole(&|row| codes.get(row).into());
        } else if let Ok(values) = value.bools() {
            whole(&|row| values.get(row).into());
        } else {
            match value.numbers()? {
                Numbers::Whole(values) => whole(&|row| values.get(row)),
                Numbers::Exact(values) => {
                    batch.each(mask, |row, person| call(row, person as u32, self.fraction(values[row])));
                }
            }
        }
        Ok(())
    }

    fn fraction(&mut self, value: Ratio) -> Key {
        if let Some(whole) = value.to_millionths() {
            return Key::Whole(whole);
        }
        let next = self.fractions.len() as u32;
        Key::Fraction(*self.fractions.entry(value.reduced().parts()).or_insert(next))
    }
}

/// The number of distinct values.
pub struct Distinct {
    seen: Vec<(u32, Key)>,
    keys: Keys,
    people: usize,
}

impl Distinct {
    pub fn new(people: usize) -> Self {
        Distinct {
            seen: Vec::new(),
            keys: Keys::default(),
            people,
        }
    }

    pub fn add(&mut self, batch: &Batch, mask: Option<&Bits>, value: &Column) -> Result<()> {
        let seen = &mut self.seen;
        self.keys
            .each(batch, mask, value, |_, person, key| seen.push((person, key)))
    }

    pub fn finish(self) -> Vec<u32> {
        distinct(&self.seen, self.people)
    }
}

/// How many different keys each person has.
pub fn distinct<K: Ord + Copy>(seen: &[(u32, K)], people: usize) -> Vec<u32> {
    let mut counts = vec![0; people];
    Groups::of(seen, people).each(|person, keys| {
        keys.sort_unstable();
        counts[person] = keys.chunk_by(|a, b| a == b).count() as u32;
    });
    counts
}
