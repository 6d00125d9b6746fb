//! Sequences: the engine against the oracle, which tries all assignments of events to steps.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::oracle::Oracle;
use super::queries::{answer, parse, plan_of};
use super::random::{Random, crowded_sequence, crowded_world, sequence, world};
use super::world::World;
use crate::index::view::DAY_MS;

/// Returns the people for whom a sequence holds, according to the engine and to the oracle.
pub fn members(world: &World, sequence: &Json) -> (Vec<u64>, Vec<u64>) {
    let json = plan_of(sequence);
    let (plan, answer) = (parse(&json), answer(&world.version(), &json));
    assert_eq!(answer.roots[0].unknown, 0);
    let expected = Oracle::root(world, &plan, &plan.roots[0]);
    (answer.roots[0].members().iter().collect(), expected.matched)
}

proptest! {
    #![proptest_config(crate::testing::cases(256))]

    #[test]
    fn sequences_equal_a_search_over_all_assignments(seed in any::<u64>()) {
        let (world, of) = (world(seed), sequence(&mut Random(seed), 1));
        let (found, expected) = members(&world, &of);
        prop_assert_eq!(found, expected, "{}", of);
    }

    #[test]
    fn two_step_funnels_equal_a_search_over_all_assignments(seed in any::<u64>()) {
        let mut of = sequence(&mut Random(seed), 1);
        let mut steps: Vec<Json> = of["steps"].as_array().unwrap().iter().take(2).cloned().collect();
        steps.resize(2, json!({"events": [{"type": "scan", "where": null}], "after": null, "within": DAY_MS, "without": []}));
        steps.iter_mut().for_each(|step| step["without"] = json!([]));
        (of["steps"], of["by"]) = (json!(steps), Json::Null);
        let (found, expected) = members(&world(seed), &of);
        prop_assert_eq!(found, expected, "{}", of);
    }
}

proptest! {
    #![proptest_config(crate::testing::cases(512))]

    #[test]
    fn sequences_of_crowded_events_equal_a_search_over_all_assignments(seed in any::<u64>()) {
        let of = crowded_sequence(seed);
        let (found, expected) = members(&crowded_world(seed), &of);
        prop_assert_eq!(found, expected, "{}", of);
    }
}

/// Guards against random sequences that hold for nobody or for everybody.
#[test]
fn random_sequences_hold_for_some_people_and_not_for_others() {
    let separates_people = |world: World, of: Json| {
        let (found, _) = members(&world, &of);
        usize::from(!found.is_empty() && found.len() < world.people.len())
    };
    let seeds = 0..400;
    let sparse: usize = seeds
        .clone()
        .map(|seed| separates_people(world(seed), sequence(&mut Random(seed), 1)))
        .sum();
    let crowded: usize = seeds
        .map(|seed| separates_people(crowded_world(seed), crowded_sequence(seed)))
        .sum();
    assert!(sparse > 90 && crowded > 150, "{sparse} {crowded}");
}
