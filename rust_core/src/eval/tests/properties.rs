//! Properties of the evaluator, and its equality with the oracle, over random worlds and plans.

use std::sync::atomic::Ordering;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::oracle::{Members, Oracle};
use super::queries::{answer, parse, plan_among};
use super::random::{AS_OF, Random, RowKind, cond, events, expr, plan, world};
use super::world::World;
use crate::error::Error;
use crate::eval::kernels::simd_loops::PORTABLE;
use crate::eval::{
    Answer, BlockSelection, Limits, RootAnswer, evaluate, evaluate_blocks, evaluate_within, explain, find, verdicts,
};
use crate::index::view::{BLOCK, Version, ordinal_of, partition_of, person_of};

fn run(world: &World, plan: &Json) -> Answer {
    answer(&world.version(), plan)
}

fn root(cond: &Json) -> Json {
    json!({"name": "root", "cond": cond, "among": null})
}

/// Returns the ids of the people for whom a root is true.
fn members(answer: &Answer, root: usize) -> Vec<u64> {
    answer.roots[root].members().iter().collect()
}

/// The result of a root: members, the count of unknowns, and the counts of its clauses.
type Outcome = (Vec<u8>, u64, Vec<(u64, u64)>);

/// Returns everything that an answer contains except its duration.
fn outcome(answer: &Answer) -> (u64, Vec<Outcome>) {
    let root = |root: &RootAnswer| (root.people.roaring().unwrap(), root.unknown, root.clauses.clone());
    (answer.universe, answer.roots.iter().map(root).collect())
}

/// Returns the people for whom a condition is unknown, without use of the counts of an answer.
fn unknowns(version: &Version, cond: &Json, among: &Json) -> Vec<u64> {
    let true_or_unknown = json!({"op": "or_unknown", "of": cond});
    let not_true = json!({"op": "not", "of": {"op": "set", "of": cond, "among": null}});
    let only_unknown = json!({"op": "all", "of": [true_or_unknown, not_true]});
    members(&answer(version, &plan_among(&only_unknown, among)), 0)
}

/// Replaces some instants and durations of a plan by their distance from the as-of.
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

/// Selects random blocks: all rows of some, random rows of others.
fn random_selections(version: &Version, random: &mut Random) -> Vec<BlockSelection> {
    let mut selections = Vec::new();
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
            selections.push(BlockSelection { partition, block, rows });
        }
    }
    selections
}

/// Checks that the engine and the oracle give the same answer to a plan.
pub fn check_plan(version: &Version, world: &World, json: &Json) -> Result<(), TestCaseError> {
    let (plan, answer) = (parse(json), answer(version, json));
    let only_members = find(version, json.to_string().as_bytes(), &Limits::none()).unwrap();
    for (number, root) in plan.roots.iter().enumerate() {
        prop_assert_eq!(members(&only_members, number), members(&answer, number), "{}", json);
        let expected = Oracle::root(world, &plan, root);
        let root_answer = &answer.roots[number];
        let source = &json["roots"][number];
        let found = Members {
            matched: members(&answer, number),
            unknown: unknowns(version, &source["cond"], &source["among"]),
            clauses: root_answer.clauses.clone(),
        };
        prop_assert_eq!(root_answer.unknown, found.unknown.len() as u64);
        prop_assert_eq!(found, expected, "{}", json);
    }
    prop_assert_eq!(answer.universe, Oracle::new(world).universe().count() as u64);
    Ok(())
}

