//! What a segment's membership depends on, so that it is asked again only where something of it has changed or passed.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use crate::index::place::days_between;
use crate::index::view::{Attribute, Events, Partition, Run, Version};
use crate::plan::{self, Cond, Expr, Function, Moment, Root, Step, Value};

/// Something that may change who is in a segment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sense {
    /// People who are new, known since another instant, or split.
    People,
    Channels,
    /// By name.
    Attribute(String),
    /// By type.
    Events(String),
    /// Events of a type come to lie so many milliseconds before the as-of.
    Passing {
        event_type: String,
        ago: i64,
    },
    Catalog(String),
    /// The as-of moves on.
    Time,
}

#[derive(Debug, Default)]
pub struct Senses {
    pub of: BTreeSet<Sense>,
    /// Whether each person's membership depends on everybody.
    pub ranks: bool,
}

impl Senses {
    pub fn of(root: &Root) -> Senses {
        let mut senses = Senses::default();
        senses.of.insert(Sense::People);
        senses.cond(&root.cond);
        root.among.iter().for_each(|among| senses.cond(among));
        senses
    }

    fn cond(&mut self, cond: &Cond) {
        match cond {
            Cond::All { of } | Cond::Any { of } => of.iter().for_each(|of| self.cond(of)),
            Cond::Not { of } | Cond::OrUnknown { of } => self.cond(of),
            Cond::Set { of, among } => self.set(of, among.as_deref()),
            Cond::At { as_of, of, among } => {
                if as_of.ago().is_some() {
                    self.of.insert(Sense::Time);
                }
                self.set(of, among.as_deref());
            }
            Cond::Constant { .. } | Cond::Sample { .. } => {}
            Cond::Compare { left, right, .. } => self.beside(left, right),
            Cond::In { expr, items } | Cond::Has { expr, items, .. } => {
                items.iter().chain([expr]).for_each(|expr| self.expr(expr));
            }
            Cond::Text { expr, .. }
            | Cond::Known { expr }
            | Cond::Unknown { expr }
            | Cond::Anniversary { expr, .. } => {
                self.expr(expr);
            }
            Cond::Within { expr, from, to } => {
                for ago in [from, to].into_iter().filter_map(|moment| moment.as_ref()?.ago()) {
                    self.passing(expr, ago);
                }
                self.expr(expr);
            }
            Cond::Near { expr, point, .. } => [expr, point].into_iter().for_each(|expr| self.expr(expr)),
            Cond::Happened { events, .. } => self.events(events),
            Cond::Sequence { steps, by, from, to } => {
                let steps: Vec<&Step> = steps
                    .iter()
                    .flat_map(|step| step.events.iter().chain(&step.without))
                    .collect();
                self.steps(&steps, *from, *to);
                by.iter().for_each(|by| self.expr(by));
            }
            Cond::Rank { expr, population, .. } => self.ranked(expr, population.as_deref()),
        }
    }

    fn set(&mut self, of: &Cond, among: Option<&Cond>) {
        among.into_iter().chain([of]).for_each(|cond| self.cond(cond));
    }

    fn ranked(&mut self, expr: &Expr, population: Option<&Cond>) {
        self.ranks = true;
        self.expr(expr);
        population.into_iter().for_each(|population| self.cond(population));
    }

    /// A time elapsed changes with every as-of, but not whether it is longer than another.
    fn beside(&mut self, left: &Expr, right: &Expr) {
        let (elapsed, duration) = match (left, right) {
            (Expr::Elapsed { of }, other) | (other, Expr::Elapsed { of }) => (of, other),
            _ => return [left, right].into_iter().for_each(|expr| self.expr(expr)),
        };
        match duration {
            Expr::Literal {
                value: Value::Duration(Moment::At(ago)),
            } => self.passing(elapsed, *ago),
            // So long since an instant that stays: that is beside another instant.
            Expr::Literal {
                value: Value::Duration(Moment::Before(_)),
            } => {}
            _ => {
                self.of.insert(Sense::Time);
                self.expr(duration);
            }
        }
        self.expr(elapsed);
    }

    /// The instant that `expr` gives comes to lie so long before the as-of.
    fn passing(&mut self, expr: &Expr, ago: i64) {
        match expr {
            Expr::Aggregate {
                function: Function::Earliest | Function::Latest,
                events,
                value: None,
                ..
            } => {
                let passing = events.steps.iter().map(|step| Sense::Passing {
                    event_type: step.event_type.clone(),
                    ago,
                });
                self.of.extend(passing);
            }
            _ => {
                self.of.insert(Sense::Time);
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Literal { .. } | Expr::Property { .. } | Expr::EventChannel {} => {}
            Expr::Attribute { name, .. } => {
                self.of.insert(Sense::Attribute(name.clone()));
            }
            Expr::Channels {} => {
                self.of.insert(Sense::Channels);
            }
            Expr::Aggregate { events, value, .. } => {
                self.events(events);
                value.iter().for_each(|value| self.expr(value));
            }
            Expr::Elapsed { of } => {
                self.of.insert(Sense::Time);
                self.expr(of);
            }
            Expr::Arith { left, right, .. } => [left, right].into_iter().for_each(|expr| self.expr(expr)),
            Expr::Default { expr, otherwise } => [expr, otherwise].into_iter().for_each(|expr| self.expr(expr)),
            Expr::Tile { expr, population, .. } => self.ranked(expr, population.as_deref()),
            Expr::Case { tiers, .. } => tiers.iter().for_each(|tier| self.cond(&tier.when)),
            Expr::ByType { of } => of.iter().for_each(|one| self.expr(&one.value)),
            Expr::Lookup { catalog, key, .. } => {
                self.of.insert(Sense::Catalog(catalog.clone()));
                self.expr(key);
            }
            Expr::Person { expr } => self.expr(expr),
        }
    }

    fn events(&mut self, events: &plan::Events) {
        self.steps(&events.steps.iter().collect::<Vec<_>>(), events.from, events.to);
    }

    fn steps(&mut self, steps: &[&Step], from: Option<Moment>, to: Moment) {
        for step in steps {
            self.of.insert(Sense::Events(step.event_type.clone()));
            for ago in from.into_iter().chain([to]).filter_map(Moment::ago) {
                let event_type = step.event_type.clone();
                self.of.insert(Sense::Passing { event_type, ago });
            }
            step.filter.iter().for_each(|filter| self.cond(filter));
        }
    }
}

/// What has happened between two questions.
pub struct Between<'a> {
    pub before: &'a Version,
    pub after: &'a Version,
    /// The as-of of the first and of the second, which is not earlier.
    pub as_of: (i64, i64),
}

