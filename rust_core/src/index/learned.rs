//! The schema with the values seen in fields that learn them.

use std::cmp::Reverse;

use hashbrown::HashMap;

use super::column::span;
use super::texts::Texts;
use super::view::{Column, Values, Version};
use crate::schema::{Field, Schema, Type};

/// Most values learned of one field.
const MOST: usize = 100_000;

impl Version {
    /// The declared schema, in which enums and sets without declared values have those seen, the most frequent first.
    pub fn learned_schema(&self) -> Schema {
        let mut schema = Schema::clone(&self.schema);
        let partitions = || self.partitions.values();
        for (kind, event_type) in &mut schema.event_types {
            let runs = || {
                partitions()
                    .filter_map(|partition| partition.events.get(kind))
                    .flat_map(|events| events.runs())
            };
            for (name, field) in event_type.properties.iter_mut().filter(|(_, field)| learns(field)) {
                field.values = seen(runs().filter_map(|run| run.properties.get(name)), &self.texts);
            }
        }
        for (name, field) in schema.attributes.iter_mut().filter(|(_, field)| learns(field)) {
            let attributes = partitions().filter_map(|partition| partition.attributes.get(name));
            field.values = seen(attributes.map(|attribute| &*attribute.changes), &self.texts);
        }
        for (name, catalog) in &mut schema.catalogs {
            let items = self.catalogs.get(name);
            for (name, field) in catalog.attributes.iter_mut().filter(|(_, field)| learns(field)) {
                field.values = seen(
                    items.and_then(|items| items.attributes.get(name)).into_iter(),
                    &self.texts,
                );
            }
        }
        schema
    }
}

fn learns(field: &Field) -> bool {
    matches!(field.kind, Type::Enum | Type::Set) && field.values.is_empty()
}

fn seen<'a>(columns: impl Iterator<Item = &'a Values>, texts: &Texts) -> Vec<String> {
    let mut counts: HashMap<u32, u64> = HashMap::new();
    for values in columns {
        let known = (0..values.len()).filter(|&row| values.is_known(row));
        match &values.data {
            Column::Text(codes) => known.for_each(|row| *counts.entry(codes[row]).or_default() += 1),
            Column::Set { ends, codes } => {
                known
                    .flat_map(|row| &codes[span(ends, row)])
                    .for_each(|&code| *counts.entry(code).or_default() += 1);
            }
            _ => {}
        }
    }
    let mut seen: Vec<(u64, &str)> = counts
        .into_iter()
        .map(|(code, count)| (count, texts.get(code)))
        .collect();
    seen.sort_unstable_by_key(|&(count, text)| (Reverse(count), text));
    seen.truncate(MOST);
    seen.into_iter().map(|(_, text)| text.to_owned()).collect()
}
