//! Ends a file with the XXH3-64 checksum of everything before it, in little-endian bytes.

use xxhash_rust::xxh3::xxh3_64;

/// Appends the checksum of `bytes`.
pub fn append_checksum(bytes: &mut Vec<u8>) {
    bytes.extend(xxh3_64(bytes).to_le_bytes());
}

/// Returns the bytes before the checksum, or `None` if the checksum is missing or does not match.
pub fn verified(bytes: &[u8]) -> Option<&[u8]> {
    let (body, checksum) = bytes.split_last_chunk::<8>()?;
    (xxh3_64(body) == u64::from_le_bytes(*checksum)).then_some(body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::cases;

    proptest! {
        #![proptest_config(cases(64))]

        #[test]
        fn a_change_of_any_byte_is_detected(
            body in prop::collection::vec(any::<u8>(), 0..99), at: prop::sample::Index, change in 1..=u8::MAX
        ) {
            let mut bytes = body.clone();
            append_checksum(&mut bytes);
            prop_assert_eq!(verified(&bytes), Some(&body[..]));
            let at = at.index(bytes.len());
            bytes[at] ^= change;
            prop_assert_eq!(verified(&bytes), None);
            prop_assert_eq!(verified(&bytes[..7]), None);
        }
    }
}
