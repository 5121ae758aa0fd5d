//! The one-line form of a network, as it is read: `conv 16 k3 p1, relu, pool 2, flatten, linear`.

use std::str::FromStr;

use super::{
    error::{Place, SpecError, quoted},
    kind::{self, DEEPEST, Kind, MOST_LAYERS, Setting, Settings},
    spec::{Layer, NetworkSpec},
};

impl FromStr for NetworkSpec {
    type Err = SpecError;

    /// Reads the one-line form.
    ///
    /// # Errors
    /// Names the first character that does not fit, what is there, and what was expected.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let mut parser = Parser { rest: Token::after(text, 1), layers: 0 };
        let layers = parser.layers(0)?;
        match parser.peek() {
            Token { text: "", .. } => Ok(Self { layers }),
            Token { text: ")", .. } => Err(parser.expected("\",\" or the end")),
            _ => Err(parser.expected("\",\"")),
        }
    }
}

/// A word, a comma or a parenthesis; empty at the end.
#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    text: &'a str,
    /// Its first character, counted from 1.
    at: usize,
    /// The description from this token on.
    rest: &'a str,
}

impl<'a> Token<'a> {
    /// The first token of `rest`, which starts at character `at`.
    fn after(rest: &'a str, at: usize) -> Self {
        let trimmed = rest.trim_start();
        let at = at + rest[..rest.len() - trimmed.len()].chars().count();
        let is_mark = |c: char| matches!(c, ',' | '(' | ')');
        let len = match trimmed.chars().next() {
            Some(mark) if is_mark(mark) => 1,
            _ => trimmed.find(|c: char| is_mark(c) || c.is_whitespace()).unwrap_or(trimmed.len()),
        };
        Self { text: &trimmed[..len], at, rest: trimmed }
    }

    fn next(self) -> Self {
        Self::after(&self.rest[self.text.len()..], self.at + self.text.chars().count())
    }

    fn is_word(self) -> bool {
        !matches!(self.text, "" | "," | "(" | ")")
    }
}

struct Parser<'a> {
    /// The token that comes next.
    rest: Token<'a>,
    /// Layers so far.
    layers: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Token<'a> {
        self.rest
    }

    fn take(&mut self) -> Token<'a> {
        let token = self.rest;
        self.rest = token.next();
        token
    }

    fn expected(&self, what: &str) -> SpecError {
        expected(self.rest, what)
    }

    /// Layers up to the end or a closing parenthesis, within `depth` blocks.
    fn layers(&mut self, depth: usize) -> Result<Vec<Layer>, SpecError> {
        let mut layers = vec![self.layer(depth)?];
        while self.peek().text == "," {
            self.take();
            layers.push(self.layer(depth)?);
        }
        Ok(layers)
    }

    fn layer(&mut self, depth: usize) -> Result<Layer, SpecError> {
        let name = self.peek();
        let place = Place::Character(name.at);
        let kind = Kind::named(name.text).ok_or_else(|| SpecError::unknown(place, name.text))?;
        self.take();
        self.layers += 1;
        if self.layers > MOST_LAYERS {
            let message = format!("expected at most {MOST_LAYERS} layers in all");
            return Err(SpecError::new(place, message));
        }
        let mut words = Vec::new();
        while self.peek().is_word() {
            words.push(self.take());
        }
        let mut line = Line { parser: self, depth, words, asked: Vec::new() };
        let layer = kind::layer(kind, &mut line)?;
        line.finish(kind)?;
        Ok(layer)
    }
}

fn expected(found: Token, what: &str) -> SpecError {
    let message = format!("expected {what}, found {}", quoted(found.text));
    SpecError::new(Place::Character(found.at), message)
}

/// The settings of one layer: the words after its name, or the layers in parentheses.
struct Line<'p, 'a> {
    parser: &'p mut Parser<'a>,
    depth: usize,
    /// Words that belong to no setting yet.
    words: Vec<Token<'a>>,
    /// What the layer could have.
    asked: Vec<String>,
}

impl<'a> Line<'_, 'a> {
    fn take(&mut self, is_meant: impl Fn(&str) -> bool) -> Option<Token<'a>> {
        let place = self.words.iter().position(|word| is_meant(word.text))?;
        Some(self.words.remove(place))
    }

    /// What follows the layer, or the first word that nothing is known of.
    fn next(&self) -> Token<'a> {
        self.words.first().copied().unwrap_or_else(|| self.parser.peek())
    }

    /// Checks that every word was used.
    fn finish(self, kind: Kind) -> Result<(), SpecError> {
        let Some(&word) = self.words.first() else { return Ok(()) };
        if Kind::named(word.text).is_some() {
            return Err(expected(word, "\",\" between two layers"));
        }
        let name = kind.name();
        let what = match self.asked.as_slice() {
            [] => format!("\",\", since {name} has no settings"),
            asked => {
                format!("\",\" or a setting of {name}, each at most once: {}", asked.join(", "))
            }
        };
        Err(expected(word, &what))
    }
}

/// How a setting is written, as in `k1 to k7`.
fn written(setting: &Setting) -> String {
    let (first, last) = (setting.range.start(), setting.range.end());
    match setting.letter {
        Some(letter) => format!("{} {letter}{first} to {letter}{last}", setting.key),
        None => format!("{} {first} to {last}", setting.key),
    }
}

fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
}

impl Settings for Line<'_, '_> {
    type Error = SpecError;

    fn optional(&mut self, setting: &'static Setting) -> Result<Option<usize>, SpecError> {
        self.asked.push(written(setting));
        let digits = |word: &str| match setting.letter {
            None => is_number(word).then_some(0),
            Some(letter) => {
                let rest = word.strip_prefix([letter, letter.to_ascii_uppercase()])?;
                (rest.is_empty() || is_number(rest)).then_some(1)
            }
        };
        let Some(word) = self.take(|word| digits(word).is_some()) else { return Ok(None) };
        let text = &word.text[usize::from(setting.letter.is_some())..];
        let value = text.parse().ok().filter(|value| setting.range.contains(value));
        value.map(Some).ok_or_else(|| expected(word, &written(setting)))
    }

    fn required(&mut self, setting: &'static Setting) -> Result<usize, SpecError> {
        match self.optional(setting)? {
            Some(value) => Ok(value),
            None => Err(expected(self.next(), &written(setting))),
        }
    }

    fn probability(&mut self) -> Result<f64, SpecError> {
        const WHAT: &str = "a probability of at least 0 and below 1, such as 0.1";
        self.asked.push("probability".to_owned());
        let word = self.take(is_number).ok_or_else(|| expected(self.next(), WHAT))?;
        let p = word.text.parse().ok().filter(|p| (0.0..1.0).contains(p));
        p.ok_or_else(|| expected(word, WHAT))
    }

    fn bias(&mut self) -> Result<bool, SpecError> {
        self.asked.push("nobias".to_owned());
        Ok(self.take(|word| word.eq_ignore_ascii_case("nobias")).is_none())
    }

    fn layers(&mut self) -> Result<Vec<Layer>, SpecError> {
        let open = self.next();
        if open.text != "(" {
            return Err(expected(open, "\"(\" and the layers of the block"));
        }
        if self.depth == DEEPEST {
            let message = format!("expected at most {DEEPEST} residual blocks around a layer");
            return Err(SpecError::new(Place::Character(open.at), message));
        }
        self.parser.take();
        let layers = self.parser.layers(self.depth + 1)?;
        if self.parser.peek().text != ")" {
            return Err(self.parser.expected("\",\" or \")\""));
        }
        self.parser.take();
        Ok(layers)
    }
}
