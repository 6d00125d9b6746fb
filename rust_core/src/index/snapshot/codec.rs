//! Encodes and decodes the parts of partitions, catalogs and the dictionary; `columns` does so for columns.

use std::collections::HashMap;
use std::sync::Arc;

use bytemuck::{CheckedBitPattern, NoUninit};

use crate::index::columns::texts::{REMOVED, TextColumn, Texts};
use crate::index::summaries::counts;
use crate::index::summaries::firsts::{FirstInstants, FirstsBlock};
use crate::index::summaries::learned::{LearnedValues, ValueCounts};
use crate::index::summaries::spans::{BlockSpans, Days, Spans};
use crate::index::summaries::totals::{BlockTotals, Totals};
use crate::index::view::{ChangeRun, Details, EventRun, Items, Latest, Origins};
use crate::storage::buffer::Buffer;
use crate::storage::file_check::FileCheck;
use crate::storage::sections::{Decoded, SectionReader, SectionWriter, Stored};

/// Returns a decoded value, or an error that names `what` if the value is inconsistent.
fn validated<T>(value: T, is_valid: impl FnOnce(&T) -> bool, what: &str) -> Decoded<T> {
    match is_valid(&value) {
        true => Ok(value),
        false => Err(format!("{what} are inconsistent")),
    }
}

impl<T: Stored> Stored for Arc<T> {
    fn put(&self, out: &mut SectionWriter) {
        T::put(self, out);
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        T::get(input).map(Arc::new)
    }
}

impl<T: Stored> Stored for Option<T> {
    fn put(&self, out: &mut SectionWriter) {
        out.one(u8::from(self.is_some()));
        self.iter().for_each(|value| value.put(out));
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        match input.one::<u8>()? {
            0 => Ok(None),
            _ => T::get(input).map(Some),
        }
    }
}

impl<T: CheckedBitPattern + NoUninit> Stored for Buffer<T> {
    fn put(&self, out: &mut SectionWriter) {
        out.many(self);
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        input.many()
    }
}

impl<V: Stored> Stored for HashMap<String, V> {
    /// Writes the entries in order of their keys, so that equal contents give equal bytes.
    fn put(&self, out: &mut SectionWriter) {
        let mut entries: Vec<(&String, &V)> = self.iter().collect();
        entries.sort_unstable_by_key(|&(key, _)| key);
        out.one(entries.len() as u64);
        for (key, value) in entries {
            out.text(key);
            value.put(out);
        }
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        Ok(input
            .list(|input| Ok((input.text()?, V::get(input)?)))?
            .into_iter()
            .collect())
    }
}

impl Stored for FirstInstants {
    fn put(&self, out: &mut SectionWriter) {
        out.list(self.blocks());
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        Ok(FirstInstants::of(input.list(Stored::get)?))
    }
}

impl Stored for FirstsBlock {
    fn put(&self, out: &mut SectionWriter) {
        self.instants.put(out);
        self.present.put(out);
        out.one(self.latest);
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        let block = FirstsBlock {
            instants: input.many()?,
            present: input.many()?,
            latest: input.one()?,
        };
        validated(block, FirstsBlock::is_valid, "first instants")
    }
}

impl Stored for Latest {
    fn put(&self, out: &mut SectionWriter) {
        self.values.put(out);
        out.one(self.changed_until_ms);
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        let latest = Latest {
            values: Stored::get(input)?,
            changed_until_ms: input.one()?,
        };
        validated(latest, Latest::is_valid, "latest values")
    }
}

/// Encodes all but `blocks`, which the partition's head file holds.
impl Stored for ChangeRun {
    fn put(&self, out: &mut SectionWriter) {
        self.persons.put(out);
        self.times.put(out);
        self.values.put(out);
        self.origins.put(out);
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        Ok(ChangeRun {
            blocks: Buffer::default(),
            persons: input.many()?,
            times: Stored::get(input)?,
            values: Stored::get(input)?,
            origins: Stored::get(input)?,
            file_check: FileCheck::default(),
        })
    }
}

impl Stored for Spans {
    fn put(&self, out: &mut SectionWriter) {
        out.list(self.blocks());
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        Ok(Spans::of(input.list(Stored::get)?))
    }
}

impl Stored for BlockSpans {
    fn put(&self, out: &mut SectionWriter) {
        let days = self.merged_days();
        days.firsts.put(out);
        days.lasts.put(out);
        out.one(self.from);
        out.one(self.to);
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        let days = Days {
            firsts: input.many()?,
            lasts: input.many()?,
        };
        let days = validated(days, Days::is_valid, "first and last days")?;
        Ok(BlockSpans::of(days, input.one()?, input.one()?))
    }
}

