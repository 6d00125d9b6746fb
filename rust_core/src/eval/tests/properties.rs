//! Properties of the evaluator, and its equality with the oracle, over random worlds and plans.

use std::sync::atomic::Ordering;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::naive::{Members, Naive};
use super::random::{AS_OF, Random, RowKind, cond, events, expr, plan, world};
use super::world::World;
use crate::error::Error;
use crate::eval::kernels::simd_loops::PORTABLE;
use crate::eval::{
    Answer, BlockSelection, Limits, RootAnswer, evaluate, evaluate_blocks, evaluate_within, explain, find, verdicts,
};
use crate::index::view::{BLOCK, Version, ordinal_of, partition_of, person_of};
use crate::plan::Plan;

fn run(world: &World, plan: &Json) -> Answer {
    ask(&world.version(), plan)
}

fn ask(version: &Version, plan: &Json) -> Answer {
    evaluate(version, plan.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}\n{plan}"))
}

fn root(cond: &Json) -> Json {
    json!({"name": "root", "cond": cond, "among": null})
}

fn members(answer: &Answer, root: usize) -> Vec<u64> {
    answer.roots[root].members().iter().collect()
}

/// The result of a root: members, the count of unknowns, and the counts of its clauses.
type Outcome = (Vec<u8>, u64, Vec<(u64, u64)>);

/// Returns the whole answer except its time.
fn outcome(answer: &Answer) -> (u64, Vec<Outcome>) {
    let root = |root: &RootAnswer| (root.people.roaring().unwrap(), root.unknown, root.clauses.clone());
    (answer.universe, answer.roots.iter().map(root).collect())
}

/// Returns the people for whom a condition is unknown, found without the counts of the answer.
fn unknowns(version: &Version, cond: &Json, among: &Json) -> Vec<u64> {
    let possible = json!({"op": "or_unknown", "of": cond});
    let only = json!({"op": "all", "of": [possible, {"op": "not", "of": {"op": "set", "of": cond, "among": null}}]});
    members(
        &ask(
            version,
            &json!({"as_of": AS_OF, "roots": [{"name": "u", "cond": only, "among": among}]}),
        ),
        0,
    )
}

