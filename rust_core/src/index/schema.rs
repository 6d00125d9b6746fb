//! The schema, completed with the values observed in enum and set fields.

use std::cmp::Reverse;

use super::columns::texts::Texts;
use super::summaries::learned::{self, ValueCounts};
use super::view::{Values, Version};
use crate::proto::schema::{Field, Schema, Type};

/// The maximum number of learned values per field.
const MAX_LEARNED_VALUES: usize = 100_000;

impl Version {
    /// Returns the declared schema; enum and set fields without declared values list the observed ones, the most frequent first.
    pub fn learned_schema(&self) -> Schema {
        let mut schema = Schema::clone(&self.schema);
        for ((event_type, name), counts) in &self.learned.properties {
            let event_type = schema.event_types.get_mut(event_type);
            let field = event_type.and_then(|event_type| event_type.properties.get_mut(name));
            self.learn(field, counts);
        }
        for (name, counts) in &self.learned.attributes {
            self.learn(schema.attributes.get_mut(name), counts);
        }
        for (name, catalog) in &mut schema.catalogs {
            let items = self.catalogs.get(name);
            for (name, field) in &mut catalog.attributes {
                let values = items.and_then(|items| items.attributes.get(name));
                self.learn(Some(field), &values.map_or_else(ValueCounts::new, count_values));
            }
        }
        schema
    }

    /// Fills in the values of a field that has no declared ones.
    fn learn(&self, field: Option<&mut Field>, counts: &ValueCounts) {
        let is_learned = |field: &&mut Field| matches!(field.kind, Type::Enum | Type::Set) && field.values.is_empty();
        if let Some(field) = field.filter(is_learned) {
            field.values = values_by_frequency(counts, &self.texts);
        }
    }
}

/// Counts the values of all rows.
fn count_values(values: &Values) -> ValueCounts {
    let all: Vec<(usize, i64)> = (0..values.len()).map(|row| (row, 1)).collect();
    learned::count_values(values, &all)
}

/// Lists the values in descending order of frequency, then alphabetically.
fn values_by_frequency(counts: &ValueCounts, texts: &Texts) -> Vec<String> {
    let mut seen: Vec<(i64, &str)> = counts.iter().map(|(&code, &count)| (count, texts.get(code))).collect();
    seen.sort_unstable_by_key(|&(count, text)| (Reverse(count), text));
    seen.truncate(MAX_LEARNED_VALUES);
    seen.into_iter().map(|(_, text)| text.to_owned()).collect()
}
