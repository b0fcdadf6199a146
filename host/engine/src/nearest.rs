//! "Did you mean": the nearest of the names that there are.

/// A hint that names the nearest, or lists what there is.
pub(crate) fn nearest<'a>(name: &str, there: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 12;
    let there: Vec<&str> = there.collect();
    let closest = there
        .iter()
        .map(|other| (strsim::damerau_levenshtein(name, other), *other))
        .min()
        .filter(|(distance, other)| *distance * 3 <= other.chars().count().max(3));
    match closest {
        Some((_, other)) => format!("did you mean `{other}`?"),
        None if there.is_empty() => "there is none".to_owned(),
        None if there.len() <= SHOWN => format!("there are `{}`", there.join("`, `")),
        None => {
            let more = there.len() - SHOWN;
            format!("there are `{}` and {more} more", there[..SHOWN].join("`, `"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_proposed_and_far_ones_listed() {
        assert_eq!(
            nearest("acount", ["account", "contact"].into_iter()),
            "did you mean `account`?"
        );
        assert_eq!(nearest("zebra", ["a", "b"].into_iter()), "there are `a`, `b`");
        assert_eq!(nearest("zebra", std::iter::empty()), "there is none");
    }
}
