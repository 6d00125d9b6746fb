//! Derives what the members of a segment depend on, so that only affected people are evaluated again.

use std::collections::BTreeSet;

use crate::plan::{self, Cond, EventFilter, Expr, Function, Moment, Root, Value};

/// An input that can change the members of a segment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependency {
    /// People who become known before `Moment`, or are removed by a merge or an erasure.
    People(Moment),
    /// People who appear in a channel before `Moment`, or are removed from one.
    Channels(Moment),
    /// New changes of this attribute, and changes whose time comes.
    Attribute(String),
    /// New events of this type.
    Events(String),
    /// Events of this type that cross the end of a window: they become older than `age_ms`.
    EventAge { event_type: String, age_ms: i64 },
    /// Instants held by this attribute that become older than `age_ms`.
    AttributeAge { name: String, age_ms: i64 },
    /// The items of this catalog.
    Catalog(String),
    /// The current time itself (calendar windows, `now`).
    Time,
}

/// All dependencies of a segment.
#[derive(Debug)]
pub struct Dependencies {
    /// The inputs that can change its members.
    pub inputs: BTreeSet<Dependency>,
    /// Whether the membership of each person depends on all people, as in rankings.
    pub ranks: bool,
    /// The distances of its relative instants from the as-of, in ms; always includes 0, the as-of itself.
    pub ages_ms: BTreeSet<i64>,
    /// The durations that it names, in ms.
    pub durations_ms: BTreeSet<i64>,
    /// The longest time before the as-of at which it reads attributes, in ms; fixed instants are left out.
    pub past_ms: i64,
    /// Whether instants of catalog items are compared with a relative window.
    pub items_in_windows: bool,
    /// The as-of of the node that is being visited.
    as_of: Moment,
    /// The number of catalog lookups visited.
    lookups: usize,
}

impl Default for Dependencies {
    fn default() -> Self {
        Dependencies {
            inputs: BTreeSet::new(),
            ranks: false,
            ages_ms: [0].into(),
            durations_ms: BTreeSet::new(),
            past_ms: 0,
            items_in_windows: false,
            as_of: Moment::NOW,
            lookups: 0,
        }
    }
}

impl Dependencies {
    /// Collects the dependencies of a rule.
    pub fn of(root: &Root) -> Dependencies {
        let mut dependencies = Dependencies::default();
        dependencies.inputs.insert(Dependency::People(Moment::NOW));
        dependencies.cond(&root.cond);
        root.among.iter().for_each(|among| dependencies.cond(among));
        dependencies
    }

