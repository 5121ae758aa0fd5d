//! Which tensor of a file is which parameter of a network.

use std::collections::{BTreeMap, BTreeSet};

use safetensors::tensor::Dtype;

use super::{
    Flaw,
    container::Container,
    error::{listed, shortened},
    training,
};
use crate::network::plan::{Param, Plan};

/// The values of a network's parameters and statistics, each one flat array.
pub(super) struct Fitted {
    pub(super) trained: Vec<f32>,
    pub(super) running: Vec<f32>,
    /// What was done to the file's tensors, a sentence each.
    pub(super) notes: Vec<String>,
}

/// Put before the names by wrappers of `PyTorch`: data parallelism, Lightning and the like, compilation.
const PREFIXES: [&str; 4] = ["module.", "model.", "net.", "_orig_mod."];

/// The values of `plan`'s parameters in a file.
///
/// # Errors
/// If the file holds other tensors, shapes or types, or values that are not finite.
pub(super) fn fit(file: &Container, plan: &Plan) -> Result<Fitted, Flaw> {
    let all: Vec<String> = file.names();
    let counts = |name: &str| name.ends_with(".num_batches_tracked");
    let own = |name: &&String| !counts(name) && !training::is_known(name, plan);
    let found: Vec<&str> = all.iter().filter(own).map(String::as_str).collect();
    let mut notes = Vec::new();
    let naming = Naming::of(&found, plan, &mut notes)?;
    let mut types = BTreeSet::new();
    let mut values = |params: &[Param]| {
        let mut flat = Vec::new();
        for param in params {
            let (name, values, dtype) = tensor(file, &naming.in_file(&param.name), param)?;
            check_finite(&name, &values)?;
            types.insert(format!("{dtype:?}"));
            flat.extend(values);
        }
        Ok(flat)
    };
    let (trained, running) = (values(plan.params())?, values(plan.running())?);
    types.remove("F32");
    if !types.is_empty() {
        let types: Vec<String> = types.into_iter().collect();
        notes.push(format!("values of type {} were converted to F32", types.join(" and ")));
    }
    Ok(Fitted { trained, running, notes })
}

/// A parameter's tensor: what errors call it, its values, and their type in the file.
pub(super) fn tensor(
    file: &Container,
    name: &str,
    param: &Param,
) -> Result<(String, Vec<f32>, Dtype), Flaw> {
    let shown = shortened(name);
    let info = file.info(name).ok_or_else(|| Flaw::Absent { name: shown.clone() })?;
    if info.shape != param.shape {
        let found = shortened(&format!("{:?}", info.shape));
        return Err(Flaw::Shape { name: shown, found, expected: param.shape.clone() });
    }
    Ok((shown, file.values(name, info)?, info.dtype))
}

pub(super) fn check_finite(name: &str, values: &[f32]) -> Result<(), Flaw> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(position) => {
            Err(Flaw::NotFinite { name: name.to_owned(), position, value: values[position] })
        }
    }
}

/// How names in a file come from those of the network.
enum Naming {
    /// Something is before each of them.
    Prefix(String),
    /// The modules are those of an `nn.Sequential`: the file's module for each of the network's.
    Sequential(BTreeMap<String, String>),
}

impl Naming {
    /// The naming that makes all of the file's tensors the network's, and the other way round.
    fn of(found: &[&str], plan: &Plan, notes: &mut Vec<String>) -> Result<Self, Flaw> {
        let params = || plan.params().iter().chain(plan.running()).map(|param| param.name.as_str());
        let prefix = prefix(found);
        let bare: Vec<&str> = found.iter().map(|name| &name[prefix.len()..]).collect();
        if let Some(naming) = Self::sequential(&bare, prefix, plan, notes)? {
            return Ok(naming);
        }
        let expected: BTreeSet<&str> = params().collect();
        if let Some(place) = bare.iter().position(|name| !expected.contains(name)) {
            let name = shortened(found[place]);
            return Err(Flaw::Unexpected { name, expected: listed(params()) });
        }
        let bare: BTreeSet<&str> = bare.into_iter().collect();
        if let Some(name) = params().find(|name| !bare.contains(name)) {
            return Err(Flaw::Missing {
                name: format!("{prefix}{name}"),
                expected: listed(params()),
            });
        }
        if !prefix.is_empty() {
            notes.push(format!("the prefix {prefix} was removed from the names"));
        }
        Ok(Self::Prefix(prefix.to_owned()))
    }

    /// The modules in their order, if all names have an index in place of a module's name.
    fn sequential(
        bare: &[&str],
        prefix: &str,
        plan: &Plan,
        notes: &mut Vec<String>,
    ) -> Result<Option<Self>, Flaw> {
        let mut indices: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
        for name in bare {
            let parts = name.split_once('.').and_then(|(index, rest)| {
                let canonical = index.parse::<usize>().ok().filter(|n| n.to_string() == index);
                Some((canonical?, rest))
            });
            let Some((index, rest)) = parts else { return Ok(None) };
            indices.entry(index).or_default().insert(rest);
        }
        if indices.is_empty() {
            return Ok(None);
        }
        let mut modules: Vec<(&str, BTreeSet<&str>)> = Vec::new();
        for name in plan.params().iter().map(|param| param.name.as_str()) {
            let Some((module, rest)) = name.rsplit_once('.') else { continue };
            match modules.last_mut() {
                Some((last, parts)) if *last == module => {
                    parts.insert(rest);
                }
                _ => modules.push((module, BTreeSet::from([rest]))),
            }
        }
        for param in plan.running() {
            let parts = param.name.rsplit_once('.');
            let Some((module, rest)) = parts else { continue };
            if let Some((_, parts)) = modules.iter_mut().find(|(known, _)| *known == module) {
                parts.insert(rest);
            }
        }
        let list = |parts: &[String]| listed(parts.iter().map(String::as_str));
        let found: Vec<String> = indices.keys().map(|index| format!("{prefix}{index}")).collect();
        let expected: Vec<String> = modules.iter().map(|(name, _)| (*name).to_owned()).collect();
        if !indices.values().eq(modules.iter().map(|(_, parts)| parts)) {
            return Err(Flaw::Order { found: list(&found), expected: list(&expected) });
        }
        notes.push(format!(
            "the layers {} of an nn.Sequential were taken as {}",
            list(&found),
            list(&expected)
        ));
        Ok(Some(Self::Sequential(expected.into_iter().zip(found).collect())))
    }

    /// A parameter's name in the file.
    fn in_file(&self, name: &str) -> String {
        match self {
            Self::Prefix(prefix) => format!("{prefix}{name}"),
            Self::Sequential(modules) => {
                let parts = name.rsplit_once('.');
                let found = parts.and_then(|(module, rest)| Some((modules.get(module)?, rest)));
                found.map_or_else(|| name.to_owned(), |(module, rest)| format!("{module}.{rest}"))
            }
        }
    }
}

/// What wrappers have put before all names.
fn prefix<'a>(names: &[&'a str]) -> &'a str {
    let Some(first) = names.first() else { return "" };
    let mut len = 0;
    let longer = |len: usize| {
        PREFIXES.iter().find(|prefix| names.iter().all(|name| name[len..].starts_with(**prefix)))
    };
    while let Some(prefix) = longer(len) {
        len += prefix.len();
    }
    &first[..len]
}
