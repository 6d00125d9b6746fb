//! Galloping search in ascending lists.

/// Returns how many of the ascending numbers are less than `than`. Takes time logarithmic in the result.
pub fn count_less(ascending: &[u16], than: u16) -> usize {
    let mut reach = 1;
    while ascending.get(reach - 1).is_some_and(|&number| number < than) {
        reach *= 2;
    }
    let (from, to) = (reach / 2, ascending.len().min(reach));
    from + ascending[from..to].partition_point(|&number| number < than)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn count_less_equals_a_linear_count(mut numbers in prop::collection::vec(0..40u16, 0..60), than in 0..41u16) {
            numbers.sort_unstable();
            prop_assert_eq!(count_less(&numbers, than), numbers.iter().filter(|&&number| number < than).count());
        }
    }
}
