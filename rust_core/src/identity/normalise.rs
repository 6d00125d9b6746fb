//! Normalises the values of identifiers and rejects placeholders.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// The normalisation of a namespace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueKind {
    Phone,
    Email,
    /// NFKC, trimmed, in its original case.
    Exact,
}

impl ValueKind {
    pub fn of(namespace: &str) -> ValueKind {
        match namespace {
            "phone" => ValueKind::Phone,
            "email" => ValueKind::Email,
            _ => ValueKind::Exact,
        }
    }
}

/// The most bytes of a value; no real identifier is longer.
const MAX_BYTES: usize = 512;

/// Values that programs and clerks enter instead of an identifier, compared without case.
const PLACEHOLDERS: [&str; 32] = [
    "",
    "-",
    "--",
    "-1",
    "null",
    "(null)",
    "<null>",
    "none",
    "nil",
    "nan",
    "undefined",
    "[object object]",
    "anonymous",
    "anon",
    "unknown",
    "n/a",
    "na",
    "guest",
    "visitor",
    "default",
    "test",
    "true",
    "false",
    "empty",
    "invalid",
    "invaliduser",
    "未知",
    "匿名",
    "无",
    "空",
    "游客",
    "测试",
];

/// Normalises a value of a namespace; returns `None` for placeholders and invalid values.
pub fn normalise_in_namespace<'a>(namespace: &str, value: &'a str, country: &str) -> Option<Cow<'a, str>> {
    normalise(ValueKind::of(namespace), value, country).filter(|_| !namespace.is_empty())
}

/// Normalises a value; returns `None` for placeholders and values that are not valid for this kind.
///
/// `country` is the calling code of phone numbers without one.
pub fn normalise<'a>(kind: ValueKind, value: &'a str, country: &str) -> Option<Cow<'a, str>> {
    if value.len() > MAX_BYTES {
        return None;
    }
    let text = match value.is_ascii() || is_nfkc_quick(value.chars()) == IsNormalized::Yes {
        true => Cow::Borrowed(value.trim()),
        false => Cow::Owned(value.nfkc().collect::<String>().trim().to_owned()),
    };
    if is_placeholder(&text) || has_control(&text) {
        return None;
    }
    match kind {
        ValueKind::Phone => phone(&text, country).map(Cow::Owned),
        ValueKind::Email => email(text),
        ValueKind::Exact => Some(text),
    }
}

/// Returns whether a text has only zeros (such as an all-zero UUID) or is a known placeholder.
fn is_placeholder(text: &str) -> bool {
    match text.as_bytes().first() {
        Some(b'1'..=b'9') => false,
        Some(b'0') => text.bytes().all(|byte| matches!(byte, b'0' | b'-')),
        _ => PLACEHOLDERS.iter().any(|constant| constant.eq_ignore_ascii_case(text)),
    }
}

fn has_control(text: &str) -> bool {
    match text.is_ascii() {
        true => text.bytes().any(|byte| byte.is_ascii_control()),
        false => text.chars().any(char::is_control),
    }
}

fn email(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let (local, domain) = text.split_once('@')?;
    let plain = !text.contains(char::is_whitespace) && !domain.contains('@');
    if !plain || local.is_empty() || domain.len() < 3 || !domain.contains('.') {
        return None;
    }
    let lower = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    Some(if lower { text } else { Cow::Owned(text.to_lowercase()) })
}

/// Normalises a phone number to E.164 with a plus.
///
/// Rejects extensions: the numbers that delivery platforms lend (`13800001111,2345`) belong to nobody.
fn phone(text: &str, country: &str) -> Option<String> {
    let mut digits = String::with_capacity(24);
    for c in text.strip_prefix('+').unwrap_or(text).chars() {
        match c {
            '0'..='9' if digits.len() < 20 => digits.push(c),
            ' ' | '-' | '(' | ')' | '.' | '\u{2010}'..='\u{2015}' => {}
            _ => return None,
        }
    }
    if !text.starts_with('+') {
        if digits.starts_with("00") {
            digits.drain(..2);
        } else if is_national(country, &digits) {
            let trunk = digits.len() - strip_trunk_prefix(country, &digits).len();
            digits.replace_range(..trunk, country);
        } else {
            // Such as 8613912345678: the calling code without the plus.
            digits
                .strip_prefix(country)
                .filter(|national| is_national(country, national))?;
        }
    }
    let plausible = (8..=15).contains(&digits.len()) && !digits.starts_with('0') && !is_placeholder_number(&digits);
    let chinese = digits.strip_prefix("86").is_none_or(is_chinese);
    digits.insert(0, '+');
    (plausible && chinese).then_some(digits)
}

/// Returns whether digits can be a number as dialled inside the country.
fn is_national(country: &str, digits: &str) -> bool {
    match country {
        "86" => is_chinese(strip_trunk_prefix(country, digits)),
        "1" => digits.len() == 10 && !digits.starts_with(['0', '1']),
        _ => (7..=12).contains(&digits.len()) && !digits.starts_with(country),
    }
}

/// Strips the trunk prefix 0, which is dialled inside the country only.
fn strip_trunk_prefix<'a>(country: &str, digits: &'a str) -> &'a str {
    match country {
        "1" | "39" => digits,
        _ => digits.strip_prefix('0').unwrap_or(digits),
    }
}

