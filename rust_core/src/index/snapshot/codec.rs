//! Partitions, catalogs and texts as bytes; their columns have a file of their own.

use std::collections::HashMap;
use std::sync::Arc;

use super::bytes::{In, Out, Read};
use crate::index::firsts::Firsts;
use crate::index::learned::{Counts, Learned};
use crate::index::spans::{Span, Spans};
use crate::index::texts::{GONE, TextColumn, Texts};
use crate::index::view::{Attribute, Changes, Details, Items, Latest, Origins, Run};

pub trait Stored: Sized {
    fn put(&self, out: &mut Out);
    fn get(input: &mut In<'_>) -> Read<Self>;
}

impl<T: Stored> Stored for Arc<T> {
    fn put(&self, out: &mut Out) {
        T::put(self, out);
    }

    fn get(input: &mut In<'_>) -> Read<Self> {
        T::get(input).map(Arc::new)
    }
}

impl<T: bytemuck::Pod> Stored for Vec<T> {
    fn put(&self, out: &mut Out) {
        out.many(self);
    }

    fn get(input: &mut In<'_>) -> Read<Self> {
        input.many()
    }
}

impl<V: Stored> Stored for HashMap<String, V> {
    /// In order of the keys, so that equal contents give equal bytes.
    fn put(&self, out: &mut Out) {
        let mut entries: Vec<(&String, &V)> = self.iter().collect();
        entries.sort_unstable_by_key(|&(key, _)| key);
        out.one(entries.len() as u64);
        for (key, value) in entries {
            out.text(key);
            value.put(out);
        }
    }

    fn get(input: &mut In<'_>) -> Read<Self> {
        Ok(input
            .list(|input| Ok((input.text()?, V::get(input)?)))?
            .into_iter()
            .collect())
    }
}

impl Stored for Firsts {
    fn put(&self, out: &mut Out) {
        out.one(self.blocks().len() as u64);
        self.blocks().for_each(|instants| instants.put(out));
    }

    fn get(input: &mut In<'_>) -> Read<Self> {
        Ok(Firsts::of(input.list(In::many)?))
    }
}

impl Stored for Attribute {
    fn put(&self, out: &mut Out) {
        out.one(self.latest.len() as u64);
        self.latest.iter().for_each(|latest| latest.put(out));
        out.one(self.runs.len() as u64);
        self.runs.iter().for_each(|run| run.put(out));
    }

    fn get(input: &mut In<'_>) -> Read<Self> {
        Ok(Attribute {
            latest: input.list(Stored::get)?,
            runs: input.list(Stored::get)?,
        })
    }
}

impl Stored for Latest {
    fn put(&self, out: &mut Out) {
        self.values.put(out);
        out.one(self.changed_until_ms);
    }

    fn get(input: &mut In<'_>) -> Read<Self> {
        Ok(Latest {
            values: Stored::get(input)?,
            changed_until_ms: input.one()?,
        })
    }
}

impl Stored for Changes {
    fn put(&self, out: &mut Out) {
        self.blocks.put(out);
        self.persons.put(out);
        self.times.put(out);
        self.values.put(out);
        self.origins.put(out);
    }

    fn get(input: &mut In<'_>) -> Read<Self> {
        Ok(Changes {
            blocks: input.many()?,
            persons: input.many()?,
            times: Stored::get(input)?,
            values: Stored::get(input)?,
            origins: Stored::get(input)?,
        })
    }
}

impl Stored for Spans {
    fn put(&self, out: &mut Out) {
        out.one(self.blocks().len() as u64);
        for span in self.blocks() {
            span.firsts.put(out);
            span.lasts.put(out);
            out.one(span.from);
            out.one(span.to);
        }
    }

    fn get(input: &mut In<'_>) -> Read<Self> {
        let span = |input: &mut In<'_>| {
            Ok(Span {
                firsts: input.many()?,
                lasts: input.many()?,
                from: input.one()?,
                to: input.one()?,
            })
        };
        Ok(Spans::of(input.list(span)?))
    }
}

