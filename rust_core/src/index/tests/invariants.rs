//! What holds of the runs of any version.

use std::collections::{BTreeMap, BTreeSet};

use super::totals::check_totals;
use crate::index::columns::cells::Cell;
use crate::index::columns::picks::span;
use crate::index::columns::texts::Texts;
use crate::index::view::{Attribute, BLOCK, Column, Version};

/// Runs are in order, no event of a person stands twice, and totals are those of the rows.
pub fn check_runs(version: &Version) {
    for partition in version.partitions.values() {
        for events in partition.events.values() {
            check_totals(events);
            let mut keys = BTreeSet::new();
            for run in &events.runs {
                assert!(!run.is_empty());
                assert!(run.cells.windows(2).all(|cells| cells[0].from < cells[1].from));
                let mut last = None;
                for (row, key) in run.keys().enumerate() {
                    let origins = &run.details.origins;
                    let (source, id) = (origins.sources.get(row) as u32, origins.ids.get(row).to_vec());
                    let key = (key, version.texts.get(source), id);
                    assert!(last < Some(key.clone()));
                    assert!(keys.insert(key.clone()));
                    let first = partition.first_record.get(key.0.ordinal());
                    assert!(first == i64::MAX || first <= key.0.time());
                    last = Some(key);
                }
                assert_eq!(run.details.origins.arrivals.len(), run.len());
                for values in run.details.properties.values() {
                    assert_eq!(values.len(), run.len());
                    if let Column::Set { ends, codes } = &values.data {
                        (0..run.len()).for_each(|row| assert!(codes[span(ends, row)].is_sorted()));
                    }
                }
            }
        }
        for attribute in partition.attributes.values() {
            check_attribute(attribute, &version.texts);
        }
    }
}

/// Changes are in order, none stands twice, and the latest values are those of the last ones.
fn check_attribute(attribute: &Attribute, texts: &Texts) {
    let (mut all, mut until) = (BTreeMap::new(), vec![i64::MIN; attribute.latest.len()]);
    for run in &attribute.runs {
        let mut last = None;
        assert!(!run.is_empty());
        for (row, (ordinal, time)) in run.places().enumerate() {
            let origins = &run.origins;
            let (source, id) = (origins.sources.get(row) as u32, origins.ids.get(row));
            let key = (ordinal, time, texts.get(source), id);
            assert!(last < Some(key));
            assert_eq!(all.insert(key, run.values.cell(row)), None);
            let until = &mut until[(ordinal / BLOCK) as usize];
            *until = time.max(*until);
            last = Some(key);
        }
        assert_eq!((run.values.len(), run.origins.arrivals.len()), (run.len(), run.len()));
    }
    let latest: BTreeMap<u32, Cell> = all.into_iter().map(|((ordinal, ..), cell)| (ordinal, cell)).collect();
    for (ordinal, cell) in latest {
        let block = &attribute.latest[(ordinal / BLOCK) as usize];
        assert_eq!(block.values.cell((ordinal % BLOCK) as usize), cell);
    }
    assert!(attribute.latest.iter().map(|latest| latest.changed_until_ms).eq(until));
}
