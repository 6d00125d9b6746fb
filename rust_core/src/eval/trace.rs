//! Counts the cost of each condition of a program while it is evaluated.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::kernels::bits::Tri;
use super::program::{CondId, Program};
use crate::error::Result;

/// The rows and bytes of the index that one thread has read since the counters were last replaced.
#[derive(Default)]
pub struct Touched {
    rows: Cell<u64>,
    bytes: Cell<u64>,
    /// The time spent in the parts of the current condition.
    nanoseconds: Cell<u64>,
}

impl Touched {
    /// Adds rows and bytes that were read.
    pub fn add(&self, rows: usize, bytes: usize) {
        self.rows.set(self.rows.get() + rows as u64);
        self.bytes.set(self.bytes.get() + bytes as u64);
    }

    fn replace(&self, (rows, bytes, nanoseconds): (u64, u64, u64)) -> (u64, u64, u64) {
        (
            self.rows.replace(rows),
            self.bytes.replace(bytes),
            self.nanoseconds.replace(nanoseconds),
        )
    }
}

/// The counters of one condition or ranking, over all threads, without those of its parts.
#[derive(Default)]
pub struct Counters {
    /// The number of evaluations: one for each block, or for each batch for a filter of events.
    pub evaluated: AtomicU64,
    /// The number of evaluations that read nothing of the index.
    pub unread: AtomicU64,
    pub rows: AtomicU64,
    pub bytes: AtomicU64,
    pub nanoseconds: AtomicU64,
    pub matched: AtomicU64,
}

/// The counters of all conditions and rankings of a program.
pub struct Trace {
    /// The counters of each condition.
    pub conds: Vec<Counters>,
    /// The counters of each ranking's values.
    pub rankings: Vec<Counters>,
}

impl Trace {
    pub fn new(program: &Program) -> Trace {
        let counters = |nodes| std::iter::repeat_with(Counters::default).take(nodes).collect();
        Trace {
            conds: counters(program.conds.len()),
            rankings: counters(program.rankings.len()),
        }
    }

    /// Evaluates a condition and counts its cost.
    pub fn cond(&self, cond: CondId, touched: &Touched, evaluate: impl FnOnce() -> Result<Tri>) -> Result<Tri> {
        let counters = &self.conds[cond];
        let tri = counters.count(touched, evaluate)?;
        counters.matched.fetch_add(tri.t.count(), Ordering::Relaxed);
        Ok(tri)
    }

    /// Evaluates the values of a ranking and counts their cost.
    pub fn ranking<T>(&self, ranking: usize, touched: &Touched, evaluate: impl FnOnce() -> Result<T>) -> Result<T> {
        self.rankings[ranking].count(touched, evaluate)
    }
}

impl Counters {
    /// Counts the cost of `evaluate`, without that of nested calls.
    fn count<T>(&self, touched: &Touched, evaluate: impl FnOnce() -> Result<T>) -> Result<T> {
        let outer = touched.replace((0, 0, 0));
        let started = Instant::now();
        let result = evaluate();
        let spent = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let (rows, bytes, inner) = touched.replace((outer.0, outer.1, outer.2 + spent));
        let add = |counter: &AtomicU64, amount: u64| counter.fetch_add(amount, Ordering::Relaxed);
        add(&self.evaluated, 1);
        add(&self.unread, u64::from(bytes == 0));
        add(&self.rows, rows);
        add(&self.bytes, bytes);
        add(&self.nanoseconds, spent.saturating_sub(inner));
        result
    }
}
