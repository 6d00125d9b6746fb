//! Loops that the compiler vectorises. Each loop is compiled twice; the copy for wide vector instructions runs if the processor
//! has them, which is detected at run time.

/// Defines a function that calls `$plain`, or its copy `$wide` for wide instructions if the processor has them.
macro_rules! dispatched {
    ($(#[$doc:meta])* $name:ident $plain:ident $wide:ident <$($generic:ident: $bound:path),*> ($($argument:ident: $type:ty),*) -> $result:ty) => {
        $(#[$doc])*
        pub fn $name<$($generic: $bound),*>($($argument: $type),*) -> $result {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "popcnt,avx2,avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2")]
                fn $wide<$($generic: $bound),*>($($argument: $type),*) -> $result {
                    $plain($($argument),*)
                }
                if is_wide() {
                    // SAFETY: the processor has what the function is compiled for.
                    return unsafe { $wide($($argument),*) };
                }
            }
            $plain($($argument),*)
        }
    };
}

#[cfg(test)]
thread_local! {
    /// True if this thread must not use wide instructions.
    pub static PORTABLE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

#[cfg(target_arch = "x86_64")]
fn is_wide() -> bool {
    #[cfg(test)]
    if PORTABLE.get() {
        return false;
    }
    std::is_x86_feature_detected!("avx512f")
        && std::is_x86_feature_detected!("avx512bw")
        && std::is_x86_feature_detected!("avx512dq")
        && std::is_x86_feature_detected!("avx512vl")
        && std::is_x86_feature_detected!("avx2")
        && std::is_x86_feature_detected!("bmi1")
        && std::is_x86_feature_detected!("bmi2")
        && std::is_x86_feature_detected!("popcnt")
}

dispatched!(
    /// Sets a bit for each value that satisfies the predicate; 64 values for each word.
    fill_mask fill_mask_plain fill_mask_wide <T: Copy, F: Fn(T) -> bool> (values: &[T], holds: &F, words: &mut [u64]) -> ()
);
dispatched!(
    /// Converts each value.
    convert convert_plain convert_wide <T: Copy, U: Copy, F: Fn(T) -> U> (values: &[T], one: &F, converted: &mut [U]) -> ()
);
dispatched!(
    /// Counts the set bits.
    count_ones count_ones_plain count_ones_wide <> (words: &[u64]) -> u64
);
dispatched!(
    /// Keeps the bits that are set in both.
    and and_plain and_wide <> (words: &mut [u64], others: &[u64]) -> ()
);
dispatched!(
    /// Adds the bits of the other.
    or or_plain or_wide <> (words: &mut [u64], others: &[u64]) -> ()
);
dispatched!(
    /// Combines (true, unknown) words with Kleene's `and`, in place.
    kleene_and kleene_and_plain kleene_and_wide <> (t: &mut [u64], u: &mut [u64], others_t: &[u64], others_u: &[u64]) -> ()
);
dispatched!(
    /// Combines (true, unknown) words with Kleene's `or`, in place.
    kleene_or kleene_or_plain kleene_or_wide <> (t: &mut [u64], u: &mut [u64], others_t: &[u64], others_u: &[u64]) -> ()
);
dispatched!(
    /// Counts the bits that are set in both.
    count_common_ones count_common_ones_plain count_common_ones_wide <> (words: &[u64], others: &[u64]) -> u64
);

// Loops instead of iterators: all calls must be inlined into the function that is compiled for wide instructions.
#[inline(always)]
fn fill_mask_plain<T: Copy, F: Fn(T) -> bool>(values: &[T], holds: &F, words: &mut [u64]) {
    let (whole, rest) = values.as_chunks::<64>();
    for (at, rows) in whole.iter().enumerate() {
        let mut flags = [0u8; 64];
        for row in 0..64 {
            flags[row] = u8::from(holds(rows[row]));
        }
        let mut word = 0;
        for (at, eight) in flags.as_chunks::<8>().0.iter().enumerate() {
            // The multiplication gathers the flags of eight bytes in the highest byte.
            let packed = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            word |= packed << (8 * at);
        }
        words[at] = word;
    }
    for (row, &value) in rest.iter().enumerate() {
        words[whole.len()] |= u64::from(holds(value)) << row;
    }
}

#[inline(always)]
fn convert_plain<T: Copy, U: Copy, F: Fn(T) -> U>(values: &[T], one: &F, converted: &mut [U]) {
    let len = values.len().min(converted.len());
    let (values, converted) = (&values[..len], &mut converted[..len]);
    for at in 0..len {
        converted[at] = one(values[at]);
    }
}

#[inline(always)]
fn count_ones_plain(words: &[u64]) -> u64 {
    let mut ones = 0;
    for word in words {
        ones += u64::from(word.count_ones());
    }
    ones
}

#[inline(always)]
fn and_plain(words: &mut [u64], others: &[u64]) {
    for (word, other) in words.iter_mut().zip(others) {
        *word &= other;
    }
}

#[inline(always)]
fn or_plain(words: &mut [u64], others: &[u64]) {
    for (word, other) in words.iter_mut().zip(others) {
        *word |= other;
    }
}

#[inline(always)]
fn kleene_and_plain(t: &mut [u64], u: &mut [u64], others_t: &[u64], others_u: &[u64]) {
    for (((t, u), other_t), other_u) in t.iter_mut().zip(u).zip(others_t).zip(others_u) {
        let possible = (*t | *u) & (other_t | other_u);
        *t &= other_t;
        *u = possible & !*t;
    }
}

#[inline(always)]
fn kleene_or_plain(t: &mut [u64], u: &mut [u64], others_t: &[u64], others_u: &[u64]) {
    for (((t, u), other_t), other_u) in t.iter_mut().zip(u).zip(others_t).zip(others_u) {
        *t |= other_t;
        *u = (*u | other_u) & !*t;
    }
}

#[inline(always)]
fn count_common_ones_plain(words: &[u64], others: &[u64]) -> u64 {
    let mut ones = 0;
    for (word, other) in words.iter().zip(others) {
        ones += u64::from((word & other).count_ones());
    }
    ones
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words() -> impl Strategy<Value = [Vec<u64>; 4]> {
        (0..40usize).prop_flat_map(|len| std::array::from_fn(|_| prop::collection::vec(any::<u64>(), len)))
    }

    /// Returns the results of all functions.
    fn results(values: &[u16], low: u16, [a, b, c, d]: &[Vec<u64>; 4]) -> (Vec<Vec<u64>>, [u64; 2]) {
        let mut filled = vec![0; values.len().div_ceil(64)];
        fill_mask(values, &|value| value >= low, &mut filled);
        let mut results = vec![filled];
        for join in [and, or] {
            let mut words = a.clone();
            join(&mut words, b);
            results.push(words);
        }
        for join in [kleene_and, kleene_or] {
            let (mut t, mut u) = (a.clone(), b.clone());
            join(&mut t, &mut u, c, d);
            results.extend([t, u]);
        }
        let mut converted = vec![0; values.len()];
        convert(values, &|value| u64::from(value) * u64::from(low), &mut converted);
        results.push(converted);
        (results, [count_ones(a), count_common_ones(a, b)])
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn wide_and_portable_loops_agree(
            values in prop::collection::vec(any::<u16>(), 0..300), low in any::<u16>(), words in words()
        ) {
            let wide = results(&values, low, &words);
            let portable = std::thread::scope(|scope| {
                let portable = scope.spawn(|| {
                    PORTABLE.set(true);
                    results(&values, low, &words)
                });
                portable.join().unwrap()
            });
            prop_assert_eq!(wide, portable);
        }

        #[test]
        fn fill_mask_sets_a_bit_for_each_match(values in prop::collection::vec(any::<u16>(), 0..300), low in any::<u16>()) {
            let mut words = vec![0; values.len().div_ceil(64)];
            fill_mask(&values, &|value| value >= low, &mut words);
            prop_assert_eq!(count_ones(&words), values.iter().filter(|&&value| value >= low).count() as u64);
            let set = (0..values.len()).filter(|row| words[row / 64] >> (row % 64) & 1 == 1);
            prop_assert!(set.eq((0..values.len()).filter(|&row| values[row] >= low)));
        }
    }
}
