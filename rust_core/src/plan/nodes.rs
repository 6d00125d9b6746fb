//! The nodes of a plan: conditions and expressions. docs/plan.md defines their meaning.

use serde::Deserialize;

use super::decimal::{Decimal, SampleBound};
use super::moment::Moment;
use super::operators::{Arith, Cmp, Function, Mode, Side, TextTest};
use super::values::{Value, YearDays};

/// A condition about a person, or about an event inside a filter.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Cond {
    All {
        of: Vec<Cond>,
    },
    Any {
        of: Vec<Cond>,
    },
    Not {
        of: Box<Cond>,
    },
    OrUnknown {
        of: Box<Cond>,
    },
    Set {
        of: Box<Cond>,
        among: Option<Box<Cond>>,
    },
    At {
        as_of: Moment,
        of: Box<Cond>,
        among: Option<Box<Cond>>,
    },
    Constant {
        value: bool,
    },
    Compare {
        cmp: Cmp,
        left: Expr,
        right: Expr,
    },
    In {
        expr: Expr,
        items: Vec<Expr>,
    },
    Has {
        mode: Mode,
        expr: Expr,
        items: Vec<Expr>,
    },
    Text {
        test: TextTest,
        expr: Expr,
        value: String,
    },
    Known {
        expr: Expr,
    },
    Unknown {
        expr: Expr,
    },
    Within {
        expr: Expr,
        from: Option<Moment>,
        to: Option<Moment>,
    },
    Anniversary {
        expr: Expr,
        years: Vec<YearDays>,
    },
    Near {
        expr: Expr,
        point: Expr,
        metres: f64,
    },
    Happened {
        events: EventQuery,
        min: u64,
        max: Option<u64>,
    },
    Sequence {
        steps: Vec<SequenceStep>,
        by: Option<Expr>,
        from: Option<Moment>,
        to: Moment,
    },
    Rank {
        expr: Expr,
        side: Side,
        percent: Option<Decimal>,
        count: Option<u64>,
        population: Option<Box<Cond>>,
    },
    Sample {
        seed: String,
        below: SampleBound,
    },
}

/// An expression about a person, or about an event inside a filter.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Expr {
    Literal {
        value: Value,
    },
    Attribute {
        name: String,
        key: Option<String>,
    },
    Channels {},
    Aggregate {
        #[serde(rename = "fn")]
        function: Function,
        events: EventQuery,
        value: Option<Box<Expr>>,
        day_starts: Option<Vec<i64>>,
    },
    Elapsed {
        of: Box<Expr>,
    },
    Arith {
        #[serde(rename = "fn")]
        function: Arith,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Default {
        expr: Box<Expr>,
        otherwise: Box<Expr>,
    },
    Tile {
        k: u32,
        expr: Box<Expr>,
        population: Option<Box<Cond>>,
    },
    Case {
        tiers: Vec<Tier>,
        otherwise: Option<Value>,
    },
    Property {
        name: String,
    },
    EventChannel {},
    ByType {
        of: Vec<TypeValue>,
    },
    Lookup {
        catalog: String,
        key: Box<Expr>,
        attribute: String,
    },
    Person {
        expr: Box<Expr>,
    },
}

/// Selects the events of a person by type, filter and time.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventQuery {
    /// The event types to select, each with its filter.
    pub steps: Vec<EventFilter>,
    /// The start of the window, inclusive; `None` for all history.
    pub from: Option<Moment>,
    /// The end of the window, exclusive.
    pub to: Moment,
}

/// An event type and the condition that its events must meet.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventFilter {
    #[serde(rename = "type")]
    pub event_type: String,
    #[serde(rename = "where")]
    pub filter: Option<Box<Cond>>,
}

/// One step of a sequence and its distance from the previous step.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequenceStep {
    /// The events that complete the step.
    pub events: Vec<EventFilter>,
    /// The minimum number of milliseconds since the previous step.
    pub after: Option<u64>,
    /// The maximum number of milliseconds since the previous step.
    pub within: Option<u64>,
    /// Events that must not occur between this step and the next one, or after the last step.
    pub without: Vec<EventFilter>,
}

/// The value of an expression for events of one type.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeValue {
    #[serde(rename = "type")]
    pub event_type: String,
    pub value: Expr,
}

/// A case of a `case` expression.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    pub when: Cond,
    pub value: Value,
}
