//! Compares columns.

use super::bits::{Bits, Tri};
use super::column::{Column, Kind, Numbers, View};
use crate::error::Result;
use crate::plan::Cmp;

/// Compares two columns row by row; the result is unknown where a side is unknown.
pub fn compare(cmp: Cmp, left: &Column, right: &Column, kind: Kind) -> Result<Tri> {
    let len = left.len();
    let known = left.known.and(&right.known);
    let holds = match kind {
        Kind::Bool => compare_views(cmp, len, left.bools()?, right.bools()?),
        Kind::Text => compare_views(cmp, len, left.codes()?, right.codes()?),
        Kind::Point => compare_views(cmp, len, left.points()?, right.points()?),
        _ => match (left.numbers()?, right.numbers()?) {
            (Numbers::Whole(a), Numbers::Whole(b)) => compare_views(cmp, len, a, b),
            (a, b) => compare_rows(cmp, len, |row| a.get(row), |row| b.get(row)),
        },
    };
    Ok(Tri::of(holds, &known))
}

pub fn equals(left: &Column, right: &Column, kind: Kind) -> Result<Tri> {
    compare(Cmp::Equal, left, right, kind)
}

fn compare_views<T: Copy + PartialOrd>(cmp: Cmp, len: usize, left: View<T>, right: View<T>) -> Bits {
    match (left, right) {
        (View::Many(a), View::Many(b)) => compare_rows(cmp, len, |row| a[row], |row| b[row]),
        (View::Many(a), View::One(b)) => compare_rows(cmp, len, |row| a[row], |_| b),
        (View::One(a), View::Many(b)) => compare_rows(cmp, len, |_| a, |row| b[row]),
        (View::One(a), View::One(b)) => compare_rows(cmp, len, |_| a, |_| b),
    }
}

fn compare_rows<T: PartialOrd>(cmp: Cmp, len: usize, a: impl Fn(usize) -> T, b: impl Fn(usize) -> T) -> Bits {
    match cmp {
        Cmp::Less => Bits::from_fn(len, |row| a(row) < b(row)),
        Cmp::AtMost => Bits::from_fn(len, |row| a(row) <= b(row)),
        Cmp::More => Bits::from_fn(len, |row| a(row) > b(row)),
        Cmp::AtLeast => Bits::from_fn(len, |row| a(row) >= b(row)),
        Cmp::Equal => Bits::from_fn(len, |row| a(row) == b(row)),
        Cmp::Differs => Bits::from_fn(len, |row| a(row) != b(row)),
    }
}

/// Finds the rows whose month and day are wanted; for dates, only in a later year than the date.
pub fn anniversary(column: &Column, latest_year: &[i32], of_dates: bool) -> Result<Tri> {
    let values = column.ints()?;
    let holds = |row| {
        let (year, day) = if of_dates {
            year_and_day(values.get(row))
        } else {
            (i64::from(i32::MIN), values.get(row))
        };
        let latest = usize::try_from(day).ok().and_then(|day| latest_year.get(day));
        latest.is_some_and(|&latest| i64::from(latest) > year)
    };
    let holds = Bits::from_fn(column.len(), |row| column.known.get(row) && holds(row));
    Ok(Tri::of(holds, &column.known))
}

/// Converts days since 1970-01-01 to (year, month * 100 + day) of the proleptic Gregorian calendar.
pub fn year_and_day(days: i64) -> (i64, i64) {
    // Here a year starts on 1 March, so the leap day is its last day; an era has 400 years.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (era * 400 + year_of_era + i64::from(month <= 2), month * 100 + day)
}

const EARTH_RADIUS_METRES: f64 = 6_371_008.8;

/// Returns the great-circle distance in metres between (latitude, longitude) pairs in degrees, by the haversine formula.
pub fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    let (from, to) = (a[0].to_radians(), b[0].to_radians());
    let half_latitude = ((to - from) / 2.0).sin();
    let half_longitude = ((b[1].to_radians() - a[1].to_radians()) / 2.0).sin();
    let square = half_latitude * half_latitude + from.cos() * to.cos() * half_longitude * half_longitude;
    2.0 * EARTH_RADIUS_METRES * square.sqrt().min(1.0).asin()
}

/// Finds the rows at most `metres` from the point.
pub fn near(column: &Column, point: &Column, metres: f64) -> Result<Tri> {
    let known = column.known.and(&point.known);
    let (from, to) = (column.points()?, point.points()?);
    let holds = Bits::from_fn(column.len(), |row| {
        known.get(row) && distance(from.get(row), to.get(row)) <= metres
    });
    Ok(Tri::of(holds, &known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn year_and_day_converts_known_dates() {
        assert_eq!(year_and_day(0), (1970, 101));
        assert_eq!(year_and_day(-1), (1969, 1231));
        assert_eq!(year_and_day(19_782), (2024, 229));
        assert_eq!(year_and_day(19_783), (2024, 301));
        assert_eq!(year_and_day(-25_508), (1900, 301));
        assert_eq!(year_and_day(-25_509), (1900, 228));
    }

    #[test]
    fn year_and_day_is_strictly_increasing() {
        let mut before = year_and_day(-200_000);
        for days in -199_999..200_000 {
            let next = year_and_day(days);
            assert!(next > before && (next.0 == before.0 || (next.1 == 101 && before.1 == 1231)));
            before = next;
        }
    }

    #[test]
    fn distance_of_a_quarter_great_circle() {
        let quarter = std::f64::consts::FRAC_PI_2 * EARTH_RADIUS_METRES;
        assert!((distance([0.0, 0.0], [90.0, 0.0]) - quarter).abs() < 1e-6);
        assert!((distance([0.0, 179.0], [0.0, -179.0]) - quarter / 45.0).abs() < 1e-6);
    }
}
