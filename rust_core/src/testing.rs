//! Settings that all property tests share.

use proptest::test_runner::{Config, FileFailurePersistence, RngSeed};

/// The factor by which a soak run increases the number of cases.
const SOAK_FACTOR: u32 = 4;

/// Returns the settings of a property with `count` cases, which are the same in each test run.
///
/// In a soak run (`make soak`), `SOAK_SEED` selects other cases, and failing ones are saved in `soak-failures/proptest`. To keep a
/// failing case, move it to `proptest-regressions`.
pub fn cases(count: u32) -> Config {
    let soak_seed = std::env::var("SOAK_SEED").ok().map(|seed| seed.parse().unwrap());
    let (cases, failures) = match soak_seed {
        Some(_) => (count * SOAK_FACTOR, "../soak-failures/proptest"),
        None => (count, "proptest-regressions"),
    };
    Config {
        cases,
        rng_seed: RngSeed::Fixed(soak_seed.unwrap_or(1)),
        failure_persistence: Some(Box::new(FileFailurePersistence::SourceParallel(failures))),
        ..Config::default()
    }
}
