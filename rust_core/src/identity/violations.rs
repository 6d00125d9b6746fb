//! Violations: identifiers that were rejected or dropped, and why.

use std::collections::VecDeque;

use crate::proto::wire::{put_bytes, put_number, put_text};

/// Why an identifier was rejected or dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The person would have too many identifiers of one namespace.
    LimitExceeded,
    /// The person would have too many identifiers.
    ClusterCap,
    /// The value is a placeholder or not valid in its namespace.
    RefusedValue,
    /// A split keeps two of the identifiers apart.
    KeptApart,
    /// A decision did not fit the graph; the record is the decision.
    VoidDecision,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    pub raw_offset: u64,
    pub reason: Reason,
    pub namespace: Box<str>,
    pub value: Box<str>,
    pub source: Box<str>,
    pub record_id: Box<str>,
    /// The node that attributed the record to its person, or `NONE`.
    pub node: u32,
}

/// The newest violations, and the total number. A bad source causes millions, so the oldest are dropped.
#[derive(Default)]
pub struct Violations {
    kept: VecDeque<Violation>,
    total: u64,
}

/// The number of violations that are kept.
pub const KEPT: usize = 1 << 16;

/// The bytes of a rejected value that are kept.
const EXCERPT_BYTES: usize = 128;

impl Reason {
    pub const ALL: [Reason; 5] = [
        Reason::LimitExceeded,
        Reason::ClusterCap,
        Reason::RefusedValue,
        Reason::KeptApart,
        Reason::VoidDecision,
    ];

    fn name(self) -> &'static str {
        match self {
            Reason::LimitExceeded => "LIMIT_EXCEEDED",
            Reason::ClusterCap => "CLUSTER_CAP",
            Reason::RefusedValue => "REFUSED_VALUE",
            Reason::KeptApart => "KEPT_APART",
            Reason::VoidDecision => "VOID_DECISION",
        }
    }
}

/// Returns the start of a value, short enough to keep.
pub fn excerpt(value: &str) -> &str {
    &value[..value.floor_char_boundary(EXCERPT_BYTES)]
}

impl Violations {
    /// Restores violations: the kept ones, oldest first, and the total number.
    pub fn restore(kept: VecDeque<Violation>, total: u64) -> Self {
        Violations { kept, total }
    }

    pub fn total(&self) -> u64 {
        self.total
    }

    pub fn kept(&self) -> impl ExactSizeIterator<Item = &Violation> {
        self.kept.iter()
    }

    pub fn push(&mut self, violation: Violation) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(violation);
        self.total += 1;
    }

    /// Sets the node of all violations from index `first` on.
    pub fn note_node(&mut self, first: u64, node: u32) {
        let new = (self.total - first) as usize;
        let before = self.kept.len().saturating_sub(new);
        self.kept
            .range_mut(before..)
            .for_each(|violation| violation.node = node);
    }

    pub fn kept_mut(&mut self) -> impl Iterator<Item = &mut Violation> {
        self.kept.iter_mut()
    }

    /// Returns ListViolationsResponse bytes: indexes below `before` (0: all), newest first. The page token is the next `before`.
    pub fn page(&self, before: u64, limit: usize) -> Vec<u8> {
        let before = if before == 0 {
            self.total
        } else {
            before.min(self.total)
        };
        let first = self.total - self.kept.len() as u64;
        let end = before.saturating_sub(first) as usize;
        let start = end.saturating_sub(limit);
        let mut out = Vec::new();
        for violation in self.kept.range(start..end).rev() {
            put_bytes(&mut out, 1, &violation.encode());
        }
        if start > 0 && start < end {
            put_text(&mut out, 2, &(first + start as u64).to_string());
        }
        out
    }
}

impl Violation {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_number(&mut out, 1, self.raw_offset);
        put_text(&mut out, 2, self.reason.name());
        put_bytes(&mut out, 3, &encode_identifier(&self.namespace, &self.value));
        put_text(&mut out, 4, &self.source);
        put_text(&mut out, 5, &self.record_id);
        out
    }
}

/// Encodes an Identifier message.
pub fn encode_identifier(namespace: &str, value: &str) -> Vec<u8> {
    let mut out = Vec::new();
    put_text(&mut out, 1, namespace);
    put_text(&mut out, 2, value);
    out
}
