//! Evaluates roots for selected people, block by block, for callers that store members themselves.

use super::evaluator::Evaluator;
use super::kernels::bits::Bits;
use super::limits::Limits;
use super::people::People;
use super::program::{BoundRoot, Program};
use super::query::Query;
use super::task::{Task, tasks};
use super::{bind, prepare, run_parallel};
use crate::error::{Error, Result};
use crate::index::view::Version;
use crate::plan::Plan;

/// A block, or selected rows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockSelection {
    /// The number of the partition.
    pub partition: u32,
    /// The number of the block in its partition: its first person has the ordinal `block * BLOCK`.
    pub block: u32,
    /// Ascending rows of the block; `None` selects all. The cost is proportional to the number of rows.
    pub rows: Option<Vec<u16>>,
}

/// The roots of a plan for the selected people of one block. Common conditions are evaluated once.
pub struct BlockRoots<'a> {
    people: Evaluator<'a, People<'a>>,
}

/// Calls `each` with each selection on several threads; returns the results in the same order.
///
/// Reads no other people, except for rankings, which need all. Returns `Error::Invalid` if the version has no such block.
pub fn evaluate_blocks<T: Send>(
    version: &Version,
    plan: &Plan,
    selection: &[BlockSelection],
    limits: &Limits,
    each: impl Fn(&BlockSelection, &BlockRoots) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let program = bind::bind(version, plan)?;
    for_each_block(version, &program, selection, limits, |selection, people| {
        each(selection, &BlockRoots { people })
    })
}

/// Like `evaluate_blocks`, for a bound program; calls `each` with the people of each block.
pub(super) fn for_each_block<T: Send>(
    version: &Version,
    program: &Program,
    selection: &[BlockSelection],
    limits: &Limits,
    each: impl for<'q> Fn(&BlockSelection, Evaluator<'q, People<'q>>) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let tasks = tasks(version);
    let query = prepare(Query::new(version, program, limits), &tasks)?;
    let of = |selection| Some((selection, task_of(&tasks, selection)?));
    let selected: Option<Vec<(&BlockSelection, Task)>> = selection.iter().map(of).collect();
    let selected = selected.ok_or_else(|| Error::Invalid("the index has no such block".into()))?;
    run_parallel(&query, &selected, |(selection, task)| {
        each(selection, People::of(&query, task))
    })
}

/// Returns the task of a selection; `None` if there is no such block.
fn task_of<'a>(tasks: &[Task<'a>], selection: &'a BlockSelection) -> Option<Task<'a>> {
    let key = (selection.partition, selection.block);
    let at = tasks.binary_search_by_key(&key, |task| (task.partition.number, task.block()));
    Some(Task {
        selected: selection.rows.as_deref(),
        ..tasks[at.ok()?]
    })
}

impl BlockRoots<'_> {
    /// Returns the number of selected people.
    pub fn people(&self) -> usize {
        self.people.rows()
    }

    /// Returns the verdict of a root on each selected person; `None` is unknown.
    ///
    /// Returns `Error::Invalid` if the plan has no root with this number.
    pub fn verdicts(&self, root: usize) -> Result<Vec<Option<bool>>> {
        let root = self.root(root)?;
        let population = self.people.population(root.among, self.people.query.program.as_of)?;
        let tri = self.people.cond(root.cond)?;
        let of = |row: usize| match population.get(row) {
            true => (!tri.u.get(row)).then(|| tri.t.get(row)),
            false => Some(false),
        };
        Ok((0..self.people()).map(of).collect())
    }

    fn root(&self, number: usize) -> Result<&BoundRoot> {
        let root = self.people.query.program.roots.get(number);
        root.ok_or_else(|| Error::Invalid(format!("the plan has no root {number}")))
    }

    /// Overwrites `words` with the members of a root: one bit for each selected person, then zeros; no words if there are no members.
    ///
    /// Returns `Error::Invalid` if the plan has no root with this number.
    pub fn members(&self, root: usize, words: &mut Vec<u64>) -> Result<()> {
        let root = self.root(root)?;
        let population = self.people.population(root.among, self.people.query.program.as_of)?;
        let mut members = Bits::copy(&population, std::mem::take(words));
        self.people.narrow(&root.parts, &mut members)?;
        *words = members.into_words();
        Ok(())
    }
}
