//! Encoded sets of people: a decoded set encodes to the same bytes and can be paged and intersected.

#![no_main]

use libfuzzer_sys::fuzz_target;
use quanyu_core::audience::roaring_set::{decode, encode, page};
use quanyu_core::audience::waterfall::waterfall;

/// The most people of a set that are enumerated: a few bytes can encode 2^32 people.
const MOST: u64 = 100_000;

fuzz_target!(|bytes: &[u8]| {
    let Ok(set) = decode(bytes) else { return };
    let written = encode(&set).expect("a set is written");
    assert_eq!(decode(&written).expect("what was written is read"), set);
    let first: Vec<u64> = set.iter().filter(|&person| person > 0).take(10).collect();
    assert_eq!(page(&set, 0, 10), first);
    assert!(page(&set, u64::MAX, 10).is_empty());
    if set.len() > MOST {
        return;
    }
    let people = set.len();
    let steps = [("kept".to_string(), set.clone(), true)];
    let narrowed = waterfall(set, steps, "salt", 1_000).expect("a holdout of a tenth");
    assert_eq!(narrowed.eligible.len() + narrowed.held_out.len(), people);
});
