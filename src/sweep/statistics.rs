//! Means of few numbers, how well they are known, and whether they differ.

use std::collections::BTreeMap;

/// Some numbers in short.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    /// How many there are.
    pub(super) n: usize,
    /// Their mean.
    pub(super) mean: f64,
    /// Standard deviation, with n − 1; `None` of one number.
    pub(super) deviation: Option<f64>,
}

impl Sample {
    /// Numbers in short; `None` where there are none.
    pub(super) fn of(numbers: &[f64]) -> Option<Self> {
        let n = numbers.len();
        if n == 0 {
            return None;
        }
        let mean = numbers.iter().sum::<f64>() / n as f64;
        let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
        let deviation = (n > 1).then(|| (squares / (n - 1) as f64).sqrt());
        Some(Self { n, mean, deviation })
    }

    /// Half the width of the 95 % interval of the mean, by Student's t; `None` of one number.
    pub(super) fn half_interval(&self) -> Option<f64> {
        let deviation = self.deviation?;
        Some(student((self.n - 1) as f64) * deviation / (self.n as f64).sqrt())
    }

    /// How the mean compares with that of another sample, by Welch's t-test at 5 %; `None` where one of them has
    /// only one number.
    fn compared_with(&self, other: &Self) -> Option<Verdict> {
        let share = |sample: &Self| Some(sample.deviation?.powi(2) / sample.n as f64);
        let (a, b) = (share(self)?, share(other)?);
        let (n, m) = ((self.n - 1) as f64, (other.n - 1) as f64);
        let degrees = (a + b).powi(2) / (a.powi(2) / n + b.powi(2) / m);
        // Of constant samples there are no degrees of freedom, and any difference is one.
        let noise = if a + b == 0.0 { 0.0 } else { student(degrees) * (a + b).sqrt() };
        Some(Verdict::of(self.mean - other.mean, noise))
    }
}

/// Numbers by what they have in common with those of other groups: the other settings, and the seed.
pub(super) type Group = BTreeMap<String, f64>;

/// How a group's mean compares with another's, at 5 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Higher,
    Lower,
    WithinNoise,
}

impl Verdict {
    fn of(difference: f64, noise: f64) -> Self {
        match difference {
            difference if difference > noise => Self::Higher,
            difference if difference < -noise => Self::Lower,
            _ => Self::WithinNoise,
        }
    }
}

/// How the mean of one group compares with that of the other; `None` where there are too few numbers. Numbers
/// with the same key are compared in pairs, which leaves out what the key decides; those that only one group
/// has do not count then. Groups without a common key are independent.
pub(super) fn compare(one: &Group, other: &Group) -> Option<Verdict> {
    let pairs: Vec<f64> =
        one.iter().filter_map(|(key, number)| Some(number - other.get(key)?)).collect();
    if pairs.is_empty() {
        let sample = |group: &Group| Sample::of(&group.values().copied().collect::<Vec<_>>());
        return sample(one)?.compared_with(&sample(other)?);
    }
    let differences = Sample::of(&pairs)?;
    Some(Verdict::of(differences.mean, differences.half_interval()?))
}

/// Student's t for a two-sided 95 % interval with these degrees of freedom, rounded down, so that an interval
/// is rather too wide.
fn student(degrees: f64) -> f64 {
    /// For 1 to 30 degrees of freedom.
    const TABLE: [f64; 30] = [
        12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281, 2.2010,
        2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860, 2.0796, 2.0739,
        2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
    ];
    /// The same quantile of the normal distribution.
    const Z: f64 = 1.959_964;
    let degrees = degrees.floor().max(1.0);
    if let Some(&t) = TABLE.get(degrees as usize - 1) {
        return t;
    }
    // The first terms of the Cornish–Fisher expansion.
    let first = (Z.powi(3) + Z) / (4.0 * degrees);
    let second = (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / (96.0 * degrees.powi(2));
    Z + first + second
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(numbers: &[f64]) -> Group {
        numbers.iter().enumerate().map(|(place, &number)| (place.to_string(), number)).collect()
    }

    #[test]
    fn mean_deviation_and_interval_are_those_computed_by_hand() {
        // Deviations −2, −1, 1, 2: squares 10, over 3; t of 3 degrees of freedom is 3.1824.
        let sample = Sample::of(&[96.0, 97.0, 99.0, 100.0]).expect("four numbers");
        assert_eq!((sample.n, sample.mean), (4, 98.0));
        let deviation = sample.deviation.expect("more than one");
        assert!((deviation - 1.825_742).abs() < 1e-6, "{deviation}");
        let half = sample.half_interval().expect("more than one");
        assert!((half - 3.1824 * 1.825_742 / 2.0).abs() < 1e-5, "{half}");
        let one = Sample::of(&[5.0]).expect("one number");
        assert_eq!((one.mean, one.deviation, one.half_interval()), (5.0, None, None));
        assert_eq!(Sample::of(&[]), None);
    }

    #[test]
    fn students_t_continues_its_table() {
        for (degrees, t) in [(1.9, 12.7062), (30.0, 2.0423), (31.0, 2.0395), (120.0, 1.9799)] {
            assert!((student(degrees) - t).abs() < 1e-4, "{degrees}: {}", student(degrees));
        }
    }

    #[test]
    fn numbers_with_the_same_key_are_compared_in_pairs() {
        // Far apart in themselves, and each pair differs by nearly the same.
        let (low, mut high) = (group(&[10.0, 50.0, 90.0]), group(&[11.0, 51.1, 90.9]));
        assert_eq!(compare(&low, &high), Some(Verdict::Lower));
        assert_eq!(compare(&high, &low), Some(Verdict::Higher));
        // A run that the other group lacks must not decide, however good it is.
        high.insert("3".to_owned(), 0.0);
        assert_eq!(compare(&low, &high), Some(Verdict::Lower));
        high.remove("3");
        let unpaired = high.into_iter().map(|(key, value)| (key + "x", value)).collect();
        assert_eq!(compare(&low, &unpaired), Some(Verdict::WithinNoise), "by Welch's test");
    }

    #[test]
    fn one_number_says_nothing_of_a_difference() {
        assert_eq!(compare(&group(&[1.0]), &group(&[2.0])), None);
        assert_eq!(compare(&group(&[1.0, 1.0]), &group(&[2.0])), None);
        let constant = |value| group(&[value; 3]);
        assert_eq!(compare(&constant(1.0), &constant(1.0)), Some(Verdict::WithinNoise));
        assert_eq!(compare(&constant(1.0), &constant(2.0)), Some(Verdict::Lower));
        let elsewhere: Group = [("a", 2.0), ("b", 2.0)].map(|(key, n)| (key.to_owned(), n)).into();
        assert_eq!(compare(&elsewhere, &constant(1.0)), Some(Verdict::Higher));
        assert_eq!(compare(&elsewhere, &constant(2.0)), Some(Verdict::WithinNoise));
    }
}
