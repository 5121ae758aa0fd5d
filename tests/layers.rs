//! The layers of the README's table, which a file imports from only at or above its own.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

/// The row of each part of `src`, from the top.
fn layers(readme: &str) -> HashMap<&str, usize> {
    let (_, table) = readme.split_once("| part of `src` |").expect("the README has the table");
    let rows = table.lines().skip(2).take_while(|row| row.starts_with('|'));
    rows.enumerate()
        .flat_map(|(place, row)| {
            let names = row.split('|').nth(1).unwrap_or_default();
            names.split('`').skip(1).step_by(2).map(move |name| (name, place))
        })
        .collect()
}

/// What is compiled into the program: no comments and no tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The parts of `src` that a file names.
fn imports(text: &str) -> Vec<String> {
    code(text).split("crate::").skip(1).flat_map(names).collect()
}

/// The first name of a path, or of each path of a group in braces.
fn names(path: &str) -> Vec<String> {
    let first = |path: &str| {
        path.trim_start()
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            .map(str::to_owned)
    };
    let Some(group) = path.strip_prefix('{') else { return first(path).into_iter().collect() };
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (place, c) in group.char_indices() {
        match c {
            ',' | '}' if depth == 0 => {
                found.extend(first(&group[start..place]).filter(|name| !name.is_empty()));
                start = place + 1;
                if c == '}' {
                    break;
                }
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    found
}

/// The files of a folder and those below, without those of tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("one").path());
    let is_test = |path: &PathBuf| path.file_stem().is_some_and(|name| name == "tests");
    entries
        .filter(|path| !is_test(path))
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

#[test]
fn a_file_imports_only_from_its_own_layer_and_those_above() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).expect("it is there");
    let layers = layers(&readme);
    let mut found = 0;
    for file in sources(&root.join("src")) {
        let place = file.strip_prefix(root.join("src")).expect("it is below").with_extension("");
        let part = place.iter().next().and_then(|part| part.to_str()).expect("a name");
        if ["lib", "main"].contains(&part) {
            continue;
        }
        let own = layers.get(part);
        let own = own.unwrap_or_else(|| panic!("the README's table has no `{part}`"));
        for import in imports(&fs::read_to_string(&file).expect("it is there")) {
            let layer = layers.get(import.as_str());
            let layer = layer.unwrap_or_else(|| panic!("{}: what is `{import}`?", file.display()));
            assert!(layer <= own, "{} imports `{import}` from below", file.display());
            found += usize::from(import != part);
        }
    }
    assert!(found > 100, "only {found} imports were found");
}

#[test]
fn the_app_knows_neither_clock_nor_files_nor_terminal_nor_tensors() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = sources(&root.join("app")).into_iter().chain([root.join("app.rs")]);
    for file in files {
        let code = code(&fs::read_to_string(&file).expect("it is there"));
        for foreign in [
            "std::fs",
            "std::io",
            "std::env",
            "std::time",
            "std::thread",
            "std::process",
            "Instant",
            "SystemTime",
            "candle",
            "crossbeam",
            "crossterm",
            "ratatui",
        ] {
            assert!(!code.contains(foreign), "{} knows {foreign}", file.display());
        }
    }
}

#[test]
fn only_one_function_writes_lines_to_stderr() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let writes = |file: &PathBuf| {
        let code = code(&fs::read_to_string(file).expect("it is there"));
        code.contains("eprint") || code.contains("(io::stderr(),")
    };
    let found: Vec<PathBuf> = sources(&root).into_iter().filter(writes).collect();
    assert_eq!(found, [root.join("printable.rs")]);
}

#[test]
fn an_import_from_below_is_found() {
    let code = "use crate::{\n    a::{b, c},\n    d,\n};\n// crate::no\nlet _ = crate::e::f();\n\
                #[cfg(test)]\nmod tests {\n    use crate::g;\n}\n";
    assert_eq!(imports(code), ["a", "d", "e"]);
}