/// Returns whether a number is a mobile number (11 digits from 13 to 19) or a land line with area code. 400 and 800 belong to shops.
fn is_chinese(national: &str) -> bool {
    let bytes = national.as_bytes();
    match bytes {
        [b'1', b'3'..=b'9', ..] => bytes.len() == 11,
        [b'4' | b'8', b'0', b'0', ..] | [b'0', ..] => false,
        [b'1', b'0', ..] => bytes.len() == 10,
        [b'2'..=b'9', ..] => (9..=11).contains(&bytes.len()),
        _ => false,
    }
}

/// Returns whether a number repeats one digit, ends in eight zeros, or is the usual test number.
fn is_placeholder_number(digits: &str) -> bool {
    let national = digits.strip_prefix("86").unwrap_or(digits);
    let same = |text: &str| text.bytes().all(|byte| Some(byte) == text.bytes().next());
    same(national) || national.ends_with("00000000") || national == "13800138000"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(kind: ValueKind, value: &str) -> Option<String> {
        normalise(kind, value, "86").map(Cow::into_owned)
    }

    #[test]
    fn one_phone_has_one_spelling() {
        for written in [
            "13912345678",
            "+8613912345678",
            "8613912345678",
            "008613912345678",
            " 139-1234-5678 ",
            "+86 139 1234 5678",
            "１３９１２３４５６７８",
            "+86(139)12345678",
        ] {
            assert_eq!(
                of(ValueKind::Phone, written).as_deref(),
                Some("+8613912345678"),
                "{written}"
            );
        }
        assert_eq!(of(ValueKind::Phone, "010-6552 9988").as_deref(), Some("+861065529988"));
        assert_eq!(
            of(ValueKind::Phone, "+1 (202) 555-0143").as_deref(),
            Some("+12025550143")
        );
        assert_eq!(
            normalise(ValueKind::Phone, "202 555 0143", "1").as_deref(),
            Some("+12025550143")
        );
        assert_eq!(
            normalise(ValueKind::Phone, "1 202 555 0143", "1").as_deref(),
            Some("+12025550143")
        );
        assert_eq!(
            normalise(ValueKind::Phone, "020 7946 0958", "44").as_deref(),
            Some("+442079460958")
        );
    }

    #[test]
    fn placeholder_phones_are_rejected() {
        for written in [
            "13800138000",
            "11111111111",
            "00000000000",
            "13900000000",
            "12345678901",
            "139123",
            "139123456789",
            "abc",
            "13912345678,1234",
            "13912345678_1234",
            "13912345678转12",
            "400-820-1234",
            "+86",
            "+",
            "",
            "0",
            "null",
            "+999999999",
            "+8612345678901",
            "139*****678",
        ] {
            assert_eq!(of(ValueKind::Phone, written), None, "{written}");
        }
    }

    #[test]
    fn emails_are_lowercased_and_trimmed() {
        assert_eq!(
            of(ValueKind::Email, " Li.Lei@Example.COM ").as_deref(),
            Some("li.lei@example.com")
        );
        assert_eq!(
            of(ValueKind::Email, "ｌi@example.com").as_deref(),
            Some("li@example.com")
        );
        for written in [
            "",
            "li",
            "@example.com",
            "li@",
            "li@@example.com",
            "li lei@example.com",
            "li@com",
            "none",
        ] {
            assert_eq!(of(ValueKind::Email, written), None, "{written}");
        }
    }

    #[test]
    fn other_identifiers_keep_their_case_and_placeholders_are_rejected() {
        assert_eq!(of(ValueKind::Exact, " oAbC ").as_deref(), Some("oAbC"));
        assert_eq!(of(ValueKind::Exact, "Ａ1").as_deref(), Some("A1"));
        for kept in ["1", "11", "1111", "2222", "0001", "10", "nullable", "-2"] {
            assert_eq!(of(ValueKind::Exact, kept).as_deref(), Some(kept));
        }
        for refused in [
            "",
            " ",
            "0",
            "0000",
            "-1",
            "NULL",
            "None",
            "undefined",
            "Anonymous",
            "unknown",
            "N/A",
            "未知",
            "ｎｕｌｌ",
            "00000000-0000-0000-0000-000000000000",
            "[object Object]",
            "a\0b",
        ] {
            assert_eq!(of(ValueKind::Exact, refused), None, "{refused}");
        }
        assert_eq!(of(ValueKind::Exact, &"x".repeat(MAX_BYTES + 1)), None);
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn normalising_twice_changes_nothing(value in "\\PC{0,24}|[0-9+ -]{0,18}|[a-zA-Z@.]{0,20}") {
            for kind in [ValueKind::Phone, ValueKind::Email, ValueKind::Exact] {
                if let Some(once) = of(kind, &value) {
                    prop_assert_eq!(of(kind, &once), Some(once));
                }
            }
        }

        #[test]
        fn mobile_numbers_are_accepted_in_all_spellings(number in "1[3-9][0-9]{8}[1-9]", cut in 0usize..11) {
            prop_assume!(!is_placeholder_number(&number));
            let expected = Some(format!("+86{number}"));
            let dashed = format!("{}-{}", &number[..cut], &number[cut..]);
            for written in [number.clone(), dashed, format!("+86{number}"), format!("86 {number}"), format!("0086{number}")] {
                prop_assert_eq!(of(ValueKind::Phone, &written), expected.clone());
            }
        }
    }
}
