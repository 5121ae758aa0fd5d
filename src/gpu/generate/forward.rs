//! The forward pass of a generated network.

use super::layers::{Layer, Layers};
use super::maps::Maps;
use super::program::{Program, Staged};
use super::tiles;
use crate::network::Plan;
use crate::network::plan::Op;

/// Phases from the image to the logits; `spread` is as [`Maps::new`] has it.
pub(super) fn program(plan: &Plan, spread: usize) -> Program {
    let layers = Layers::of(plan);
    let values = vec![None; plan.values().len()];
    let mut program = Program { spread, values, ..Program::default() };
    let maps = value_maps(plan, &layers, 0, spread);
    let image = program.buffer("x", "image", maps.len());
    program.values[0] = Some((image, maps));
    let name = program.name(image);
    program.call(
        0,
        format!("unflatten<{maps}, {maps}, PLAIN>(s.image, {name}, nullptr);"),
        &[image],
    );
    program.frame(0, image, &maps);
    for layer in &layers.list {
        push(&mut program, plan, &layers, layer);
    }
    program.forward_phases = program.phases.len();
    program
}

/// Where a value lies, with the widest border that a convolution reading it needs.
fn value_maps(plan: &Plan, layers: &Layers, value: usize, spread: usize) -> Maps {
    let paddings = layers.list.iter().filter(|layer| layer.node.input == value);
    let border = paddings.map(|layer| match layer.node.op {
        Op::Conv { padding, .. } => padding,
        _ => 0,
    });
    Maps::new(plan.values()[value], border.max().unwrap_or(0), spread)
}

/// Floats after a buffer that a convolution's last tile may load and ignore.
fn slack(input: &Maps, output: &Maps, stride: usize, across: usize) -> usize {
    (output.width.next_multiple_of(across) - output.width) * stride * input.pixel
}

/// Copies a convolution's weights in the phase before `phase`.
fn stage(
    program: &mut Program,
    plan: &Plan,
    layer: &Layer,
    phase: usize,
    [lines, line]: [usize; 2],
    turned: bool,
) -> Staged {
    let Op::Conv { weight, bias, kernel, .. } = layer.node.op else {
        unreachable!("only convolutions have weights to copy");
    };
    let shape = &plan.params()[weight].shape;
    let area = kernel * kernel;
    // An odd number of vectors, so that neighbours are written to different banks.
    let odd = |len: usize| match len.next_multiple_of(4) {
        len if len % 8 == 0 => len + 4,
        len => len,
    };
    let line = odd(line);
    let tap = odd(lines * line);
    let kind = if turned { "turned" } else { "w" };
    let buffer = program.buffer(kind, &layer.node.name, area * tap + line);
    let at = plan.params()[weight].range.start;
    let bias = match bias {
        Some(bias) => format!("weights + {}", plan.params()[bias].range.start),
        None => "nullptr".to_owned(),
    };
    let text = format!(
        "stage<{}, {}, {area}, {tap}, {line}, {lines}, {turned}>(weights + {at}, {bias}, {});",
        shape[0],
        shape[1],
        program.name(buffer)
    );
    program.stage(phase - 1, text, buffer);
    Staged { buffer, tap, line }
}

/// What `convolve` reads and writes, and how.
pub(super) struct Convolution<'a> {
    pub(super) input: (usize, &'a Maps),
    pub(super) output: (usize, &'a Maps),
    pub(super) mask: Option<(usize, Maps)>,
    pub(super) corner: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) mode: &'a str,
}

/// Adds a convolution to a phase.
pub(super) fn convolve(
    program: &mut Program,
    plan: &Plan,
    layer: &Layer,
    phase: usize,
    convolution: &Convolution,
    turned: bool,
) {
    let &Convolution { input: (from, input), output: (to, output), mask, .. } = convolution;
    let &Convolution { corner, kernel, stride, mode, .. } = convolution;
    let tile = tiles::tile(input, output, kernel, stride);
    let width = output.padded().next_multiple_of(tile.channels);
    let weights = stage(program, plan, layer, phase, [input.padded(), width], turned);
    let overhang = slack(input, output, stride, tile.across);
    let len = &mut program.buffers[from].len;
    *len = (*len).max((input.len() + overhang).next_multiple_of(4));
    let (mask_id, mask_maps) = mask.unwrap_or((to, *output));
    let mask_name = mask.map_or("nullptr", |_| program.name(mask_id));
    let text = format!(
        "convolve<{input}, {output}, {mask_maps}, {kernel}, {stride}, {corner}, {}, {}, {}, {}, {}, \
         {mode}>({}, {}, {}, {mask_name});",
        tile.down,
        tile.across,
        tile.channels,
        weights.tap,
        weights.line,
        program.name(from),
        program.name(weights.buffer),
        program.name(to),
    );
    program.call(phase, text, &[from, weights.buffer, to, mask_id]);
}

