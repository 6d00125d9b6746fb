//! Narrows a campaign audience step by step and withholds a random holdout.

use roaring::RoaringTreemap;
use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Error, Result};

/// The result of a waterfall: the audience that remains after each step.
pub struct Waterfall {
    /// The number of people left after each step, by step name; the first entry is `audience`, the last is `holdout`.
    pub remaining: Vec<(String, u64)>,
    /// The people who remain after all steps and the holdout.
    pub eligible: RoaringTreemap,
    /// The people withheld by the holdout.
    pub held_out: RoaringTreemap,
}

/// The number of buckets that the hashes of a holdout fall into: one basis point each.
const PARTS: u64 = 10_000;

/// Narrows `audience` by each step and then withholds a random share of the rest.
///
/// A step is (name, people, whether these people are kept or removed). A person is withheld if the hash of `salt` and the person
/// falls below `basis_points`, so equal salts withhold the same people. Returns `Error::Invalid` if `basis_points` exceeds 10,000.
pub fn waterfall(
    audience: RoaringTreemap,
    steps: impl IntoIterator<Item = (String, RoaringTreemap, bool)>,
    salt: &str,
    basis_points: u64,
) -> Result<Waterfall> {
    if basis_points > PARTS {
        return Err(Error::Invalid(format!(
            "a holdout of {basis_points} basis points exceeds {PARTS}"
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
    let mut is_held_out = |person: u64| {
        text.truncate(end);
        text.extend_from_slice(&person.to_le_bytes());
        xxh3_64(&text) % PARTS < basis_points
    };
    let held_out: RoaringTreemap = eligible.iter().filter(|&person| is_held_out(person)).collect();
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
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn waterfall_steps_only_narrow_and_the_holdout_loses_nobody(
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
}
