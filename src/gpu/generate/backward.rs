//! The backward pass of a generated network.

use super::forward::{Convolution, convolve, dropout_arguments, place_kind};
use super::layers::{Layer, Layers};
use super::maps::Maps;
use super::program::{BufferId, Program};
use super::tiles;
use crate::network::Plan;
use crate::network::plan::Op;

/// Adds the phases from the gradients of the logits to those of the parameters.
pub(super) fn extend(program: &mut Program, plan: &Plan) {
    let layers = Layers::of(plan);
    let mut gradients = vec![None; plan.values().len()];
    let member = program.member("dlogit");
    let last = plan.values().len() - 1;
    gradients[last] = Some((member, Maps::new(plan.values()[last], 0, 0)));
    let mut backward = Backward { program, plan, layers: &layers, gradients };
    for layer in layers.list.iter().rev() {
        if layers.trained[layer.output] {
            backward.push(layer);
        }
    }
}

struct Backward<'a> {
    program: &'a mut Program,
    plan: &'a Plan,
    layers: &'a Layers<'a>,
    /// Where the gradients of values lie that have been written.
    gradients: Vec<Option<(BufferId, Maps)>>,
}

/// How a gradient is to be written.
struct Target {
    buffer: BufferId,
    name: String,
    maps: Maps,
    mask: Option<(BufferId, Maps)>,
    mode: &'static str,
}

impl Target {
    /// The layout of the mask, or some other.
    fn mask_maps(&self) -> Maps {
        self.mask.map_or(self.maps, |(_, maps)| maps)
    }
}

