//! Paths in JSON: a string, or an array of bytes if the path is not UTF-8.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Text(String),
    Bytes(Vec<u8>),
}

impl From<&Path> for Form {
    fn from(path: &Path) -> Self {
        #[cfg(unix)]
        if path.to_str().is_none() {
            let bytes = std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str());
            return Self::Bytes(bytes.to_vec());
        }
        Self::Text(path.to_string_lossy().into_owned())
    }
}

impl From<Form> for PathBuf {
    fn from(form: Form) -> Self {
        match form {
            Form::Text(text) => text.into(),
            #[cfg(unix)]
            Form::Bytes(bytes) => {
                <std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes).into()
            }
            #[cfg(not(unix))]
            Form::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned().into(),
        }
    }
}

/// For `#[serde(with)]` on a path.
///
/// # Errors
/// As the serializer.
pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    Form::from(path).serialize(serializer)
}

/// For `#[serde(with)]` on a path.
///
/// # Errors
/// If neither text nor bytes are there.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    Form::deserialize(deserializer).map(PathBuf::from)
}

/// For `#[serde(with)]` on a path that may be missing.
pub mod optional {
    use super::{Deserialize, Deserializer, Form, PathBuf, Serialize, Serializer};

    /// `null` for no path.
    ///
    /// # Errors
    /// As the serializer.
    pub fn serialize<S: Serializer>(
        path: &Option<PathBuf>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        path.as_deref().map(Form::from).serialize(serializer)
    }

    /// No path for `null`.
    ///
    /// # Errors
    /// If something else than a path is there.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<PathBuf>, D::Error> {
        Ok(Option::<Form>::deserialize(deserializer)?.map(PathBuf::from))
    }
}
