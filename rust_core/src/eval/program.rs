//! The program: a plan bound to a version. Arenas hold its nodes; equal nodes are stored once, and children come before parents.
//!
//! A node whose meaning depends on the instant contains its as-of, so a past instant and the present share all other nodes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use super::kernels::column::{Datum, Kind};
use super::kernels::text_match::TextMatcher;
use crate::plan::{Arith, Cmp, Function, Mode, Side};

/// An index into `Program::conds`.
pub type CondId = usize;
/// An index into `Program::exprs`.
pub type ExprId = usize;

/// A condition: true, false or unknown for each row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cond {
    Constant(bool),
    All(Vec<CondId>),
    Any(Vec<CondId>),
    Not(CondId),
    OrUnknown(CondId),
    /// `of` where `known` is true, unknown elsewhere.
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
    /// `matcher` is an index into `Program::text_matchers`.
    Text {
        matcher: usize,
        expr: ExprId,
    },
    Known(ExprId),
    Within {
        expr: ExprId,
        from: i64,
        to: i64,
    },
    /// `latest_year` is indexed by month * 100 + day: the latest year in which the day is wanted, or `i32::MIN`. A month-day has no year.
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
    /// A condition on a catalog item. `filter` is an index into `Program::item_filters`.
    OfItem {
        filter: usize,
        key: ExprId,
    },
    // Conditions on people only:
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

/// An expression: a value, or unknown, for each row.
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
    /// `catalog` is an index into `Program::catalogs`.
    Lookup {
        catalog: usize,
        key: ExprId,
        attribute: String,
    },
    // Expressions over people only:
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
    // Expressions over events only:
    Property(String),
    EventChannel,
    /// The value for each event type; unknown for other types.
    ByType(Vec<(String, ExprId)>),
    Person(ExprId),
}

/// An event type and its filter.
pub type FilteredType = (String, Option<CondId>);

/// An ordered sequence of steps: each is strictly later than the one before, whatever the gap.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sequence {
    /// For each event type, the roles that its events can have, each with a filter.
    pub types: BTreeMap<String, Vec<(Role, Option<CondId>)>>,
    /// The gaps between consecutive steps: one fewer than the steps.
    pub gaps: Vec<Gap>,
    /// The expression that must have the same value in all events.
    pub by: Option<ExprId>,
    /// The window `from <= time < to`, in ms since the epoch.
    pub from: i64,
    pub to: i64,
}

/// The role of an event in a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    Step(u8),
    /// An event that must not occur between this step and the next, or after the last step.
    Without(u8),
}

/// The least (at least 1) and most milliseconds between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gap {
    pub least: i64,
    pub most: i64,
}

impl Sequence {
    /// Returns all roles of the sequence; steps come first.
    pub fn roles(&self) -> BTreeSet<Role> {
        self.types.values().flatten().map(|&(role, _)| role).collect()
    }

    /// Returns the gap if the sequence has two steps and no further constraint.
    pub fn plain_gap(&self) -> Option<Gap> {
        let mut roles = self.types.values().flatten();
        let plain = self.by.is_none() && roles.all(|(role, _)| matches!(role, Role::Step(_)));
        match self.gaps.as_slice() {
            &[gap] if plain && gap.least == 1 => Some(gap),
            _ => None,
        }
    }
}

impl Gap {
    /// Returns whether at least `least` ms pass.
    pub fn is_long_enough(self, before: i64, time: i64) -> bool {
        before <= time.saturating_sub(self.least)
    }

    /// Returns whether at most `most` ms pass.
    pub fn is_short_enough(self, before: i64, time: i64) -> bool {
        before >= time.saturating_sub(self.most)
    }
}

/// One pass over events that computes several measures.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The event types to read, in ascending order.
    pub steps: Vec<FilteredType>,
    /// The window `from <= time < to`, in ms since the epoch.
    pub from: i64,
    pub to: i64,
    pub measures: Vec<Measure>,
}

/// An aggregate function over the events of a scan.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Measure {
    pub function: Function,
    pub value: Option<(ExprId, Kind)>,
    /// The starts of local days in ms since the epoch, ascending; only for `days`.
    pub day_starts: Option<Arc<[i64]>>,
}

/// A ranking of a population by the value of an expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ranking {
    pub expr: ExprId,
    pub population: Option<CondId>,
    pub as_of: i64,
    pub selection: RankSelection,
    /// One more than the highest level of the rankings that it depends on.
    pub level: usize,
}

/// The part of a ranking that a condition or expression uses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RankSelection {
    /// Selects people if the share of strictly better people is less than `millionths`.
    Share { side: Side, millionths: i64 },
    /// Selects people if fewer than `count` people are strictly better.
    Count { side: Side, count: u64 },
    /// Divides the people into `k` tiles.
    Tile { k: u32 },
}

/// A condition on the items of a catalog. `catalog` is an index into `Program::catalogs`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ItemFilter {
    pub catalog: usize,
    pub cond: CondId,
}

/// A root of the plan. `among` is the condition that defines its population.
pub struct BoundRoot {
    pub cond: CondId,
    /// The conditions that must all be true, cheapest first.
    pub parts: Vec<CondId>,
    /// Indexes into `Program::clauses`.
    pub clauses: Vec<usize>,
    pub among: Option<CondId>,
}

/// A plan bound to a version of the index.
#[derive(Default)]
pub struct Program {
    pub as_of: i64,
    pub conds: Arena<Cond>,
    pub exprs: Arena<Expr>,
    pub scans: Vec<Scan>,
    pub rankings: Arena<Ranking>,
    pub item_filters: Arena<ItemFilter>,
    pub text_matchers: Arena<TextMatcher>,
    pub catalogs: Arena<String>,
    /// Texts of the plan that are not in the dictionary; the first has the code `first_plan_code`.
    pub plan_texts: Arena<String>,
    pub first_plan_code: u32,
    pub roots: Vec<BoundRoot>,
    /// The clauses that are counted besides the roots, each with its population. Segments share clauses.
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
    /// Returns the number of an equal item, or adds the item.
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
