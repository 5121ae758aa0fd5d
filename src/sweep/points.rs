//! The points of a sweep: all combinations of values, or some drawn at random.

use std::collections::HashSet;

use super::{
    plan::{MOST_RUNS, Request},
    setting::{Setting, Values},
};
use crate::{
    printable::thousands,
    seed::{self, Purpose},
};

/// Random points in a row that were drawn before, after which there are hardly any others.
const MOST_REPEATED: u32 = 1_000_000;

/// The points that are asked for: one value for each setting, as it was written.
///
/// # Errors
/// If there are too many or too few.
pub(super) fn of(request: &Request) -> Result<Vec<Vec<String>>, String> {
    let Request { settings, random, seed, seeds } = request;
    match random {
        None => grid(settings, *seeds),
        Some(count) => draw(settings, *count, *seed, *seeds),
    }
}

fn check_count(points: u128, seeds: u64) -> Result<(), String> {
    let runs = points.saturating_mul(u128::from(seeds));
    if runs <= MOST_RUNS as u128 {
        return Ok(());
    }
    let runs = u64::try_from(runs).map_or_else(|_| "more than 10^19".to_owned(), thousands);
    let most = thousands(MOST_RUNS as u64);
    Err(format!("the sweep has {runs} runs: expected at most {most}, try --random N"))
}

/// All combinations; the last setting varies fastest.
fn grid(settings: &[Setting], seeds: u64) -> Result<Vec<Vec<String>>, String> {
    let mut lists = Vec::new();
    for Setting { key, values } in settings {
        match values {
            Values::List(values) => lists.push(values),
            Values::Range(_) => {
                return Err(format!("--set {key} is a range: give --random N to draw N points"));
            }
        }
    }
    let count = lists.iter().map(|list| list.len() as u128);
    check_count(count.fold(1, u128::saturating_mul), seeds)?;
    let mut points = vec![Vec::new()];
    for list in lists {
        let longer = |point: &Vec<String>| {
            let point = point.clone();
            list.iter().map(move |value| [&point[..], std::slice::from_ref(value)].concat())
        };
        points = points.iter().flat_map(longer).collect();
    }
    Ok(points)
}

/// `count` different random combinations; fewer are the first of more.
fn draw(
    settings: &[Setting],
    count: usize,
    seed: u64,
    seeds: u64,
) -> Result<Vec<Vec<String>>, String> {
    if count == 0 {
        return Err("--random is 0: expected at least 1".to_owned());
    }
    if settings.is_empty() {
        return Err("--random draws values of settings: give --set KEY=LOW..HIGH".to_owned());
    }
    check_count(count as u128, seeds)?;
    // Where it is finite, every combination comes up at some time.
    let all = settings
        .iter()
        .map(|setting| setting.values.count())
        .try_fold(1, |all: u128, one| Some(all.saturating_mul(one?)));
    let is_grid = settings.iter().all(|setting| matches!(setting.values, Values::List(_)));
    let too_few = |all: u128| {
        let hint =
            if is_grid { "leave it out to train all of them" } else { "expected at most that" };
        let all = thousands(u64::try_from(all).unwrap_or(u64::MAX));
        Err(format!("--random is {count}: there are only {all} different points, {hint}"))
    };
    if let Some(all) = all.filter(|&all| all < count as u128) {
        return too_few(all);
    }
    let mut points = Vec::with_capacity(count);
    let mut known = HashSet::new();
    let mut repeated = 0;
    for place in 0.. {
        let mut rng = seed::rng(seed, Purpose::Sweep, 0, place);
        let point: Vec<String> =
            settings.iter().map(|setting| setting.values.draw(&mut rng)).collect();
        if known.insert(point.clone()) {
            points.push(point);
            repeated = 0;
        } else {
            repeated += 1;
        }
        if points.len() == count || repeated == MOST_REPEATED {
            break;
        }
    }
    if points.len() < count { too_few(points.len() as u128) } else { Ok(points) }
}
