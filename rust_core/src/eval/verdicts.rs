//! What a plan says of some people: true, false or unknown, root by root.

use std::collections::BTreeMap;

use super::blocks::{BlockRoots, Wanted, evaluate_blocks};
use super::limits::Limits;
use crate::error::Result;
use crate::index::view::{BLOCK, Version, ordinal_of, partition_of};
use crate::plan::Plan;

/// By root, then by person in the order asked: `None` is unknown. Who is not there, or outside the population of a root, is not in it.
///
/// `Error::Invalid` names the node of the plan that is wrong; `Error::OverBudget` and `Error::Cancelled` beyond the limits.
pub fn verdicts(version: &Version, plan: &[u8], persons: &[u64], limits: &Limits) -> Result<Vec<Vec<Option<bool>>>> {
    let plan = Plan::parse(plan)?;
    let roots = plan.roots.len();
    let mut by_block: BTreeMap<(u32, u32), Vec<u16>> = BTreeMap::new();
    for &person in persons {
        let place = (partition_of(person), ordinal_of(person));
        if version
            .partitions
            .get(&place.0)
            .is_some_and(|partition| place.1 < partition.people)
        {
            by_block
                .entry((place.0, place.1 / BLOCK))
                .or_default()
                .push((place.1 % BLOCK) as u16);
        }
    }
    let wanted = by_block.into_iter().map(|((partition, block), mut rows)| {
        rows.sort_unstable();
        rows.dedup();
        Wanted {
            partition,
            block,
            rows: Some(rows),
        }
    });
    let wanted: Vec<Wanted> = wanted.collect();
    let found = evaluate_blocks(version, &plan, &wanted, limits, |_, block| of_block(block, roots))?;
    let said = |root: usize, person: u64| {
        let place = (partition_of(person), ordinal_of(person) / BLOCK);
        let block = wanted
            .binary_search_by_key(&place, |wanted| (wanted.partition, wanted.block))
            .ok()?;
        let row = (ordinal_of(person) % BLOCK) as u16;
        let asked = wanted[block].rows.as_ref()?.binary_search(&row).ok()?;
        Some(found[block][root][asked])
    };
    Ok((0..roots)
        .map(|root| {
            persons
                .iter()
                .map(|&person| said(root, person).unwrap_or(Some(false)))
                .collect()
        })
        .collect())
}

fn of_block(block: &BlockRoots, roots: usize) -> Result<Vec<Vec<Option<bool>>>> {
    (0..roots).map(|root| block.verdicts(root)).collect()
}
