//! What `--model` says: a network's name, a TOML file, or layers in one line.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::Read,
    path::Path,
};

use crate::network::{NetworkSpec, PRESETS, SpecError, nearest};

/// The most bytes of a file that are read.
const MOST_BYTES: u64 = 1 << 16;

/// Reads an argument.
///
/// # Errors
/// If it is no network: the sentence names the place of the first mistake.
pub fn parse_model(argument: &OsStr) -> Result<NetworkSpec, String> {
    let path = Path::new(argument);
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
        return read(path);
    }
    let text = argument.to_string_lossy();
    if let Some(spec) = NetworkSpec::named(&text) {
        return Ok(spec);
    }
    text.parse().or_else(|error: SpecError| {
        let names = || PRESETS.iter().map(|preset| preset.name);
        let is_word = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
        if path.is_file() {
            if is_safetensors(path) {
                let file = path.display();
                return Err(format!(
                    "{file} holds weights, which carry their network: start from them with --init"
                ));
            }
            return read(path);
        }
        Err(if let Some(name) = nearest(&text, names()).filter(|_| is_word) {
            format!("there is no network of that name; did you mean {name}?")
        } else if is_word && !text.is_empty() {
            let names: Vec<&str> = names().collect();
            format!("{error} (the networks with a name: {})", names.join(", "))
        } else {
            error.to_string()
        })
    })
}

/// Whether a file starts as the safetensors format does: eight bytes with the length of a header in JSON.
pub fn is_safetensors(path: &Path) -> bool {
    let mut start = [0; 9];
    // A pipe is not opened: that blocks until something writes to it.
    path.is_file()
        && File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && start[8] == b'{'
        && start[6..8] == [0, 0]
}

/// Reads a TOML file.
fn read(path: &Path) -> Result<NetworkSpec, String> {
    let text = read_text(path)?;
    NetworkSpec::from_toml(&text).map_err(|error| format!("{}, {error}", path.display()))
}

/// Reads a small file of text.
///
/// # Errors
/// If it cannot be read, is large or no text: one sentence with its name.
pub(crate) fn read_text(path: &Path) -> Result<String, String> {
    let file = path.display();
    // Asked before opening, because opening a pipe without a writer blocks.
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(format!("{file} is not a regular file")),
        _ => {}
    }
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut text));
    read.map_err(|error| format!("cannot read {file}: {error}"))?;
    if text.len() as u64 > MOST_BYTES {
        return Err(format!(
            "{file} has more than {MOST_BYTES} bytes: it is not a description in TOML"
        ));
    }
    String::from_utf8(text).map_err(|_| format!("{file} is not text in UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(argument: impl AsRef<OsStr>) -> String {
        parse_model(argument.as_ref()).expect_err("it is no network")
    }

    #[test]
    fn a_name_layers_and_a_file_are_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("net.TOML");
        fs::write(&path, "[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"linear\"\n")
            .expect("there is room");
        assert_eq!(parse_model("article".as_ref()), Ok(NetworkSpec::article()));
        let plain = parse_model("flatten, linear".as_ref()).expect("it reads");
        assert_eq!(parse_model(path.as_ref()), Ok(plain));
    }

    #[test]
    fn what_is_none_of_them_is_told_with_what_comes_near() {
        assert_eq!(refused("artcile"), "there is no network of that name; did you mean article?");
        let message = refused("resnet50");
        assert!(message.ends_with("(the networks with a name: article)"), "{message}");
        assert!(refused("").contains("found the end"));
        assert!(refused("conv 6 k5, rleu").contains("did you mean relu?"));
    }

    #[test]
    fn files_that_are_no_networks_are_told() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let message = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, content).expect("there is room");
            refused(&path).replace(&path.display().to_string(), "PATH")
        };
        assert_eq!(
            message("a.toml", b"[[layer]]\ntype = \"conv\"\nchannels = 0"),
            "PATH, line 3: channels is 0, expected 1 to 4096"
        );
        assert_eq!(message("b.toml", b"\xff"), "PATH is not text in UTF-8");
        assert_eq!(
            message("c.toml", &vec![b'#'; 70_000]),
            "PATH has more than 65536 bytes: it is not a description in TOML"
        );
        assert!(message("net.txt", b"relu").starts_with("PATH, line 1: "));
        assert!(message("w.bin", b"\x02\0\0\0\0\0\0\0{}").contains("start from them with --init"));
        assert!(refused(folder.path().join("none.toml")).starts_with("cannot read "));
        fs::create_dir(folder.path().join("d.toml")).expect("there is room");
        assert!(refused(folder.path().join("d.toml")).ends_with("is not a regular file"));
    }
}
