//! What an evaluation may take, and whether it is still wanted.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::{Error, Result};

#[derive(Clone, Debug)]
pub struct Limits {
    /// Memory that it may hold at once: masks, columns and what is kept of people's events, and the answer. What lies in the
    /// index is not counted.
    pub bytes: u64,
    /// Set by whoever no longer wants the answer; looked at before every block.
    pub cancelled: Arc<AtomicBool>,
}

impl Limits {
    pub fn none() -> Limits {
        Limits {
            bytes: u64::MAX,
            cancelled: Arc::default(),
        }
    }
}

/// What one evaluation has taken of its limits, over all threads.
pub struct Budget<'a> {
    limits: &'a Limits,
    taken: AtomicU64,
}

impl<'a> Budget<'a> {
    pub fn new(limits: &'a Limits) -> Budget<'a> {
        Budget {
            limits,
            taken: AtomicU64::new(0),
        }
    }

    /// `Error::OverBudget` beyond the limit.
    pub fn take(&self, bytes: u64) -> Result<()> {
        let before = self.taken.fetch_add(bytes, Ordering::Relaxed);
        let budget = self.limits.bytes;
        if before.saturating_add(bytes) > budget {
            self.give(bytes);
            return Err(Error::OverBudget { budget });
        }
        Ok(())
    }

    pub fn give(&self, bytes: u64) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// `Error::Cancelled` once the answer is not wanted.
    pub fn wanted(&self) -> Result<()> {
        match self.limits.cancelled.load(Ordering::Relaxed) {
            true => Err(Error::Cancelled),
            false => Ok(()),
        }
    }
}

/// What is held for one block, given back when that is done with.
pub struct Held<'a> {
    budget: &'a Budget<'a>,
    bytes: Cell<u64>,
}

impl<'a> Held<'a> {
    pub fn new(budget: &'a Budget<'a>) -> Held<'a> {
        Held {
            budget,
            bytes: Cell::new(0),
        }
    }

    pub fn hold(&self, bytes: u64) -> Result<()> {
        self.budget.take(bytes)?;
        self.bytes.set(self.bytes.get() + bytes);
        Ok(())
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.budget.give(self.bytes.get());
    }
}
