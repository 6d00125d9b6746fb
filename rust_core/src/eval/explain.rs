//! Explains the cost of an evaluation: its conditions and rankings as a graph of nodes with figures.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use super::program::{Cond, CondId, Expr, ExprId, FilteredType, Program};
use super::trace::{Counters, Trace};

/// The graph of evaluated nodes. Equal conditions are one node, whichever roots contain them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub nodes: Vec<Node>,
    /// The node of each root of the plan.
    pub roots: Vec<usize>,
}

/// The figures of one node, without those of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The operator of the plan message; `ranking` for the values of a `rank` or `tile`, `item` for a condition on catalog items.
    pub op: &'static str,
    /// The attributes, event types and properties that the node reads, ascending.
    pub reads: Vec<String>,
    /// The nodes of its parts.
    pub of: Vec<usize>,
    /// The number of blocks in which it was evaluated; for filters of events, the number of batches.
    pub evaluated: u64,
    /// The number of these in which it read no rows, because first and last days or its parts decided.
    pub unread: u64,
    /// The rows of people and events that it read, and their bytes.
    pub rows: u64,
    pub bytes: u64,
    /// The time, summed over threads.
    pub microseconds: u64,
    /// The number of rows for which it is true, before they are restricted to a population.
    pub matched: u64,
}

impl Explanation {
    pub(super) fn of(program: &Program, trace: &Trace) -> Explanation {
        let conds = trace.conds.iter().enumerate().map(|(id, counters)| {
            let mut parts = Parts::new(program);
            let op = parts.cond(&program.conds[id]);
            parts.node(op, counters)
        });
        let rankings = trace.rankings.iter().enumerate().map(|(id, counters)| {
            let mut parts = Parts::new(program);
            parts.expr(program.rankings[id].expr);
            parts.of.extend(program.rankings[id].population);
            parts.node("ranking", counters)
        });
        Explanation {
            nodes: conds.chain(rankings).collect(),
            roots: program.roots.iter().map(|root| root.cond).collect(),
        }
    }

    /// Returns the total bytes of the index that were read.
    pub fn bytes(&self) -> u64 {
        self.nodes.iter().map(|node| node.bytes).sum()
    }
}

/// Collects the parts of a node and the names that it reads.
struct Parts<'a> {
    program: &'a Program,
    of: BTreeSet<usize>,
    reads: BTreeSet<String>,
}

impl<'a> Parts<'a> {
    fn new(program: &'a Program) -> Parts<'a> {
        Parts {
            program,
            of: BTreeSet::new(),
            reads: BTreeSet::new(),
        }
    }

    fn node(self, op: &'static str, counters: &Counters) -> Node {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Node {
            op,
            reads: self.reads.into_iter().collect(),
            of: self.of.into_iter().collect(),
            evaluated: read(&counters.evaluated),
            unread: read(&counters.unread),
            rows: read(&counters.rows),
            bytes: read(&counters.bytes),
            microseconds: read(&counters.nanoseconds) / 1000,
            matched: read(&counters.matched),
        }
    }

    /// Collects the parts of a condition; returns its operator.
    fn cond(&mut self, cond: &'a Cond) -> &'static str {
        match cond {
            Cond::Constant(_) => "constant",
            Cond::All(of) => self.conds("all", of),
            Cond::Any(of) => self.conds("any", of),
            Cond::Not(of) => self.conds("not", [of]),
            Cond::OrUnknown(of) => self.conds("or_unknown", [of]),
            Cond::Given { of, known } => self.conds("compare", [of, known]),
            Cond::Set { of, among, .. } => self.conds("set", std::iter::once(of).chain(among)),
            Cond::Compare { left, right, .. } => self.exprs("compare", [left, right]),
            Cond::In { expr, items, .. } => self.exprs("in", std::iter::once(expr).chain(items)),
            Cond::Has { expr, items, .. } => self.exprs("has", std::iter::once(expr).chain(items)),
            Cond::Text { expr, .. } => self.exprs("text", [expr]),
            Cond::Known(expr) => self.exprs("known", [expr]),
            Cond::Within { expr, .. } => self.exprs("within", [expr]),
            Cond::Anniversary { expr, .. } => self.exprs("anniversary", [expr]),
            Cond::Near { expr, point, .. } => self.exprs("near", [expr, point]),
            Cond::OfItem { key, .. } => self.exprs("item", [key]),
            Cond::Happened { count, .. } => self.exprs("happened", [count]),
            Cond::Sequence(sequence) => {
                for (event_type, parts) in &sequence.types {
                    self.reads.insert(event_type.clone());
                    self.of.extend(parts.iter().filter_map(|&(_, filter)| filter));
                }
                self.exprs("sequence", &sequence.by)
            }
            Cond::Rank(ranking) => {
                self.of.insert(self.program.conds.len() + ranking);
                "rank"
            }
            Cond::Sample { .. } => "sample",
        }
    }

    fn conds(&mut self, op: &'static str, of: impl IntoIterator<Item = &'a CondId>) -> &'static str {
        self.of.extend(of);
        op
    }

    fn exprs(&mut self, op: &'static str, of: impl IntoIterator<Item = &'a ExprId>) -> &'static str {
        of.into_iter().for_each(|&of| self.expr(of));
        op
    }

    fn expr(&mut self, expr: ExprId) {
        match &self.program.exprs[expr] {
            Expr::Literal(_) => {}
            Expr::Elapsed { of, .. } | Expr::Person(of) => self.expr(*of),
            Expr::Arith { left: a, right: b, .. } | Expr::Default { expr: a, otherwise: b } => {
                self.expr(*a);
                self.expr(*b);
            }
            Expr::Case { tiers, .. } => self.of.extend(tiers.iter().map(|&(when, _)| when)),
            Expr::Lookup { key, .. } => self.expr(*key),
            Expr::Attribute { name, .. } | Expr::Entry { name, .. } | Expr::Property(name) => {
                self.reads.insert(name.clone());
            }
            Expr::Channels { .. } | Expr::EventChannel => {
                self.reads.insert("channel".into());
            }
            Expr::Measure { scan, measure } => {
                let scan = &self.program.scans[*scan];
                scan.steps.iter().for_each(|step| self.filtered(step));
                if let Some((value, _)) = scan.measures[*measure].value {
                    self.expr(value);
                }
            }
            Expr::Tile(ranking) => {
                self.of.insert(self.program.conds.len() + ranking);
            }
            Expr::ByType(of) => of.iter().for_each(|&(_, value)| self.expr(value)),
        }
    }

    fn filtered(&mut self, (event_type, filter): &FilteredType) {
        self.reads.insert(event_type.clone());
        self.of.extend(filter);
    }
}
