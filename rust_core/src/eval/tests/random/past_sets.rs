//! Random sets of people at a past instant.

use serde_json::{Value as Json, json};

use super::conditions::cond;
use super::draw::{AS_OF, Random, instant};
use super::expressions::RowKind;

/// Draws an `at` node whose instant is not later than `AS_OF`; no instant inside it is later than its own.
pub fn past_set(random: &mut Random, depth: usize) -> Json {
    let as_of = instant(random).min(AS_OF);
    let (mut of, mut among) = (cond(random, RowKind::People, depth), Json::Null);
    if random.chance(40) {
        among = cond(random, RowKind::People, depth);
    }
    clamp_instants(&mut of, as_of);
    clamp_instants(&mut among, as_of);
    json!({"op": "at", "as_of": as_of, "of": of, "among": among})
}

/// Replaces ends of event windows and instants of `at` nodes that are later than `as_of` by `as_of`.
fn clamp_instants(node: &mut Json, as_of: i64) {
    match node {
        Json::Array(items) => items.iter_mut().for_each(|item| clamp_instants(item, as_of)),
        Json::Object(fields) => {
            let is_event_window = fields.contains_key("steps");
            for (name, field) in fields {
                match field.as_i64() {
                    Some(ms) if name == "as_of" || (name == "to" && is_event_window) => *field = json!(ms.min(as_of)),
                    _ => clamp_instants(field, as_of),
                }
            }
        }
        _ => {}
    }
}