/// Replaces some instants of a plan by their distance from the as-of.
fn make_relative(json: &mut Json, random: &mut Random) {
    match json {
        Json::Object(fields) => {
            for (name, field) in fields {
                let is_instant = matches!(name.as_str(), "from" | "to" | "as_of" | "duration");
                match field.as_i64().filter(|_| is_instant && random.below(2) == 0) {
                    Some(ms) => *field = json!({"ago": AS_OF - ms}),
                    None => make_relative(field, random),
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| make_relative(item, random)),
        _ => {}
    }
}

fn parsed(json: &Json) -> Plan {
    Plan::parse(json.to_string().as_bytes()).unwrap()
}

/// Selects random blocks: all rows of some, random rows of others.
fn random_selections(version: &Version, random: &mut Random) -> Vec<BlockSelection> {
    let mut wanted = Vec::new();
    for partition in version.partitions.values() {
        for block in 0..partition.people.div_ceil(BLOCK) {
            let people = (partition.people - block * BLOCK).min(BLOCK);
            let rows = match random.below(3) {
                0 => continue,
                1 => None,
                _ => Some(
                    (0..people)
                        .map(|row| row as u16)
                        .filter(|_| random.chance(30))
                        .collect(),
                ),
            };
            let partition = partition.number;
            wanted.push(BlockSelection { partition, block, rows });
        }
    }
    wanted
}

/// Checks that a version answers a plan as the oracle answers it for a world.
pub fn check(version: &Version, world: &World, json: &Json) -> Result<(), TestCaseError> {
    let plan = Plan::parse(json.to_string().as_bytes()).unwrap();
    let answer = ask(version, json);
    let only_members = find(version, json.to_string().as_bytes(), &Limits::none()).unwrap();
    for (number, root) in plan.roots.iter().enumerate() {
        prop_assert_eq!(members(&only_members, number), members(&answer, number), "{}", json);
        let expected = Naive::root(world, &plan, root);
        let got = &answer.roots[number];
        let source = &json["roots"][number];
        let found = Members {
            matched: members(&answer, number),
            unknown: unknowns(version, &source["cond"], &source["among"]),
            clauses: got.clauses.clone(),
        };
        prop_assert_eq!(got.unknown, found.unknown.len() as u64);
        prop_assert_eq!(found, expected, "{}", json);
    }
    let naive = Naive {
        world,
        as_of: AS_OF,
        asked_at: AS_OF,
    };
    prop_assert_eq!(answer.universe, naive.universe().count() as u64);
    Ok(())
}

proptest! {
    #![proptest_config(crate::testing::cases(256))]

    #[test]
    fn answers_equal_the_oracle(seed in any::<u64>()) {
        let (world, json) = (world(seed), plan(seed));
        check(&world.version(), &world, &json)?;
    }

    #[test]
    fn a_condition_and_its_negation_partition_the_known_people(seed in any::<u64>()) {
        let world = world(seed);
        let of = cond(&mut Random(seed), RowKind::People, 2);
        let answer = run(&world, &json!({"as_of": AS_OF, "roots": [root(&of), root(&json!({"op": "not", "of": of}))]}));
        let (yes, no) = (&answer.roots[0], &answer.roots[1]);
        prop_assert!(yes.members().is_disjoint(&no.members()));
        prop_assert_eq!(yes.unknown, no.unknown);
        prop_assert_eq!(yes.matched + no.matched + yes.unknown, answer.universe);
    }

    #[test]
    fn splitting_a_window_preserves_counts(seed in any::<u64>(), cut in 0..AS_OF) {
        let world = world(seed);
        let mut whole = events(&mut Random(seed), 1);
        (whole["from"], whole["to"]) = (Json::Null, json!(AS_OF));
        let (mut before, mut after) = (whole.clone(), whole.clone());
        (before["to"], after["from"]) = (json!(cut), json!(cut));
        let count = |events: &Json| json!({"op": "aggregate", "fn": "count", "events": events, "value": null, "day_starts": null});
        let sum = json!({"op": "arith", "fn": "+", "left": count(&before), "right": count(&after)});
        let equal = json!({"op": "compare", "cmp": "=", "left": sum, "right": count(&whole)});
        let answer = run(&world, &json!({"as_of": AS_OF, "roots": [root(&equal)]}));
        prop_assert_eq!(answer.roots[0].matched, answer.universe);
    }

    #[test]
    fn instants_relative_to_the_as_of_equal_absolute_ones(seed in any::<u64>()) {
        let (world, plan) = (world(seed), plan(seed));
        let mut moving = plan.clone();
        let mut random = Random(seed);
        moving["roots"].as_array_mut().unwrap().iter_mut().for_each(|root| make_relative(root, &mut random));
        let (fixed, moving) = (run(&world, &plan), run(&world, &moving));
        for (number, root) in fixed.roots.iter().enumerate() {
            prop_assert_eq!(members(&fixed, number), members(&moving, number));
            prop_assert_eq!(&root.clauses, &moving.roots[number].clauses);
        }
    }

    #[test]
    fn a_smaller_sample_is_a_subset_of_a_larger_one(seed in any::<u64>(), a in any::<u64>(), b in any::<u64>()) {
        let sample = |below: u64| root(&json!({"op": "sample", "seed": "s", "below": below.to_string()}));
        let answer = run(&world(seed), &json!({"as_of": AS_OF, "roots": [sample(a.min(b)), sample(a.max(b))]}));
        prop_assert!(answer.roots[0].members().is_subset(&answer.roots[1].members()));
    }

    #[test]
    fn the_order_of_clauses_does_not_change_answers(seed in any::<u64>()) {
        let (world, mut random) = (world(seed), Random(seed));
        let of: Vec<Json> = (0..3).map(|_| cond(&mut random, RowKind::People, 2)).collect();
        let turned: Vec<&Json> = of.iter().rev().collect();
        for op in ["all", "any"] {
            let roots = [root(&json!({"op": op, "of": of})), root(&json!({"op": op, "of": turned}))];
            let answer = run(&world, &json!({"as_of": AS_OF, "roots": roots}));
            prop_assert_eq!(answer.roots[0].members(), answer.roots[1].members());
            prop_assert_eq!(answer.roots[0].unknown, answer.roots[1].unknown);
            prop_assert!(answer.roots[0].clauses.iter().eq(answer.roots[1].clauses.iter().rev()));
        }
    }

    #[test]
    fn threads_and_wide_instructions_do_not_change_answers(seed in any::<u64>()) {
        let (version, plan) = (world(seed).version(), plan(seed).to_string());
        let answers = [(1, false), (2, false), (1, true), (2, true)].map(|(threads, portable)| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).start_handler(move |_| PORTABLE.set(portable));
            outcome(&pool.build().unwrap().install(|| evaluate(&version, plan.as_bytes())).unwrap())
        });
        prop_assert!(answers.iter().all(|answer| *answer == answers[0]));
    }

    #[test]
    fn an_answer_within_the_memory_limit_equals_the_unlimited_answer(seed in any::<u64>(), bytes in 0..200_000u64) {
        let (world, plan) = (world(seed), plan(seed).to_string());
        let version = world.version();
        // An empty index needs no memory.
        prop_assume!(!world.people.is_empty());
        let within = |bytes| evaluate_within(&version, plan.as_bytes(), &Limits { bytes, ..Limits::none() });
        match within(bytes) {
            Err(Error::OverBudget { budget }) => prop_assert_eq!(budget, bytes),
            answer => prop_assert_eq!(outcome(&answer.unwrap()), outcome(&evaluate(&version, plan.as_bytes()).unwrap())),
        }
    }

    #[test]
    fn explaining_does_not_change_the_answer(seed in any::<u64>()) {
        let (version, plan) = (world(seed).version(), plan(seed).to_string());
        let (answer, explanation) = explain(&version, plan.as_bytes(), &Limits::none()).unwrap();
        prop_assert_eq!(outcome(&answer), outcome(&evaluate(&version, plan.as_bytes()).unwrap()));
        for (root, &node) in answer.roots.iter().zip(&explanation.roots) {
            prop_assert!(root.matched <= explanation.nodes[node].matched);
        }
        for node in &explanation.nodes {
            prop_assert!(node.unread <= node.evaluated && node.of.iter().all(|&part| part < explanation.nodes.len()));
        }
    }

    #[test]
    fn members_of_selected_rows_equal_the_members_of_the_answer(seed in any::<u64>()) {
        let (version, json) = (world(seed).version(), plan(seed));
        let answer = evaluate(&version, json.to_string().as_bytes()).unwrap();
        let wanted = random_selections(&version, &mut Random(seed));
        for number in 0..answer.roots.len() {
            let found = evaluate_blocks(&version, &parsed(&json), &wanted, &Limits::none(), |wanted, block| {
                // The buffer is overwritten.
                let mut words = vec![seed; (seed % 2_000) as usize];
                block.members(number, &mut words)?;
                assert!(words.is_empty() || words.len() == block.people().div_ceil(64));
                let asked = (0..64 * words.len()).filter(|asked| words[asked / 64] >> (asked % 64) & 1 == 1);
                let row = |asked: usize| wanted.rows.as_ref().map_or(asked as u32, |rows| rows[asked].into());
                Ok(asked.map(|asked| person_of(wanted.partition, wanted.block * BLOCK + row(asked))).collect::<Vec<u64>>())
            });
            let is_wanted = |&person: &u64| wanted.iter().any(|wanted| {
                let rows = wanted.rows.as_ref();
                (wanted.partition, wanted.block) == (partition_of(person), ordinal_of(person) / BLOCK)
                    && rows.is_none_or(|rows| rows.contains(&(ordinal_of(person) as u16)))
            });
            let expected = members(&answer, number).into_iter().filter(is_wanted);
            prop_assert!(found.unwrap().concat().iter().copied().eq(expected), "{}", json);
        }
    }

    #[test]
    fn verdicts_equal_the_members_and_unknowns_of_the_answer(seed in any::<u64>(), asked in prop::collection::vec((0u32..4, 0u32..200_000), 0..30)) {
        let (version, json) = (world(seed).version(), plan(seed));
        let answer = evaluate(&version, json.to_string().as_bytes()).unwrap();
        // Includes people who are not in the index.
        let there = (0..answer.roots.len()).flat_map(|root| members(&answer, root));
        let persons: Vec<u64> = asked.into_iter().map(|(partition, ordinal)| person_of(partition, ordinal)).chain(there).rev().collect();
        let said = verdicts(&version, json.to_string().as_bytes(), &persons, &Limits::none()).unwrap();
        for (number, root) in json["roots"].as_array().unwrap().iter().enumerate() {
            let (known, unknown) = (members(&answer, number), unknowns(&version, &root["cond"], &root["among"]));
            let expected = persons.iter().map(|person| match unknown.contains(person) {
                true => None,
                false => Some(known.contains(person)),
            });
            prop_assert_eq!(&said[number], &expected.collect::<Vec<_>>(), "{}", json);
        }
    }

    #[test]
    fn evaluating_blocks_respects_limits(seed in any::<u64>()) {
        let (version, json) = (world(seed).version(), json!({"as_of": AS_OF, "roots": [root(&json!({"op": "constant", "value": true}))]}));
        let wanted = random_selections(&version, &mut Random(seed));
        prop_assume!(!wanted.is_empty() && wanted.iter().all(|wanted| wanted.rows.as_ref().is_none_or(|rows| !rows.is_empty())));
        let ask = |limits: &Limits| evaluate_blocks(&version, &parsed(&json), &wanted, limits, |_, block| {
            let mut words = Vec::new();
            block.members(0, &mut words)?;
            Ok(words.is_empty())
        });
        let limits = Limits::none();
        let are_empty = ask(&limits);
        prop_assert!(are_empty.is_ok());
        // A mask of a block takes more; where there is nobody, none is made.
        let refused = ask(&Limits { bytes: 1, ..limits.clone() });
        let is_refused = matches!(refused, Err(Error::OverBudget { .. }));
        prop_assert_eq!(is_refused, are_empty.unwrap().contains(&false));
        limits.cancelled.store(true, Ordering::Relaxed);
        prop_assert!(matches!(ask(&limits), Err(Error::Cancelled)));
    }

    #[test]
    fn a_root_does_not_depend_on_other_roots(seed in any::<u64>()) {
        let (world, json) = (world(seed), plan(seed));
        let together = run(&world, &json);
        for (number, root) in json["roots"].as_array().unwrap().iter().enumerate() {
            let alone = run(&world, &json!({"as_of": AS_OF, "roots": [root]}));
            prop_assert_eq!(alone.roots[0].members(), together.roots[number].members());
        }
    }

    #[test]
    fn top_n_and_bottom_rest_partition_distinct_values(seed in any::<u64>(), wanted in 0u64..5) {
        let world = world(seed);
        let of = expr(&mut Random(seed), "num", RowKind::People, 2);
        let rank = |side: &str, count: u64| root(&json!({"op": "rank", "expr": of, "side": side, "percent": null, "count": count, "population": null}));
        let answer = run(&world, &json!({"as_of": AS_OF, "roots": [rank("top", wanted), root(&json!({"op": "known", "expr": of}))]}));
        // Ties may make it more, never less.
        let known = answer.roots[1].matched;
        let top = answer.roots[0].matched;
        prop_assert!(top >= wanted.min(known) && top <= known);
        prop_assert_eq!(answer.roots[0].unknown, answer.universe - known);
    }

    #[test]
    fn mutated_plans_are_evaluated_or_rejected(seed in any::<u64>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = plan(seed).to_string().into_bytes();
        let place = at.index(bytes.len());
        bytes[place] = byte;
        let _ = evaluate(&world(seed).version(), &bytes);
    }
}

