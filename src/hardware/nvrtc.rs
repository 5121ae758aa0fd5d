//! Where NVRTC is, the library that compiles CUDA code when a program runs. The driver does not bring it.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde::Serialize;

/// A copy of NVRTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Nvrtc {
    /// Its file.
    pub path: PathBuf,
    /// What brought it.
    pub origin: Origin,
}

/// What may bring NVRTC, in the order of preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A folder of `LD_LIBRARY_PATH`.
    LibraryPath,
    /// A CUDA toolkit.
    Toolkit,
    /// A folder that the system's loader searches.
    System,
    /// NVIDIA's or `PyTorch`'s Python package.
    Python,
    /// A conda environment.
    Conda,
}

impl Origin {
    /// For a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::LibraryPath => "LD_LIBRARY_PATH",
            Self::Toolkit => "CUDA toolkit",
            Self::System => "system library",
            Self::Python => "Python package",
            Self::Conda => "conda environment",
        }
    }
}

/// Every copy in the usual places, the preferred one first.
pub fn find() -> Vec<Nvrtc> {
    find_in(Path::new("/"), |name| env::var(name).ok())
}

/// The same on a file system below `root`, with other variables.
fn find_in(root: &Path, variable: impl Fn(&str) -> Option<String>) -> Vec<Nvrtc> {
    let mut found: Vec<Nvrtc> = Vec::new();
    for (origin, folder) in folders(root, variable) {
        let Some(path) = newest(&folder) else { continue };
        // `/usr/local/cuda` is a link to a folder of its own.
        let is_known = |other: &Nvrtc| {
            fs::canonicalize(&other.path)
                .ok()
                .zip(fs::canonicalize(&path).ok())
                .is_some_and(|(one, other)| one == other)
        };
        if !found.iter().any(is_known) {
            found.push(Nvrtc { path, origin });
        }
    }
    found
}

/// The copy in a folder; of several versions the newest.
fn newest(folder: &Path) -> Option<PathBuf> {
    let names =
        fs::read_dir(folder).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let version = |name: &str| -> Vec<u32> {
        name.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
    };
    // PyTorch's own copy has a checksum in its name; `libnvrtc-builtins` is a part of NVRTC.
    let is_nvrtc = |name: &String| {
        let is_linux = (name.starts_with("libnvrtc.so") || name.starts_with("libnvrtc-"))
            && name.contains(".so");
        (is_linux || name.starts_with("nvrtc64_")) && !name.contains("builtins")
    };
    let of_version = |name: &String| {
        name.split_once(".so").map_or_else(|| version(name), |(_, end)| version(end))
    };
    let newest = names.filter(is_nvrtc).max_by_key(|name| (of_version(name), name.len()))?;
    Some(folder.join(newest))
}

/// Folders to search, in order.
fn folders(root: &Path, variable: impl Fn(&str) -> Option<String>) -> Vec<(Origin, PathBuf)> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let below = |path: &str| root.join(path.trim_start_matches('/'));
    let mut folders = Vec::new();

    let path = set("LD_LIBRARY_PATH").unwrap_or_default();
    folders.extend(env::split_paths(&path).map(|folder| (Origin::LibraryPath, folder)));

    let named =
        ["CUDA_HOME", "CUDA_PATH", "CUDA_ROOT"].into_iter().filter_map(&set).map(PathBuf::from);
    let mut toolkits: Vec<PathBuf> = named.collect();
    toolkits.extend([below("usr/local/cuda"), below("opt/cuda")]);
    toolkits.extend(subfolders(&below("usr/local"), "cuda-"));
    for toolkit in toolkits {
        for libraries in
            ["lib64", "targets/x86_64-linux/lib", "targets/sbsa-linux/lib", "lib", "bin"]
        {
            folders.push((Origin::Toolkit, toolkit.join(libraries)));
        }
    }

    let usual = ["usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib64", "usr/lib"];
    folders.extend(usual.map(|folder| (Origin::System, below(folder))));
    let configured = loader_folders(&below("etc"));
    folders.extend(configured.iter().map(|folder| (Origin::System, below(folder))));

    let home = set("HOME").map(PathBuf::from);
    let mut pythons: Vec<PathBuf> = set("VIRTUAL_ENV").map(PathBuf::from).into_iter().collect();
    pythons.extend(home.iter().map(|home| home.join(".local")));
    pythons.extend([below("usr/local"), below("usr")]);
    let python = pythons.iter().flat_map(|prefix| packages(prefix));
    folders.extend(python.map(|folder| (Origin::Python, folder)));

    let mut condas: Vec<PathBuf> = set("CONDA_PREFIX").map(PathBuf::from).into_iter().collect();
    let installed = ["miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba"];
    let mut bases: Vec<PathBuf> =
        home.iter().flat_map(|home| installed.map(|name| home.join(name))).collect();
    bases.push(below("opt/conda"));
    condas.extend(bases.iter().cloned());
    condas.extend(bases.iter().flat_map(|base| subfolders(&base.join("envs"), "")));
    for prefix in condas {
        folders.push((Origin::Conda, prefix.join("lib")));
        folders.extend(packages(&prefix).into_iter().map(|folder| (Origin::Conda, folder)));
    }
    folders
}

