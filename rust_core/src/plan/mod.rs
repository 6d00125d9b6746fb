//! The plan message (docs/plan.md) that the rule compiler hands to the engine. All names are bound and all windows are instants.

mod decimal;
mod moment;
mod nodes;
mod operators;
mod values;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::error::{Error, Result};
pub use decimal::{Decimal, SampleBound};
pub use moment::Moment;
pub use nodes::{Cond, EventFilter, EventQuery, Expr, SequenceStep, Tier, TypeValue};
pub use operators::{Arith, Cmp, Function, Mode, Side, TextTest};
pub use values::{Value, YearDays};

/// Conditions to evaluate together at one instant.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The instant of evaluation, in milliseconds since the epoch, as every instant of a plan.
    pub as_of: i64,
    /// Conditions whose members are wanted.
    pub roots: Vec<Root>,
}

/// A named condition and the population within which it is evaluated.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// The name by which the answer refers to this condition.
    pub name: String,
    /// The condition that members meet.
    pub cond: Cond,
    /// The population; `None` stands for everybody who is known at the as-of.
    pub among: Option<Cond>,
}

/// Expressions of people to evaluate, instead of conditions.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expressions {
    pub as_of: i64,
    pub exprs: Vec<Expr>,
}

impl Expressions {
    /// `Error::Invalid` names the node that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Expressions> {
        parse(bytes, "plan")
    }
}

impl Plan {
    /// Parses a plan from JSON. Returns `Error::Invalid`, naming the invalid node, if it does not fit the format.
    pub fn parse(bytes: &[u8]) -> Result<Plan> {
        parse(bytes, "plan")
    }
}

impl Root {
    /// Parses a root from JSON. Returns `Error::Invalid`, naming the invalid node, if it does not fit the format.
    pub fn parse(bytes: &[u8]) -> Result<Root> {
        parse(bytes, "root")
    }
}

fn parse<T: for<'de> Deserialize<'de>>(bytes: &[u8], name: &str) -> Result<T> {
    let json: Json = serde_json::from_slice(bytes).map_err(json_error)?;
    T::deserialize(&json).map_err(|error| {
        let (path, detail) = find_invalid_node(&json, name).unwrap_or_else(|| (name.into(), error.to_string()));
        Error::Invalid(format!("{path}: {detail}"))
    })
}

/// Explains a JSON error. Named rules nest in each other, so an author reaches the recursion limit with few brackets of their own.
fn json_error(error: serde_json::Error) -> Error {
    let message = error.to_string();
    Error::Invalid(if message.contains("recursion limit") {
        "plan: conditions nest too deeply, including those of named rules (recursion limit); use fewer brackets".into()
    } else {
        format!("plan: {message}")
    })
}

/// Finds the innermost node that does not decode; returns its path and the error.
fn find_invalid_node(json: &Json, path: &str) -> Option<(String, String)> {
    let inner = match json {
        Json::Object(fields) => fields
            .iter()
            .find_map(|(name, field)| find_invalid_node(field, &format!("{path}.{name}"))),
        Json::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| find_invalid_node(item, &format!("{path}[{index}]"))),
        _ => None,
    };
    inner.or_else(|| Some((path.to_string(), decode_error(json)?)))
}

/// Returns why a node with an `op` is neither a condition nor an expression; `None` if it decodes.
fn decode_error(json: &Json) -> Option<String> {
    let op = json.get("op")?;
    let cond = Cond::deserialize(json).err()?.to_string();
    let expr = Expr::deserialize(json).err()?.to_string();
    match (cond.contains("unknown variant"), expr.contains("unknown variant")) {
        (true, true) => Some(format!("unknown operator {op}")),
        (true, false) => Some(expr),
        _ => Some(cond),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse_error(json: Json) -> String {
        Plan::parse(json.to_string().as_bytes()).unwrap_err().to_string()
    }

    fn root(cond: Json) -> Json {
        serde_json::json!({"as_of": 0, "roots": [{"name": "r", "cond": cond, "among": null}]})
    }

    #[test]
    fn an_error_names_the_innermost_node() {
        let bad = serde_json::json!({"op": "not", "of": {"op": "all", "of": [{"op": "constant", "value": true}, {"op": "frob"}]}});
        assert_eq!(
            parse_error(root(bad)),
            "plan.roots[0].cond.of.of[1]: unknown operator \"frob\""
        );
        let extra = serde_json::json!({"op": "not", "of": {"op": "constant", "value": true, "more": 1}});
        assert!(parse_error(root(extra)).starts_with("plan.roots[0].cond.of: unknown field `more`"));
        let number = serde_json::json!({"op": "known", "expr": {"op": "literal", "value": {"num": "1e3"}}});
        assert!(parse_error(root(number)).starts_with("plan.roots[0].cond.expr: `1e3` is not a decimal"));
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
                .contains("fewer brackets")
        );
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Plan::parse(&bytes);
        }
    }
}
