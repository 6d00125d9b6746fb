//! Filing catalog items: the latest arrival replaces the attributes it names.

use std::collections::HashMap;
use std::sync::Arc;

use super::batch::Items as NewItems;
use super::view::{Items, Values, Version};

pub fn file(version: &mut Version, catalog: &str, new: NewItems) {
    let items = version.catalogs.entry(catalog.to_owned()).or_default();
    let items = Arc::make_mut(items);
    for key in new.keys {
        let next = items.rows.len() as u32;
        items.rows.entry(key).or_insert(next);
    }
    for (name, (keys, values)) in new.attributes {
        // Of several values for one item the last stays.
        let last: HashMap<u32, u32> = keys.iter().map(|key| items.rows[key]).zip(0..).collect();
        let mut picks: Vec<(u32, u32)> = last.into_iter().collect();
        picks.sort_unstable();
        let rows = items.rows.len();
        items
            .attributes
            .entry(name)
            .or_insert_with(|| values.none())
            .patch(rows, &picks, &values);
    }
}

impl Items {
    pub fn bytes_in_memory(&self) -> usize {
        9 * self.rows.capacity() + self.attributes.values().map(Values::bytes_in_memory).sum::<usize>()
    }
}
