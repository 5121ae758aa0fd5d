//! CUDA source for any plan: the network's part of a kernel's text, between `kernels/dialect.cuh` and
//! `kernels/training.cuh`.
//!
//! A block of threads works on one image at a time. The layers themselves are templates in
//! `kernels/maps.cuh`, `kernels/weighted.cuh` and `kernels/dropout.cuh`. Generated are the calls of
//! them, one phase after the other with barriers between, and their shapes, tiles and places in memory.
//! Values, gradients and the weights of convolutions lie in shared memory while they are needed; where
//! there is not enough of it, the largest lie in global memory.

mod backward;
mod forward;
mod layers;
mod maps;
mod memory;
mod program;
#[cfg(test)]
mod tests;
mod tiles;

use std::fmt::Write;

use crate::network::{Plan, plan::Op};

/// The templates of layers that every generated network begins with.
pub const TEMPLATES: &str = concat!(
    include_str!("kernels/maps.cuh"),
    include_str!("kernels/weighted.cuh"),
    include_str!("kernels/dropout.cuh"),
);

/// Threads of a block.
const THREADS: usize = 512;

/// Bytes of shared memory that a block may use unless the caller says otherwise.
const SHARED_BYTES: usize = 200 << 10;

/// Most values of maps whose pixels are spread over the banks of shared memory: what is tried.
const SPREADS: [usize; 4] = [usize::MAX, 8_192, 4_096, 0];

/// Most floats of global memory that one block may need.
const MOST_SCRATCH: usize = 8 << 20;

/// The part of a kernel's text that computes a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// C++ for nvcc, NVRTC or a host compiler.
    pub text: String,
    /// Bytes of shared memory of a block.
    pub shared_bytes: usize,
    /// Floats of global memory of a block.
    pub scratch: usize,
    /// Whether it draws random numbers, by the key that follows a job's order of images.
    pub draws: bool,
}

/// Why there is no kernel for a network, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unsupported(String);

/// Generates the kernels' part for a network on cards that give a block 200 KB of shared memory.
///
/// # Errors
/// If a layer has no kernel, or the network is too large for one block.
pub fn network(plan: &Plan) -> Result<Network, Unsupported> {
    network_within(plan, SHARED_BYTES)
}

/// Bytes of shared memory that GPUs of a compute capability give a block that asks for them: the table
/// "Technical Specifications per Compute Capability" of NVIDIA's programming guide.
pub fn shared_bytes((major, minor): (i32, i32)) -> usize {
    let kilobytes = match (major, minor) {
        (7, 5) => 64,
        (8, 0 | 7) => 163,
        (9..=11, _) => 227,
        // 96 and 99 in the table.
        _ => 96,
    };
    kilobytes << 10
}

/// [`network`] for blocks that have `shared_bytes` of shared memory. How much there is does not change the
/// results, to the bit.
///
/// # Errors
/// As [`network`].
pub fn network_within(plan: &Plan, shared_bytes: usize) -> Result<Network, Unsupported> {
    if let Some(node) = plan.nodes().iter().find(|node| matches!(node.op, Op::BatchNorm { .. })) {
        return Err(Unsupported(format!(
            "{} has no GPU kernel, since batch normalisation needs all images of a batch at once: use \
             --device cpu, or a network without it",
            node.name
        )));
    }
    let draws = plan.nodes().iter().any(|node| matches!(node.op, Op::Dropout { .. }));
    let fixed = plan.input().iter().product::<usize>() + 3 * plan.classes() + 1 + 10;
    let limit = (shared_bytes / 4).saturating_sub(fixed.next_multiple_of(4)) / 4 * 4;
    // Fitting into shared memory matters more than maps without bank conflicts. Packing the largest maps
    // tightly frees the most memory.
    let made = SPREADS.map(|spread| {
        let mut program = forward::program(plan, spread);
        backward::extend(&mut program, plan);
        let memory = memory::arrange(&mut program, limit);
        (program, memory)
    });
    let least = made.into_iter().min_by_key(|(_, memory)| memory.scratch);
    let Some((program, memory)) = least else { unreachable!("there are several") };
    if memory.scratch > MOST_SCRATCH {
        return Err(Unsupported(format!(
            "a training step of this network needs {} MB for each image on a GPU, expected at most {} MB: \
             use --device cpu, or fewer channels",
            memory.scratch.div_ceil(1 << 18),
            MOST_SCRATCH >> 18
        )));
    }
    let needed = 4 * (memory.shared.max(4) + fixed.next_multiple_of(4));
    if needed > shared_bytes {
        return Err(Unsupported(format!(
            "this network needs at least {needed} bytes of a GPU's shared memory, found {shared_bytes}: use \
             --device cpu, or smaller images"
        )));
    }
    let text = text(plan, &program, &memory, draws);
    Ok(Network { text, shared_bytes: needed, scratch: memory.scratch, draws })
}

fn text(plan: &Plan, program: &program::Program, memory: &memory::Memory, draws: bool) -> String {
    let mut text = String::from(TEMPLATES);
    let mut line = |arguments: std::fmt::Arguments| {
        writeln!(text, "{arguments}").unwrap_or_else(|_| unreachable!("strings take all"));
    };
    line(format_args!("\n// {}", plan.spec()));
    line(format_args!("#define THREADS {THREADS}"));
    line(format_args!("#ifndef TICK\n#define TICK(n) // after phase n\n#endif"));
    line(format_args!(
        "enum {{ PARAMETERS = {}, CLASSES = {}, IMAGE = {}, SCRATCH = {} }};",
        plan.trained_len(),
        plan.classes(),
        plan.input().iter().product::<usize>(),
        memory.scratch
    ));
    line(format_args!(
        "\nstruct Shared {{\n    float memory[{}];\n    float image[IMAGE];\n    float logit[CLASSES], \
         dlogit[CLASSES], exps[CLASSES], top;\n{}}};",
        memory.shared.max(4),
        if draws { "    Draws draws;\n" } else { "" }
    ));
    if draws {
        line(format_args!("#define DRAWS"));
    }
    line(format_args!("\nFN void begin(Shared &s, const float *weights) {{"));
    let begin = program.begin();
    program.declare(&begin, &mut line);
    for call in &begin {
        line(format_args!("    {}", call.text));
    }
    line(format_args!("}}"));
    let forward = program.forward_phases;
    line(format_args!("\nFN void forward(Shared &s, const float *weights, float *scratch) {{"));
    program.emit(0..forward, &mut line);
    line(format_args!("}}"));
    line(format_args!(
        "\nFN void backward(Shared &s, const float *weights, float *scratch, float *out, bool adds) {{"
    ));
    program.emit(forward..program.phases.len(), &mut line);
    line(format_args!("}}"));
    text
}