impl Stored for Totals {
    fn put(&self, out: &mut SectionWriter) {
        let (rows, blocks) = self.parts();
        out.one(rows as u64);
        out.list(blocks);
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        Ok(Totals::of_parts(input.length()?, input.list(Stored::get)?))
    }
}

impl Stored for BlockTotals {
    fn put(&self, out: &mut SectionWriter) {
        out.one(self.first);
        out.one(self.last);
        let (low, overflows) = self.counts.parts();
        out.many(low);
        out.many(overflows);
        self.sums.put(out);
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        Ok(BlockTotals {
            first: input.one()?,
            last: input.one()?,
            counts: counts::EventCounts::of_parts(input.many()?, input.many()?),
            sums: Stored::get(input)?,
        })
    }
}

/// Encodes all but `cells`, which the partition's head file holds.
impl Stored for EventRun {
    fn put(&self, out: &mut SectionWriter) {
        self.persons.put(out);
        self.times.put(out);
        self.details.put(out);
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        Ok(EventRun {
            cells: Buffer::default(),
            persons: input.many()?,
            times: input.many()?,
            details: Stored::get(input)?,
            file_check: FileCheck::default(),
        })
    }
}

impl Stored for Details {
    fn put(&self, out: &mut SectionWriter) {
        self.channels.put(out);
        self.properties.put(out);
        self.origins.put(out);
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        Ok(Details {
            channels: Stored::get(input)?,
            properties: Stored::get(input)?,
            origins: Stored::get(input)?,
        })
    }
}

impl Stored for Origins {
    fn put(&self, out: &mut SectionWriter) {
        self.sources.put(out);
        self.ids.put(out);
        self.arrivals.put(out);
        self.nodes.put(out);
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        Ok(Origins {
            sources: Stored::get(input)?,
            ids: Stored::get(input)?,
            arrivals: Stored::get(input)?,
            nodes: Stored::get(input)?,
        })
    }
}

impl Stored for Items {
    fn put(&self, out: &mut SectionWriter) {
        let mut rows: Vec<(u32, u32)> = self.rows.iter().map(|(&key, &row)| (row, key)).collect();
        rows.sort_unstable();
        let keys: Vec<u32> = rows.into_iter().map(|(_, key)| key).collect();
        out.many(&keys);
        self.attributes.put(out);
        out.one(self.updates.len() as u64);
        self.updates.iter().for_each(|updates| updates.put(out));
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        let keys: Buffer<u32> = input.many()?;
        let items = Items {
            rows: keys.iter().copied().zip(0..).collect(),
            attributes: Stored::get(input)?,
            updates: input.list(Stored::get)?,
        };
        validated(items, Items::is_valid, "items")
    }
}

impl Stored for Texts {
    fn put(&self, out: &mut SectionWriter) {
        let mut column = TextColumn::default();
        (0..self.len() as u32).for_each(|code| column.push(self.bytes(code)));
        column.put(out);
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        let column: TextColumn = Stored::get(input)?;
        let column = validated(column, |column| column.fits(column.len()), "texts")?;
        let mut texts = Texts::default();
        for row in 0..column.len() {
            let bytes = column.get(row);
            if bytes == REMOVED {
                texts.push_removed();
                continue;
            }
            let text = std::str::from_utf8(bytes).map_err(|_| "a text is not valid UTF-8")?;
            texts.intern(text);
        }
        if texts.len() != column.len() {
            return Err("the dictionary holds a text twice".into());
        }
        Ok(texts)
    }
}

impl Stored for LearnedValues {
    fn put(&self, out: &mut SectionWriter) {
        out.one(self.properties.len() as u64);
        for ((event_type, name), counts) in &self.properties {
            out.text(event_type);
            out.text(name);
            counts.put(out);
        }
        out.one(self.attributes.len() as u64);
        for (name, counts) in &self.attributes {
            out.text(name);
            counts.put(out);
        }
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        let properties = input.list(|input| Ok(((input.text()?, input.text()?), Stored::get(input)?)))?;
        let attributes = input.list(|input| Ok((input.text()?, Stored::get(input)?)))?;
        Ok(LearnedValues {
            properties: properties.into_iter().collect(),
            attributes: attributes.into_iter().collect(),
        })
    }
}

impl Stored for ValueCounts {
    fn put(&self, out: &mut SectionWriter) {
        let mut counts: Vec<(u32, i64)> = self.iter().map(|(&code, &count)| (code, count)).collect();
        counts.sort_unstable();
        let (codes, counts): (Vec<u32>, Vec<i64>) = counts.into_iter().unzip();
        out.many(&codes);
        out.many(&counts);
    }

    fn get(input: &mut SectionReader<'_>) -> Decoded<Self> {
        let (codes, counts): (Buffer<u32>, Buffer<i64>) = (input.many()?, input.many()?);
        Ok(codes.iter().copied().zip(counts.iter().copied()).collect())
    }
}
