//! Binds a plan to a version of the index: resolves names, checks kinds and interns equal nodes. Errors contain the path of the node.

mod condition;
mod cost;
mod expr;
mod recency;
mod sequence;

use std::collections::HashMap;
use std::fmt;

use super::kernels::column::{Datum, Kind};
use super::program::{BoundRoot, Cond, CondId, ExprId, FilteredType, Program, RankSelection, Ranking};
use crate::error::{Error, Result};
use crate::index::columns::texts::normalise;
use crate::index::view::Version;
use crate::plan;
use crate::proto::schema::{Field, Type};

/// The path of a node in the plan message, for errors.
pub struct PlanPath<'p> {
    parent: Option<&'p PlanPath<'p>>,
    name: &'static str,
    index: Option<usize>,
}

impl PlanPath<'static> {
    /// The path of the message itself.
    pub const PLAN: PlanPath<'static> = PlanPath {
        parent: None,
        name: "plan",
        index: None,
    };
}

impl<'p> PlanPath<'p> {
    pub fn field(&'p self, name: &'static str) -> PlanPath<'p> {
        PlanPath {
            parent: Some(self),
            name,
            index: None,
        }
    }

    pub fn item(&'p self, name: &'static str, index: usize) -> PlanPath<'p> {
        PlanPath {
            parent: Some(self),
            name,
            index: Some(index),
        }
    }

    /// Returns an error with this path.
    pub fn invalid<T>(&self, problem: impl fmt::Display) -> Result<T> {
        Err(Error::Invalid(format!("{self}: {problem}")))
    }
}

impl fmt::Display for PlanPath<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(to, "{parent}.")?;
        }
        write!(to, "{}", self.name)?;
        self.index.map_or(Ok(()), |index| write!(to, "[{index}]"))
    }
}

/// The kind of rows that a condition is about: people, or events of these types.
#[derive(Clone, Copy)]
pub enum RowKind<'s> {
    People,
    Events(&'s [plan::EventFilter]),
}

/// Builds a program from the nodes of a plan.
pub struct Binder<'v> {
    pub version: &'v Version,
    pub program: Program,
    /// The scans by types, filters and window. A value that reads values of the person has a scan of its own: these values may come
    /// from a scan of the same events, and a scan must not depend on itself.
    pub scans: HashMap<(Vec<FilteredType>, i64, i64, Option<ExprId>), usize>,
    /// Set when a node reads a value of the person of an event.
    pub reads_person: bool,
    /// The highest level of the rankings bound so far.
    pub level: usize,
    /// The as-of of the current node: that of the plan, or of the `at` that contains the node.
    pub as_of: i64,
}

/// Binds a plan to a version; returns `Error::Invalid` with the path of a wrong node.
pub fn bind(version: &Version, plan: &plan::Plan) -> Result<Program> {
    let mut binder = Binder::new(version, plan.as_of);
    for (index, root) in plan.roots.iter().enumerate() {
        binder.root(root, &PlanPath::PLAN.item("roots", index))?;
    }
    Ok(binder.program)
}

/// Binds expressions over people. Returns a program without roots, and the id and kind of each expression.
pub fn bind_expressions(version: &Version, message: &plan::Expressions) -> Result<(Program, Vec<(ExprId, Kind)>)> {
    let mut binder = Binder::new(version, message.as_of);
    let bound = message.exprs.iter().enumerate();
    let bound =
        bound.map(|(index, expr)| binder.expr(expr, None, RowKind::People, &PlanPath::PLAN.item("exprs", index)));
    let bound = bound.collect::<Result<_>>()?;
    Ok((binder.program, bound))
}

