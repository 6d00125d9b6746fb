//! Evaluates plans against a version of the index, block by block in parallel. The answer does not depend on the number of threads.

mod answer;
mod bind;
mod blocks;
mod evaluator;
mod explain;
mod kernels;
mod limits;
mod members;
mod operators;
mod people;
mod program;
mod query;
mod requested_people;
mod task;
#[cfg(test)]
pub(crate) mod tests;
mod trace;
mod values;
mod verdicts;
mod witnesses;

use std::rc::Rc;
use std::time::Instant;

use rayon::prelude::*;

pub use answer::{Answer, RootAnswer};
pub use blocks::{BlockRoots, BlockSelection, evaluate_blocks};
pub use explain::{Explanation, Node};
pub use limits::Limits;
pub use members::{Members, Moves};
pub use values::{Value, values};
pub use verdicts::verdicts;
pub use witnesses::{Assignment, Event, Witnesses, witnesses};

use crate::error::Result;
use crate::index::view::Version;
use crate::plan::Plan;
use answer::{BlockAnswer, BlockRootAnswer};
use evaluator::Evaluator;
use kernels::bits::Bits;
use operators::item_filter;
use operators::rank::{Contenders, rank};
use people::People;
use program::BoundRoot;
use query::Query;
use task::{Task, tasks};
use trace::Trace;

/// Evaluates a plan message (docs/plan.md).
///
/// Returns `Error::Invalid` with the path of the node that is wrong.
pub fn evaluate(version: &Version, plan: &[u8]) -> Result<Answer> {
    evaluate_within(version, plan, &Limits::none())
}

/// Like `evaluate`, within limits: returns `Error::OverBudget` or `Error::Cancelled` beyond them.
pub fn evaluate_within(version: &Version, plan: &[u8], limits: &Limits) -> Result<Answer> {
    let started = Instant::now();
    let program = bind::bind(version, &Plan::parse(plan)?)?;
    answer(Query::new(version, &program, limits), started).map(|(answer, _)| answer)
}

/// Like `evaluate_within`, but counts neither unknowns nor clauses: conditions that cannot change the members are not evaluated.
pub fn find(version: &Version, plan: &[u8], limits: &Limits) -> Result<Answer> {
    let started = Instant::now();
    let program = bind::bind(version, &Plan::parse(plan)?)?;
    let mut query = Query::new(version, &program, limits);
    query.counts = false;
    answer(query, started).map(|(answer, _)| answer)
}

/// Evaluates a plan and reports the cost of each condition and ranking.
pub fn explain(version: &Version, plan: &[u8], limits: &Limits) -> Result<(Answer, Explanation)> {
    let started = Instant::now();
    let program = bind::bind(version, &Plan::parse(plan)?)?;
    let mut query = Query::new(version, &program, limits);
    query.trace = Some(Trace::new(&program));
    let (answer, trace) = answer(query, started)?;
    Ok((
        answer,
        Explanation::of(&program, &trace.unwrap_or_else(|| Trace::new(&program))),
    ))
}

/// Evaluates a bound plan on all blocks.
fn answer(query: Query, started: Instant) -> Result<(Answer, Option<Trace>)> {
    let tasks = tasks(query.version);
    let query = prepare(query, &tasks)?;
    let blocks = run_parallel(&query, &tasks, |task| answer_block(&query, task))?;
    let mut answer = Answer::new(&query, blocks);
    answer.microseconds = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    Ok((answer, query.trace))
}

