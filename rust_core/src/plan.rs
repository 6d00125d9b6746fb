//! The plan message (docs/plan.md): what the rule compiler hands to the engine. Every name is bound, every window an instant.

use serde::Deserialize;
use serde_json::Value as Json;

use crate::error::{Error, Result};

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Milliseconds since 1970 UTC, as every instant here.
    pub as_of: i64,
    pub roots: Vec<Root>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Root {
    pub name: String,
    pub cond: Cond,
    /// The population; without it the universe.
    pub among: Option<Cond>,
}

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
        as_of: i64,
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
        from: Option<i64>,
        to: Option<i64>,
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
        events: Events,
        min: u64,
        max: Option<u64>,
    },
    Sequence {
        steps: Vec<SequenceStep>,
        by: Option<Expr>,
        from: Option<i64>,
        to: i64,
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
        below: Below,
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
        events: Events,
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
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Value {
    Num(Decimal),
    Text(String),
    Bool(bool),
    Instant(i64),
    /// Days since 1970-01-01.
    Date(i32),
    /// month * 100 + day.
    MonthDay(u16),
    /// Milliseconds.
    Duration(i64),
    /// Latitude and longitude in degrees.
    Point([f64; 2]),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    pub steps: Vec<Step>,
    pub from: Option<i64>,
    pub to: i64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    #[serde(rename = "type")]
    pub event_type: String,
    #[serde(rename = "where")]
    pub filter: Option<Box<Cond>>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequenceStep {
    pub events: Vec<Step>,
    /// Least milliseconds since the step before.
    pub after: Option<u64>,
    /// Most milliseconds since the step before.
    pub within: Option<u64>,
    /// What does not happen between this step and the next, or after the last one.
    pub without: Vec<Step>,
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

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YearDays {
    pub year: i32,
    pub month_days: Vec<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
pub enum Cmp {
    #[serde(rename = "<")]
    Less,
    #[serde(rename = "<=")]
    AtMost,
    #[serde(rename = ">")]
    More,
    #[serde(rename = ">=")]
    AtLeast,
    #[serde(rename = "=")]
    Equal,
    #[serde(rename = "!=")]
    Differs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Any,
    All,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextTest {
    Contains,
    StartsWith,
    EndsWith,
    Matches,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Top,
    Bottom,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    Count,
    Sum,
    Avg,
    Min,
    Max,
    Median,
    Distinct,
    Days,
    Earliest,
    Latest,
    Most,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
pub enum Arith {
    #[serde(rename = "+")]
    Add,
    #[serde(rename = "-")]
    Subtract,
    #[serde(rename = "*")]
    Multiply,
    #[serde(rename = "/")]
    Divide,
}

/// A decimal of at most six fractional digits, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Decimal(pub i64);

/// The bound of a sample: hashes below it are in. A bound between two whole numbers is rounded up, which changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Below(pub u128);

/// Whole and fractional digits of `-?[0-9]+(\.[0-9]+)?`.
fn digits(text: &str) -> Option<(bool, &str, &str)> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (plain(whole) && plain(fraction)).then_some((negative, whole, fraction))
}

impl TryFrom<String> for Decimal {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        let millionths = || {
            let (negative, whole, fraction) = digits(&text).filter(|(_, _, fraction)| fraction.len() <= 6)?;
            let sign = if negative { "-" } else { "" };
            format!("{sign}{whole}{fraction:0<6}").parse().ok()
        };
        let wrong = || format!("`{text}` is not a decimal of at most six fractional digits within ±9·10^12");
        millionths().map(Decimal).ok_or_else(wrong)
    }
}

impl TryFrom<String> for Below {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        let bound = || {
            let (_, whole, fraction) = digits(&text).filter(|(negative, _, _)| !negative)?;
            let part = fraction.bytes().any(|digit| digit != b'0');
            whole.parse::<u128>().ok()?.checked_add(u128::from(part))
        };
        let within = bound().filter(|&below| below <= 1 << 64);
        within
            .map(Below)
            .ok_or_else(|| format!("`{text}` is not a number from 0 to 2^64"))
    }
}

impl Plan {
    /// `Error::Invalid` names the node that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Plan> {
        let json: Json = serde_json::from_slice(bytes).map_err(|error| Error::Invalid(format!("plan: {error}")))?;
        Plan::deserialize(&json).map_err(|error| {
            let (path, detail) = locate(&json, "plan").unwrap_or_else(|| ("plan".into(), error.to_string()));
            Error::Invalid(format!("{path}: {detail}"))
        })
    }
}

/// The innermost node that does not decode, and why.
fn locate(json: &Json, path: &str) -> Option<(String, String)> {
    let inner = match json {
        Json::Object(fields) => fields
            .iter()
            .find_map(|(name, field)| locate(field, &format!("{path}.{name}"))),
        Json::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| locate(item, &format!("{path}[{index}]"))),
        _ => None,
    };
    inner.or_else(|| Some((path.to_string(), refusal(json)?)))
}

/// Why a node with an `op` is neither a condition nor an expression.
fn refusal(json: &Json) -> Option<String> {
    let op = json.get("op")?;
    let cond = Cond::deserialize(json).err()?.to_string();
    let expr = Expr::deserialize(json).err()?.to_string();
    match (cond.contains("unknown variant"), expr.contains("unknown variant")) {
        (true, true) => Some(format!("no operator {op}")),
        (true, false) => Some(expr),
        _ => Some(cond),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(json: Json) -> String {
        Plan::parse(json.to_string().as_bytes()).unwrap_err().to_string()
    }

    fn root(cond: Json) -> Json {
        serde_json::json!({"as_of": 0, "roots": [{"name": "r", "cond": cond, "among": null}]})
    }

    #[test]
    fn an_error_names_the_innermost_node() {
        let bad = serde_json::json!({"op": "not", "of": {"op": "all", "of": [{"op": "constant", "value": true}, {"op": "frob"}]}});
        assert_eq!(refused(root(bad)), "plan.roots[0].cond.of.of[1]: no operator \"frob\"");
        let extra = serde_json::json!({"op": "not", "of": {"op": "constant", "value": true, "more": 1}});
        assert!(refused(root(extra)).starts_with("plan.roots[0].cond.of: unknown field `more`"));
        let number = serde_json::json!({"op": "known", "expr": {"op": "literal", "value": {"num": "1e3"}}});
        assert!(refused(root(number)).starts_with("plan.roots[0].cond.expr: `1e3` is not a decimal"));
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_crash() {
        let mut text = String::from("{\"op\":\"constant\",\"value\":true}");
        for _ in 0..100_000 {
            text = format!("{{\"op\":\"not\",\"of\":{text}}}");
            if text.len() > 200_000 {
                break;
            }
        }
        let plan = format!("{{\"as_of\":0,\"roots\":[{{\"name\":\"r\",\"cond\":{text},\"among\":null}}]}}");
        assert!(
            Plan::parse(plan.as_bytes())
                .unwrap_err()
                .to_string()
                .contains("recursion")
        );
    }

    #[test]
    fn a_sample_bound_between_whole_numbers_rounds_up() {
        assert_eq!(Below::try_from("1.5".to_string()), Ok(Below(2)));
        assert_eq!(Below::try_from("18446744073709551616".to_string()), Ok(Below(1 << 64)));
        assert!(Below::try_from("18446744073709551617".to_string()).is_err());
        assert!(Below::try_from("-1".to_string()).is_err());
    }

    proptest! {
        #[test]
        fn decimals_are_read_exactly(millionths in any::<i64>()) {
            let sign = if millionths < 0 { "-" } else { "" };
            let size = millionths.unsigned_abs();
            let text = format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000);
            prop_assert_eq!(Decimal::try_from(text), Ok(Decimal(millionths)));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Plan::parse(&bytes);
        }
    }
}
