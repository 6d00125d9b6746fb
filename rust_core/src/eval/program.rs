//! A plan bound to a version: nodes in arenas, equal ones once. Children come before their parents. A node that means something
//! else at another instant holds its as-of, so what a past instant and the present have in common is evaluated once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use super::kernels::column::{Datum, Kind};
use super::kernels::text_match::Test;
use crate::plan::{Arith, Cmp, Function, Mode, Side};

pub type CondId = usize;
pub type ExprId = usize;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cond {
    Constant(bool),
    All(Vec<CondId>),
    Any(Vec<CondId>),
    Not(CondId),
    OrUnknown(CondId),
    /// `of` where the other is true, elsewhere unknown.
    Given {
        of: CondId,
        known: CondId,
    },
    Compare {
        cmp: Cmp,
        left: ExprId,
        right: ExprId,
        kind: Kind,
    },
    In {
        expr: ExprId,
        items: Vec<ExprId>,
        kind: Kind,
    },
    Has {
        mode: Mode,
        expr: ExprId,
        items: Vec<ExprId>,
    },
    /// `test` of `Program::tests`.
    Text {
        test: usize,
        expr: ExprId,
    },
    Known(ExprId),
    Within {
        expr: ExprId,
        from: i64,
        to: i64,
    },
    /// By month-day: the latest year in which it is one of the days; `i32::MIN` for none. Month-days have no year of their own.
    Anniversary {
        expr: ExprId,
        latest_year: Vec<i32>,
        of_dates: bool,
    },
    Near {
        expr: ExprId,
        point: ExprId,
        /// The bits of an `f64`.
        metres: u64,
    },
    /// A condition on one item of a catalog, answered once an item: `filter` of `Program::item_filters`.
    OfItem {
        filter: usize,
        key: ExprId,
    },
    // Of people only:
    Set {
        of: CondId,
        among: Option<CondId>,
        as_of: i64,
    },
    Happened {
        count: ExprId,
        min: i64,
        max: i64,
    },
    Sequence(Box<Sequence>),
    Rank(usize),
    Sample {
        seed: String,
        below: u128,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expr {
    Literal(Datum),
    Elapsed {
        of: ExprId,
        as_of: i64,
    },
    Arith {
        function: Arith,
        left: ExprId,
        right: ExprId,
    },
    Default {
        expr: ExprId,
        otherwise: ExprId,
    },
    Case {
        tiers: Vec<(CondId, Datum)>,
        otherwise: Option<Datum>,
    },
    /// `catalog` of `Program::catalogs`.
    Lookup {
        catalog: usize,
        key: ExprId,
        attribute: String,
    },
    // Of people only:
    Attribute {
        name: String,
        as_of: i64,
    },
    Entry {
        name: String,
        key: u32,
        kind: Kind,
        as_of: i64,
    },
    Channels {
        as_of: i64,
    },
    Measure {
        scan: usize,
        measure: usize,
    },
    Tile(usize),
    // Of events only:
    Property(String),
    EventChannel,
    /// By event type; unknown of others.
    ByType(Vec<(String, ExprId)>),
    Person(ExprId),
}

/// An event type and its filter.
pub type FilteredType = (String, Option<CondId>);

/// Steps in order, each at a later instant than the one before, whatever their gap.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sequence {
    /// By event type: which parts its events may play, and what is asked of them.
    pub types: BTreeMap<String, Vec<(Part, Option<CondId>)>>,
    /// Between the steps, so one fewer.
    pub gaps: Vec<Gap>,
    /// Of one value in all events.
    pub by: Option<ExprId>,
    pub from: i64,
    pub to: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    Step(u8),
    /// Forbidden between the step of that number and the next, or after the last.
    Without(u8),
}

/// Least (1 or more) and most milliseconds between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gap {
    pub least: i64,
    pub most: i64,
}

impl Sequence {
    /// Every part that some event may play, the steps first.
    pub fn parts(&self) -> BTreeSet<Part> {
        self.types.values().flatten().map(|&(part, _)| part).collect()
    }

    /// Of two steps and nothing else.
    pub fn plain_gap(&self) -> Option<Gap> {
        let mut parts = self.types.values().flatten();
        let plain = self.by.is_none() && parts.all(|(part, _)| matches!(part, Part::Step(_)));
        match self.gaps.as_slice() {
            &[gap] if plain && gap.least == 1 => Some(gap),
            _ => None,
        }
    }
}

impl Gap {
    pub fn leaves(self, before: i64, time: i64) -> bool {
        before <= time.saturating_sub(self.least)
    }

    pub fn reaches(self, before: i64, time: i64) -> bool {
        before >= time.saturating_sub(self.most)
    }
}

/// One pass over events, for every measure that asks for it.
#[derive(Clone, Debug)]
pub struct Scan {
    pub steps: Vec<FilteredType>,
    pub from: i64,
    pub to: i64,
    pub measures: Vec<Measure>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Measure {
    pub function: Function,
    pub value: Option<(ExprId, Kind)>,
    pub day_starts: Option<Arc<[i64]>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ranking {
    pub expr: ExprId,
    pub population: Option<CondId>,
    pub as_of: i64,
    pub place: RankSelection,
    /// One more than the highest level of the rankings that it rests on.
    pub level: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RankSelection {
    /// Fewer than this many are strictly better.
    Share {
        side: Side,
        millionths: i64,
    },
    Count {
        side: Side,
        count: u64,
    },
    Tile {
        k: u32,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ItemFilter {
    pub catalog: usize,
    pub cond: CondId,
}

pub struct BoundRoot {
    pub cond: CondId,
    /// Of which all must be true, the cheapest first.
    pub parts: Vec<CondId>,
    /// Of `Program::clauses`.
    pub clauses: Vec<usize>,
    pub among: Option<CondId>,
}

#[derive(Default)]
pub struct Program {
    pub as_of: i64,
    pub conds: Arena<Cond>,
    pub exprs: Arena<Expr>,
    pub scans: Vec<Scan>,
    pub rankings: Arena<Ranking>,
    pub item_filters: Arena<ItemFilter>,
    pub tests: Arena<Test>,
    pub catalogs: Arena<String>,
    /// Texts of the plan that the dictionary lacks; the first has the code `extra_from`.
    pub extra: Arena<String>,
    pub extra_from: u32,
    pub roots: Vec<BoundRoot>,
    /// What is counted beside the roots, and among whom: segments share clauses.
    pub clauses: Arena<(CondId, Option<CondId>)>,
}

/// Distinct values with stable numbers.
pub struct Arena<T> {
    items: Vec<T>,
    numbers: HashMap<T, usize>,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Arena {
            items: Vec::new(),
            numbers: HashMap::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Arena<T> {
    pub fn intern(&mut self, item: T) -> usize {
        let next = self.items.len();
        *self.numbers.entry(item).or_insert_with_key(|item| {
            self.items.push(item.clone());
            next
        })
    }
}

impl<T> std::ops::Deref for Arena<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}
