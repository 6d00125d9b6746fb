//! Numbers that a plan holds as text, because JSON numbers are not exact.

use serde::Deserialize;

/// A decimal with at most six fractional digits, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Decimal(pub i64);

/// The bound of a sample: a person is in the sample if their hash is below it.
///
/// A fractional bound is rounded up, which selects the same hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct SampleBound(pub u128);

/// Splits `-?[0-9]+(\.[0-9]+)?` into its sign, whole digits and fractional digits; returns `None` for any other text.
fn digits(text: &str) -> Option<(bool, &str, &str)> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (plain(whole) && plain(fraction)).then_some((negative, whole, fraction))
}

impl TryFrom<String> for Decimal {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let millionths = || {
            let (negative, whole, fraction) = digits(&text).filter(|(_, _, fraction)| fraction.len() <= 6)?;
            let sign = if negative { "-" } else { "" };
            format!("{sign}{whole}{fraction:0<6}").parse().ok()
        };
        let wrong = || format!("`{text}` is not a decimal with at most six fractional digits within ±9·10^12");
        millionths().map(Decimal).ok_or_else(wrong)
    }
}

impl TryFrom<String> for SampleBound {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bound = || {
            let (_, whole, fraction) = digits(&text).filter(|(negative, _, _)| !negative)?;
            let part = fraction.bytes().any(|digit| digit != b'0');
            whole.parse::<u128>().ok()?.checked_add(u128::from(part))
        };
        let within = bound().filter(|&below| below <= 1 << 64);
        within
            .map(SampleBound)
            .ok_or_else(|| format!("`{text}` is not a number from 0 to 2^64"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sample_bound_between_whole_numbers_rounds_up() {
        assert_eq!(SampleBound::try_from("1.5".to_string()), Ok(SampleBound(2)));
        assert_eq!(
            SampleBound::try_from("18446744073709551616".to_string()),
            Ok(SampleBound(1 << 64))
        );
        assert!(SampleBound::try_from("18446744073709551617".to_string()).is_err());
        assert!(SampleBound::try_from("-1".to_string()).is_err());
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn decimals_parse_exactly(millionths in any::<i64>()) {
            let sign = if millionths < 0 { "-" } else { "" };
            let size = millionths.unsigned_abs();
            let text = format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000);
            prop_assert_eq!(Decimal::try_from(text), Ok(Decimal(millionths)));
        }
    }
}
