//! Evaluates the roots of a plan for requested people: true, false or unknown.

use super::blocks::{BlockRoots, evaluate_blocks};
use super::limits::Limits;
use super::requested_people::RequestedPeople;
use crate::error::Result;
use crate::index::view::Version;
use crate::plan::Plan;

/// Returns the verdict of each root on each person, in the order of the request; `None` is unknown.
///
/// The verdict is false for people who are not in the index or not in the population of a root.
/// Returns `Error::Invalid` with the path of a wrong node, and `Error::OverBudget` or `Error::Cancelled` beyond the limits.
pub fn verdicts(version: &Version, plan: &[u8], persons: &[u64], limits: &Limits) -> Result<Vec<Vec<Option<bool>>>> {
    let plan = Plan::parse(plan)?;
    let roots = plan.roots.len();
    let requested = RequestedPeople::of(version, persons);
    let found = evaluate_blocks(version, &plan, requested.blocks(), limits, |_, block| {
        verdicts_of_block(block, roots)
    })?;
    let verdict = |root: usize, person: u64| requested.position(person).map(|(block, row)| found[block][root][row]);
    let of_root = |root| {
        persons
            .iter()
            .map(move |&person| verdict(root, person).unwrap_or(Some(false)))
    };
    Ok((0..roots).map(|root| of_root(root).collect()).collect())
}

fn verdicts_of_block(block: &BlockRoots, roots: usize) -> Result<Vec<Vec<Option<bool>>>> {
    (0..roots).map(|root| block.verdicts(root)).collect()
}
