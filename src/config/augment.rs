//! `--augment`: how training images are distorted.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::network::nearest;

/// The most of each random distortion; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Augment {
    /// Pixels along each axis.
    pub shift: f64,
    /// Degrees.
    pub rotate: f64,
    /// Share by which an image grows or shrinks.
    pub scale: f64,
    /// Degrees by which columns lean.
    pub shear: f64,
    /// Pixels by which places are moved independently, smoothly between them.
    pub elastic: f64,
    /// Probability that a rectangle is blank.
    pub erase: f64,
}

impl Augment {
    /// For images like MNIST's, little enough that no class becomes another.
    pub const LIGHT: Self =
        Self { shift: 2.0, rotate: 10.0, scale: 0.1, shear: 5.0, elastic: 0.0, erase: 0.0 };
    /// More of all.
    pub const STRONG: Self =
        Self { shift: 3.0, rotate: 15.0, scale: 0.15, shear: 10.0, elastic: 1.0, erase: 0.1 };
    const NONE: Self =
        Self { shift: 0.0, rotate: 0.0, scale: 0.0, shear: 0.0, elastic: 0.0, erase: 0.0 };
    const NAMED: [(&str, Self); 3] =
        [("none", Self::NONE), ("light", Self::LIGHT), ("strong", Self::STRONG)];

    /// Whether images stay as they are.
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// Each distortion by its name, with the most that it may be.
    fn parts(&mut self) -> [(&'static str, &mut f64, f64); 6] {
        [
            ("shift", &mut self.shift, 32.0),
            ("rotate", &mut self.rotate, 180.0),
            ("scale", &mut self.scale, 0.9),
            ("shear", &mut self.shear, 60.0),
            ("elastic", &mut self.elastic, 16.0),
            ("erase", &mut self.erase, 1.0),
        ]
    }
}

impl fmt::Display for Augment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = Self::NAMED.iter().find(|(_, named)| named == self) {
            return f.write_str(name);
        }
        let mut copy = *self;
        let mut comma = "";
        for (name, value, _) in copy.parts().into_iter().filter(|(_, value, _)| **value != 0.0) {
            write!(f, "{comma}{name}={value}")?;
            comma = ",";
        }
        Ok(())
    }
}

impl FromStr for Augment {
    type Err = String;

    /// Reads `none`, `light`, `strong` or a list such as `shift=2,rotate=10`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((_, named)) = Self::NAMED.iter().find(|(name, _)| *name == text) {
            return Ok(*named);
        }
        let mut augment = Self::default();
        for part in text.split(',') {
            let part = part.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
            let Some((name, value)) = part else {
                return Err(
                    "expected none, light, strong or a list such as shift=2,rotate=10".into()
                );
            };
            let mut parts = augment.parts();
            let names = parts.each_ref().map(|(name, ..)| *name);
            let Some((_, place, most)) = parts.iter_mut().find(|(known, ..)| *known == name) else {
                return Err(match nearest(name, names) {
                    Some(near) => format!("there is no distortion {name}; did you mean {near}?"),
                    None => format!("expected distortions among {}", names.join(", ")),
                });
            };
            let value = value.parse().ok().filter(|value| (0.0..=*most).contains(value));
            **place = value.ok_or_else(|| format!("expected {name} from 0 to {most}"))?;
        }
        Ok(augment)
    }
}

impl From<Augment> for String {
    fn from(augment: Augment) -> Self {
        augment.to_string()
    }
}

impl TryFrom<String> for Augment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distortions_read_as_they_print() {
        for text in ["none", "light", "strong", "shift=2,scale=0.25", "elastic=1.5,erase=1"] {
            let augment: Augment = text.parse().expect("it reads");
            assert_eq!(augment.to_string(), text);
            assert_eq!(augment.is_none(), text == "none");
        }
        assert_eq!(" rotate=10, shift = 2 ,scale=0.1, shear=5 ".parse(), Ok(Augment::LIGHT));
        assert_eq!("shift=0".parse(), Ok(Augment::default()));
        assert_eq!("rotate=10,shift=2,scale=0.1,shear=5".parse(), Ok(Augment::LIGHT));
    }

    #[test]
    fn mistakes_say_what_is_expected() {
        for (text, expected) in [
            ("lite", "expected none, light, strong or a list such as shift=2,rotate=10"),
            ("", "expected none, light, strong or a list such as shift=2,rotate=10"),
            ("shft=2", "there is no distortion shft; did you mean shift?"),
            ("blur=2", "expected distortions among shift, rotate, scale, shear, elastic, erase"),
            ("shift=-1", "expected shift from 0 to 32"),
            ("shift=2,erase=NaN", "expected erase from 0 to 1"),
        ] {
            assert_eq!(text.parse::<Augment>(), Err(expected.to_owned()));
        }
    }
}
