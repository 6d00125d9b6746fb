//! Validates the dates of records.

/// Returns whether a text such as "2026-11-22" is a calendar day (years 0001 to 9999).
pub fn is_date(text: &str) -> bool {
    let Some((year, month_day)) = text.split_at_checked(4) else {
        return false;
    };
    match (digits(year), month_day.strip_prefix('-').and_then(month_and_day)) {
        (Some(year), Some((month, day))) => year > 0 && day <= days_in(month, is_leap(year)),
        _ => false,
    }
}

/// Returns whether a text such as "11-22" is a day of some year.
pub fn is_month_day(text: &str) -> bool {
    month_and_day(text).is_some_and(|(month, day)| day <= days_in(month, true))
}

fn month_and_day(text: &str) -> Option<(u32, u32)> {
    let (month, day) = text.split_once('-')?;
    if month.len() != 2 || day.len() != 2 {
        return None;
    }
    let (month, day) = (digits(month)?, digits(day)?);
    ((1..=12).contains(&month) && day > 0).then_some((month, day))
}

fn digits(text: &str) -> Option<u32> {
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok())?
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in(month: u32, leap: bool) -> u32 {
    match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_calendar_days_are_dates() {
        for text in ["2026-11-22", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
            assert!(is_date(text), "{text}");
        }
        for text in [
            "2026-02-30",
            "1900-02-29",
            "2026-13-01",
            "2026-1-01",
            "0000-01-01",
            "2026-01-00",
            "２０２６-01-01",
            "11-22",
            "",
        ] {
            assert!(!is_date(text), "{text}");
        }
        assert!(is_month_day("02-29") && is_month_day("12-31"));
        for text in ["02-30", "00-10", "13-01", "1-1", "2026-11-22", "+1-01"] {
            assert!(!is_month_day(text), "{text}");
        }
    }
}