proptest! {
    #![proptest_config(crate::testing::cases(256))]

    #[test]
    fn answers_equal_the_oracle(seed in any::<u64>()) {
        let (world, json) = (world(seed), plan(seed));
        check_plan(&world.version(), &world, &json)?;
    }

    #[test]
    fn a_condition_its_negation_and_its_unknowns_partition_the_universe(seed in any::<u64>()) {
        let world = world(seed);
        let of = cond(&mut Random(seed), RowKind::People, 2);
        let answer = run(&world, &json!({"as_of": AS_OF, "roots": [root(&of), root(&json!({"op": "not", "of": of}))]}));
        let (matched, negated) = (&answer.roots[0], &answer.roots[1]);
        prop_assert!(matched.members().is_disjoint(&negated.members()));
        prop_assert_eq!(matched.unknown, negated.unknown);
        prop_assert_eq!(matched.matched + negated.matched + matched.unknown, answer.universe);
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
        let mut relative = plan.clone();
        let mut random = Random(seed);
        relative["roots"].as_array_mut().unwrap().iter_mut().for_each(|root| make_relative(root, &mut random));
        let (absolute, relative) = (run(&world, &plan), run(&world, &relative));
        for (number, root) in absolute.roots.iter().enumerate() {
            prop_assert_eq!(members(&absolute, number), members(&relative, number));
            prop_assert_eq!(&root.clauses, &relative.roots[number].clauses);
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
        let reversed: Vec<&Json> = of.iter().rev().collect();
        for op in ["all", "any"] {
            let roots = [root(&json!({"op": op, "of": of})), root(&json!({"op": op, "of": reversed}))];
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
        // The evaluation of an empty index takes no memory.
        prop_assume!(!world.people.is_empty());
        let evaluate_with = |bytes| evaluate_within(&version, plan.as_bytes(), &Limits { bytes, ..Limits::none() });
        match evaluate_with(bytes) {
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
        let selections = random_selections(&version, &mut Random(seed));
        for number in 0..answer.roots.len() {
            let found = evaluate_blocks(&version, &parse(&json), &selections, &Limits::none(), |selection, block| {
                // The previous contents of the buffer must not matter.
                let mut words = vec![seed; (seed % 2_000) as usize];
                block.members(number, &mut words)?;
                assert!(words.is_empty() || words.len() == block.people().div_ceil(64));
                let bits = (0..64 * words.len()).filter(|bit| words[bit / 64] >> (bit % 64) & 1 == 1);
                let row = |bit: usize| selection.rows.as_ref().map_or(bit as u32, |rows| rows[bit].into());
                Ok(bits.map(|bit| person_of(selection.partition, selection.block * BLOCK + row(bit))).collect::<Vec<u64>>())
            });
            let is_selected = |&person: &u64| selections.iter().any(|selection| {
                let rows = selection.rows.as_ref();
                (selection.partition, selection.block) == (partition_of(person), ordinal_of(person) / BLOCK)
                    && rows.is_none_or(|rows| rows.contains(&(ordinal_of(person) as u16)))
            });
            let expected = members(&answer, number).into_iter().filter(is_selected);
            prop_assert!(found.unwrap().concat().iter().copied().eq(expected), "{}", json);
        }
    }

    #[test]
    fn verdicts_equal_the_members_and_unknowns_of_the_answer(seed in any::<u64>(), others in prop::collection::vec((0u32..4, 0u32..200_000), 0..30)) {
        let (version, json) = (world(seed).version(), plan(seed));
        let answer = evaluate(&version, json.to_string().as_bytes()).unwrap();
        // Some people are not in the index, some occur twice, and the order is not that of the index.
        let matched = (0..answer.roots.len()).flat_map(|root| members(&answer, root));
        let persons: Vec<u64> = others.into_iter().map(|(partition, ordinal)| person_of(partition, ordinal)).chain(matched).rev().collect();
        let verdicts = verdicts(&version, json.to_string().as_bytes(), &persons, &Limits::none()).unwrap();
        for (number, root) in json["roots"].as_array().unwrap().iter().enumerate() {
            let (matched, unknown) = (members(&answer, number), unknowns(&version, &root["cond"], &root["among"]));
            let expected = persons.iter().map(|person| match unknown.contains(person) {
                true => None,
                false => Some(matched.contains(person)),
            });
            prop_assert_eq!(&verdicts[number], &expected.collect::<Vec<_>>(), "{}", json);
        }
    }

    #[test]
    fn evaluate_blocks_respects_limits(seed in any::<u64>()) {
        let (version, json) = (world(seed).version(), json!({"as_of": AS_OF, "roots": [root(&json!({"op": "constant", "value": true}))]}));
        let selections = random_selections(&version, &mut Random(seed));
        prop_assume!(!selections.is_empty() && selections.iter().all(|selection| selection.rows.as_ref().is_none_or(|rows| !rows.is_empty())));
        let evaluate_with = |limits: &Limits| evaluate_blocks(&version, &parse(&json), &selections, limits, |_, block| {
            let mut words = Vec::new();
            block.members(0, &mut words)?;
            Ok(words.is_empty())
        });
        let limits = Limits::none();
        let are_empty = evaluate_with(&limits);
        prop_assert!(are_empty.is_ok());
        // The mask of a block takes more than one byte; a block without people has no mask.
        let limited = evaluate_with(&Limits { bytes: 1, ..limits.clone() });
        let is_over_budget = matches!(limited, Err(Error::OverBudget { .. }));
        prop_assert_eq!(is_over_budget, are_empty.unwrap().contains(&false));
        limits.cancelled.store(true, Ordering::Relaxed);
        prop_assert!(matches!(evaluate_with(&limits), Err(Error::Cancelled)));
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
    fn top_n_has_at_least_n_of_the_people_with_a_known_value(seed in any::<u64>(), count in 0u64..5) {
        let world = world(seed);
        let of = expr(&mut Random(seed), "num", RowKind::People, 2);
        let top = json!({"op": "rank", "expr": of, "side": "top", "percent": null, "count": count, "population": null});
        let answer = run(&world, &json!({"as_of": AS_OF, "roots": [root(&top), root(&json!({"op": "known", "expr": of}))]}));
        let known = answer.roots[1].matched;
        let top = answer.roots[0].matched;
        // Ties can add people.
        prop_assert!(top >= count.min(known) && top <= known);
        prop_assert_eq!(answer.roots[0].unknown, answer.universe - known);
    }

    #[test]
    fn mutated_plans_are_evaluated_or_rejected(seed in any::<u64>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = plan(seed).to_string().into_bytes();
        let position = at.index(bytes.len());
        bytes[position] = byte;
        let _ = evaluate(&world(seed).version(), &bytes);
    }
}

/// Guards against random plans that are true for nobody or for everybody.
#[test]
fn random_plans_are_true_for_some_people_and_unknown_for_others() {
    let (mut divided, mut unknown, mut rejected) = (0, 0, 0);
    for seed in 0..400 {
        let (world, plan) = (world(seed), plan(seed));
        let Ok(answer) = evaluate(&world.version(), plan.to_string().as_bytes()) else {
            rejected += 1;
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
        divided > 180 && unknown > 120 && rejected == 0,
        "{divided} {unknown} {rejected}"
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
