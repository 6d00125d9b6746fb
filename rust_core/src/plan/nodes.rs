//! Conditions and expressions: the nodes of a plan, which hold each other.

use serde::Deserialize;

use super::decimal::{Decimal, SampleBound};
use super::moment::Moment;
use super::operators::{Arith, Cmp, Function, Mode, Side, TextTest};
use super::values::{Value, YearDays};

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

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventQuery {
    pub steps: Vec<EventFilter>,
    pub from: Option<Moment>,
    pub to: Moment,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventFilter {
    #[serde(rename = "type")]
    pub event_type: String,
    #[serde(rename = "where")]
    pub filter: Option<Box<Cond>>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequenceStep {
    pub events: Vec<EventFilter>,
    /// Least milliseconds since the step before.
    pub after: Option<u64>,
    /// Most milliseconds since the step before.
    pub within: Option<u64>,
    /// What does not happen between this step and the next, or after the last one.
    pub without: Vec<EventFilter>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeValue {
    #[serde(rename = "type")]
    pub event_type: String,
    pub value: Expr,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    pub when: Cond,
    pub value: Value,
}
