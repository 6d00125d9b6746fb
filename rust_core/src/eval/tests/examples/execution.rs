//! Examples of limits, cancellation and explained costs.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::error::Error;
use crate::eval::limits::Limits;
use crate::eval::program::Program;
use crate::eval::query::Query;
use crate::eval::task::tasks;
use crate::eval::tests::queries::plan_of;
use crate::eval::tests::random::{AS_OF, world};
use crate::eval::{evaluate_within, explain, run_parallel};
use crate::index::view::day_of;

#[test]
fn a_cancelled_query_returns_no_answer() {
    let limits = Limits::none();
    limits.cancelled.store(true, Ordering::Relaxed);
    let plan = plan_of(&json!({"op": "constant", "value": true})).to_string();
    let answer = evaluate_within(&world(1).version(), plan.as_bytes(), &limits);
    assert!(matches!(answer, Err(Error::Cancelled)));
}

#[test]
fn a_query_beyond_its_memory_limit_is_rejected() {
    let amount = json!({"op": "property", "name": "amount"});
    let events = json!({"steps": [{"type": "order", "where": null}], "from": null, "to": AS_OF});
    let sum = json!({"op": "aggregate", "fn": "sum", "events": events, "value": amount, "day_starts": null});
    let one = json!({"op": "literal", "value": {"num": "1"}});
    let plan = plan_of(&json!({"op": "compare", "cmp": ">", "left": sum, "right": one})).to_string();
    let version = world(1).version();
    let people = version
        .partitions
        .values()
        .map(|partition| u64::from(partition.people))
        .max()
        .unwrap();
    let evaluate = |bytes| {
        let limits = Limits {
            bytes,
            ..Limits::none()
        };
        evaluate_within(&version, plan.as_bytes(), &limits)
    };
    // The sums take eight bytes for each person of the largest partition.
    assert!(matches!(evaluate(8 * people - 1), Err(Error::OverBudget { .. })));
    assert!(evaluate(1 << 20).is_ok());
}

#[test]
fn cancellation_stops_the_evaluation_of_further_blocks() {
    let (version, program, limits) = (world(1).version(), Program::default(), Limits::none());
    let query = Query::new(&version, &program, &limits);
    let task = tasks(&version)[0];
    let evaluated_blocks = AtomicUsize::new(0);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let answer = pool.install(|| {
        run_parallel(&query, &[task; 5], |_| {
            if evaluated_blocks.fetch_add(1, Ordering::Relaxed) == 2 {
                limits.cancelled.store(true, Ordering::Relaxed);
            }
            Ok(())
        })
    });
    assert!(matches!(answer, Err(Error::Cancelled)));
    assert_eq!(evaluated_blocks.into_inner(), 3);
}

#[test]
fn explain_lists_what_each_condition_reads() {
    let version = world(1).version();
    let city = json!({"op": "known", "expr": {"op": "attribute", "name": "city", "key": null}});
    let ordered = json!({"op": "happened", "events": {"steps": [{"type": "order", "where": null}], "from": null, "to": AS_OF}, "min": 2, "max": null});
    let cond = json!({"op": "all", "of": [city, {"op": "not", "of": ordered}, {"op": "constant", "value": true}]});
    let (_, explanation) = explain(&version, plan_of(&cond).to_string().as_bytes(), &Limits::none()).unwrap();
    let node = |op: &str| explanation.nodes.iter().position(|node| node.op == op).unwrap();
    let of = |op: &str| &explanation.nodes[node(op)];
    assert_eq!(explanation.roots, [node("all")]);
    assert_eq!(of("all").of, [node("known"), node("not"), node("constant")]);
    assert_eq!(of("not").of, [node("happened")]);
    assert_eq!(
        (&of("known").reads[..], &of("happened").reads[..]),
        (&["city".into()][..], &["order".into()][..])
    );
    let blocks = tasks(&version).len() as u64;
    assert_eq!(
        (of("constant").evaluated, of("constant").unread, of("constant").bytes),
        (blocks, blocks, 0)
    );
    assert!(of("known").unread == 0 && of("known").bytes > 0);
    // Events of the last day are read one by one.
    let orders = version
        .partitions
        .values()
        .filter_map(|partition| partition.events.get("order"));
    let keys = orders.flat_map(|events| &events.runs).flat_map(|run| run.keys());
    assert_eq!(
        of("happened").rows,
        keys.filter(|key| key.day() <= day_of(AS_OF - 1)).count() as u64
    );
}
