//! What a plan says of some people: true, false or unknown, root by root.

use super::asked_people::AskedPeople;
use super::blocks::{BlockRoots, evaluate_blocks};
use super::limits::Limits;
use crate::error::Result;
use crate::index::view::Version;
use crate::plan::Plan;

/// By root, then by person in the order asked: `None` is unknown. Who is not there, or outside the population of a root, is not in it.
///
/// `Error::Invalid` names the node of the plan that is wrong; `Error::OverBudget` and `Error::Cancelled` beyond the limits.
pub fn verdicts(version: &Version, plan: &[u8], persons: &[u64], limits: &Limits) -> Result<Vec<Vec<Option<bool>>>> {
    let plan = Plan::parse(plan)?;
    let roots = plan.roots.len();
    let asked = AskedPeople::of(version, persons);
    let found = evaluate_blocks(version, &plan, asked.blocks(), limits, |_, block| {
        of_block(block, roots)
    })?;
    let said = |root: usize, person: u64| asked.place(person).map(|(block, asked)| found[block][root][asked]);
    let of_root = |root| {
        persons
            .iter()
            .map(move |&person| said(root, person).unwrap_or(Some(false)))
    };
    Ok((0..roots).map(|root| of_root(root).collect()).collect())
}

fn of_block(block: &BlockRoots, roots: usize) -> Result<Vec<Vec<Option<bool>>>> {
    (0..roots).map(|root| block.verdicts(root)).collect()
}
