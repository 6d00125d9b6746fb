//! Plans: rejected or evaluated within the memory limit, and explained with the same answer.

#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use quanyu_core::error::Error;
use quanyu_core::eval::{Answer, evaluate_within, explain};
use quanyu_core::index::Index;
use quanyu_core::index::view::Version;
use quanyu_fuzz::{plans, world};

/// The number of people: more than a loop over 64 rows.
static VERSION: LazyLock<Arc<Version>> = LazyLock::new(|| {
    let folder = quanyu_fuzz::new_folder();
    let index = Index::follow(folder.path()).expect("an empty folder");
    world::fold(&index, &world::frames(300));
    index.version()
});

fuzz_target!(|plan: &[u8]| {
    match evaluate_within(&VERSION, plan, &world::limits()) {
        Ok(answer) => match explain(&VERSION, plan, &world::limits()) {
            Ok((explained, _)) => assert_eq!(figures(&answer), figures(&explained)),
            Err(Error::OverBudget { .. }) => {}
            Err(error) => panic!("answered but not explained: {error}"),
        },
        Err(Error::Invalid(_) | Error::Unsupported(_) | Error::OverBudget { .. }) => {}
        Err(error) => panic!("{error}"),
    }
});

fn figures(answer: &Answer) -> Vec<(u64, u64, Vec<u64>)> {
    let roots = answer.roots.iter();
    roots
        .map(|root| {
            let members: Vec<u64> = root.members().iter().collect();
            assert_eq!(members.len() as u64, root.matched);
            (root.matched, root.unknown, members)
        })
        .collect()
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { plans::mutate(data, size, max_size, seed) });