impl Backward<'_> {
    /// Where the gradient of a value is written in a phase, if it has any, by `layer`.
    fn target(&mut self, value: usize, phase: usize, layer: &Layer) -> Option<Target> {
        if !self.layers.trained[value] {
            return None;
        }
        let activation = self.program.value(value);
        let mask = self.layers.masked[value].then_some(activation);
        let before = self.gradients[value];
        let (buffer, maps) = before.unwrap_or_else(|| self.make(value, phase, layer, activation));
        self.gradients[value] = Some((buffer, maps));
        let mode = match (mask.is_some(), before.is_some()) {
            (false, false) => "PLAIN",
            (true, false) => "MASKED",
            (false, true) => "ADDS",
            (true, true) => "MASKED | ADDS",
        };
        let name = self.program.name(buffer).to_owned();
        Some(Target { buffer, name, maps, mask, mode })
    }

    /// A buffer for the gradient of a value.
    fn make(
        &mut self,
        value: usize,
        phase: usize,
        reader: &Layer,
        (activation, maps): (BufferId, Maps),
    ) -> (BufferId, Maps) {
        let layers = &self.layers.list;
        let maker = layers.iter().find(|layer| layer.output == value);
        let (values, spread) = (self.plan.values(), self.program.spread);
        let own = match maker.map(|maker| (maker.node.op, maker.node.input)) {
            Some((Op::Conv { kernel, stride, padding, .. }, input))
                if self.layers.trained[input] =>
            {
                Maps::gradient(values[value], values[input], [kernel, stride, padding], spread)
            }
            _ => Maps::new(values[value], 0, spread),
        };
        // The last use of a convolution's input is where its gradient is written, value by value, unless
        // a ReLU is computed on its own.
        let is_conv = matches!(reader.node.op, Op::Conv { .. });
        let is_relu = maker.is_some_and(|maker| maker.node.op == Op::Relu);
        if is_conv
            && !is_relu
            && self.layers.has_one_reader(value)
            && own.step == 1
            && maps.top >= own.top
        {
            return (activation, maps);
        }
        let name = maker.map_or("image", |maker| maker.node.name.as_str());
        let buffer = self.program.buffer("g", name, own.len());
        self.program.frame(phase, buffer, &own);
        (buffer, own)
    }

    fn push(&mut self, layer: &Layer) {
        let node = layer.node;
        let phase = self.program.phases.len();
        let (given, gradient) = self.gradients[layer.output]
            .unwrap_or_else(|| unreachable!("the readers of a trained value write its gradient"));
        let g = self.program.name(given).to_owned();
        match node.op {
            Op::Conv { .. } => return self.conv(layer, phase, (given, gradient)),
            Op::Linear { .. } => return self.linear(layer, phase, (given, gradient)),
            Op::Add { with } => self.copy(with, phase, layer, (given, gradient)),
            _ => {}
        }
        let (from, input) = self.program.value(node.input);
        let Some(target) = self.target(node.input, phase, layer) else { return };
        let Target { name, maps, mask, mode, .. } = &target;
        let mask_maps = target.mask_maps();
        let mask_name = mask.map_or("nullptr", |(id, _)| self.program.name(id)).to_owned();
        let mut uses = vec![given, target.buffer];
        uses.extend(mask.map(|(id, _)| id));
        let text = match node.op {
            Op::Add { .. } => {
                format!("copy<{gradient}, {maps}, {mask_maps}, {mode}>({g}, {name}, {mask_name});")
            }
            Op::Relu => {
                // What is positive after it is so before: this mask is the input's as well.
                let (output, mask_maps) = self.program.value(layer.output);
                uses.push(output);
                let mask = self.program.name(output);
                format!(
                    "copy<{gradient}, {maps}, {mask_maps}, {mode} | MASKED>({g}, {name}, {mask});"
                )
            }
            Op::Gelu => {
                uses.push(from);
                let x = self.program.name(from);
                format!(
                    "gelu_gradient<{input}, {gradient}, {maps}, {mask_maps}, {mode}>({x}, {g}, {name}, \
                     {mask_name});"
                )
            }
            Op::MaxPool { size, stride } => {
                let winners = self.program.winners[&layer.output];
                uses.push(winners);
                let (kind, winners) = (place_kind(size), self.program.name(winners));
                format!(
                    "max_pool_gradient<{gradient}, {maps}, {mask_maps}, {mode}, {size}, {stride}>({g}, \
                     ({kind} *){winners}, {name}, {mask_name});"
                )
            }
            Op::AvgPool { size, stride } => format!(
                "avg_pool_gradient<{gradient}, {maps}, {mask_maps}, {mode}, {size}, {stride}>({g}, \
                 {name}, {mask_name});"
            ),
            Op::GlobalAvgPool => format!(
                "global_average_gradient<{maps}, {mask_maps}, {mode}>({g}, {name}, {mask_name});"
            ),
            Op::Flatten => {
                format!("unflatten<{maps}, {mask_maps}, {mode}>({g}, {name}, {mask_name});")
            }
            Op::Dropout { p, index } => {
                let draws = dropout_arguments(p, index);
                format!(
                    "dropout<{gradient}, {maps}, {mask_maps}, {mode}>({draws}, {g}, {name}, {mask_name});"
                )
            }
            Op::Conv { .. } | Op::Linear { .. } | Op::BatchNorm { .. } => {
                unreachable!("these were handled or refused before")
            }
        };
        self.program.call(phase, text, &uses);
    }

    /// Hands a gradient on to a value as it is.
    fn copy(
        &mut self,
        value: usize,
        phase: usize,
        layer: &Layer,
        (given, gradient): (BufferId, Maps),
    ) {
        let Some(target) = self.target(value, phase, layer) else { return };
        let Target { buffer, name, maps, mask, mode } = &target;
        let mask_maps = target.mask_maps();
        let mask_name = mask.map_or("nullptr", |(id, _)| self.program.name(id));
        let g = self.program.name(given);
        let text =
            format!("copy<{gradient}, {maps}, {mask_maps}, {mode}>({g}, {name}, {mask_name});");
        let mut uses = vec![given, *buffer];
        uses.extend(mask.map(|(id, _)| id));
        self.program.call(phase, text, &uses);
    }

    fn conv(&mut self, layer: &Layer, phase: usize, (given, gradient): (BufferId, Maps)) {
        let node = layer.node;
        let Op::Conv { weight, bias, kernel, stride, padding } = node.op else {
            unreachable!("only convolutions come here");
        };
        let (from, input) = self.program.value(node.input);
        let g = self.program.name(given).to_owned();
        let weights = self.plan.params()[weight].range.clone();
        let share = tiles::share(&input, &gradient, kernel, stride);
        let (x, corner) = (self.program.name(from).to_owned(), input.corner(padding));
        let call = format!(
            "weight_gradients<{input}, {gradient}, {kernel}, {stride}, {corner}, {}, {}, {}>({x}, {g}",
            share.inputs, share.pixels, share.parts
        );
        let (at, count) = (weights.start, weights.len());
        if share.parts == 1 {
            let text = format!("{call}, nullptr, out + {at}, adds);");
            self.program.call(phase, text, &[from, given]);
        } else {
            let sums = self.program.buffer("sums", &node.name, count * share.parts);
            let name = self.program.name(sums).to_owned();
            let text = format!("{call}, {name}, nullptr, adds);");
            self.program.call(phase, text, &[from, given, sums]);
            let text = format!("put_sums<{count}, {}>({name}, out + {at}, adds);", share.parts);
            self.program.call(phase + 1, text, &[sums]);
        }
        if let Some(bias) = bias {
            let at = self.plan.params()[bias].range.start;
            let (channels, height) = (gradient.channels, gradient.height);
            let rows = self.program.buffer("rows", &node.name, channels * height);
            let name = self.program.name(rows).to_owned();
            let text = format!("bias_gradients<{gradient}>({g}, {name});");
            self.program.call(phase, text, &[given, rows]);
            let text = format!("put_sums<{channels}, {height}>({name}, out + {at}, adds);");
            self.program.call(phase + 1, text, &[rows]);
        }
        let Some(target) = self.target(node.input, phase + 1, layer) else { return };
        let border = kernel - 1 - padding;
        // Where no stride leaves out pixels, the gradient is maps like any other.
        let stuffed = Maps { height: gradient.rows, width: gradient.columns, step: 1, ..gradient };
        let convolution = Convolution {
            input: (given, &stuffed),
            output: (target.buffer, &target.maps),
            mask: target.mask,
            corner: gradient.corner(border),
            kernel,
            stride: 1,
            mode: target.mode,
        };
        convolve(self.program, self.plan, layer, phase + 1, &convolution, true);
    }

    fn linear(&mut self, layer: &Layer, phase: usize, (given, gradient): (BufferId, Maps)) {
        let node = layer.node;
        let Op::Linear { weight, bias } = node.op else {
            unreachable!("only linear layers come here");
        };
        let (from, input) = self.program.value(node.input);
        let [g, x] = [given, from].map(|id| self.program.name(id).to_owned());
        let [inputs, outputs] = [input.channels, gradient.channels];
        let at = self.plan.params()[weight].range.start;
        let text =
            format!("linear_weight_gradients<{inputs}, {outputs}>({x}, {g}, out + {at}, adds);");
        self.program.call(phase, text, &[from, given]);
        if let Some(bias) = bias {
            let at = self.plan.params()[bias].range.start;
            let text = format!("put_all<{outputs}>({g}, out + {at}, adds);");
            self.program.call(phase, text, &[given]);
        }
        let Some(target) = self.target(node.input, phase + 1, layer) else { return };
        let parts = tiles::linear_input_parts(inputs, outputs);
        let sums = self.program.buffer("inputs", &node.name, inputs * parts);
        let name = self.program.name(sums).to_owned();
        let text = format!(
            "linear_input_gradients<{inputs}, {outputs}, {parts}>({g}, weights + {at}, {name});"
        );
        self.program.call(phase, text, &[given, sums]);
        let mask = target.mask.map_or("nullptr", |(id, _)| self.program.name(id)).to_owned();
        let text = format!(
            "keep_sums<{inputs}, {parts}, {}>({name}, {}, {mask});",
            target.mode, target.name
        );
        let mut uses = vec![sums, target.buffer];
        uses.extend(target.mask.map(|(id, _)| id));
        self.program.call(phase + 1, text, &uses);
    }
}
