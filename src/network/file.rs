//! A network in a TOML file: a `[[layer]]` table for each layer, with its type and settings.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    error::{Place, SpecError, quoted},
    kind::{self, DEEPEST, Kind, MOST_LAYERS, Setting, Settings},
    nearest::nearest,
    spec::{Layer, NetworkSpec},
};

impl NetworkSpec {
    /// Reads the text of a TOML file.
    ///
    /// ```
    /// let text = "[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"linear\"\n";
    /// let spec = mnist_tui::network::NetworkSpec::from_toml(text)?;
    /// assert_eq!(spec.to_string(), "flatten, linear");
    /// # Ok::<(), mnist_tui::network::SpecError>(())
    /// ```
    ///
    /// # Errors
    /// Names the line of the first mistake, the key, and what was expected.
    pub fn from_toml(text: &str) -> Result<Self, SpecError> {
        // The parser follows dotted keys as deep as they go, and the stack is not that deep.
        if let Some(line) = text.lines().position(|line| line.matches('.').count() > MOST_DOTS) {
            let message = format!("expected at most {MOST_DOTS} dots");
            return Err(SpecError::new(Place::Line(line + 1), message));
        }
        let file = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            SpecError::new(line_of(text, at), format!("not valid TOML: {}", error.message()))
        })?;
        let mut layers = 0;
        let mut table =
            Table { text, depth: 0, layers: &mut layers, at: 0, rest: file.into_inner() };
        let layers = table.layers()?;
        table.finish("a network", &["layer"])?;
        Ok(Self { layers })
    }
}

/// Dots in one line: more than any network needs, and few enough for the parser.
const MOST_DOTS: usize = 4 * DEEPEST;

fn line_of(text: &str, at: usize) -> Place {
    let before = text.as_bytes().iter().take(at);
    Place::Line(1 + before.filter(|&&byte| byte == b'\n').count())
}

/// The settings of a layer, or the layers of the file.
struct Table<'t, 'n> {
    text: &'t str,
    /// Residual blocks around it.
    depth: usize,
    /// Layers of the file so far.
    layers: &'n mut usize,
    /// Where it starts.
    at: usize,
    /// What was not asked for yet.
    rest: DeTable<'t>,
}

impl<'t> Table<'t, '_> {
    fn error(&self, at: usize, message: impl Into<String>) -> SpecError {
        SpecError::new(line_of(self.text, at), message)
    }

    fn take(&mut self, key: &str) -> Option<(usize, DeValue<'t>)> {
        let value: Spanned<DeValue> = self.rest.remove(key)?;
        Some((value.span().start, value.into_inner()))
    }

    fn wrong(&self, at: usize, key: &str, what: &str, found: &DeValue) -> SpecError {
        let found = match found {
            DeValue::String(text) => quoted(text),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            DeValue::Boolean(value) => value.to_string(),
            DeValue::Datetime(_) => "a date".to_owned(),
            DeValue::Array(_) => "an array".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        };
        self.error(at, format!("{key} is {found}, expected {what}"))
    }

    /// Reads one layer.
    fn layer(mut self) -> Result<Layer, SpecError> {
        *self.layers += 1;
        if *self.layers > MOST_LAYERS {
            return Err(
                self.error(self.at, format!("expected at most {MOST_LAYERS} layers in all"))
            );
        }
        let kind = match self.take("type") {
            Some((at, DeValue::String(name))) => Kind::named(&name)
                .ok_or_else(|| SpecError::unknown(line_of(self.text, at), &name))?,
            Some((at, other)) => {
                return Err(self.wrong(at, "type", &format!("one of {}", kind::NAMES), &other));
            }
            None => {
                let message = format!("a layer has no type: expected one of {}", kind::NAMES);
                return Err(self.error(self.at, message));
            }
        };
        let mut asked = Asked { table: self, keys: vec!["type"] };
        let layer = kind::layer(kind, &mut asked)?;
        asked.table.finish(kind.name(), &asked.keys)?;
        Ok(layer)
    }

    fn layers(&mut self) -> Result<Vec<Layer>, SpecError> {
        const WHAT: &str = "[[layer]] tables";
        let (at, value) = self
            .take("layer")
            .ok_or_else(|| self.error(self.at, format!("there are no layers: expected {WHAT}")))?;
        let DeValue::Array(tables) = value else {
            return Err(self.wrong(at, "layer", WHAT, &value));
        };
        if tables.is_empty() {
            return Err(self.error(at, format!("there are no layers: expected {WHAT}")));
        }
        let mut layers = Vec::new();
        for table in tables {
            let (at, value) = (table.span().start, table.into_inner());
            let DeValue::Table(rest) = value else {
                return Err(self.wrong(at, "layer", WHAT, &value));
            };
            let Self { text, depth, .. } = *self;
            layers.push(Table { text, depth, layers: self.layers, at, rest }.layer()?);
        }
        Ok(layers)
    }

    /// Checks that every key was asked for.
    fn finish(&self, what: &str, known: &[&str]) -> Result<(), SpecError> {
        let Some((key, _)) = self.rest.iter().next() else { return Ok(()) };
        let hint = nearest(key.get_ref(), known.iter().copied());
        let hint = hint.map(|key| format!("; did you mean {key}?")).unwrap_or_default();
        let message = format!(
            "{what} has no key {}, expected {}{hint}",
            quoted(key.get_ref()),
            known.join(", ")
        );
        Err(self.error(key.span().start, message))
    }
}