/// Folders of a Python installation that NVIDIA's and `PyTorch`'s packages put NVRTC into.
fn packages(prefix: &Path) -> Vec<PathBuf> {
    let pythons = subfolders(&prefix.join("lib"), "python3");
    let sites = pythons
        .iter()
        .flat_map(|python| ["site-packages", "dist-packages"].map(|site| python.join(site)));
    let within = |site: PathBuf| {
        let toolkits =
            subfolders(&site.join("nvidia"), "cu").into_iter().map(|folder| folder.join("lib"));
        toolkits.chain([site.join("torch/lib")]).collect::<Vec<_>>()
    };
    sites.flat_map(within).collect()
}

/// Folders in a folder whose names begin so, the highest name first.
fn subfolders(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    let mut folders: Vec<PathBuf> =
        named.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort_by(|one, other| other.cmp(one));
    folders
}

/// Folders in the configuration of the system's loader.
fn loader_folders(etc: &Path) -> Vec<String> {
    let entries = fs::read_dir(etc.join("ld.so.conf.d")).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files.insert(0, etc.join("ld.so.conf"));
    let text: String = files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
    text.lines().map(str::trim).filter(|line| line.starts_with('/')).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_found_in_their_order_and_each_once() {
        let root = tempfile::tempdir().expect("a folder");
        let put = |path: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
            fs::write(&path, "").expect("it can be written");
        };
        let site = "home/me/.local/lib/python3.12/site-packages";
        put(&format!("{site}/nvidia/cuda_nvrtc/lib/libnvrtc.so.12"));
        put(&format!("{site}/torch/lib/libnvrtc-672ee683.so.11.2"));
        put("usr/local/cuda-12.4/lib64/libnvrtc.so.12");
        put("usr/local/cuda-12.4/lib64/libnvrtc.so.9");
        put("usr/local/cuda-12.4/lib64/libnvrtc-builtins.so.12.4");
        put("opt/extra/libnvrtc.so");
        put("opt/conda/envs/torch/lib/libnvrtc.so.13");
        put("usr/lib/libnvrtc-builtins.so.12.4");
        fs::create_dir_all(root.path().join("etc")).expect("it can be made");
        fs::write(root.path().join("etc/ld.so.conf"), "# a list\n/opt/extra\n").expect("written");
        #[cfg(unix)]
        std::os::unix::fs::symlink("cuda-12.4", root.path().join("usr/local/cuda"))
            .expect("a link");
        let home = root.path().join("home/me").display().to_string();
        let found = find_in(root.path(), |name| (name == "HOME").then(|| home.clone()));
        let found: Vec<(Origin, String)> = found
            .into_iter()
            .map(|Nvrtc { path, origin }| {
                let path = path.strip_prefix(root.path()).expect("below the root");
                (origin, path.display().to_string())
            })
            .collect();
        let toolkit = if cfg!(unix) { "usr/local/cuda" } else { "usr/local/cuda-12.4" };
        assert_eq!(
            found,
            [
                (Origin::Toolkit, format!("{toolkit}/lib64/libnvrtc.so.12")),
                (Origin::System, "opt/extra/libnvrtc.so".to_owned()),
                (Origin::Python, format!("{site}/nvidia/cuda_nvrtc/lib/libnvrtc.so.12")),
                (Origin::Python, format!("{site}/torch/lib/libnvrtc-672ee683.so.11.2")),
                (Origin::Conda, "opt/conda/envs/torch/lib/libnvrtc.so.13".to_owned()),
            ]
        );
        let path = root.path().join("opt/conda/envs/torch/lib").display().to_string();
        let first = find_in(root.path(), |name| (name == "LD_LIBRARY_PATH").then(|| path.clone()));
        assert_eq!(first.first().map(|copy| copy.origin), Some(Origin::LibraryPath));
    }
}
