//! `--set KEY=VALUES`: a setting that a sweep varies.

use rand::RngCore;

use crate::seed;

/// What numbers an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// Whole ones.
    Whole,
    /// Any.
    Real,
}

/// A setting and its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The option's name, without dashes.
    pub key: String,
    /// What it is set to.
    pub values: Values,
}

/// The values of a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// These.
    List(Vec<String>),
    /// Any number between two.
    Range(Range),
}

/// Numbers between two bounds, which belong to them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    low: f64,
    high: f64,
    /// Whether each order of magnitude is as probable as every other.
    log: bool,
    number: Number,
}

/// Splits `KEY=VALUES` at its first `=`.
///
/// # Errors
/// If there is none, or no key before it.
pub fn key_and_values(text: &str) -> Result<(&str, &str), String> {
    match text.split_once('=') {
        Some((key, values)) if !key.trim().is_empty() => Ok((key.trim(), values)),
        _ => Err("expected KEY=VALUE,VALUE…, such as lr=0.001,0.003".to_owned()),
    }
}

impl Setting {
    /// A setting from its values as they are written: a list with commas, or a range `LOW..HIGH` or
    /// `log:LOW..HIGH` of an option that takes a `number`. Commas inside parentheses or quotes belong to a
    /// value; quotes around a whole value are removed.
    ///
    /// # Errors
    /// A sentence with what is wrong with the values.
    pub fn parse(key: &str, values: &str, number: Option<Number>) -> Result<Self, String> {
        let values = split(values)?;
        let key = key.to_owned();
        if let [one] = values.as_slice()
            && let Some(range) = Range::parse(one, number)?
        {
            return Ok(Self { key, values: Values::Range(range) });
        }
        for (place, value) in values.iter().enumerate() {
            if value.is_empty() {
                return Err("expected a value before and after each comma".to_owned());
            }
            if values[..place].contains(value) {
                return Err(format!("{value} is given twice"));
            }
        }
        Ok(Self { key, values: Values::List(values) })
    }
}

impl Values {
    /// How many there are; `None` of any number between two.
    pub(super) fn count(&self) -> Option<u128> {
        match self {
            Self::List(values) => Some(values.len() as u128),
            Self::Range(Range { low, high, number: Number::Whole, .. }) => {
                Some((high - low) as u128 + 1)
            }
            Self::Range(_) => None,
        }
    }

    /// A value drawn at random.
    pub(super) fn draw(&self, rng: &mut impl RngCore) -> String {
        match self {
            Self::List(values) => values[seed::below(rng, values.len() as u32) as usize].clone(),
            Self::Range(range) => range.draw(rng),
        }
    }
}

impl Range {
    fn parse(text: &str, number: Option<Number>) -> Result<Option<Self>, String> {
        let (log, bounds) = match text.strip_prefix("log:") {
            Some(bounds) => (true, bounds),
            None => (false, text),
        };
        // A path may have dots, too.
        let bounds = bounds.split_once("..").filter(|_| log || number.is_some());
        let Some((low, high)) = bounds else {
            return if log { Err("expected log:LOW..HIGH".to_owned()) } else { Ok(None) };
        };
        let Some(number) = number else {
            return Err(format!("{text} is a range, but the option takes no number"));
        };
        let bound = |text: &str| {
            let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
            number.ok_or_else(|| format!("{text} is no bound of a range: expected a number"))
        };
        let range = Self { low: bound(low)?, high: bound(high)?, log, number };
        let Self { low, high, .. } = range;
        let is_whole = |bound: f64| bound.fract() == 0.0 && bound.abs() <= MOST_WHOLE;
        if low >= high {
            Err(format!("{text} is empty: expected the lower bound first"))
        } else if log && low <= 0.0 {
            Err(format!("{text} has no logarithm: expected a lower bound above 0"))
        } else if number == Number::Whole && !(is_whole(low) && is_whole(high)) {
            Err(format!("{text} has bounds that are not whole: the option takes whole numbers"))
        } else {
            Ok(Some(range))
        }
    }

