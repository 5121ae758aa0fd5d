//! Files that people have in place of safetensors files, known by their content.

/// Says what a file is that is not in the safetensors format, and what to do about it.
pub(super) fn identify(file: &str, bytes: &[u8]) -> Option<String> {
    // The header of a safetensors file starts behind its length.
    if bytes.get(8) == Some(&b'{') {
        return None;
    }
    let start = bytes.trim_ascii_start();
    if start.starts_with(b"version https://git-lfs.github.com/spec/") {
        return Some(
            "it is a Git LFS pointer, which stands for the file: fetch that with `git lfs pull`"
                .to_owned(),
        );
    }
    let begins = |text: &str| {
        start.get(..text.len()).is_some_and(|found| found.eq_ignore_ascii_case(text.as_bytes()))
    };
    if begins("<!doctype html") || begins("<html") {
        return Some("it is a web page: download the file itself".to_owned());
    }
    let is_zip = bytes.starts_with(b"PK\x03\x04");
    if is_zip && !contains(bytes, b"data.pkl") {
        return Some("it is a zip archive without weights of PyTorch".to_owned());
    }
    // A pickle of protocol 2 to 5: what torch.save wrote before version 1.6.
    let is_pickle = matches!(bytes, [0x80, 2..=5, ..]);
    if is_zip || is_pickle {
        return Some(format!(
            "it is a file of torch.save: convert it in Python with `{}`",
            convert(file, bytes)
        ));
    }
    None
}

/// The line of Python that turns a file of `torch.save` or `torch.jit.save` into a safetensors file.
fn convert(file: &str, bytes: &[u8]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let stem =
        [".pt", ".pth", ".ckpt", ".bin", ".pkl"].iter().find_map(|end| file.strip_suffix(end));
    let target = quoted(&format!("{}.safetensors", stem.unwrap_or(file)));
    let source = quoted(file);
    let state = if contains(bytes, b"/code/__torch__") {
        format!("torch.jit.load({source}, map_location=\"cpu\").state_dict()")
    } else if contains(bytes, b"_parameters") && contains(bytes, b"_modules") {
        format!("torch.load({source}, map_location=\"cpu\", weights_only=False).state_dict()")
    } else {
        // Lightning and many training scripts keep other things next to the weights.
        let key = ["model_state_dict", "state_dict", "model_state", "model", "net", "weights"]
            .into_iter()
            .find(|key| {
                // The letter is the pickle's for a string.
                contains(
                    bytes,
                    &[b"X", &(key.len() as u32).to_le_bytes()[..], key.as_bytes()].concat(),
                )
            });
        let key = key.map(|key| format!("[\"{key}\"]")).unwrap_or_default();
        format!("torch.load({source}, map_location=\"cpu\"){key}")
    };
    format!("import torch, safetensors.torch; safetensors.torch.save_file({state}, {target})")
}

/// Whether some bytes are within the first mebibyte, where names are.
fn contains(bytes: &[u8], part: &[u8]) -> bool {
    const NEAR: usize = 1 << 20;
    let near = &bytes[..bytes.len().min(NEAR)];
    near.windows(part.len()).any(|window| window == part)
}