/// The settings of one layer, with the keys that it could have.
struct Asked<'t, 'n> {
    table: Table<'t, 'n>,
    keys: Vec<&'static str>,
}

impl Asked<'_, '_> {
    fn missing(&self, key: &str, what: &str) -> SpecError {
        self.table.error(self.table.at, format!("a layer has no {key}: expected {what}"))
    }
}

fn range(setting: &Setting) -> String {
    format!("{} to {}", setting.range.start(), setting.range.end())
}

impl Settings for Asked<'_, '_> {
    type Error = SpecError;

    fn optional(&mut self, setting: &'static Setting) -> Result<Option<usize>, SpecError> {
        let key = setting.key;
        self.keys.push(key);
        let Some((at, value)) = self.table.take(key) else { return Ok(None) };
        let number = match &value {
            DeValue::Integer(number) => usize::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        let number = number.filter(|number| setting.range.contains(number));
        let wrong = || self.table.wrong(at, key, &range(setting), &value);
        number.map(Some).ok_or_else(wrong)
    }

    fn required(&mut self, setting: &'static Setting) -> Result<usize, SpecError> {
        self.optional(setting)?.ok_or_else(|| self.missing(setting.key, &range(setting)))
    }

    fn probability(&mut self) -> Result<f64, SpecError> {
        const WHAT: &str = "a number of at least 0 and below 1";
        self.keys.push("p");
        let (at, value) = self.table.take("p").ok_or_else(|| self.missing("p", WHAT))?;
        let p = match &value {
            DeValue::Float(number) => number.as_str().parse().ok(),
            DeValue::Integer(number) => number.as_str().parse().ok(),
            _ => None,
        };
        let p = p.filter(|p| (0.0..1.0).contains(p));
        p.ok_or_else(|| self.table.wrong(at, "p", WHAT, &value))
    }

    fn bias(&mut self) -> Result<bool, SpecError> {
        self.keys.push("bias");
        match self.table.take("bias") {
            None => Ok(true),
            Some((_, DeValue::Boolean(bias))) => Ok(bias),
            Some((at, other)) => Err(self.table.wrong(at, "bias", "true or false", &other)),
        }
    }

    fn layers(&mut self) -> Result<Vec<Layer>, SpecError> {
        self.keys.push("layer");
        if self.table.depth == DEEPEST {
            let message = format!("expected at most {DEEPEST} residual blocks around a layer");
            return Err(self.table.error(self.table.at, message));
        }
        self.table.depth += 1;
        self.table.layers()
    }
}
