//! Encodes and decodes sets of people in the 64-bit Roaring portable format; the high 32 bits of a member are its partition.

use roaring::{RoaringBitmap, RoaringTreemap};

use crate::error::{Error, Result};

/// Decodes a set.
///
/// Returns `Error::Invalid` if the bytes are not a valid set or if bytes follow it.
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
            return Err(damaged("the data ends early".into()));
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
        return Err(damaged(format!("{} bytes follow the set", rest.len())));
    }
    Ok(RoaringTreemap::from_bitmaps(set))
}

/// Encodes a set; `decode` reads it back.
pub fn encode(set: &RoaringTreemap) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(set.serialized_size());
    set.serialize_into(&mut bytes).map_err(Error::io("<memory>"))?;
    Ok(bytes)
}

/// Returns up to `limit` members greater than `after`, ascending.
pub fn page(set: &RoaringTreemap, after: u64, limit: usize) -> Vec<u64> {
    let mut members = set.iter();
    match after.checked_add(1) {
        Some(first) => members.advance_to(first),
        None => return Vec::new(),
    }
    members.take(limit).collect()
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
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn encoded_sets_decode_to_the_same_set(mut people in btree_set(person(), 0..500)) {
            people.extend((0..5_000).map(|ordinal| 9 << 32 | ordinal));
            let set: RoaringTreemap = people.iter().copied().collect();
            prop_assert_eq!(decode(&encode(&set).unwrap()).unwrap(), set);
        }

        #[test]
        fn damaged_bytes_are_rejected_or_decode_to_a_valid_set(
            people in btree_set(person(), 0..50), at in any::<prop::sample::Index>(), value in any::<u8>(), cut in any::<prop::sample::Index>(),
        ) {
            let set: RoaringTreemap = people.into_iter().collect();
            let mut bytes = encode(&set).unwrap();
            prop_assert!(decode(&bytes[..cut.index(bytes.len())]).is_err());
            let position = at.index(bytes.len());
            bytes[position] = value;
            if let Ok(read) = decode(&bytes) {
                prop_assert_eq!(decode(&encode(&read).unwrap()).unwrap(), read);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..400)) {
            let _ = decode(&bytes);
        }

        #[test]
        fn concatenated_pages_equal_the_set(people in btree_set(person(), 0..200), limit in 1usize..50) {
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
    }

    #[test]
    fn a_huge_count_in_a_short_input_is_rejected() {
        assert!(decode(&[0xff; 8]).is_err());
        assert!(decode(&[]).is_err());
        assert!(decode(&encode(&RoaringTreemap::new()).unwrap()).unwrap().is_empty());
    }
}
