//! Learned values: how often each value of an enum or set field occurs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::index::columns::cells::Unit;
use crate::index::columns::picks::span;
use crate::index::columns::values::{Column, Details, Values};
use crate::proto::schema::{EventType, Field, Type};

/// How often each value of a field occurs, by text code; absent values do not occur.
pub type ValueCounts = HashMap<u32, i64>;

/// The counts of all enum and set fields. Rows of losers of merges do not count.
#[derive(Clone, Default)]
pub struct LearnedValues {
    /// Counts by (event type, property).
    pub properties: BTreeMap<(String, String), Arc<ValueCounts>>,
    /// Counts by attribute.
    pub attributes: BTreeMap<String, Arc<ValueCounts>>,
}

/// A row and the amount by which it changes the counts of its values.
pub type RowWeight = (usize, i64);

impl LearnedValues {
    /// Adds the weighted values of events.
    pub fn add_event_values(&mut self, event_type: &EventType, details: &Details, weights: &[RowWeight]) {
        for (name, values) in &details.properties {
            if event_type.properties.get(name).is_some_and(is_learned) {
                let key = (event_type.name.clone(), name.clone());
                self.properties.add_counts(key, &count_values(values, weights));
            }
        }
    }

    /// Adds the weighted values of attribute changes.
    pub fn add_attribute_values(&mut self, attribute: &Field, values: &Values, weights: &[RowWeight]) {
        if is_learned(attribute) {
            self.attributes
                .add_counts(attribute.name.clone(), &count_values(values, weights));
        }
    }

    /// Adds all counts of `other`.
    pub fn add(&mut self, other: &LearnedValues) {
        for (key, counts) in &other.properties {
            self.properties.add_counts(key.clone(), counts);
        }
        for (name, counts) in &other.attributes {
            self.attributes.add_counts(name.clone(), counts);
        }
    }
}

/// Returns whether values of the field are counted.
fn is_learned(field: &Field) -> bool {
    matches!(field.kind, Type::Enum | Type::Set)
}

trait AddCounts<K> {
    fn add_counts(&mut self, key: K, by: &ValueCounts);
}

impl<K: Ord + Clone> AddCounts<K> for BTreeMap<K, Arc<ValueCounts>> {
    fn add_counts(&mut self, key: K, by: &ValueCounts) {
        if by.is_empty() {
            return;
        }
        let counts = Arc::make_mut(self.entry(key.clone()).or_default());
        for (&code, by) in by {
            *counts.entry(code).or_default() += by;
            if counts[&code] == 0 {
                counts.remove(&code);
            }
        }
        if counts.is_empty() {
            self.remove(&key);
        }
    }
}

/// Counts the values of weighted rows of a column of texts or sets.
pub fn count_values(values: &Values, weights: &[RowWeight]) -> ValueCounts {
    let mut counts = ValueCounts::new();
    let known = weights.iter().filter(|&&(row, _)| values.is_known(row));
    match &values.data {
        Column::Ints(Unit::Code, codes) => {
            known.for_each(|&(row, weight)| *counts.entry(codes.get(row) as u32).or_default() += weight);
        }
        Column::Set { ends, codes } => {
            let items = known.flat_map(|&(row, weight)| codes[span(ends, row)].iter().map(move |&code| (code, weight)));
            items.for_each(|(code, weight)| *counts.entry(code).or_default() += weight);
        }
        _ => {}
    }
    counts.retain(|_, count| *count != 0);
    counts
}