impl Stored for Run {
    fn put(&self, out: &mut Out) {
        self.cells.put(out);
        self.persons.put(out);
        self.times.put(out);
        self.details.put(out);
    }

    fn get(input: &mut In<'_>) -> Read<Self> {
        Ok(Run {
            cells: input.many()?,
            persons: input.many()?,
            times: input.many()?,
            details: Stored::get(input)?,
        })
    }
}

impl Stored for Details {
    fn put(&self, out: &mut Out) {
        self.channels.put(out);
        self.properties.put(out);
        self.origins.put(out);
    }

    fn get(input: &mut In<'_>) -> Read<Self> {
        Ok(Details {
            channels: Stored::get(input)?,
            properties: Stored::get(input)?,
            origins: Stored::get(input)?,
        })
    }
}

impl Stored for Origins {
    fn put(&self, out: &mut Out) {
        self.sources.put(out);
        self.ids.put(out);
        self.arrivals.put(out);
    }

    fn get(input: &mut In<'_>) -> Read<Self> {
        Ok(Origins {
            sources: Stored::get(input)?,
            ids: Stored::get(input)?,
            arrivals: Stored::get(input)?,
        })
    }
}

impl Stored for Items {
    fn put(&self, out: &mut Out) {
        let mut rows: Vec<(u32, u32)> = self.rows.iter().map(|(&key, &row)| (row, key)).collect();
        rows.sort_unstable();
        let keys: Vec<u32> = rows.into_iter().map(|(_, key)| key).collect();
        keys.put(out);
        self.attributes.put(out);
        out.one(self.updates.len() as u64);
        self.updates.iter().for_each(|updates| updates.put(out));
    }

    fn get(input: &mut In<'_>) -> Read<Self> {
        let keys: Vec<u32> = input.many()?;
        Ok(Items {
            rows: keys.into_iter().zip(0..).collect(),
            attributes: Stored::get(input)?,
            updates: input.list(Stored::get)?,
        })
    }
}

impl Stored for Texts {
    fn put(&self, out: &mut Out) {
        let mut column = TextColumn::default();
        (0..self.len() as u32).for_each(|code| column.push(self.bytes(code)));
        column.put(out);
    }

    fn get(input: &mut In<'_>) -> Read<Self> {
        let column: TextColumn = Stored::get(input)?;
        let mut texts = Texts::default();
        for row in 0..column.len() {
            let bytes = column.get(row);
            if bytes == GONE {
                texts.push_gone();
                continue;
            }
            let text = std::str::from_utf8(bytes).map_err(|_| "a text is not valid UTF-8")?;
            texts.intern(text);
        }
        if texts.len() != column.len() {
            return Err("a text stands twice".into());
        }
        Ok(texts)
    }
}

impl Stored for Learned {
    fn put(&self, out: &mut Out) {
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

    fn get(input: &mut In<'_>) -> Read<Self> {
        let properties = input.list(|input| Ok(((input.text()?, input.text()?), Stored::get(input)?)))?;
        let attributes = input.list(|input| Ok((input.text()?, Stored::get(input)?)))?;
        Ok(Learned {
            properties: properties.into_iter().collect(),
            attributes: attributes.into_iter().collect(),
        })
    }
}

impl Stored for Counts {
    fn put(&self, out: &mut Out) {
        let mut counts: Vec<(u32, i64)> = self.iter().map(|(&code, &count)| (code, count)).collect();
        counts.sort_unstable();
        let (codes, counts): (Vec<u32>, Vec<i64>) = counts.into_iter().unzip();
        codes.put(out);
        counts.put(out);
    }

    fn get(input: &mut In<'_>) -> Read<Self> {
        let (codes, counts): (Vec<u32>, Vec<i64>) = (input.many()?, input.many()?);
        Ok(codes.into_iter().zip(counts).collect())
    }
}
