//! The evaluator: a plan against a version of the index, block by block in parallel. The answer does not depend on the number of threads.

mod answer;
mod batch;
mod bind;
mod bind_expr;
mod bind_leaf;
mod bind_recency;
mod bind_sequence;
mod bits;
mod cast;
mod chain;
mod chosen;
mod column;
mod compare;
mod funnel;
mod groups;
mod kernel;
mod lift;
mod people;
mod program;
mod query;
mod rank;
mod ratio;
mod scan;
mod sequence;
mod sets;
mod some;
mod tally;
mod task;
#[cfg(test)]
mod tests;
mod text;
mod vector;
mod words;

use std::collections::HashMap;
use std::time::Instant;

use rayon::prelude::*;

pub use answer::{Answer, RootAnswer};

use crate::error::Result;
use crate::index::view::Version;
use crate::plan::Plan;
use answer::{BlockAnswer, BlockRoot};
use people::People;
use program::{BoundRoot, CondId};
use query::Query;
use rank::{Contenders, place};
use task::{Task, tasks};
use vector::Eval;

/// The answer to a plan message (docs/plan.md). `Error::Invalid` names the node that is wrong.
pub fn evaluate(version: &Version, plan: &[u8]) -> Result<Answer> {
    let started = Instant::now();
    let plan = Plan::parse(plan)?;
    let program = bind::bind(version, &plan)?;
    let mut query = Query::new(version, &program);
    query.lifted = lift::lift(&query)?;
    let tasks = tasks(version);
    rank(&mut query, &tasks)?;
    let blocks = parallel(&tasks, |task| answer_block(&query, task))?;
    let clauses: Vec<usize> = program.roots.iter().map(|root| root.clauses.len()).collect();
    let mut answer = Answer::new(version.epoch, &clauses, blocks);
    answer.microseconds = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    Ok(answer)
}

fn parallel<'a, T: Send>(tasks: &[Task<'a>], each: impl Fn(Task<'a>) -> Result<T> + Sync) -> Result<Vec<T>> {
    let results: Vec<Result<T>> = tasks.par_iter().map(|&task| each(task)).collect();
    // In order of the blocks, so that the same error is told whatever thread met one first.
    results.into_iter().collect()
}

/// Rankings whose values are held at once.
const TOGETHER: usize = 8;

/// Places everybody in every ranking, those that others rest on first.
fn rank<'a>(query: &mut Query<'a>, tasks: &[Task<'a>]) -> Result<()> {
    let rankings = &query.program.rankings;
    query.placed = rankings.iter().map(|_| Vec::new()).collect();
    for level in 1..=rankings.iter().map(|ranking| ranking.level).max().unwrap_or(0) {
        let of_level = (0..rankings.len()).filter(|&ranking| rankings[ranking].level == level);
        for wanted in of_level.collect::<Vec<usize>>().chunks(TOGETHER) {
            place_all(query, tasks, wanted)?;
        }
    }
    Ok(())
}

fn place_all<'a>(query: &mut Query<'a>, tasks: &[Task<'a>], wanted: &[usize]) -> Result<()> {
    let rankings = &query.program.rankings;
    let shared = &*query;
    let blocks = parallel(tasks, |task| {
        let people = People::of(shared, task);
        let contenders = wanted.iter().map(|&ranking| contenders(&people, &rankings[ranking]));
        contenders.collect::<Result<Vec<_>>>()
    })?;
    let mut by_ranking: Vec<Vec<Contenders>> = wanted.iter().map(|_| Vec::with_capacity(tasks.len())).collect();
    for block in blocks {
        for (of_ranking, contenders) in by_ranking.iter_mut().zip(block) {
            of_ranking.push(contenders);
        }
    }
    for (&ranking, blocks) in wanted.iter().zip(by_ranking) {
        query.placed[ranking] = place(&rankings[ranking], &blocks)?;
    }
    Ok(())
}

fn contenders<'a>(people: &Eval<'a, People<'a>>, ranking: &program::Ranking) -> Result<Contenders> {
    let values = (*people.expr(ranking.expr)?).clone().into_owned();
    Ok(Contenders {
        population: people.population(ranking.population, ranking.as_of)?,
        values,
    })
}

fn answer_block(query: &Query, task: Task) -> Result<BlockAnswer> {
    let people = People::of(query, task);
    let universe = people.scope.universe.count();
    // Segments share clauses: each is counted once.
    let mut counted = HashMap::new();
    let roots = query.program.roots.iter();
    let roots = roots.map(|root| answer_root(&people, root, &mut counted));
    Ok(BlockAnswer {
        universe,
        roots: roots.collect::<Result<_>>()?,
    })
}

/// By condition and population: how many are true and unknown.
type Counted = HashMap<(CondId, Option<CondId>), (u64, u64)>;

fn answer_root<'a>(people: &Eval<'a, People<'a>>, root: &BoundRoot, counted: &mut Counted) -> Result<BlockRoot> {
    let population = people.population(root.among, people.query.program.as_of)?;
    if population.is_none() {
        return Ok(BlockRoot::new(
            people.scope.task,
            population,
            0,
            vec![(0, 0); root.clauses.len()],
        ));
    }
    let mut clauses = Vec::with_capacity(root.clauses.len());
    for &clause in &root.clauses {
        let counts = match counted.get(&(clause, root.among)) {
            Some(&counts) => counts,
            None => {
                let tri = people.cond(clause)?.among(&population);
                (tri.t.count(), tri.u.count())
            }
        };
        counted.insert((clause, root.among), counts);
        clauses.push(counts);
    }
    let tri = people.cond(root.cond)?.among(&population);
    Ok(BlockRoot::new(people.scope.task, tri.t, tri.u.count(), clauses))
}
