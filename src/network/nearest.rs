//! The word that a mistyped one was most likely meant to be.

/// The candidate that fewest letters away from `word`, if that is near enough to be meant.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    const LONGEST: usize = 32;
    let word: Vec<char> = word.chars().flat_map(char::to_lowercase).take(LONGEST).collect();
    // Of a short word most letters must be right.
    let limit = (word.len() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Letters to insert, remove, replace or swap with the next one (optimal string alignment).
fn distance(word: &[char], candidate: &str) -> usize {
    let mut before = Vec::new();
    let mut row: Vec<usize> = (0..=word.len()).collect();
    let mut last = None;
    for (line, c) in candidate.chars().enumerate() {
        let mut next = vec![line + 1];
        for (place, &w) in word.iter().enumerate() {
            let mut least = (row[place] + usize::from(w != c)).min(row[place + 1] + 1);
            least = least.min(next[place] + 1);
            if place > 0 && Some(w) == last && word[place - 1] == c {
                let swapped: &Vec<usize> = &before;
                least = least.min(swapped[place - 1] + 1);
            }
            next.push(least);
        }
        (before, row, last) = (row, next, Some(c));
    }
    row[word.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_one_or_two_letters_are_understood_and_other_words_are_not() {
        let words = ["conv", "relu", "dropout", "linear", "residual"];
        for (typed, meant) in [
            ("rleu", Some("relu")),
            ("con", Some("conv")),
            ("droptou", Some("dropout")),
            ("Linaer", Some("linear")),
            ("resdual", Some("residual")),
            ("softmax", None),
            ("", None),
            ("xy", None),
        ] {
            assert_eq!(nearest(typed, words), meant, "{typed}");
        }
    }
}
