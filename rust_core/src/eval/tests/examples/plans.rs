//! Plans as a whole: what is counted of them and what is refused.

use serde_json::{Value as Json, json};

use super::ask::{
    ONE, aggregate, any_order, ask, attribute, balances, compare, known, number, people, rank, refused, text, tile,
};
use crate::eval::evaluate;
use crate::eval::tests::random::AS_OF;
use crate::eval::tests::world::World;

#[test]
fn clauses_are_counted_each_on_its_own() {
    let world = balances(&[Some(ONE), Some(2 * ONE), None]);
    let of = [
        compare(attribute("balance"), ">", number("1")),
        json!({"op": "constant", "value": false}),
    ];
    let plan = json!({"as_of": AS_OF, "roots": [{"name": "r", "cond": {"op": "all", "of": of}, "among": null}]});
    let answer = evaluate(&world.version(), plan.to_string().as_bytes()).unwrap();
    assert_eq!(answer.roots[0].clauses, [(1, 1), (0, 0)]);
    assert_eq!(
        (answer.roots[0].matched, answer.roots[0].unknown, answer.universe),
        (0, 0, 3)
    );
    // Nobody at all is an answer too.
    let nobody = evaluate(&World::default().version(), plan.to_string().as_bytes()).unwrap();
    assert_eq!((nobody.roots[0].clauses.len(), nobody.universe), (2, 0));
}

#[test]
fn what_does_not_fit_is_refused_by_the_name_of_its_node() {
    let world = people(1);
    let property = json!({"op": "property", "name": "amount"});
    let events = |filter: Json| json!({"op": "happened", "events": any_order(filter), "min": 1, "max": null});
    let mut twice = events(Json::Null);
    twice["events"]["steps"] = json!([{"type": "order", "where": null}, {"type": "order", "where": null}]);
    let mut late = events(Json::Null);
    late["events"]["to"] = json!(AS_OF + 1);
    for (cond, message) in [
        (
            known(attribute("nose")),
            "plan.roots[0].cond.expr: attribute `nose` is not declared",
        ),
        (
            known(property.clone()),
            "plan.roots[0].cond.expr: this is about an event",
        ),
        (
            compare(attribute("city"), "<", text("a")),
            "plan.roots[0].cond: a text has no order",
        ),
        (
            compare(attribute("city"), "=", number("1")),
            "plan.roots[0].cond: a text stands beside a number",
        ),
        (
            events(events(Json::Null)),
            "plan.roots[0].cond.events.steps[0].where: this is about people",
        ),
        (
            events(known(attribute("city"))),
            "plan.roots[0].cond.events.steps[0].where.expr: this is about people",
        ),
        (
            twice,
            "plan.roots[0].cond.events.steps[1]: event type `order` stands twice",
        ),
        (late, "plan.roots[0].cond.events.to: after the plan's `as_of`"),
        (
            known(aggregate("sum", "", Json::Null)),
            "plan.roots[0].cond.expr: takes numbers, not nothing",
        ),
        (
            known(aggregate("sum", "product", Json::Null)),
            "plan.roots[0].cond.expr: takes numbers, not a text",
        ),
        (
            rank("top", json!("1.1"), Json::Null),
            "plan.roots[0].cond: `percent` is a fraction",
        ),
        (rank("top", Json::Null, Json::Null), "plan.roots[0].cond: give either"),
        (known(tile(0, Json::Null)), "plan.roots[0].cond.expr.k: from 1"),
    ] {
        let refusal = refused(&world, cond);
        assert!(refusal.starts_with(message), "{refusal}");
    }
}

#[test]
fn the_deepest_plan_that_is_read_is_answered() {
    let mut cond = json!({"op": "constant", "value": true});
    for _ in 0..122 {
        cond = json!({"op": "not", "of": cond});
    }
    assert_eq!(ask(&people(2), cond.clone()), (vec![0, 1], 0));
    for _ in 0..10 {
        cond = json!({"op": "not", "of": cond});
    }
    assert!(refused(&people(2), cond).contains("recursion limit"));
}