    fn cond(&mut self, cond: &Cond) {
        match cond {
            Cond::All { of } | Cond::Any { of } => of.iter().for_each(|of| self.cond(of)),
            Cond::Not { of } | Cond::OrUnknown { of } => self.cond(of),
            Cond::Set { of, among } => self.set(of, among.as_deref()),
            Cond::At { as_of, of, among } => {
                if as_of.ago().is_some() {
                    self.inputs.insert(Dependency::Time);
                }
                self.moment(*as_of);
                let outer = std::mem::replace(&mut self.as_of, *as_of);
                self.inputs.insert(Dependency::People(*as_of));
                self.set(of, among.as_deref());
                self.as_of = outer;
            }
            Cond::Constant { .. } | Cond::Sample { .. } => {}
            Cond::Compare { left, right, .. } => self.compare(left, right),
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
                let moving: Vec<i64> = [from, to]
                    .into_iter()
                    .filter_map(|moment| moment.as_ref()?.ago())
                    .collect();
                for &ago in &moving {
                    self.ages_ms.insert(ago);
                    self.crossing(expr, ago);
                }
                let lookups = self.lookups;
                self.expr(expr);
                self.items_in_windows |= !moving.is_empty() && self.lookups > lookups;
            }
            Cond::Near { expr, point, .. } => [expr, point].into_iter().for_each(|expr| self.expr(expr)),
            Cond::Happened { events, .. } => self.events(events),
            Cond::Sequence { steps, by, from, to } => {
                let steps: Vec<&EventFilter> = steps
                    .iter()
                    .flat_map(|step| step.events.iter().chain(&step.without))
                    .collect();
                self.steps(&steps, *from, *to);
                by.iter().for_each(|by| self.expr(by));
            }
            Cond::Rank { expr, population, .. } => self.rank(expr, population.as_deref()),
        }
    }

    fn set(&mut self, of: &Cond, among: Option<&Cond>) {
        among.into_iter().chain([of]).for_each(|cond| self.cond(cond));
    }

    /// Visits a ranking.
    fn rank(&mut self, expr: &Expr, population: Option<&Cond>) {
        self.ranks = true;
        self.expr(expr);
        population.into_iter().for_each(|population| self.cond(population));
    }

    /// Visits a comparison. An elapsed time changes at every as-of, but whether it exceeds a duration changes only when an age is crossed.
    fn compare(&mut self, left: &Expr, right: &Expr) {
        let (elapsed, duration) = match (left, right) {
            (Expr::Elapsed { of }, other) | (other, Expr::Elapsed { of }) => (of, other),
            _ => return [left, right].into_iter().for_each(|expr| self.expr(expr)),
        };
        match duration {
            Expr::Literal {
                value: Value::Duration(Moment::At(ago)),
            } => self.crossing(elapsed, *ago),
            // A duration since a fixed instant compares two instants, which does not depend on time.
            Expr::Literal {
                value: Value::Duration(Moment::Before(_)),
            } => {}
            _ => {
                self.inputs.insert(Dependency::Time);
            }
        }
        self.expr(duration);
        self.expr(elapsed);
    }

    /// Adds the dependency on the instant that `expr` yields crossing an age in ms.
    fn crossing(&mut self, expr: &Expr, ago: i64) {
        match expr {
            Expr::Aggregate {
                function: Function::Earliest | Function::Latest,
                events,
                value: None,
                ..
            } => {
                let crossings = events.steps.iter().map(|step| Dependency::EventAge {
                    event_type: step.event_type.clone(),
                    age_ms: ago,
                });
                self.inputs.extend(crossings);
            }
            Expr::Attribute { name, key: None } if self.as_of == Moment::NOW => {
                let name = name.clone();
                self.inputs.insert(Dependency::AttributeAge { name, age_ms: ago });
            }
            _ => {
                self.inputs.insert(Dependency::Time);
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Literal { value } => self.value(value),
            Expr::Property { .. } | Expr::EventChannel {} => {}
            Expr::Attribute { name, .. } => {
                self.inputs.insert(Dependency::Attribute(name.clone()));
                self.past_ms = self.past_ms.max(self.as_of.ago().unwrap_or(0));
            }
            Expr::Channels {} => {
                self.inputs.insert(Dependency::Channels(self.as_of));
            }
            Expr::Aggregate { events, value, .. } => {
                self.events(events);
                value.iter().for_each(|value| self.expr(value));
            }
            Expr::Elapsed { of } => {
                self.inputs.insert(Dependency::Time);
                self.expr(of);
            }
            Expr::Arith { left, right, .. } => [left, right].into_iter().for_each(|expr| self.expr(expr)),
            Expr::Default { expr, otherwise } => [expr, otherwise].into_iter().for_each(|expr| self.expr(expr)),
            Expr::Tile { expr, population, .. } => self.rank(expr, population.as_deref()),
            Expr::Case { tiers, otherwise } => {
                tiers.iter().for_each(|tier| self.cond(&tier.when));
                let values = tiers.iter().map(|tier| &tier.value).chain(otherwise);
                values.for_each(|value| self.value(value));
            }
            Expr::ByType { of } => of.iter().for_each(|one| self.expr(&one.value)),
            Expr::Lookup { catalog, key, .. } => {
                self.inputs.insert(Dependency::Catalog(catalog.clone()));
                self.lookups += 1;
                self.expr(key);
            }
            Expr::Person { expr } => self.expr(expr),
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Duration(Moment::At(ms)) => {
                self.durations_ms.insert(*ms);
            }
            Value::Duration(moment) => self.moment(*moment),
            _ => {}
        }
    }

    fn moment(&mut self, moment: Moment) {
        self.ages_ms.extend(moment.ago());
    }

    /// Visits an event query.
    fn events(&mut self, events: &plan::EventQuery) {
        self.steps(&events.steps.iter().collect::<Vec<_>>(), events.from, events.to);
    }

    /// Visits event filters within a window.
    fn steps(&mut self, steps: &[&EventFilter], from: Option<Moment>, to: Moment) {
        from.into_iter().chain([to]).for_each(|moment| self.moment(moment));
        for step in steps {
            self.inputs.insert(Dependency::Events(step.event_type.clone()));
            for ago in from.into_iter().chain([to]).filter_map(Moment::ago) {
                let event_type = step.event_type.clone();
                self.inputs.insert(Dependency::EventAge {
                    event_type,
                    age_ms: ago,
                });
            }
            step.filter.iter().for_each(|filter| self.cond(filter));
        }
    }
}
