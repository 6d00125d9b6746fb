//! Evaluates single conditions for the tests.

use serde_json::{Value as Json, json};

use super::random::AS_OF;
use super::world::World;
use crate::error::Error;
use crate::eval::{Answer, evaluate};
use crate::index::view::Version;
use crate::plan::Plan;

/// Returns a plan with one root, `r`, evaluated at `AS_OF`.
pub fn plan_of(cond: &Json) -> Json {
    plan_among(cond, &Json::Null)
}

/// Like `plan_of`, for a population.
pub fn plan_among(cond: &Json, among: &Json) -> Json {
    json!({"as_of": AS_OF, "roots": [{"name": "r", "cond": cond, "among": among}]})
}

pub fn parse(plan: &Json) -> Plan {
    Plan::parse(plan.to_string().as_bytes()).unwrap()
}

/// Evaluates a plan; panics with the plan if it is rejected.
pub fn answer(version: &Version, plan: &Json) -> Answer {
    evaluate(version, plan.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}\n{plan}"))
}

/// Returns the message with which a condition is rejected as invalid.
pub fn rejection(world: &World, cond: &Json) -> String {
    match evaluate(&world.version(), plan_of(cond).to_string().as_bytes()) {
        Err(error @ (Error::Invalid(_) | Error::InvalidPattern { .. })) => error.to_string(),
        Err(other) => panic!("the condition failed with another error: {other}"),
        Ok(_) => panic!("the condition was evaluated"),
    }
}
