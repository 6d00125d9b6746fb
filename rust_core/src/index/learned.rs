//! How often each value of an enum or set field was sent.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::cells::{Cell, Scalar};
use crate::schema::Type;

/// How often each value of an enum or set field was sent, by text code.
pub type Counts = HashMap<u32, u64>;

/// The counts of all such fields.
#[derive(Clone, Default)]
pub struct Learned {
    /// By event type and property.
    pub properties: BTreeMap<(String, String), Arc<Counts>>,
    pub attributes: BTreeMap<String, Arc<Counts>>,
}

impl Learned {
    pub fn add_property(&mut self, event_type: &str, name: &str, counts: &Counts) {
        if !counts.is_empty() {
            add(
                self.properties.entry((event_type.into(), name.into())).or_default(),
                counts,
            );
        }
    }

    pub fn add_attribute(&mut self, name: &str, counts: &Counts) {
        if !counts.is_empty() {
            add(self.attributes.entry(name.into()).or_default(), counts);
        }
    }
}

fn add(to: &mut Arc<Counts>, counts: &Counts) {
    let to = Arc::make_mut(to);
    for (&code, count) in counts {
        *to.entry(code).or_default() += count;
    }
}

/// Counts a value of a field, where fields of its type learn.
pub fn count(counts: &mut Counts, kind: Type, cell: &Cell) {
    match (kind, cell) {
        (Type::Enum, Cell::One(Scalar::Text(code))) => *counts.entry(*code).or_default() += 1,
        (Type::Set, Cell::Set(codes)) => codes.iter().for_each(|&code| *counts.entry(code).or_default() += 1),
        _ => {}
    }
}
