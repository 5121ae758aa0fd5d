//! Places in memory for buffers: two may share one if they are not needed in the same phase.

use std::cmp::Reverse;

use super::program::{Place, Program};

/// Floats of memory that a block needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) shared: usize,
    pub(super) scratch: usize,
}

/// Gives every buffer of a program its place, with no more than `limit` floats of shared memory: weights
/// once a step where there is room for all at once, and the largest buffers in global memory where there
/// is not enough of it.
pub(super) fn arrange(program: &mut Program, limit: usize) -> Memory {
    let everywhere = 0..=program.phases.len().saturating_sub(1);
    let staged: Vec<usize> =
        program.stagings.iter().flat_map(|(_, call)| call.uses.clone()).collect();
    let needed: Vec<_> = staged.iter().map(|&id| program.buffers[id].phases.clone()).collect();
    for &id in &staged {
        program.buffers[id].phases = Some(everywhere.clone());
    }
    program.pin(true);
    let mut waiting: Vec<usize> = used(program);
    let pinned = place(program, &waiting, Place::Shared);
    if pinned <= limit {
        return Memory { shared: pinned, scratch: 0 };
    }
    for (&id, phases) in staged.iter().zip(needed) {
        program.buffers[id].phases = phases;
    }
    program.pin(false);
    let mut spilled = Vec::new();
    loop {
        let shared = place(program, &waiting, Place::Shared);
        if shared <= limit {
            let scratch = place(program, &spilled, Place::Scratch);
            return Memory { shared, scratch };
        }
        // Of the buffers that are over the limit, or under one that is, the largest goes.
        let over = waiting.iter().filter(|&&id| end(program, id) > limit);
        let over: Vec<_> = over.filter_map(|&id| program.buffers[id].phases.clone()).collect();
        let meets = |id: &usize| {
            let phases = program.buffers[*id].phases.clone();
            phases.is_some_and(|own| {
                over.iter().any(|other| own.start() <= other.end() && other.start() <= own.end())
            })
        };
        let largest =
            waiting.iter().copied().filter(meets).max_by_key(|&id| program.buffers[id].len);
        let Some(largest) = largest else { return Memory { shared, scratch: 0 } };
        waiting.retain(|&id| id != largest);
        spilled.push(largest);
    }
}

/// The buffers that need a place.
fn used(program: &Program) -> Vec<usize> {
    let needs = |&id: &usize| {
        let buffer = &program.buffers[id];
        buffer.phases.is_some() && !matches!(buffer.place, Place::Member(_))
    };
    (0..program.buffers.len()).filter(needs).collect()
}

fn start(program: &Program, id: usize) -> usize {
    match program.buffers[id].place {
        Place::Shared(at) | Place::Scratch(at) => at,
        Place::Anywhere | Place::Member(_) => 0,
    }
}

fn end(program: &Program, id: usize) -> usize {
    start(program, id) + program.buffers[id].len
}

/// Places buffers in the best of a few orders and gives the memory that they take together.
fn place(program: &mut Program, ids: &[usize], kind: fn(usize) -> Place) -> usize {
    let phases = |id: usize| program.buffers[id].phases.clone().map_or(0, Iterator::count);
    let len = |id: usize| program.buffers[id].len;
    let mut orders = [ids.to_vec(), ids.to_vec(), ids.to_vec()];
    orders[0].sort_by_key(|&id| Reverse(len(id)));
    orders[1].sort_by_key(|&id| Reverse((phases(id), len(id))));
    orders[2].sort_by_key(|&id| Reverse(phases(id) * len(id)));
    let best = orders.iter().min_by_key(|order| place_in_order(program, order, kind));
    best.map_or(0, |order| place_in_order(program, order, kind))
}

/// Places buffers one after the other, each as low as those before it allow, and gives the memory that
/// they take together.
fn place_in_order(program: &mut Program, ids: &[usize], kind: fn(usize) -> Place) -> usize {
    let mut placed: Vec<usize> = Vec::new();
    let mut total = 0;
    for &id in ids {
        let Some(own) = program.buffers[id].phases.clone() else { continue };
        let len = program.buffers[id].len;
        let meets = |&other: &usize| {
            let other = program.buffers[other].phases.as_ref();
            other.is_some_and(|other| own.start() <= other.end() && other.start() <= own.end())
        };
        let mut taken: Vec<_> = placed.iter().copied().filter(meets).collect();
        taken.sort_by_key(|&other| start(program, other));
        let mut at = 0;
        for other in taken {
            if start(program, other) >= at + len {
                break;
            }
            at = at.max(end(program, other));
        }
        program.buffers[id].place = kind(at);
        total = total.max(at + len);
        placed.push(id);
    }
    total
}