impl<'v> Binder<'v> {
    pub fn new(version: &'v Version, as_of: i64) -> Binder<'v> {
        let program = Program {
            as_of,
            first_plan_code: version.texts.len() as u32,
            ..Program::default()
        };
        Binder {
            version,
            program,
            scans: HashMap::new(),
            reads_person: false,
            level: 0,
            as_of,
        }
    }
}

impl Binder<'_> {
    fn root(&mut self, root: &plan::Root, at: &PlanPath) -> Result<()> {
        let among = self.population(root.among.as_ref(), &at.field("among"))?;
        let cond = self.cond(&root.cond, RowKind::People, &at.field("cond"))?;
        let clauses = match (&root.cond, &self.program.conds[cond]) {
            (plan::Cond::All { .. }, Cond::All(clauses)) | (plan::Cond::Any { .. }, Cond::Any(clauses)) => {
                clauses.clone()
            }
            _ => vec![cond],
        };
        let clauses = clauses
            .into_iter()
            .map(|clause| self.program.clauses.intern((clause, among)));
        let clauses = clauses.collect();
        let parts = self.program.parts(cond);
        self.program.roots.push(BoundRoot {
            cond,
            parts,
            clauses,
            among,
        });
        Ok(())
    }

    /// Binds the condition that defines a population.
    pub fn population(&mut self, among: Option<&plan::Cond>, at: &PlanPath) -> Result<Option<CondId>> {
        among.map(|among| self.cond(among, RowKind::People, at)).transpose()
    }

    fn conds(&mut self, of: &[plan::Cond], row_kind: RowKind, at: &PlanPath) -> Result<Vec<CondId>> {
        of.iter()
            .enumerate()
            .map(|(index, cond)| self.cond(cond, row_kind, &at.item("of", index)))
            .collect()
    }

    /// Binds a condition on rows of a kind.
    pub fn cond(&mut self, cond: &plan::Cond, row_kind: RowKind, at: &PlanPath) -> Result<CondId> {
        let bound = match cond {
            plan::Cond::All { of } => Cond::All(self.conds(of, row_kind, at)?),
            plan::Cond::Any { of } => Cond::Any(self.conds(of, row_kind, at)?),
            plan::Cond::Not { of } => Cond::Not(self.cond(of, row_kind, &at.field("of"))?),
            plan::Cond::OrUnknown { of } => Cond::OrUnknown(self.cond(of, row_kind, &at.field("of"))?),
            plan::Cond::Constant { value } => Cond::Constant(*value),
            plan::Cond::Set { .. }
            | plan::Cond::At { .. }
            | plan::Cond::Happened { .. }
            | plan::Cond::Sequence { .. }
            | plan::Cond::Rank { .. }
            | plan::Cond::Sample { .. } => self.of_people(cond, row_kind, at)?,
            leaf => {
                let leaf = self.leaf(leaf, row_kind, at)?;
                self.as_item_condition(leaf)
            }
        };
        Ok(self.program.conds.intern(bound))
    }