impl Between<'_> {
    /// Whether something may have changed for people of a block; it is one of `after`.
    pub fn concerns(&self, sense: &Sense, partition: u32, block: u32) -> bool {
        let of = |version: &'_ Version| version.partitions.get(&partition).cloned();
        let (before, Some(after)) = (of(self.before), of(self.after)) else {
            return true;
        };
        let Some(before) = before else { return true };
        match sense {
            Sense::People => after.first_record.differs(&before.first_record, block, self.as_of.0),
            Sense::Channels => self.channels(&before, &after, block),
            Sense::Attribute(name) => {
                let held = |partition: &Partition| partition.attributes.get(name).cloned();
                self.attribute(held(&before), held(&after), block)
            }
            Sense::Events(event_type) => {
                let held = |partition: &Partition| partition.events.get(event_type).cloned();
                let (before, after) = (held(&before), held(&after));
                !same(before.as_ref(), after.as_ref())
                    && (self.is_purged() || rows_of_events(before, block) != rows_of_events(after, block))
            }
            Sense::Passing { event_type, ago } => {
                let events = after.events.get(event_type);
                events.is_some_and(|events| self.passes(events, *ago, block))
            }
            Sense::Catalog(name) => !same(self.before.catalogs.get(name), self.after.catalogs.get(name)),
            Sense::Time => self.as_of.0 != self.as_of.1,
        }
    }

    fn channels(&self, before: &Partition, after: &Partition, block: u32) -> bool {
        before.channels.len() != after.channels.len()
            || after.channels.iter().any(|(code, firsts)| {
                let held = before.channels.get(code);
                held.is_none_or(|held| firsts.differs(held, block, self.as_of.0))
            })
    }

    fn attribute(&self, before: Option<Arc<Attribute>>, after: Option<Arc<Attribute>>, block: u32) -> bool {
        let latest = after.as_ref().and_then(|after| after.latest.get(block as usize));
        // A change that was to come for the first question is not for the second.
        latest.is_some_and(|latest| latest.changed_until_ms >= self.as_of.0)
            || !same(before.as_ref(), after.as_ref())
                && (self.is_purged() || rows_of_changes(before, block) != rows_of_changes(after, block))
    }

    /// Whether rows of people who were erased may have gone.
    fn is_purged(&self) -> bool {
        self.before.erased.purges != self.after.erased.purges
    }

    fn passes(&self, events: &Events, ago: i64, block: u32) -> bool {
        // One more on both sides, whichever of a window's ends is in it.
        let from = self.as_of.0.saturating_sub(ago).saturating_sub(1);
        let to = self.as_of.1.saturating_sub(ago).saturating_add(1);
        events.runs.iter().any(|run| {
            let mut cells = run.cells_of(block, days_between(from, to));
            // What a damaged run holds is not known: who asks it is told what is wrong.
            !cells.is_empty() && (run.check().is_err() || cells.any(|cell| has_time(run, cell, from..to)))
        })
    }
}

fn has_time(run: &Run, cell: usize, range: Range<i64>) -> bool {
    let start = run.start_of(cell);
    let times = &run.times[run.rows_of(cell..cell + 1)];
    times.iter().any(|&time| range.contains(&(start + i64::from(time))))
}

fn same<T>(before: Option<&Arc<T>>, after: Option<&Arc<T>>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => Arc::ptr_eq(before, after),
        (before, after) => before.is_none() && after.is_none(),
    }
}

/// Rows come, and go only when something is purged; so otherwise as many are the same ones. Those that a split moves change since when their
/// people are known, which every segment senses.
fn rows_of_events(events: Option<Arc<Events>>, block: u32) -> usize {
    let runs = events.iter().flat_map(|events| &events.runs);
    runs.map(|run| run.rows_of(run.cells_of(block, i32::MIN..=i32::MAX)).len())
        .sum()
}

fn rows_of_changes(attribute: Option<Arc<Attribute>>, block: u32) -> usize {
    let runs = attribute.iter().flat_map(|attribute| &attribute.runs);
    runs.map(|run| run.rows_of_block(block).len()).sum()
}
