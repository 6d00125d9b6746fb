//! Settings that all property tests share.

use proptest::test_runner::{Config, FileFailurePersistence, RngSeed};

/// How many times as many cases a soak run tries.
const SOAK_FACTOR: u32 = 4;

/// Settings of a property with `count` cases, the same ones in each test run. In a soak run (`make soak`), `SOAK_SEED` draws
/// others, and failing cases go to `soak-failures/proptest`; one that is to be kept moves to `proptest-regressions`.
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
