//! Parts of a sweep, for several machines.

use std::{fmt, str::FromStr};

/// A part of a sweep: every N-th run, from the K-th on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: usize,
    of: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/').map(|(number, of)| (number.parse(), of.parse()));
        match numbers {
            Some((Ok(number), Ok(of))) if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err("expected K/N with K from 1 to N, such as 1/4".to_owned()),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl Shard {
    /// Whether a run belongs to it.
    pub fn has(self, index: usize) -> bool {
        index % self.of == self.number - 1
    }
}

/// The name of a file of results, without its extension.
pub(super) fn stem(shard: Option<Shard>) -> String {
    match shard {
        None => "results".to_owned(),
        Some(Shard { number, of }) => format!("results-{number}-of-{of}"),
    }
}

/// Whether a file of this name has results of a shard.
pub(super) fn is_of_shard(name: &str) -> bool {
    let numbers = name.strip_prefix("results-").and_then(|name| name.strip_suffix(".jsonl"));
    let numbers = numbers.and_then(|numbers| numbers.split_once("-of-"));
    numbers.is_some_and(|(number, of)| format!("{number}/{of}").parse::<Shard>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_read_and_share_all_runs() {
        for wrong in ["", "1", "0/2", "3/2", "1/0", "a/2", "1/2/3", "-1/2"] {
            let error = wrong.parse::<Shard>().expect_err(wrong);
            assert_eq!(error, "expected K/N with K from 1 to N, such as 1/4");
        }
        let shards: Vec<Shard> =
            (1..=3).map(|k| format!("{k}/3").parse().expect("a shard")).collect();
        for index in 0..10 {
            assert_eq!(shards.iter().filter(|shard| shard.has(index)).count(), 1);
        }
        assert!(is_of_shard("results-1-of-3.jsonl") && !is_of_shard("results-4-of-3.jsonl"));
        assert!(!is_of_shard("results-x.jsonl"));
    }
}
