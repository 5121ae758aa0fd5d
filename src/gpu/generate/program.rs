//! Phases of calls, with barriers between them, and the buffers that the calls use.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Arguments;
use std::ops::{Range, RangeInclusive};

use super::maps::Maps;

/// A place among a program's buffers.
pub(super) type BufferId = usize;

/// Memory that is needed from one phase to another.
#[derive(Clone, Debug)]
pub(super) struct Buffer {
    pub(super) name: String,
    /// Floats.
    pub(super) len: usize,
    /// The first and last phase that uses it.
    pub(super) phases: Option<RangeInclusive<usize>>,
    pub(super) place: Place,
}

/// Where a buffer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Not decided.
    Anywhere,
    /// Floats from the start of the block's shared memory.
    Shared(usize),
    /// Floats from the start of the block's part of global memory.
    Scratch(usize),
    /// A member of `Shared`.
    Member(&'static str),
}

/// A call of a template.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) text: String,
    pub(super) uses: Vec<BufferId>,
}

/// The weights of a convolution as threads take them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Staged {
    pub(super) buffer: BufferId,
    /// Floats of a place of the kernel.
    pub(super) tap: usize,
    /// Floats of an input channel.
    pub(super) line: usize,
}

/// What a kernel does for one image.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) buffers: Vec<Buffer>,
    pub(super) phases: Vec<Vec<Call>>,
    /// How many of the phases are the forward pass.
    pub(super) forward_phases: usize,
    /// Calls that copy weights, with the phase before the one that uses them.
    pub(super) stagings: Vec<(usize, Call)>,
    /// Whether they run once a step, before the first image.
    pub(super) pinned: bool,
    /// Most values of maps whose pixels are spread over the memory's banks.
    pub(super) spread: usize,
    /// For the output of each max-pooling where the places of the maxima lie.
    pub(super) winners: BTreeMap<usize, BufferId>,
    /// For each of the plan's values where it lies.
    pub(super) values: Vec<Option<(BufferId, Maps)>>,
}

impl Program {
    /// A new buffer.
    pub(super) fn buffer(&mut self, kind: &str, name: &str, len: usize) -> BufferId {
        let name = name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let (name, place) = (format!("{kind}_{name}"), Place::Anywhere);
        let len = len.next_multiple_of(4);
        self.buffers.push(Buffer { name, len, phases: None, place });
        self.buffers.len() - 1
    }

    /// A member of `Shared`.
    pub(super) fn member(&mut self, name: &'static str) -> BufferId {
        let place = Place::Member(name);
        self.buffers.push(Buffer { name: name.to_owned(), len: 0, phases: None, place });
        self.buffers.len() - 1
    }

    /// What a buffer is called in the text.
    pub(super) fn name(&self, buffer: BufferId) -> &str {
        &self.buffers[buffer].name
    }

    /// Where a value lies that was written before.
    pub(super) fn value(&self, value: usize) -> (BufferId, Maps) {
        self.values[value]
            .unwrap_or_else(|| unreachable!("values are written before they are read"))
    }

    /// Adds a call to a phase.
    pub(super) fn call(&mut self, phase: usize, text: String, uses: &[BufferId]) {
        if self.phases.len() <= phase {
            self.phases.resize(phase + 1, Vec::new());
        }
        for &buffer in uses {
            self.touch(buffer, phase);
        }
        self.phases[phase].push(Call { text, uses: uses.to_vec() });
    }

    /// Adds a call that copies weights in a phase, or before the first.
    pub(super) fn stage(&mut self, phase: usize, text: String, buffer: BufferId) {
        self.touch(buffer, phase);
        self.stagings.push((phase, Call { text, uses: vec![buffer] }));
    }

    fn touch(&mut self, buffer: BufferId, phase: usize) {
        let phases = &mut self.buffers[buffer].phases;
        *phases = Some(match phases {
            Some(phases) => *phases.start().min(&phase)..=*phases.end().max(&phase),
            None => phase..=phase,
        });
    }

    /// Zeroes what is around the pixels of a buffer.
    pub(super) fn frame(&mut self, phase: usize, buffer: BufferId, maps: &Maps) {
        if maps.has_frame() {
            let text = format!("frame<{maps}>({});", self.name(buffer));
            self.call(phase, text, &[buffer]);
        }
    }

    /// Decides whether weights are copied once a step or for each image.
    pub(super) fn pin(&mut self, pinned: bool) {
        self.pinned = pinned;
    }

    /// What runs once a step.
    pub(super) fn begin(&self) -> Vec<&Call> {
        let stagings = self.stagings.iter().filter(|_| self.pinned);
        stagings.map(|(_, call)| call).collect()
    }

    /// Declares the buffers that some calls use.
    pub(super) fn declare(&self, calls: &[&Call], line: &mut impl FnMut(Arguments)) {
        let uses = calls.iter().flat_map(|call| &call.uses);
        for &buffer in &uses.copied().collect::<BTreeSet<_>>() {
            let Buffer { name, place, .. } = &self.buffers[buffer];
            let at = match place {
                Place::Shared(at) => format!("s.memory + {at}"),
                Place::Scratch(at) => format!("scratch + {at}"),
                Place::Member(member) => format!("s.{member}"),
                Place::Anywhere => unreachable!("buffers that are used have a place"),
            };
            line(format_args!("    float *const {name} = {at};"));
        }
    }

    /// Writes some of the phases.
    pub(super) fn emit(&self, phases: Range<usize>, line: &mut impl FnMut(Arguments)) {
        let last = self.phases.len() - 1;
        let staged = |phase: usize| {
            let here = self.stagings.iter().filter(move |(at, _)| *at == phase && !self.pinned);
            here.map(|(_, call)| call)
        };
        let calls = |phase: usize| self.phases[phase].iter().chain(staged(phase));
        self.declare(&phases.clone().flat_map(calls).collect::<Vec<_>>(), line);
        for phase in phases {
            for call in calls(phase) {
                line(format_args!("    {}", call.text));
            }
            // The backward pass ends without one.
            if phase < last {
                line(format_args!("    SYNC();"));
            }
            line(format_args!("    TICK({phase});"));
        }
    }
}
