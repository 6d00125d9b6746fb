//! The oracle: a slow, simple evaluator that the engine must agree with.
//!
//! It evaluates one person and one event at a time, and is written from docs/plan.md and docs/rules/semantics.md only. It shares the types of the plan
//! with the engine, but no evaluation code.

mod aggregate;
mod assignment;
mod conditions;
mod events;
mod expressions;
mod sequences;
mod value;

pub use self::value::{Fraction, OracleValue};
use super::random::AS_OF;
use super::world::{Event, Person, World};
use crate::plan::{Cond, Expr, Plan, Root};

/// The scope in which an expression is evaluated: a person, or an event of a person.
#[derive(Clone, Copy)]
struct Row<'w> {
    person: &'w Person,
    event: Option<&'w Event>,
}

impl<'w> Row<'w> {
    fn of_person(person: &'w Person) -> Row<'w> {
        Row { person, event: None }
    }

    fn of_event(person: &'w Person, event: &'w Event) -> Row<'w> {
        Row {
            person,
            event: Some(event),
        }
    }
}

/// Evaluates plans against a world at an instant.
pub struct Oracle<'w> {
    world: &'w World,
    /// The instant of the evaluation; inside an `at` node, the instant of that node.
    as_of: i64,
    /// The as-of of the plan, to which relative instants refer.
    plan_as_of: i64,
}

/// The people for whom a condition is true and unknown, in order of their ids, and both counts for each clause.
#[derive(Debug, PartialEq, Default)]
pub struct Members {
    pub matched: Vec<u64>,
    pub unknown: Vec<u64>,
    pub clauses: Vec<(u64, u64)>,
}

impl<'w> Oracle<'w> {
    /// Evaluates at `AS_OF`, the as-of of random plans.
    pub fn new(world: &'w World) -> Oracle<'w> {
        Oracle {
            world,
            as_of: AS_OF,
            plan_as_of: AS_OF,
        }
    }

    /// Evaluates one root of a plan.
    pub fn root(world: &World, plan: &Plan, root: &Root) -> Members {
        let oracle = Oracle {
            world,
            as_of: plan.as_of,
            plan_as_of: plan.as_of,
        };
        let clauses = match &root.cond {
            Cond::All { of } | Cond::Any { of } => of.iter().collect(),
            one => vec![one],
        };
        let population: Vec<&Person> = oracle.population(root.among.as_ref()).collect();
        let count = |clause: &Cond| {
            let members = oracle.members(clause, &population);
            (members.matched.len() as u64, members.unknown.len() as u64)
        };
        Members {
            clauses: clauses.into_iter().map(count).collect(),
            ..oracle.members(&root.cond, &population)
        }
    }

    /// Returns the people whose first record occurred before the as-of.
    pub fn universe(&self) -> impl Iterator<Item = &'w Person> {
        let as_of = self.as_of;
        self.world
            .people
            .iter()
            .filter(move |person| person.first_record < as_of)
    }

    pub fn is_in_universe(&self, person: &Person) -> bool {
        self.universe().any(|other| other.id() == person.id())
    }

    /// Evaluates an expression of people.
    pub fn value(&self, expr: &Expr, person: &Person) -> Option<OracleValue> {
        self.expr(expr, Row::of_person(person))
    }

    /// Evaluates an expression in the scope of an event.
    pub fn value_of_event(&self, expr: &Expr, person: &Person, event: &Event) -> Option<OracleValue> {
        self.expr(expr, Row::of_event(person, event))
    }

    /// Evaluates a condition for a population, without its clauses.
    fn members(&self, cond: &Cond, population: &[&Person]) -> Members {
        let mut members = Members::default();
        for person in population {
            match self.cond(cond, Row::of_person(person)) {
                Some(true) => members.matched.push(person.id()),
                None => members.unknown.push(person.id()),
                Some(false) => {}
            }
        }
        members.matched.sort_unstable();
        members.unknown.sort_unstable();
        members
    }

    fn population(&self, population: Option<&Cond>) -> impl Iterator<Item = &'w Person> {
        self.universe()
            .filter(move |person| self.is_true_or_absent(population, person))
    }

    fn is_in_population(&self, population: Option<&Cond>, person: &Person) -> bool {
        person.first_record < self.as_of && self.is_true_or_absent(population, person)
    }

    fn is_in_set(&self, of: &Cond, population: Option<&Cond>, person: &Person) -> bool {
        self.is_in_population(population, person) && self.is_true(of, person)
    }

    fn is_true_or_absent(&self, cond: Option<&Cond>, person: &Person) -> bool {
        cond.is_none_or(|cond| self.is_true(cond, person))
    }

    fn is_true(&self, cond: &Cond, person: &Person) -> bool {
        self.cond(cond, Row::of_person(person)) == Some(true)
    }

    /// Returns the known values of a population.
    fn known_values(&self, expr: &Expr, population: Option<&Cond>) -> Vec<OracleValue> {
        self.population(population)
            .filter_map(|person| self.value(expr, person))
            .collect()
    }
}