/// Evaluates what all blocks depend on: conditions on items, and rankings.
fn prepare<'a>(mut query: Query<'a>, tasks: &[Task<'a>]) -> Result<Query<'a>> {
    query.item_verdicts = item_filter::evaluate_item_filters(&query)?;
    evaluate_rankings(&mut query, tasks)?;
    Ok(query)
}

/// Calls `each` with each task on several threads; returns the results in the same order.
fn run_parallel<W: Copy + Sync, T: Send>(
    query: &Query,
    tasks: &[W],
    each: impl Fn(W) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let run = |&task: &W| query.budget.check_not_cancelled().and_then(|()| each(task));
    let results: Vec<Result<T>> = tasks.par_iter().map(run).collect();
    // The results are in order of the blocks, so that the same error is returned whichever thread meets one first.
    results.into_iter().collect()
}

/// The number of rankings whose values are in memory at once.
const RANKINGS_AT_ONCE: usize = 8;

/// Evaluates all rankings; those that others depend on come first.
fn evaluate_rankings<'a>(query: &mut Query<'a>, tasks: &[Task<'a>]) -> Result<()> {
    let rankings = &query.program.rankings;
    query.rank_results = rankings.iter().map(|_| Vec::new()).collect();
    for level in 1..=rankings.iter().map(|ranking| ranking.level).max().unwrap_or(0) {
        let of_level = (0..rankings.len()).filter(|&ranking| rankings[ranking].level == level);
        for wanted in of_level.collect::<Vec<usize>>().chunks(RANKINGS_AT_ONCE) {
            evaluate_ranking_group(query, tasks, wanted)?;
        }
    }
    Ok(())
}

/// Evaluates rankings of one level together, so that the people of each block are read once.
fn evaluate_ranking_group<'a>(query: &mut Query<'a>, tasks: &[Task<'a>], wanted: &[usize]) -> Result<()> {
    let rankings = &query.program.rankings;
    let shared = &*query;
    let blocks = run_parallel(shared, tasks, |task| {
        let people = People::of(shared, task);
        let values = wanted.iter().map(|&ranking| {
            let values = || people.expr(rankings[ranking].expr);
            match &shared.trace {
                None => values(),
                Some(trace) => trace.ranking(ranking, &people.touched, values),
            }
        });
        let values = values.collect::<Result<Vec<_>>>()?;
        let populations = wanted
            .iter()
            .map(|&ranking| people.population(rankings[ranking].population, rankings[ranking].as_of));
        let populations = populations.collect::<Result<Vec<_>>>()?;
        // Drops the other references, so that the values are moved and not copied.
        drop(people);
        let contenders = populations
            .into_iter()
            .zip(values)
            .map(|(population, values)| Contenders {
                population: Rc::unwrap_or_clone(population),
                values: Rc::unwrap_or_clone(values).into_owned(),
            });
        let contenders: Vec<Contenders> = contenders.collect();
        let bytes_of = |contenders: &Contenders| contenders.population.bytes() + contenders.values.bytes();
        let bytes = contenders.iter().map(bytes_of).sum::<usize>() as u64;
        shared.budget.reserve(bytes)?;
        Ok((contenders, bytes))
    })?;
    let reserved: u64 = blocks.iter().map(|(_, bytes)| bytes).sum();
    let mut by_ranking: Vec<Vec<Contenders>> = wanted.iter().map(|_| Vec::with_capacity(tasks.len())).collect();
    for (block, _) in blocks {
        for (of_ranking, contenders) in by_ranking.iter_mut().zip(block) {
            of_ranking.push(contenders);
        }
    }
    for (&ranking, blocks) in wanted.iter().zip(by_ranking) {
        query.rank_results[ranking] = rank(&rankings[ranking], &blocks)?;
    }
    query.budget.release(reserved);
    Ok(())
}

/// Evaluates the roots and counts the clauses for one block.
fn answer_block(query: &Query, task: Task) -> Result<BlockAnswer> {
    let people = People::of(query, task);
    let roots = query.program.roots.iter().map(|root| answer_root(&people, root));
    let roots = roots.collect::<Result<_>>()?;
    let counted = query.program.clauses.iter().filter(|_| query.counts);
    let clauses = counted.map(|&(clause, among)| {
        let population = people.population(among, query.program.as_of)?;
        if population.is_none() {
            return Ok((0, 0));
        }
        let tri = people.cond(clause)?;
        Ok((tri.t.count_common(&population), tri.u.count_common(&population)))
    });
    Ok(BlockAnswer {
        universe: people.scope.universe.count(),
        roots,
        clauses: clauses.collect::<Result<_>>()?,
    })
}

/// Evaluates one root for one block.
fn answer_root<'a>(people: &Evaluator<'a, People<'a>>, root: &BoundRoot) -> Result<BlockRootAnswer> {
    let population = people.population(root.among, people.query.program.as_of)?;
    if population.is_none() {
        return Ok(BlockRootAnswer::new(people.scope.task, Bits::none(people.rows()), 0));
    }
    let root = match people.query.counts {
        true => {
            let mut tri = people.cond_once(root.cond)?;
            tri.t.and_assign(&population);
            BlockRootAnswer::new(people.scope.task, tri.t, tri.u.count_common(&population))
        }
        false => {
            let mut members = Rc::unwrap_or_clone(population);
            people.narrow(&root.parts, &mut members)?;
            BlockRootAnswer::new(people.scope.task, members, 0)
        }
    };
    people.query.budget.reserve(root.bytes())?;
    Ok(root)
}
