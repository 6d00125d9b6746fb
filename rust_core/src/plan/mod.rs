//! The plan message (docs/plan.md): what the rule compiler hands to the engine. Every name is bound, every window an instant.

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
    /// `Error::Invalid` names the node that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Plan> {
        parse(bytes, "plan")
    }
}

impl Root {
    /// `Error::Invalid` names the node that is wrong.
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

/// Rules nest in each other, so people come to the reader's limit with few brackets of their own.
fn json_error(error: serde_json::Error) -> Error {
    let message = error.to_string();
    Error::Invalid(if message.contains("recursion limit") {
        "plan: too many conditions inside each other, those of named rules included (recursion limit); use fewer brackets"
            .into()
    } else {
        format!("plan: {message}")
    })
}

/// The innermost node that does not decode, and why.
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

/// Why a node with an `op` is neither a condition nor an expression.
fn decode_error(json: &Json) -> Option<String> {
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
            "plan.roots[0].cond.of.of[1]: no operator \"frob\""
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
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Plan::parse(&bytes);
        }
    }
}
