//! Digests of a version's contents. Equal contents give equal digests, whatever runs and text codes hold them.

use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use self::FactPart::{Bytes, CellValue, Number, Text};
use super::columns::cells::Cell;
use super::columns::texts::Texts;
use super::person::encode_value;
use super::summaries::learned::ValueCounts;
use super::view::{Attribute, BLOCK, Events, Items, Origins, Partition, Version};
use crate::error::Result;
use crate::proto::wire::{put_bytes, put_fixed64, put_text};

impl Version {
    /// Returns the sum of the hashes of all facts: rows, derived values, catalogs, schema, learned values and epoch.
    ///
    /// The history is left out. Returns Corrupt if a file is damaged.
    pub fn digest(&self) -> Result<u128> {
        let mut facts = FactHasher::of(&self.texts);
        facts.add(&[Number(self.epoch.raw_offset as i64), Number(self.epoch.received_at_ms)]);
        facts.add(&[Text("schema"), Bytes(&self.schema.encode())]);
        if let Some(ms) = self.earliest_ms {
            facts.add(&[Text("earliest"), Number(ms)]);
        }
        for ((event_type, property), counts) in &self.learned.properties {
            facts.add_learned(&[event_type, property], counts);
        }
        for (attribute, counts) in &self.learned.attributes {
            facts.add_learned(&[attribute], counts);
        }
        for (catalog, items) in &self.catalogs {
            facts.add_items(catalog, items);
        }
        let partitions = self.partitions.par_iter().map(|(_, partition)| {
            let mut facts = FactHasher::of(&self.texts);
            facts.add_partition(partition)?;
            Ok(facts.sum)
        });
        let sum = partitions.try_reduce(|| 0, |one, other| Ok(one.wrapping_add(other)))?;
        Ok(sum.wrapping_add(facts.sum))
    }
}

/// A part of a hashed fact.
enum FactPart<'a> {
    Number(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
    CellValue(&'a Cell),
}

/// Sums the hashes of facts, so that their order does not matter.
struct FactHasher<'a> {
    texts: &'a Texts,
    sum: u128,
    /// The encoded fact that is being added; reused to avoid allocations.
    fact: Vec<u8>,
}

