//! Many roots among chosen people, block by block, for a caller that holds their members itself.

use super::evaluator::Evaluator;
use super::kernels::bits::Bits;
use super::limits::Limits;
use super::people::People;
use super::program::{BoundRoot, Program};
use super::query::Query;
use super::task::{Task, tasks};
use super::{bind, parallel, prepared};
use crate::error::{Error, Result};
use crate::index::view::Version;
use crate::plan::Plan;

/// A block, and who of it is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Its partition's number.
    pub partition: u32,
    /// Its number in the partition: the first of its people has the ordinal `block * BLOCK`.
    pub block: u32,
    /// Rows of the block, ascending; `None` for everybody. What few people take is in proportion to how many they are.
    pub rows: Option<Vec<u16>>,
}

/// A plan's roots among the wanted people of one block. What they have in common is found once.
pub struct BlockRoots<'a> {
    people: Evaluator<'a, People<'a>>,
}

/// Calls, on several threads, with each that is wanted, and gives what the calls give in the same order. Nobody else is read, but for
/// rankings, which need everybody.
///
/// `Error::Invalid` for a block that the version lacks.
pub fn evaluate_blocks<T: Send>(
    version: &Version,
    plan: &Plan,
    wanted: &[Wanted],
    limits: &Limits,
    each: impl Fn(&Wanted, &BlockRoots) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let program = bind::bind(version, plan)?;
    over_blocks(version, &program, wanted, limits, |wanted, people| {
        each(wanted, &BlockRoots { people })
    })
}

/// The same of a program that is bound already, with the people of each block.
pub(super) fn over_blocks<T: Send>(
    version: &Version,
    program: &Program,
    wanted: &[Wanted],
    limits: &Limits,
    each: impl for<'q> Fn(&Wanted, Evaluator<'q, People<'q>>) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let tasks = tasks(version);
    let query = prepared(Query::new(version, program, limits), &tasks)?;
    let of = |wanted| Some((wanted, chosen(&tasks, wanted)?));
    let chosen: Option<Vec<(&Wanted, Task)>> = wanted.iter().map(of).collect();
    let chosen = chosen.ok_or_else(|| Error::Invalid("the index has no such block".into()))?;
    parallel(&query, &chosen, |(wanted, task)| each(wanted, People::of(&query, task)))
}

fn chosen<'a>(tasks: &[Task<'a>], wanted: &'a Wanted) -> Option<Task<'a>> {
    let place = (wanted.partition, wanted.block);
    let at = tasks.binary_search_by_key(&place, |task| (task.partition.number, task.block()));
    Some(Task {
        chosen: wanted.rows.as_deref(),
        ..tasks[at.ok()?]
    })
}

impl BlockRoots<'_> {
    /// How many people are asked.
    pub fn people(&self) -> usize {
        self.people.rows()
    }

    /// What a root says of each who is asked: `None` is unknown.
    ///
    /// `Error::Invalid` for a number that the plan has no root of.
    pub fn verdicts(&self, root: usize) -> Result<Vec<Option<bool>>> {
        let root = self.root(root)?;
        let population = self.people.population(root.among, self.people.query.program.as_of)?;
        let tri = self.people.cond(root.cond)?;
        let of = |asked: usize| match population.get(asked) {
            true => (!tri.u.get(asked)).then(|| tri.t.get(asked)),
            false => Some(false),
        };
        Ok((0..self.people()).map(of).collect())
    }

    fn root(&self, number: usize) -> Result<&BoundRoot> {
        let root = self.people.query.program.roots.get(number);
        root.ok_or_else(|| Error::Invalid("the plan has no such root".into()))
    }

    /// Overwrites `words` with a root's members: one bit for each who is asked, those beyond them are 0; no words where there are none.
    ///
    /// `Error::Invalid` for a number that the plan has no root of.
    pub fn members(&self, root: usize, words: &mut Vec<u64>) -> Result<()> {
        let root = self.root(root)?;
        let population = self.people.population(root.among, self.people.query.program.as_of)?;
        let mut members = Bits::copy(&population, std::mem::take(words));
        self.people.narrow(&root.parts, &mut members)?;
        *words = members.into_words();
        Ok(())
    }
}