fn push(program: &mut Program, plan: &Plan, layers: &Layers, layer: &Layer) {
    let node = layer.node;
    let phase = program.phases.len();
    let (from, input) = program.value(node.input);
    let output = value_maps(plan, layers, layer.output, program.spread);
    let to = if layer.output + 1 == plan.values().len() {
        program.member("logit")
    } else {
        program.buffer("x", &node.name, output.len())
    };
    program.values[layer.output] = Some((to, output));
    let [x, y] = [from, to].map(|id| program.name(id).to_owned());
    let mode = if layer.relu { "RELU" } else { "PLAIN" };
    let text = match node.op {
        Op::Conv { kernel, stride, padding, .. } => {
            let corner = input.corner(padding);
            let (input, output) = ((from, &input), (to, &output));
            let convolution =
                Convolution { input, output, mask: None, corner, kernel, stride, mode };
            convolve(program, plan, layer, phase, &convolution, false);
            program.frame(phase, to, output.1);
            return;
        }
        Op::Linear { weight, bias } => {
            let [outputs, inputs] = [output.channels, input.channels];
            let parts = tiles::linear_parts(inputs, outputs);
            let sums = program.buffer("sums", &node.name, outputs * parts);
            let name = program.name(sums).to_owned();
            let at = plan.params()[weight].range.start;
            let text =
                format!("linear<{inputs}, {outputs}, {parts}>({x}, weights + {at}, {name});");
            program.call(phase, text, &[from, sums]);
            let bias = match bias {
                Some(bias) => format!("weights + {}", plan.params()[bias].range.start),
                None => "nullptr".to_owned(),
            };
            let text = format!("linear_sums<{outputs}, {parts}, {mode}>({name}, {bias}, {y});");
            program.call(phase + 1, text, &[sums, to]);
            return;
        }
        Op::Relu => format!("copy<{input}, {output}, {output}, RELU>({x}, {y}, nullptr);"),
        Op::Gelu => format!("gelu<{input}, {output}>({x}, {y});"),
        Op::MaxPool { size, stride } => {
            let (winners, kind) = winners(program, &node.name, size, &output);
            program.winners.insert(layer.output, winners);
            let name = program.name(winners).to_owned();
            let text = format!(
                "max_pool<{input}, {output}, {size}, {stride}>({x}, {y}, ({kind} *){name});"
            );
            program.call(phase, text, &[from, to, winners]);
            program.frame(phase, to, &output);
            return;
        }
        Op::AvgPool { size, stride } => {
            format!("avg_pool<{input}, {output}, {size}, {stride}>({x}, {y});")
        }
        Op::GlobalAvgPool => format!("global_average<{input}, {output}>({x}, {y});"),
        Op::Flatten => format!("flatten<{input}>({x}, {y});"),
        Op::Add { with } => {
            let (other, maps) = program.value(with);
            let name = program.name(other).to_owned();
            let text = format!("add<{input}, {maps}, {output}>({x}, {name}, {y});");
            program.call(phase, text, &[from, other, to]);
            program.frame(phase, to, &output);
            return;
        }
        Op::Dropout { p, index } => {
            let draws = dropout_arguments(p, index);
            format!("dropout<{input}, {output}, {output}, PLAIN>({draws}, {x}, {y}, nullptr);")
        }
        Op::BatchNorm { .. } => unreachable!("plans with these are refused before"),
    };
    program.call(phase, text, &[from, to]);
    program.frame(phase, to, &output);
}

/// A buffer for the place of the maximum of each window, and the type of such places.
fn winners(program: &mut Program, name: &str, size: usize, output: &Maps) -> (usize, &'static str) {
    let len = output.padded() * output.height * output.width;
    let kind = place_kind(size);
    let len = if kind == "float" { len } else { len.div_ceil(4) };
    (program.buffer("winners", name, len), kind)
}

/// What the template of dropout has to know of a layer, as `nn/dropout.rs` computes it.
pub(super) fn dropout_arguments(p: f64, index: usize) -> String {
    let (dropped, kept) = ((p * 4_294_967_296.0) as u32, (1.0 / (1.0 - p)) as f32);
    format!("s.draws, {index}, {dropped}u, {kept:?}f")
}

/// The type for places in a window of `size` rows and columns.
pub(super) fn place_kind(size: usize) -> &'static str {
    if size <= 16 { "unsigned char" } else { "float" }
}