    fn draw(&self, rng: &mut impl RngCore) -> String {
        let Self { low, high, log, number } = *self;
        // 53 bits, as many as an f64 has.
        let share = (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        // Each whole number is as wide as every other, those at the bounds included.
        let (from, to) = match number {
            Number::Whole => (low - 0.5, high + 0.5),
            Number::Real => (low, high),
        };
        let drawn = if log {
            from.ln() + share * (to.ln() - from.ln())
        } else {
            from + share * (to - from)
        };
        let drawn = if log { drawn.exp() } else { drawn };
        match number {
            Number::Whole => format!("{:.0}", drawn.round().clamp(low, high)),
            Number::Real => rounded(drawn).clamp(low, high).to_string(),
        }
    }
}

/// The largest bound of whole numbers: beyond, an f64 does not tell one from the next.
const MOST_WHOLE: f64 = (1_u64 << 53) as f64;

/// A number with four significant digits, which tables can show.
fn rounded(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(number)
}

/// Splits values at commas outside parentheses and quotes.
fn split(text: &str) -> Result<Vec<String>, String> {
    let (mut values, mut value) = (Vec::new(), String::new());
    let (mut depth, mut quote) = (0_usize, None);
    for c in text.chars() {
        match (c, quote) {
            (',', None) if depth == 0 => {
                values.push(std::mem::take(&mut value));
                continue;
            }
            ('(', None) => depth += 1,
            (')', None) => depth = depth.saturating_sub(1),
            ('"' | '\'', None) => quote = Some(c),
            (_, Some(open)) if c == open => quote = None,
            _ => {}
        }
        value.push(c);
    }
    values.push(value);
    if quote.is_some() || depth > 0 {
        return Err(format!("{text} has a quote or parenthesis that is not closed"));
    }
    Ok(values.iter().map(|value| unquoted(value.trim()).to_owned()).collect())
}

/// A value without the quotes or the parentheses around it.
fn unquoted(value: &str) -> &str {
    // Two pairs of numbers: `(0.9,0.99),(0.8,0.95)`. Layers have a name before theirs.
    if let Some(inner) = value.strip_prefix('(').and_then(|value| value.strip_suffix(')'))
        && !inner.contains(['(', ')'])
    {
        return inner.trim();
    }
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    let inner = ['"', '\''].into_iter().find_map(|quote| {
        // Quotes that close in between are two, and part of the value.
        inner(quote).filter(|inner| !inner.contains(quote))
    });
    inner.unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seed::{Purpose, rng};

    fn list(text: &str) -> Vec<String> {
        match Setting::parse("model", text, None) {
            Ok(Setting { values: Values::List(values), .. }) => values,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn commas_split_values_except_inside_parentheses_and_quotes() {
        assert_eq!(list("0.1, 0.2,3"), ["0.1", "0.2", "3"]);
        assert_eq!(
            list("article,\"conv 4 k3, flatten, linear\",'flatten, linear'"),
            ["article", "conv 4 k3, flatten, linear", "flatten, linear"]
        );
        assert_eq!(list("residual(bn, relu),x"), ["residual(bn, relu)", "x"]);
        assert_eq!(list("(0.9,0.99),(0.8,0.95)"), ["0.9,0.99", "0.8,0.95"], "pairs of numbers");
        assert_eq!(list("a/../b"), ["a/../b"], "a path is no range");
    }

    #[test]
    fn what_is_wrong_is_said_in_a_sentence() {
        for (values, number, expected) in [
            ("", None, "expected a value before and after each comma"),
            ("1,,2", None, "expected a value before and after each comma"),
            ("1,2,1", None, "1 is given twice"),
            ("\"a,b", None, "\"a,b has a quote or parenthesis that is not closed"),
            ("residual(a", None, "residual(a has a quote or parenthesis that is not closed"),
            ("log:1..2", None, "log:1..2 is a range, but the option takes no number"),
            ("log:5", Some(Number::Real), "expected log:LOW..HIGH"),
            ("1..x", Some(Number::Real), "x is no bound of a range: expected a number"),
            ("2..1", Some(Number::Real), "2..1 is empty: expected the lower bound first"),
            ("log:0..1", Some(Number::Real), "log:0..1 has no logarithm"),
            ("1..2.5", Some(Number::Whole), "1..2.5 has bounds that are not whole"),
        ] {
            let error = Setting::parse("x", values, number).expect_err(values);
            assert!(error.starts_with(expected), "{error}");
        }
        assert!(key_and_values("lr").is_err() && key_and_values("=1").is_err());
        assert_eq!(key_and_values("model=a=b"), Ok(("model", "a=b")));
    }

    #[test]
    fn a_logarithmic_range_has_as_much_of_each_order_of_magnitude() {
        let range = Setting::parse("lr", "log:1e-4..1e-2", Some(Number::Real)).expect("a range");
        let mut rng = rng(1, Purpose::Sweep, 0, 0);
        let below = (0..1000)
            .filter(|_| range.values.draw(&mut rng).parse::<f64>().expect("a number") < 1e-3);
        assert!((450..550).contains(&below.count()));
    }

    proptest! {
        #[test]
        fn a_number_drawn_lies_in_its_range(
            seed: u64,
            low in 1_u32..1000,
            width in 1_u32..1000,
            log: bool,
            whole: bool,
        ) {
            let prefix = if log { "log:" } else { "" };
            let number = if whole { Number::Whole } else { Number::Real };
            let text = format!("{prefix}{low}..{}", low + width);
            let range = Setting::parse("x", &text, Some(number)).expect("a range").values;
            let mut rng = rng(seed, Purpose::Sweep, 0, 0);
            for _ in 0..20 {
                let drawn = range.draw(&mut rng);
                let value: f64 = drawn.parse().expect("a number");
                prop_assert!((f64::from(low)..=f64::from(low + width)).contains(&value), "{}", drawn);
                prop_assert!(!whole || !drawn.contains('.'), "{}", drawn);
            }
        }
    }
}
