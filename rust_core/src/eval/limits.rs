//! Limits the memory of an evaluation, and cancels it.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::{Error, Result};

/// The limits of one evaluation.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The most bytes in use at once: masks, columns, tallies of events, and the answer. The index itself is not counted.
    pub bytes: u64,
    /// Set to cancel the evaluation; checked before each block.
    pub cancelled: Arc<AtomicBool>,
}

impl Limits {
    /// Returns limits that no evaluation exceeds.
    pub fn none() -> Limits {
        Limits {
            bytes: u64::MAX,
            cancelled: Arc::default(),
        }
    }
}

/// The memory that one evaluation has reserved, over all threads.
pub struct Budget<'a> {
    limits: &'a Limits,
    reserved: AtomicU64,
}

impl<'a> Budget<'a> {
    pub fn new(limits: &'a Limits) -> Budget<'a> {
        Budget {
            limits,
            reserved: AtomicU64::new(0),
        }
    }

    /// Reserves memory; returns `Error::OverBudget` beyond the limit.
    pub fn reserve(&self, bytes: u64) -> Result<()> {
        let before = self.reserved.fetch_add(bytes, Ordering::Relaxed);
        let budget = self.limits.bytes;
        if before.saturating_add(bytes) > budget {
            self.release(bytes);
            return Err(Error::OverBudget { budget });
        }
        Ok(())
    }

    pub fn release(&self, bytes: u64) {
        self.reserved.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Returns `Error::Cancelled` if the evaluation was cancelled.
    pub fn check_not_cancelled(&self) -> Result<()> {
        match self.limits.cancelled.load(Ordering::Relaxed) {
            true => Err(Error::Cancelled),
            false => Ok(()),
        }
    }
}

/// The memory that one block has reserved; dropping it releases the memory.
pub struct Reservation<'a> {
    budget: &'a Budget<'a>,
    bytes: Cell<u64>,
}

impl<'a> Reservation<'a> {
    pub fn new(budget: &'a Budget<'a>) -> Reservation<'a> {
        Reservation {
            budget,
            bytes: Cell::new(0),
        }
    }

    /// Reserves memory until this reservation is dropped; returns `Error::OverBudget` beyond the limit.
    pub fn reserve(&self, bytes: u64) -> Result<()> {
        self.budget.reserve(bytes)?;
        self.bytes.set(self.bytes.get() + bytes);
        Ok(())
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.budget.release(self.bytes.get());
    }
}
