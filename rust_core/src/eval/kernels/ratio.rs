//! Exact fractions: averages, medians, quotients and sums beyond 64 bits.

use std::cmp::Ordering;

use crate::error::{Error, Result};
use crate::plan::Arith;

/// The number of millionths in a unit.
pub const UNIT: i64 = 1_000_000;

/// The fraction `num / den` with `den > 0`. It may not be in lowest terms; comparisons use its value.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    num: i128,
    den: i128,
}

impl Ratio {
    pub fn new(num: i128, den: i128) -> Ratio {
        debug_assert!(den > 0);
        Ratio { num, den }
    }

    pub fn millionths(value: i128) -> Ratio {
        Ratio {
            num: value,
            den: i128::from(UNIT),
        }
    }

    /// Returns the value in millionths if it is whole and fits.
    pub fn to_millionths(self) -> Option<i64> {
        let Ratio { num, den } = self.reduced();
        let times = i128::from(UNIT);
        (times % den == 0)
            .then(|| num.checked_mul(times / den))?
            .and_then(|value| value.try_into().ok())
    }

    /// Returns the fraction in lowest terms, so that equal fractions have equal parts.
    pub fn reduced(self) -> Ratio {
        let (mut a, mut b) = (self.num.unsigned_abs(), self.den.unsigned_abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        // The divisor is at most `den`, so it fits.
        let divisor = (a as i128).max(1);
        Ratio {
            num: self.num / divisor,
            den: self.den / divisor,
        }
    }

    pub fn parts(self) -> (i128, i128) {
        (self.num, self.den)
    }

    /// Computes exactly; returns `Ok(None)` on division by 0, an error if the result needs more than 128 bits.
    pub fn combine(self, function: Arith, other: Ratio) -> Result<Option<Ratio>> {
        if function == Arith::Divide && other.num == 0 {
            return Ok(None);
        }
        let exact = self.checked(function, other);
        let exact = exact.or_else(|| self.reduced().checked(function, other.reduced()));
        exact.map(Some).ok_or_else(beyond)
    }

    /// Divides by a number above 0.
    pub fn divided_by(self, parts: i128) -> Result<Ratio> {
        let divided = |of: Ratio| of.den.checked_mul(parts).map(|den| Ratio { num: of.num, den });
        divided(self).or_else(|| divided(self.reduced())).ok_or_else(beyond)
    }

    fn checked(self, function: Arith, other: Ratio) -> Option<Ratio> {
        let (a, b, c, d) = (self.num, self.den, other.num, other.den);
        match function {
            Arith::Add if b == d => Some(Ratio {
                num: a.checked_add(c)?,
                den: b,
            }),
            Arith::Subtract if b == d => Some(Ratio {
                num: a.checked_sub(c)?,
                den: b,
            }),
            Arith::Add => Some(Ratio {
                num: a.checked_mul(d)?.checked_add(c.checked_mul(b)?)?,
                den: b.checked_mul(d)?,
            }),
            Arith::Subtract => Some(Ratio {
                num: a.checked_mul(d)?.checked_sub(c.checked_mul(b)?)?,
                den: b.checked_mul(d)?,
            }),
            Arith::Multiply => Some(Ratio {
                num: a.checked_mul(c)?,
                den: b.checked_mul(d)?,
            }),
            Arith::Divide => {
                let (num, den) = (a.checked_mul(d)?, b.checked_mul(c)?);
                if den < 0 {
                    Some(Ratio {
                        num: num.checked_neg()?,
                        den: den.checked_neg()?,
                    })
                } else {
                    Some(Ratio { num, den })
                }
            }
        }
    }
}

fn beyond() -> Error {
    Error::Unsupported("a number of this rule needs more than 128 bits to be exact; divide less often".into())
}

impl Ord for Ratio {
    fn cmp(&self, other: &Ratio) -> Ordering {
        if let (Some(left), Some(right)) = (self.num.checked_mul(other.den), other.num.checked_mul(self.den)) {
            return left.cmp(&right);
        }
        // Compares continued fractions: whole parts first, then the reciprocals of the remainders in reverse order.
        let (mut a, mut b) = (*self, *other);
        let mut is_reversed = false;
        loop {
            let whole = a.num.div_euclid(a.den).cmp(&b.num.div_euclid(b.den));
            let (rest_a, rest_b) = (a.num.rem_euclid(a.den), b.num.rem_euclid(b.den));
            let order = if whole != Ordering::Equal {
                whole
            } else if rest_a == 0 || rest_b == 0 {
                rest_a.cmp(&rest_b)
            } else {
                (a, b) = (
                    Ratio {
                        num: a.den,
                        den: rest_a,
                    },
                    Ratio {
                        num: b.den,
                        den: rest_b,
                    },
                );
                is_reversed = !is_reversed;
                continue;
            };
            return if is_reversed { order.reverse() } else { order };
        }
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Ratio) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ratio {
    fn eq(&self, other: &Ratio) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ratio {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part() -> impl Strategy<Value = i128> {
        prop_oneof![
            any::<i8>().prop_map(i128::from),
            any::<i64>().prop_map(i128::from),
            any::<i128>()
        ]
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn order_is_total_and_turns_with_the_sign(a in part(), b in 1..i128::MAX, c in part(), d in 1..i128::MAX) {
            prop_assume!(a != i128::MIN && c != i128::MIN);
            let (x, y) = (Ratio::new(a, b), Ratio::new(c, d));
            prop_assert_eq!(x.cmp(&y), y.cmp(&x).reverse());
            prop_assert_eq!(x.cmp(&y), Ratio::new(-c, d).cmp(&Ratio::new(-a, b)));
            prop_assert_eq!(x.cmp(&x.reduced()), Ordering::Equal);
        }

        #[test]
        fn order_equals_that_of_cross_products(a in any::<i32>(), b in 1..i32::MAX, c in any::<i32>(), d in 1..i32::MAX) {
            // Scaled so that products exceed 128 bits: tests the slow path.
            let scale = 1i128 << 90;
            let (a, b, c, d) = (i128::from(a), i128::from(b), i128::from(c), i128::from(d));
            let (x, y) = (Ratio::new(a * scale, b * scale), Ratio::new(c * scale, d * scale));
            prop_assert_eq!(x.cmp(&y), (a * d).cmp(&(c * b)));
        }

        #[test]
        fn addition_and_multiplication_are_inverted_exactly(a in any::<i32>(), b in 1..i32::MAX, c in any::<i32>(), d in 1..i32::MAX) {
            let (x, y) = (Ratio::new(a.into(), b.into()), Ratio::new(c.into(), d.into()));
            let sum = x.combine(Arith::Add, y).unwrap().unwrap();
            prop_assert_eq!(sum.combine(Arith::Subtract, y).unwrap(), Some(x));
            let product = x.combine(Arith::Multiply, y).unwrap().unwrap();
            prop_assert_eq!(product.combine(Arith::Divide, y).unwrap(), (c != 0).then_some(x));
        }
    }

    #[test]
    fn combine_rejects_a_result_beyond_128_bits() {
        let (x, y) = (Ratio::new(1, (1 << 100) - 1), Ratio::new(1, (1 << 101) - 1));
        assert!(matches!(x.combine(Arith::Add, y), Err(Error::Unsupported(_))));
    }
}
