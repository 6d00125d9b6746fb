//! Numbers and money as millionths of a unit in an i64: decimals of at most six fractional digits within ±9·10^12 (semantics A7).

/// Millionths in a unit.
pub const UNIT: i64 = 1_000_000;
/// The largest magnitude, in millionths.
pub const LIMIT: i64 = 9_000_000_000_000 * UNIT;

/// Parses a decimal text such as "-12.50"; rounds finer digits half to even. Returns `None` if it is not a decimal or out of range.
pub fn from_decimal(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let (kept, finer) = fraction.split_at(fraction.len().min(6));
    let mut millionths: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    millionths = millionths.checked_mul(UNIT)?;
    if !kept.is_empty() {
        millionths = millionths.checked_add(kept.parse::<i64>().ok()? * 10i64.pow(6 - kept.len() as u32))?;
    }
    if rounds_up(millionths, finer) {
        millionths += 1;
    }
    within_limit(if negative { -millionths } else { millionths })
}

/// Half to even, of the digits after the sixth.
fn rounds_up(millionths: i64, finer: &str) -> bool {
    let Some(first) = finer.bytes().next() else {
        return false;
    };
    let exactly_half = first == b'5' && finer.bytes().skip(1).all(|byte| byte == b'0');
    if exactly_half {
        millionths % 2 == 1
    } else {
        first >= b'5'
    }
}

/// A double as the decimal it prints as. `None` for NaN, infinities and beyond the limit.
pub fn from_double(number: f64) -> Option<i64> {
    let scaled = (number * UNIT as f64).round();
    if scaled.abs() < 2f64.powi(53) && scaled / UNIT as f64 == number {
        return within_limit(scaled as i64);
    }
    if !number.is_finite() {
        return None;
    }
    from_decimal(&number.to_string())
}

fn within_limit(millionths: i64) -> Option<i64> {
    (-LIMIT..=LIMIT).contains(&millionths).then_some(millionths)
}

/// The shortest decimal text: "12.5", "-0.000001".
pub fn to_decimal(millionths: i64) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    let (whole, fraction) = (
        millionths.unsigned_abs() / UNIT as u64,
        millionths.unsigned_abs() % UNIT as u64,
    );
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{fraction:06}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn decimal_texts_parse_back(millionths in -LIMIT..=LIMIT) {
            prop_assert_eq!(from_decimal(&to_decimal(millionths)), Some(millionths));
        }

        #[test]
        fn doubles_convert_to_the_decimal_they_print_as(number in -1e9..1e9f64) {
            prop_assert_eq!(from_double(number), from_decimal(&number.to_string()));
        }
    }

    #[test]
    fn finer_digits_round_half_to_even() {
        assert_eq!(from_decimal("0.0000005"), Some(0));
        assert_eq!(from_decimal("0.0000015"), Some(2));
        assert_eq!(from_decimal("0.00000050001"), Some(1));
        assert_eq!(from_decimal("-0.0000015"), Some(-2));
    }

    #[test]
    fn texts_that_are_not_decimals_are_rejected() {
        for text in [
            "",
            "-",
            ".",
            "1e3",
            "+1",
            "1,000",
            "nan",
            "9000000000000.000001",
            "99999999999999999999",
        ] {
            assert_eq!(from_decimal(text), None, "{text}");
        }
        for number in [f64::NAN, f64::INFINITY, 1e13] {
            assert_eq!(from_double(number), None);
        }
    }
}
