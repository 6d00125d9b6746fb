//! Encodes and decodes the history, erased people and item updates.

use std::collections::BTreeMap;
use std::sync::Arc;

use roaring::RoaringBitmap;

use crate::index::columns::ints::Ints;
use crate::index::erasure::erased::ErasedPeople;
use crate::index::history::{History, Journal};
use crate::index::view::ItemUpdates;
use crate::proto::frame::Split;
use crate::proto::schema::Schema;
use crate::storage::sections::{Decoded, SectionReader, SectionWriter, Stored};

impl Stored for History {
    fn put(&self, out: &mut SectionWriter) {
        self.frames.put(out);
        self.created.put(out);
        self.merges.put(out);
        self.bare_records.put(out);
        out.one(self.splits.len() as u64);
        for (arrival, split) in &self.splits {
            out.one(*arrival);
            out.one(split.from);
            out.one(split.to);
            out.many(&split.nodes);
            out.many(&split.aliases);
        }
        out.one(self.schemas.len() as u64);
        for (arrival, schema) in &self.schemas {
            out.one(*arrival);
            out.many(&schema.encode());
        }
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        let schema = |input: &mut SectionReader<'_>| {
            let (arrival, bytes) = (input.one()?, input.many::<u8>()?);
            let schema = Schema::decode(&bytes).map_err(|error| error.to_string())?;
            Ok((arrival, Arc::new(schema)))
        };
        let split = |input: &mut SectionReader<'_>| {
            let arrival = input.one()?;
            let split = Split {
                from: input.one()?,
                to: input.one()?,
                nodes: input.many()?.into_vec(),
                aliases: input.many()?.into_vec(),
            };
            Ok((arrival, Arc::new(split)))
        };
        let mut history = History {
            frames: Stored::get(input)?,
            created: Stored::get(input)?,
            merges: Stored::get(input)?,
            bare_records: Stored::get(input)?,
            splits: input.list(split)?,
            schemas: input.list(schema)?,
            ..History::default()
        };
        history.rebuild_bare_firsts();
        Ok(history)
    }
}

/// The number of rows of a journal that are stored together, column by column. Rows that arrive close together compress well.
const PIECE: usize = 1 << 10;

impl<const N: usize> Stored for Journal<N> {
    fn put(&self, out: &mut SectionWriter) {
        let rows: Vec<[i64; N]> = self.iter().collect();
        out.one(rows.len().div_ceil(PIECE) as u64);
        for piece in rows.chunks(PIECE) {
            for at in 0..N {
                let column: Ints = piece.iter().map(|row| row[at]).collect();
                column.put(out);
            }
        }
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        let mut journal = Journal::default();
        for _ in 0..input.length()? {
            let columns: Vec<Ints> = (0..N).map(|_| Stored::get(input)).collect::<Decoded<_>>()?;
            if columns.iter().any(|column| column.len() != columns[0].len()) {
                return Err("the columns of a journal differ in length".into());
            }
            (0..columns[0].len()).for_each(|row| journal.push(std::array::from_fn(|at| columns[at].get(row))));
        }
        Ok(journal)
    }
}

impl Stored for ErasedPeople {
    fn put(&self, out: &mut SectionWriter) {
        put_people(&self.people, out);
        put_people(&self.in_runs, out);
        out.one(u8::from(self.in_texts));
        out.one(self.purges);
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        Ok(ErasedPeople {
            people: get_people(input)?,
            in_runs: get_people(input)?,
            in_texts: input.one::<u8>()? != 0,
            purges: input.one()?,
        })
    }
}

fn put_people(people: &BTreeMap<u32, RoaringBitmap>, out: &mut SectionWriter) {
    out.one(people.len() as u64);
    for (&number, ordinals) in people {
        out.one(number);
        out.many(&ordinals.iter().collect::<Vec<u32>>());
    }
}

fn get_people(input: &mut SectionReader<'_>) -> Decoded<BTreeMap<u32, RoaringBitmap>> {
    let of_partition = |input: &mut SectionReader<'_>| Ok((input.one()?, input.many::<u32>()?.into_iter().collect()));
    Ok(input.list(of_partition)?.into_iter().collect())
}

impl Stored for ItemUpdates {
    fn put(&self, out: &mut SectionWriter) {
        out.many(&self.keys);
        self.arrivals.put(out);
        self.attributes.put(out);
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        Ok(ItemUpdates {
            keys: input.many()?.into_vec(),
            arrivals: Stored::get(input)?,
            attributes: Stored::get(input)?,
        })
    }
}

/// Encodes row numbers together with the values of these rows.
impl<T: Stored> Stored for (Vec<u32>, T) {
    fn put(&self, out: &mut SectionWriter) {
        out.many(&self.0);
        self.1.put(out);
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        Ok((input.many()?.into_vec(), T::get(input)?))
    }
}
