//! Examples of whole plans: counted clauses and rejected plans.

use serde_json::{Value as Json, json};

use super::fixtures::{
    ONE, aggregate, any_order, attribute, balances, compare, evaluate_cond, known, number, people, rank, text, tile,
};
use crate::eval::tests::queries::{answer, plan_of, rejection};
use crate::eval::tests::random::AS_OF;
use crate::eval::tests::world::World;

#[test]
fn each_clause_is_counted_independently() {
    let world = balances(&[Some(ONE), Some(2 * ONE), None]);
    let of = [
        compare(attribute("balance"), ">", number("1")),
        json!({"op": "constant", "value": false}),
    ];
    let plan = plan_of(&json!({"op": "all", "of": of}));
    let of_world = answer(&world.version(), &plan);
    assert_eq!(of_world.roots[0].clauses, [(1, 1), (0, 0)]);
    assert_eq!(
        (of_world.roots[0].matched, of_world.roots[0].unknown, of_world.universe),
        (0, 0, 3)
    );
    let of_empty_index = answer(&World::default().version(), &plan);
    assert_eq!((of_empty_index.roots[0].clauses.len(), of_empty_index.universe), (2, 0));
}

#[test]
fn an_invalid_plan_is_rejected_with_the_path_of_the_node() {
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
            "plan.roots[0].cond.expr: this is an expression over an event",
        ),
        (
            compare(attribute("city"), "<", text("a")),
            "plan.roots[0].cond: a text has no order",
        ),
        (
            compare(attribute("city"), "=", number("1")),
            "plan.roots[0].cond: a text and a number cannot be combined",
        ),
        (
            events(events(Json::Null)),
            "plan.roots[0].cond.events.steps[0].where: this is a condition on people",
        ),
        (
            events(known(attribute("city"))),
            "plan.roots[0].cond.events.steps[0].where.expr: this is an expression over people",
        ),
        (
            twice,
            "plan.roots[0].cond.events.steps[1]: event type `order` is listed twice",
        ),
        (late, "plan.roots[0].cond.events.to: later than the `as_of` of the plan"),
        (
            known(aggregate("sum", "", Json::Null)),
            "plan.roots[0].cond.expr: expected numbers, found no value",
        ),
        (
            known(aggregate("sum", "product", Json::Null)),
            "plan.roots[0].cond.expr: expected numbers, found a text",
        ),
        (
            rank("top", json!("1.1"), Json::Null),
            "plan.roots[0].cond: `percent` is a fraction",
        ),
        (rank("top", Json::Null, Json::Null), "plan.roots[0].cond: give either"),
        (
            known(tile(0, Json::Null)),
            "plan.roots[0].cond.expr.k: the number of tiles must be from 1",
        ),
    ] {
        let rejection = rejection(&world, &cond);
        assert!(rejection.starts_with(message), "{rejection}");
    }
}

#[test]
fn the_deepest_allowed_plan_is_evaluated() {
    let mut cond = json!({"op": "constant", "value": true});
    for _ in 0..122 {
        cond = json!({"op": "not", "of": cond});
    }
    assert_eq!(evaluate_cond(&people(2), cond.clone()), (vec![0, 1], 0));
    for _ in 0..10 {
        cond = json!({"op": "not", "of": cond});
    }
    assert!(rejection(&people(2), &cond).contains("recursion limit"));
}
