//! Code for a GPU: the article's kernels from the program itself, those of other networks compiled by NVRTC
//! and kept in the user's cache folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    driver::{Code, nvrtc::Compiler},
    error::GpuError,
    generate,
};
use crate::{files, hardware::nvrtc, network::Plan};

/// The article's kernels, as `scripts/kernels.sh` compiles them for any GPU since 2018.
const ARTICLE: &[u8] = include_bytes!("kernels/article.ptx.zst");
/// Comes before the blocks that PTX wants on a multiprocessor.
const BOUNDS: &str = ".minnctapersm ";
const DIALECT: &str = include_str!("kernels/dialect.cuh");
const TRAINING: &str = include_str!("kernels/training.cuh");

/// The kernels of a network for a GPU of this compute capability, compiled so that `resident` blocks fit on a
/// multiprocessor.
pub(super) fn of(plan: &Plan, capability: (i32, i32), resident: u32) -> Result<Code, GpuError> {
    if plan.is_article() {
        let text = zstd::decode_all(ARTICLE).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.unwrap_or_else(|| unreachable!("compressed by the project itself"));
        // All that nvcc takes from `RESIDENT`: the driver chooses registers by it.
        let bounds = format!("{BOUNDS}{resident}");
        return Ok(Code::Text(text.replace(&format!("{BOUNDS}1"), &bounds)));
    }
    let network = generate::network_within(plan, generate::shared_bytes(capability))
        .map_err(|error| GpuError::Unsupported(error.to_string()))?;
    let bounds =
        if resident == 1 { String::new() } else { format!("#define RESIDENT {resident}\n") };
    let source = [&bounds, DIALECT, &network.text, TRAINING].concat();
    Ok(Code::Machine(machine_code(&source, capability)?))
}

fn machine_code(source: &str, capability: (i32, i32)) -> Result<Vec<u8>, GpuError> {
    let copies = nvrtc::find();
    let mut failed = GpuError::NoCompiler;
    for copy in copies {
        match compiled_by(&copy.path, source, capability) {
            Ok(code) => return Ok(code),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn compiled_by(library: &Path, source: &str, capability: (i32, i32)) -> Result<Vec<u8>, GpuError> {
    let compiler = Compiler::open(library)?;
    let (major, minor) = compiler.version()?;
    let head = format!("NVRTC {major}.{minor} sm_{}{}\n{source}\n", capability.0, capability.1);
    let kept = dirs::cache_dir().map(|folder| kept_at(&folder, &head));
    if let Some(code) = kept.as_ref().and_then(|path| read_kept(path, &head)) {
        return Ok(code);
    }
    let code = compiler.compile(source, capability)?;
    if let Some(path) = kept {
        // A cache that cannot be written costs time only.
        let _ = keep(&path, &head, &code);
    }
    Ok(code)
}

/// Where code is kept that was made of a source.
fn kept_at(folder: &Path, head: &str) -> PathBuf {
    let name = format!("{:08x}-{:x}.kernels", crc32fast::hash(head.as_bytes()), head.len());
    folder.join("mnist-tui").join(name)
}

/// The code in a file that begins with the whole source that it was made of.
fn read_kept(path: &Path, head: &str) -> Option<Vec<u8>> {
    let mut bytes = fs::read(path).ok()?;
    let code = bytes.strip_prefix(head.as_bytes())?;
    let (start, sum) = (bytes.len() - code.len(), code.len().checked_sub(4)?);
    let (code, sum) = code.split_at(sum);
    if crc32fast::hash(code).to_le_bytes() != *sum {
        return None;
    }
    bytes.truncate(bytes.len() - 4);
    Some(bytes.split_off(start))
}

fn keep(path: &Path, head: &str, code: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let sum = crc32fast::hash(code).to_le_bytes();
    files::replace(path, &[head.as_bytes(), code, &sum].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_code_is_that_of_its_source_or_none() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = kept_at(folder.path(), "source");
        assert_eq!(read_kept(&path, "source"), None);
        keep(&path, "source", b"code").expect("the folder is ours");
        assert_eq!(read_kept(&path, "source").as_deref(), Some(&b"code"[..]));
        assert_eq!(read_kept(&path, "other"), None, "of another source with the same name");
        let bytes = fs::read(&path).expect("kept");
        fs::write(&path, &bytes[..bytes.len() - 1]).expect("the folder is ours");
        assert_eq!(read_kept(&path, "source"), None, "cut off");
        fs::write(&path, "sour").expect("the folder is ours");
        assert_eq!(read_kept(&path, "source"), None);
    }

    /// Where there is a copy of NVRTC, it takes what is generated; the article's text too.
    #[test]
    fn nvrtc_compiles_the_kernels() {
        let Some(copy) = nvrtc::find().into_iter().next() else {
            return eprintln!("NVRTC is not installed here");
        };
        let spec = "conv 4 k3 p1, gelu, pool 2, residual(conv 4 k3 p1, relu), dropout 0.2, flatten, linear";
        let plan = Plan::of(&spec.parse().expect("a network"), [1, 8, 8], 3).expect("it fits");
        let network = generate::network(&plan).expect("every layer has a kernel");
        let compiler = Compiler::open(&copy.path).expect("it opens");
        for part in [include_str!("kernels/article.cuh"), &network.text] {
            let source = [DIALECT, part, TRAINING].concat();
            let code = compiler.compile(&source, (9, 0)).expect("it compiles");
            assert!(code.starts_with(b"\x7fELF"), "{} bytes", code.len());
        }
        let wrong = compiler.compile("nonsense", (9, 0)).expect_err("no C++").to_string();
        assert!(wrong.contains("error") && wrong.lines().count() == 1, "{wrong}");
    }
}