impl<'a> FactHasher<'a> {
    fn of(texts: &'a Texts) -> FactHasher<'a> {
        FactHasher {
            texts,
            sum: 0,
            fact: Vec::new(),
        }
    }

    fn add(&mut self, parts: &[FactPart]) {
        self.fact.clear();
        for part in parts {
            match part {
                Number(number) => put_fixed64(&mut self.fact, 1, *number as u64),
                Text(text) => put_text(&mut self.fact, 2, text),
                Bytes(bytes) => put_bytes(&mut self.fact, 3, bytes),
                CellValue(cell) => put_bytes(&mut self.fact, 4, &encode_value(cell, self.texts)),
            }
        }
        self.sum = self.sum.wrapping_add(xxh3_128(&self.fact));
    }

    fn add_learned(&mut self, field: &[&str], counts: &ValueCounts) {
        for (&code, &count) in counts {
            let text = self.texts.get(code);
            self.add(&[Text("learned"), Text(&field.join("\0")), Text(text), Number(count)]);
        }
    }

    fn add_items(&mut self, catalog: &str, items: &Items) {
        for (&key, &row) in &items.rows {
            let key = Text(self.texts.get(key));
            self.add(&[Text("item"), Text(catalog), key, Number(row.into())]);
        }
        for (name, values) in &items.attributes {
            for row in 0..values.len() {
                let cell = values.cell(row);
                if cell != Cell::Unknown {
                    self.add(&[
                        Text("item"),
                        Text(catalog),
                        Number(row as i64),
                        Text(name),
                        CellValue(&cell),
                    ]);
                }
            }
        }
    }

    fn add_partition(&mut self, partition: &Partition) -> Result<()> {
        let number = Number(partition.number.into());
        self.add(&[Text("people"), number, Number(partition.people.into())]);
        for ordinal in 0..partition.people {
            self.add_firsts(partition, ordinal);
        }
        for (kind, events) in &partition.events {
            self.add_events(partition, kind, events)?;
        }
        for (name, attribute) in &partition.attributes {
            self.add_attribute(partition, name, attribute)?;
        }
        Ok(())
    }

    fn add_firsts(&mut self, partition: &Partition, ordinal: u32) {
        let person = || Number(partition.person(ordinal));
        let first_record = Number(partition.first_record.get(ordinal));
        self.add(&[Text("first record"), person(), first_record]);
        for (&channel, firsts) in &partition.channels {
            let (channel, first) = (self.texts.get(channel), firsts.get(ordinal));
            self.add(&[Text("channel"), person(), Text(channel), Number(first)]);
        }
        for (kind, events) in &partition.events {
            if let Some(days) = events.spans.of_person(ordinal) {
                let (first, last) = (Number((*days.start()).into()), Number((*days.end()).into()));
                self.add(&[Text("span"), person(), Text(kind), first, last]);
            }
        }
    }

    fn add_events(&mut self, partition: &Partition, kind: &str, events: &Events) -> Result<()> {
        let (number, uncounted_rows) = (Number(partition.number.into()), Number(events.uncounted_rows as i64));
        self.add(&[Text("left behind"), number, Text(kind), uncounted_rows]);
        for run in &events.runs {
            run.check()?;
            for (row, key) in run.keys().enumerate() {
                let (event, channel) = (
                    self.encode_origin(&run.details.origins, row),
                    run.details.channels.cell(row),
                );
                let (person, time) = (Number(partition.person(key.ordinal())), Number(key.time()));
                self.add(&[Text(kind), person, time, Bytes(&event), CellValue(&channel)]);
                for (name, values) in &run.details.properties {
                    let cell = values.cell(row);
                    if cell != Cell::Unknown {
                        self.add(&[Text(kind), Bytes(&event), Text(name), CellValue(&cell)]);
                    }
                }
            }
        }
        Ok(())
    }

    fn add_attribute(&mut self, partition: &Partition, name: &str, attribute: &Attribute) -> Result<()> {
        for run in &attribute.runs {
            run.check()?;
            for (row, (ordinal, time)) in run.keys().enumerate() {
                let (change, cell) = (self.encode_origin(&run.origins, row), run.values.cell(row));
                let person = Number(partition.person(ordinal));
                self.add(&[Text(name), person, Number(time), Bytes(&change), CellValue(&cell)]);
            }
        }
        for (latest, block) in attribute.latest.iter().zip(0..) {
            let until = Number(latest.changed_until_ms);
            self.add(&[
                Text("changed until"),
                Number(partition.person(block * BLOCK)),
                Text(name),
                until,
            ]);
            for row in 0..latest.values.len() {
                let cell = latest.values.cell(row);
                if cell != Cell::Unknown {
                    let person = Number(partition.person(block * BLOCK + row as u32));
                    self.add(&[Text("latest"), person, Text(name), CellValue(&cell)]);
                }
            }
        }
        Ok(())
    }

    /// Encodes the source, id, arrival and node of a row.
    fn encode_origin(&self, origins: &Origins, row: usize) -> Vec<u8> {
        let mut out = Vec::new();
        put_text(&mut out, 1, self.texts.get(origins.sources.get(row) as u32));
        put_bytes(&mut out, 2, origins.ids.get(row));
        put_fixed64(&mut out, 3, origins.arrivals.get(row) as u64);
        put_fixed64(&mut out, 4, origins.nodes.get(row) as u64);
        out
    }
}

impl Partition {
    fn person(&self, ordinal: u32) -> i64 {
        i64::from(self.number) << 32 | i64::from(ordinal)
    }
}