/// Random plans that nobody fits, or everybody, would prove little.
#[test]
fn random_plans_yield_true_false_and_unknown() {
    let (mut divided, mut unknown, mut refused) = (0, 0, 0);
    for seed in 0..400 {
        let (world, plan) = (world(seed), plan(seed));
        let Ok(answer) = evaluate(&world.version(), plan.to_string().as_bytes()) else {
            refused += 1;
            continue;
        };
        divided += u64::from(
            answer
                .roots
                .iter()
                .any(|root| (1..answer.universe).contains(&root.matched)),
        );
        unknown += u64::from(answer.roots.iter().any(|root| root.unknown > 0));
    }
    assert!(
        divided > 180 && unknown > 120 && refused == 0,
        "{divided} {unknown} {refused}"
    );
}

proptest! {
    #![proptest_config(crate::testing::cases(6))]

    #[test]
    fn a_later_block_answers_like_the_first(seed in any::<u64>()) {
        // Samples depend on the ordinal.
        let (near, plan) = (world(seed), plan(seed));
        prop_assume!(!plan.to_string().contains("sample"));
        let mut far = near.clone();
        for person in &mut far.people {
            person.ordinal += 65_536 + 7;
        }
        let (near, far) = (run(&near, &plan), run(&far, &plan));
        for root in 0..2 {
            let moved: Vec<u64> = members(&near, root).into_iter().map(|person| person + 65_536 + 7).collect();
            prop_assert_eq!(moved, members(&far, root));
            prop_assert_eq!(near.roots[root].unknown, far.roots[root].unknown);
        }
    }
}
