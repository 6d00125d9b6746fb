//! Many roots in chosen blocks, for a caller that holds their members itself.

use super::bits::Bits;
use super::limits::Limits;
use super::people::People;
use super::query::Query;
use super::task::tasks;
use super::vector::Eval;
use super::{bind, parallel, prepared};
use crate::error::{Error, Result};
use crate::index::view::Version;
use crate::plan::Plan;

/// A plan's roots among the people of one block. What they have in common is found once.
pub struct BlockRoots<'a> {
    people: Eval<'a, People<'a>>,
}

/// Calls, on several threads, with each block that is `wanted` (of its partition's number and its own number there), and gives what
/// the calls give in order of the people. Only these blocks are read, but for rankings, which need everybody.
pub fn evaluate_blocks<T: Send>(
    version: &Version,
    plan: &Plan,
    wanted: impl Fn(u32, u32) -> bool,
    each: impl Fn(&BlockRoots) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let program = bind::bind(version, plan)?;
    let mut tasks = tasks(version);
    let limits = Limits::none();
    let query = prepared(Query::new(version, &program, &limits), &tasks)?;
    tasks.retain(|task| wanted(task.partition.number, task.block()));
    parallel(&query, &tasks, |task| {
        let people = People::of(&query, task);
        each(&BlockRoots { people })
    })
}

impl BlockRoots<'_> {
    pub fn partition(&self) -> u32 {
        self.people.scope.task.partition.number
    }

    /// Its number in the partition: the first of its people has the ordinal `block * BLOCK`.
    pub fn block(&self) -> u32 {
        self.people.scope.task.block()
    }

    /// How many people it has.
    pub fn people(&self) -> usize {
        self.people.rows()
    }

    /// Overwrites `words` with a root's members: one bit a person, those beyond the people are 0; no words where there are none.
    ///
    /// `Error::Invalid` for a number that the plan has no root of.
    pub fn members(&self, root: usize, words: &mut Vec<u64>) -> Result<()> {
        let program = self.people.query.program;
        let root = program.roots.get(root);
        let root = root.ok_or_else(|| Error::Invalid("the plan has no such root".into()))?;
        let population = self.people.population(root.among, program.as_of)?;
        let mut members = Bits::copy(&population, std::mem::take(words));
        self.people.narrow(&root.parts, &mut members)?;
        *words = members.into_words();
        Ok(())
    }
}
