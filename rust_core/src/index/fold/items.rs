//! Adds catalog item updates: the latest update replaces the attributes that it names.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::error::Result;
use crate::index::columns::cells::Cell;
use crate::index::columns::picks::Pick;
use crate::index::columns::texts::Texts;
use crate::index::runs::merging::{self, MergeableRun};
use crate::index::view::{ItemUpdates, Items, Values, Version};

/// Adds item updates of one catalog.
pub fn add_items(version: &mut Version, catalog: &str, new: ItemUpdates) -> Result<()> {
    let items = version.catalogs.entry(catalog.to_owned()).or_default();
    let new = items.changed_updates(&new);
    if new.keys.is_empty() {
        return Ok(());
    }
    let items = Arc::make_mut(items);
    items.apply(&new, new.keys.len());
    merging::push(&mut items.updates, new, &version.texts)
}

impl Items {
    /// Returns the updates that change an item, so that a catalog sent again every day takes no memory.
    fn changed_updates(&self, updates: &ItemUpdates) -> ItemUpdates {
        let mut is_changed = self.is_first_update(&updates.keys);
        let mut attributes = Vec::new();
        for (name, (of, values)) in &updates.attributes {
            let rows = self.changed_rows(name, updates);
            rows.iter()
                .for_each(|&row| is_changed[of[row as usize] as usize] = true);
            attributes.push((name, of, values, rows));
        }
        let kept: Vec<usize> = (0..is_changed.len()).filter(|&update| is_changed[update]).collect();
        // Maps the index of a kept update to its index among the kept ones.
        let new_position = |update: u32| kept.partition_point(|&other| other < update as usize) as u32;
        let attributes = attributes.into_iter().filter(|(.., rows)| !rows.is_empty());
        ItemUpdates {
            keys: kept.iter().map(|&update| updates.keys[update]).collect(),
            arrivals: kept.iter().map(|&update| updates.arrivals.get(update)).collect(),
            attributes: attributes
                .map(|(name, of, values, rows)| {
                    let picks: Vec<Pick> = rows.iter().map(|&row| (0, row)).collect();
                    let of = rows.iter().map(|&row| new_position(of[row as usize])).collect();
                    (name.clone(), (of, Values::gather(&[Some(values)], &picks)))
                })
                .collect(),
        }
    }

    /// Returns, for each update, whether it is the first one of its item.
    fn is_first_update(&self, keys: &[u32]) -> Vec<bool> {
        let mut seen = HashSet::new();
        keys.iter()
            .map(|key| !self.rows.contains_key(key) && seen.insert(*key))
            .collect()
    }

    /// Returns the rows of an attribute's updates that differ from the value before them.
    fn changed_rows(&self, attribute: &str, updates: &ItemUpdates) -> Vec<u32> {
        let (of, values) = &updates.attributes[attribute];
        let current = self.attributes.get(attribute);
        let mut last: HashMap<u32, Cell> = HashMap::new();
        let mut changed_rows = Vec::new();
        for (row, &update) in of.iter().enumerate() {
            let (key, cell) = (updates.keys[update as usize], values.cell(row));
            let known = || Some(current?.cell(*self.rows.get(&key)? as usize));
            let before = last.entry(key).or_insert_with(|| known().unwrap_or(Cell::Unknown));
            if *before != cell {
                *before = cell;
                changed_rows.push(row as u32);
            }
        }
        changed_rows
    }

    /// Applies the first `first` updates to the current values.
    fn apply(&mut self, updates: &ItemUpdates, first: usize) {
        let keys = &updates.keys[..first];
        for &key in keys {
            let next = self.rows.len() as u32;
            self.rows.entry(key).or_insert(next);
        }
        for (name, (of, values)) in &updates.attributes {
            let of = of.iter().map_while(|&update| keys.get(update as usize));
            // The last of several values for one item remains.
            let last: HashMap<u32, u32> = of.map(|key| self.rows[key]).zip(0..).collect();
            let mut picks: Vec<(u32, u32)> = last.into_iter().collect();
            if picks.is_empty() {
                continue;
            }
            picks.sort_unstable();
            let rows = self.rows.len();
            self.attributes
                .entry(name.clone())
                .or_insert_with(|| values.empty_like())
                .patch(rows, &picks, values);
        }
    }

    /// Returns the items as they were before a raw offset; `None` if there were none.
    pub fn known_at(self: &Arc<Items>, offset: i64) -> Option<Arc<Items>> {
        let known = |updates: &ItemUpdates| updates.arrivals.iter().take_while(|&arrival| arrival < offset).count();
        if self.updates.iter().all(|updates| known(updates) == updates.keys.len()) {
            return Some(self.clone());
        }
        let mut items = Items {
            updates: self.updates.clone(),
            ..Items::default()
        };
        for updates in &self.updates {
            items.apply(updates, known(updates));
        }
        (!items.rows.is_empty()).then(|| Arc::new(items))
    }

    pub fn bytes_in_memory(&self) -> usize {
        let updates = self.updates.iter().map(|updates| updates.bytes_in_memory());
        let attributes = self.attributes.values().map(Values::bytes_in_memory);
        9 * self.rows.capacity() + attributes.sum::<usize>() + updates.sum::<usize>()
    }
}

impl MergeableRun for ItemUpdates {
    /// Item updates are few compared with events, so they are always merged at once.
    const MAX_INLINE_ROWS: usize = usize::MAX;

    fn rows(&self) -> usize {
        self.keys.len()
    }

    fn merge(parts: &[Arc<ItemUpdates>], _: &Texts) -> Result<ItemUpdates> {
        let mut all = ItemUpdates::default();
        let (mut names, mut arrivals) = (BTreeSet::new(), Vec::new());
        for part in parts {
            all.keys.extend(&part.keys);
            arrivals.extend(part.arrivals.iter());
            names.extend(part.attributes.keys());
        }
        all.arrivals = arrivals.into_iter().collect();
        for name in names {
            all.attributes.insert(name.clone(), concat_attribute(parts, name));
        }
        Ok(all)
    }
}

impl ItemUpdates {
    fn bytes_in_memory(&self) -> usize {
        let attributes = self.attributes.values();
        let attributes = attributes.map(|(of, values)| 4 * of.capacity() + values.bytes_in_memory());
        4 * self.keys.capacity() + self.arrivals.bytes_in_memory() + attributes.sum::<usize>()
    }
}

/// Concatenates the updates of one attribute.
fn concat_attribute(parts: &[Arc<ItemUpdates>], name: &str) -> (Vec<u32>, Values) {
    let (mut of, mut picks, mut first): (Vec<u32>, Vec<Pick>, u32) = Default::default();
    for (part, at) in parts.iter().zip(0..) {
        if let Some((updates, _)) = part.attributes.get(name) {
            of.extend(updates.iter().map(|update| first + update));
            picks.extend((0..updates.len() as u32).map(|row| (at, row)));
        }
        first += part.keys.len() as u32;
    }
    let values = parts
        .iter()
        .map(|part| part.attributes.get(name).map(|(_, values)| values));
    (of, Values::gather(&values.collect::<Vec<_>>(), &picks))
}
