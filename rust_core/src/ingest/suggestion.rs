//! The name that somebody probably meant.

/// The nearest of `names` to `wanted` by edits of one character, if it is near enough to be a slip. Ties go to the first.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    let wanted: Vec<char> = wanted.chars().take(64).collect();
    let limit = (wanted.len() / 3).max(1);
    let distances = names.map(|name| (distance(&wanted, name), name.as_str()));
    let (edits, name) = distances.min_by_key(|(edits, _)| *edits)?;
    (edits <= limit).then_some(name)
}

fn distance(wanted: &[char], name: &str) -> usize {
    let mut row: Vec<usize> = (0..=wanted.len()).collect();
    for (line, letter) in name.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (at, other) in wanted.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[wanted.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name() {
        let names = ["amount", "store_id", "note"].map(String::from);
        let find = |wanted: &str| nearest(wanted, names.iter()).map(str::to_owned);
        assert_eq!(find("amout").as_deref(), Some("amount"));
        assert_eq!(find("storeid").as_deref(), Some("store_id"));
        assert_eq!(find("basket"), None);
        assert_eq!(nearest("x", [].iter()), None);
    }
}
