//! Sets of people as they travel: the 64-bit Roaring portable format, the high 32 bits being the partition.

use roaring::{RoaringBitmap, RoaringTreemap};
use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Error, Result};

/// `Error::Invalid` for bytes that are not such a set, or hold more than one.
pub fn decode(bytes: &[u8]) -> Result<RoaringTreemap> {
    let damaged = |why: String| Error::Invalid(format!("not a 64-bit Roaring set of people: {why}"));
    let Some((head, mut rest)) = bytes.split_at_checked(8) else {
        return Err(damaged("shorter than its header".into()));
    };
    let partitions = head
        .iter()
        .rev()
        .fold(0u64, |number, &byte| number << 8 | u64::from(byte));
    let mut set = Vec::new();
    let mut last = None;
    for _ in 0..partitions {
        let Some((&key, after)) = rest.split_first_chunk::<4>() else {
            return Err(damaged("it ends too early".into()));
        };
        let key = u32::from_le_bytes(key);
        if last.replace(key).is_some_and(|last| last >= key) {
            return Err(damaged("partitions are not ascending".into()));
        }
        rest = after;
        let people = RoaringBitmap::deserialize_from(&mut rest).map_err(|error| damaged(error.to_string()))?;
        set.extend((!people.is_empty()).then_some((key, people)));
    }
    if !rest.is_empty() {
        return Err(damaged(format!("{} bytes follow it", rest.len())));
    }
    Ok(RoaringTreemap::from_bitmaps(set))
}

pub fn encode(set: &RoaringTreemap) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(set.serialized_size());
    set.serialize_into(&mut bytes).map_err(Error::io("<memory>"))?;
    Ok(bytes)
}

/// Members greater than `after`, ascending.
pub fn page(set: &RoaringTreemap, after: u64, limit: usize) -> Vec<u64> {
    let mut members = set.iter();
    match after.checked_add(1) {
        Some(first) => members.advance_to(first),
        None => return Vec::new(),
    }
    members.take(limit).collect()
}

/// A waterfall: what each step leaves of an audience.
pub struct Waterfall {
    /// Beginning with `audience`, ending with `holdout`.
    pub remaining: Vec<(String, u64)>,
    pub eligible: RoaringTreemap,
    pub held_out: RoaringTreemap,
}

/// Hashes of a holdout fall into this many parts.
const PARTS: u64 = 10_000;

/// Narrows an audience step by step: (name, people, whether they are kept or removed). The holdout is last.
pub fn waterfall(
    audience: RoaringTreemap,
    steps: impl IntoIterator<Item = (String, RoaringTreemap, bool)>,
    salt: &str,
    basis_points: u64,
) -> Result<Waterfall> {
    if basis_points > PARTS {
        return Err(Error::Invalid(format!(
            "a holdout of {basis_points} basis points is over {PARTS}"
        )));
    }
    let mut remaining = vec![("audience".to_string(), audience.len())];
    let mut eligible = audience;
    for (name, people, keep) in steps {
        if keep {
            eligible &= people;
        } else {
            eligible -= people;
        }
        remaining.push((name, eligible.len()));
    }
    let mut text = salt.as_bytes().to_vec();
    text.push(0);
    let end = text.len();
    let mut held = |person: u64| {
        text.truncate(end);
        text.extend_from_slice(&person.to_le_bytes());
        xxh3_64(&text) % PARTS < basis_points
    };
    let held_out: RoaringTreemap = eligible.iter().filter(|&person| held(person)).collect();
    eligible -= &held_out;
    remaining.push(("holdout".to_string(), eligible.len()));
    Ok(Waterfall {
        remaining,
        eligible,
        held_out,
    })
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    fn person() -> impl Strategy<Value = u64> {
        (0u64..4, 0u64..200_000).prop_map(|(partition, ordinal)| partition << 32 | ordinal)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(mut people in btree_set(person(), 0..500)) {
            people.extend((0..5_000).map(|ordinal| 9 << 32 | ordinal));
            let set: RoaringTreemap = people.iter().copied().collect();
            prop_assert_eq!(decode(&encode(&set).unwrap()).unwrap(), set);
        }

        #[test]
        fn damaged_bytes_are_refused_and_never_crash(
            people in btree_set(person(), 0..50), at in any::<prop::sample::Index>(), value in any::<u8>(), cut in any::<prop::sample::Index>(),
        ) {
            let set: RoaringTreemap = people.into_iter().collect();
            let mut bytes = encode(&set).unwrap();
            prop_assert!(decode(&bytes[..cut.index(bytes.len())]).is_err());
            let place = at.index(bytes.len());
            bytes[place] = value;
            if let Ok(read) = decode(&bytes) {
                prop_assert_eq!(decode(&encode(&read).unwrap()).unwrap(), read);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..400)) {
            let _ = decode(&bytes);
        }

        #[test]
        fn pages_joined_are_the_set(people in btree_set(person(), 0..200), limit in 1usize..50) {
            let set: RoaringTreemap = people.iter().copied().collect();
            let (mut joined, mut after) = (Vec::new(), 0);
            loop {
                let next = page(&set, after, limit);
                let Some(&last) = next.last() else { break };
                prop_assert!(next.len() <= limit);
                after = last;
                joined.extend(next);
            }
            prop_assert_eq!(joined, people.into_iter().filter(|&person| person > 0).collect::<Vec<_>>());
        }

        #[test]
        fn a_waterfall_only_narrows_and_loses_nobody(
            audience in btree_set(person(), 0..200), steps in vec((btree_set(person(), 0..200), any::<bool>()), 0..4), points in 0u64..=10_000,
        ) {
            let set = |people: &std::collections::BTreeSet<u64>| people.iter().copied().collect::<RoaringTreemap>();
            let named = steps.iter().map(|(people, keep)| ("step".to_string(), set(people), *keep));
            let result = waterfall(set(&audience), named, "salt", points).unwrap();
            let fits = |person: &u64| steps.iter().all(|(people, keep)| people.contains(person) == *keep);
            let expected: RoaringTreemap = audience.iter().copied().filter(fits).collect();
            prop_assert!(result.remaining.is_sorted_by(|a, b| a.1 >= b.1));
            prop_assert!(result.eligible.is_disjoint(&result.held_out));
            prop_assert_eq!(&result.eligible | &result.held_out, expected);
            prop_assert_eq!(points == 0, points == 0 && result.held_out.is_empty());
            prop_assert_eq!(points == 10_000 && !result.eligible.is_empty(), false);
        }
    }

    #[test]
    fn a_huge_count_in_a_short_text_is_refused_at_once() {
        assert!(decode(&[0xff; 8]).is_err());
        assert!(decode(&[]).is_err());
        assert!(decode(&encode(&RoaringTreemap::new()).unwrap()).unwrap().is_empty());
    }
}