    /// Binds a condition that only people can have.
    fn of_people(&mut self, cond: &plan::Cond, row_kind: RowKind, at: &PlanPath) -> Result<Cond> {
        if let RowKind::Events(_) = row_kind {
            return at.invalid("this is a condition on people; a filter of events cannot contain it");
        }
        match cond {
            plan::Cond::Set { of, among } => self.set(of, among.as_deref(), at),
            plan::Cond::At { as_of, of, among } => {
                let as_of = self.instant(*as_of);
                if as_of > self.as_of {
                    return at
                        .field("as_of")
                        .invalid("later than the `as_of` of the node that contains it");
                }
                let outer = std::mem::replace(&mut self.as_of, as_of);
                let set = self.set(of, among.as_deref(), at);
                self.as_of = outer;
                set
            }
            plan::Cond::Happened { events, min, max } => {
                let times = |count: u64| i64::try_from(count.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
                let count = self.measure(plan::Function::Count, events, None, None, at)?.0;
                Ok(Cond::Happened {
                    count,
                    min: times(*min),
                    max: max.map_or(i64::MAX, times),
                })
            }
            plan::Cond::Sequence { steps, by, from, to } => self.sequence(steps, by.as_ref(), (*from, *to), at),
            plan::Cond::Rank {
                expr,
                side,
                percent,
                count,
                population,
            } => {
                let selection = match (percent, count) {
                    (Some(percent), None) if (0..=1_000_000).contains(&percent.0) => RankSelection::Share {
                        side: *side,
                        millionths: percent.0,
                    },
                    (None, Some(count)) => RankSelection::Count {
                        side: *side,
                        count: *count,
                    },
                    (Some(_), None) => return at.invalid("`percent` is a fraction from 0 to 1"),
                    _ => return at.invalid("give either `percent` or `count`"),
                };
                Ok(Cond::Rank(self.ranking(expr, population.as_deref(), selection, at)?))
            }
            plan::Cond::Sample { seed, below } => Ok(Cond::Sample {
                seed: seed.clone(),
                below: below.0,
            }),
            _ => at.invalid("not a condition on people"),
        }
    }

    fn set(&mut self, of: &plan::Cond, among: Option<&plan::Cond>, at: &PlanPath) -> Result<Cond> {
        Ok(Cond::Set {
            among: self.population(among, &at.field("among"))?,
            of: self.cond(of, RowKind::People, &at.field("of"))?,
            as_of: self.as_of,
        })
    }

    /// Binds a ranking and returns its number. Raises the current level to that of the ranking.
    pub fn ranking(
        &mut self,
        expr: &plan::Expr,
        population: Option<&plan::Cond>,
        selection: RankSelection,
        at: &PlanPath,
    ) -> Result<usize> {
        let outer = std::mem::take(&mut self.level);
        let here = at.field("expr");
        let (expr, kind) = self.expr(expr, Some(Kind::Number), RowKind::People, &here)?;
        if !matches!(kind, Kind::Number | Kind::Instant | Kind::Date | Kind::Duration) {
            return here.invalid(format!("{} cannot be ranked", named(kind)));
        }
        let population = self.population(population, &at.field("population"))?;
        let level = self.level + 1;
        self.level = outer.max(level);
        Ok(self.program.rankings.intern(Ranking {
            expr,
            population,
            as_of: self.as_of,
            selection,
            level,
        }))
    }

    /// Returns the code of a text. Texts that are not in the dictionary get codes beyond it.
    pub fn code(&mut self, text: &str) -> u32 {
        let text = normalise(text);
        let known = self.version.texts.code(&text);
        known.unwrap_or_else(|| self.program.first_plan_code + self.program.plan_texts.intern(text.into_owned()) as u32)
    }
}

/// Returns whether a number has the form month * 100 + day.
pub fn is_month_day(day: u16) -> bool {
    (1..=12).contains(&(day / 100)) && (1..=31).contains(&(day % 100))
}

/// Returns the kind of a declared field; `None` for a map.
pub fn kind_of(field: &Field) -> Option<Kind> {
    match field.kind {
        Type::Bool => Some(Kind::Bool),
        Type::Number | Type::Money => Some(Kind::Number),
        Type::Text | Type::Enum => Some(Kind::Text),
        Type::Instant => Some(Kind::Instant),
        Type::Date => Some(Kind::Date),
        Type::MonthDay => Some(Kind::MonthDay),
        Type::Set => Some(Kind::Set),
        Type::Point => Some(Kind::Point),
        Type::Map => None,
    }
}

/// Returns the name of a kind for error messages.
pub fn named(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "true or false",
        Kind::Number => "a number",
        Kind::Text => "a text",
        Kind::Instant => "an instant",
        Kind::Date => "a date",
        Kind::MonthDay => "a month and day",
        Kind::Duration => "a duration",
        Kind::Set => "a set",
        Kind::Point => "a point",
        Kind::Any => "a map entry of unknown type",
    }
}

/// Binds a literal of the plan.
pub fn literal(binder: &mut Binder, value: &plan::Value, at: &PlanPath) -> Result<(Datum, Kind)> {
    Ok(match value {
        plan::Value::Num(number) => (Datum::Int(number.0), Kind::Number),
        plan::Value::Text(text) => (Datum::Code(binder.code(text)), Kind::Text),
        plan::Value::Bool(value) => (Datum::Bool(*value), Kind::Bool),
        plan::Value::Instant(ms) => (Datum::Int(*ms), Kind::Instant),
        plan::Value::Date(days) => (Datum::Int((*days).into()), Kind::Date),
        plan::Value::MonthDay(day) if !is_month_day(*day) => {
            return at.invalid(format!("{day} is not month * 100 + day"));
        }
        plan::Value::MonthDay(day) => (Datum::Int((*day).into()), Kind::MonthDay),
        plan::Value::Duration(ms) => (Datum::Int(binder.instant(*ms)), Kind::Duration),
        plan::Value::Point(point) => (Datum::Point(*point), Kind::Point),
    })
}
