//! Measures the fold. Run with `cargo test --release identity::tests::throughput -- --ignored --nocapture`.

use super::world::{TestFrame, TestRecord};
use crate::identity::{PARTITION, Policy, Resolver};

const PEOPLE: u64 = 500_000;
const RECORDS: u64 = 1_200_000;

/// Returns frames of a brand with tills, a mini-program and frame platforms, and the number of identifiers in them.
fn frames() -> (Vec<Vec<u8>>, u64) {
    let (mut frames, mut identifiers, mut state) = (Vec::new(), 0, 1u64);
    let mut records = Vec::new();
    for record in 0..RECORDS {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        let person = (state >> 33) % PEOPLE;
        let phone = (13_900_000_001 + person * 97).to_string();
        let openid = format!("oAbCdEfGhIjKlMnOpQ{person:010}");
        let card = format!("C{person:09}");
        let device = format!("d{:016x}", person * 31);
        let picked: &[(&str, &str)] = match state >> 60 {
            0..4 => &[("card", &card), ("phone", &phone)],
            4..8 => &[("openid:wx1", &openid), ("phone", &phone), ("device", &device)],
            8..12 => &[("openid:wx1", &openid), ("device", &device)],
            _ => &[("meituan:s1", &card), ("phone", &phone)],
        };
        identifiers += picked.len() as u64;
        records.push(TestRecord {
            at_ms: Some(record as i64),
            ..TestRecord::of(&format!("order-{record}"), picked)
        });
        if records.len() == 4096 {
            let records = std::mem::take(&mut records);
            frames.push(
                TestFrame {
                    received_at_ms: record as i64,
                    records,
                    split: None,
                }
                .encode(),
            );
        }
    }
    (frames, identifiers)
}

/// Returns the time for which this thread has had a core, so that the load of the machine does not matter.
fn cpu_seconds() -> f64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    schedstat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// Returns the resident memory of the process in bytes.
fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
#[ignore = "a measurement, which needs a release build"]
fn one_core_folds_a_million_identifiers_per_second() {
    let (frames, identifiers) = frames();
    let folder = tempfile::tempdir().unwrap();
    let resolver = Resolver::open(folder.path(), Policy::default(), PARTITION).unwrap();
    let (before, start) = (resident_bytes(), cpu_seconds());
    for (offset, frame) in frames.iter().enumerate() {
        resolver.fold(offset as u64, frame).unwrap();
    }
    let seconds = cpu_seconds() - start;
    let (rate, bytes) = (identifiers as f64 / seconds, resident_bytes() - before);
    println!("folded {identifiers} identifiers in {seconds:.2} s: {rate:.0}/s, {bytes} bytes resident");
    println!("{:?}", resolver.statistics());
    let start = cpu_seconds();
    resolver.snapshot().unwrap();
    println!("snapshot in {:.2} s", cpu_seconds() - start);
    let start = cpu_seconds();
    let again = Resolver::open(folder.path(), Policy::default(), PARTITION).unwrap();
    println!("opened in {:.2} s", cpu_seconds() - start);
    let start = cpu_seconds();
    let phones: Vec<String> = (0..PEOPLE)
        .map(|person| (13_900_000_001 + person * 97).to_string())
        .collect();
    let known = phones
        .iter()
        .filter(|phone| again.resolve(("phone", phone)) != 0)
        .count();
    println!("resolved {PEOPLE} in {:.2} s, {known} known", cpu_seconds() - start);
    assert!(rate > 1e6, "{rate:.0} identifiers/s");
}
