//! Numbers out of JSON, where those that are not finite are `null`.

use serde::{Deserialize, Deserializer};

/// A number, or NaN for `null`.
pub(super) fn or_nan<'de, D: Deserializer<'de>, T: Deserialize<'de> + From<f32>>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_else(|| f32::NAN.into()))
}

/// Numbers with names, and NaN for each `null`.
pub(super) fn named_or_nan<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<(String, f32)>, D::Error> {
    let numbers: Vec<(String, Option<f32>)> = Vec::deserialize(from)?;
    Ok(numbers.into_iter().map(|(name, number)| (name, number.unwrap_or(f32::NAN))).collect())
}

/// Numbers, and NaN for each `null`.
pub(super) fn each_or_nan<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f32>, D::Error> {
    let numbers: Vec<Option<f32>> = Vec::deserialize(from)?;
    Ok(numbers.into_iter().map(|number| number.unwrap_or(f32::NAN)).collect())
}
