//! Suggests the declared name that a sender probably meant.

/// The number of characters of a wanted name that are compared: comparing takes quadratic time.
const COMPARED: usize = 64;

/// Returns the name with the fewest edits of one character, if at most a third of the wanted characters differ. The first of
/// several wins.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    let wanted: String = wanted.chars().take(COMPARED).collect();
    let limit = (wanted.chars().count() / 3).max(1);
    let distances = names.map(|name| (strsim::levenshtein(&wanted, name), name.as_str()));
    let (edits, name) = distances.min_by_key(|(edits, _)| *edits)?;
    (edits <= limit).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_nearest_name_and_no_unrelated_one() {
        let names = ["amount", "store_id", "note"].map(String::from);
        let find = |wanted: &str| nearest(wanted, names.iter()).map(str::to_owned);
        assert_eq!(find("amout").as_deref(), Some("amount"));
        assert_eq!(find("storeid").as_deref(), Some("store_id"));
        assert_eq!(find("basket"), None);
        assert_eq!(nearest("x", [].iter()), None);
    }
}
