//! From a plan to its steps and the places of all arrays.

use super::convolution::{Convolution, Tables};
use super::linear::Linear;
use super::map::{Map, SLACK};
use super::narrow::Narrow;
use super::norm::BatchNorm;
use super::pointwise::{Add, Flatten, Function, Pointwise};
use super::pool::{Kind, Pool};
use super::step::Step;
use crate::network::plan::{Node, Op, Plan};

/// The steps of a plan and the sizes of what they work on.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) steps: Vec<Box<dyn Step>>,
    /// Where each of the plan's values lies; `None` for one that is never written.
    pub(super) maps: Vec<Option<Map>>,
    /// Scalars of an image's values.
    pub(super) image_len: usize,
    pub(super) packed_len: usize,
    /// Scalars of the sums of a part.
    pub(super) sums_len: usize,
    /// Scalars that the steps use for themselves.
    pub(super) scratch_len: usize,
}

pub(super) fn program(plan: &Plan) -> Program {
    let mut builder = Builder::new(plan);
    let nodes = plan.nodes();
    let mut place = 0;
    while let Some(node) = nodes.get(place) {
        let relu = nodes.get(place + 1).filter(|next| builder.joins(node, next));
        builder.add(node, relu);
        place += if relu.is_some() { 2 } else { 1 };
    }
    builder.program.maps = builder.maps;
    builder.program
}

struct Builder<'a> {
    plan: &'a Plan,
    program: Program,
    maps: Vec<Option<Map>>,
    /// For each value whether anything before it learns, and so wants its gradient.
    learns: Vec<bool>,
    norms: usize,
}

impl<'a> Builder<'a> {
    fn new(plan: &'a Plan) -> Self {
        let program = Program {
            steps: Vec::new(),
            maps: Vec::new(),
            image_len: 0,
            packed_len: 0,
            sums_len: 0,
            scratch_len: 0,
        };
        let mut learns = vec![false; plan.values().len()];
        for node in plan.nodes() {
            let has_parameters =
                matches!(node.op, Op::Conv { .. } | Op::Linear { .. } | Op::BatchNorm { .. });
            let other = matches!(node.op, Op::Add { with } if learns[with]);
            learns[node.output] = learns[node.input] || has_parameters || other;
        }
        let maps = vec![None; plan.values().len()];
        let mut builder = Self { plan, program, maps, learns, norms: 0 };
        builder.place(0);
        builder
    }

    /// Whether `next` is a `ReLU` that only `node`, a convolution, feeds.
    fn joins(&self, node: &Node, next: &Node) -> bool {
        let readers = self.readers(node.output).count();
        matches!((node.op, next.op), (Op::Conv { .. }, Op::Relu)) && readers == 1
    }

    /// The operations that read a value.
    fn readers(&self, value: usize) -> impl Iterator<Item = &'a Node> {
        self.plan.nodes().iter().filter(move |node| {
            node.input == value || matches!(node.op, Op::Add { with } if with == value)
        })
    }

    /// Room for `len` scalars of each image; gives where they begin.
    fn reserve(&mut self, len: usize) -> usize {
        let start = self.program.image_len;
        self.program.image_len += len + SLACK;
        start
    }

    /// Gives a value its place, with the widest frame that any reader wants.
    fn place(&mut self, value: usize) -> Map {
        let [channels, height, width] = self.plan.values()[value].shape;
        let frame = |node: &Node| match node.op {
            Op::Conv { padding, .. } => padding,
            _ => 0,
        };
        let frame = self.readers(value).map(frame).max().unwrap_or(0);
        let mut map = Map { start: 0, channels, height, width, frame };
        map.start = self.reserve(map.len());
        self.maps[value] = Some(map);
        map
    }

    /// Whether a step that reads `value` gives it a gradient, and whether it adds to one: steps go
    /// backward from the last, so that the last reader writes first.
    fn input_grad(&self, value: usize, reader: &Node) -> Option<bool> {
        self.learns[value].then(|| {
            let last = self.readers(value).last();
            last.is_some_and(|last| last.output != reader.output)
        })
    }

    fn add(&mut self, node: &Node, relu: Option<&Node>) {
        let input = self.maps[node.input].expect("a value is written before it is read");
        let input_grad = self.input_grad(node.input, node);
        let params = self.plan.params();
        let output = relu.map_or(node.output, |relu| relu.output);
        let step: Box<dyn Step> = match node.op {
            Op::Conv { .. } => self.convolution(node.op, input, output, relu.is_some(), input_grad),
            Op::Linear { weight, bias } => {
                let layer = Linear {
                    input,
                    output: self.place(output),
                    weight: params[weight].range.clone(),
                    bias: bias.map(|bias| params[bias].range.clone()),
                    input_grad,
                    sums: self.program.sums_len,
                };
                self.program.sums_len += layer.sums_len();
                Box::new(layer)
            }
            Op::BatchNorm { scale, mean } => {
                let running = self.plan.running();
                let index = self.norms;
                self.norms += 1;
                Box::new(BatchNorm {
                    input,
                    output: self.place(output),
                    scale: params[scale].range.clone(),
                    shift: params[scale + 1].range.clone(),
                    mean: running[mean].range.clone(),
                    variance: running[mean + 1].range.clone(),
                    index,
                    input_grad,
                })
            }
            Op::Relu => self.pointwise(input, output, input_grad, Function::Relu),
            Op::Gelu => self.pointwise(input, output, input_grad, Function::Gelu),
            Op::Dropout { p, index } => {
                let factors = self.reserve(self.plan.values()[output].len());
                let function = Function::Dropout { index, p, factors };
                self.pointwise(input, output, input_grad, function)
            }
            Op::MaxPool { size, stride } => {
                self.pool(Kind::Max, input, output, [size; 2], stride, input_grad)
            }
            Op::AvgPool { size, stride } => {
                self.pool(Kind::Mean, input, output, [size; 2], stride, input_grad)
            }
            Op::GlobalAvgPool => {
                let size = [input.height, input.width];
                self.pool(Kind::Mean, input, output, size, 1, input_grad)
            }
            Op::Flatten => Box::new(Flatten { input, output: self.place(output), input_grad }),
            Op::Add { with } => {
                let other = self.maps[with].expect("a value is written before it is read");
                // Of the two the block's input comes first among the values.
                let input_grads = [self.input_grad(with, node), input_grad];
                Box::new(Add { inputs: [other, input], output: self.place(output), input_grads })
            }
        };
        self.program.steps.push(step);
    }

    fn convolution(
        &mut self,
        op: Op,
        input: Map,
        output: usize,
        relu: bool,
        input_grad: Option<bool>,
    ) -> Box<dyn Step> {
        let Op::Conv { weight, bias, kernel, stride, padding } = op else {
            unreachable!("only convolutions come here");
        };
        let params = self.plan.params();
        let weight = params[weight].range.clone();
        let bias = bias.map(|bias| params[bias].range.clone());
        if Narrow::fits(&input, kernel, stride, input_grad.is_some()) {
            let layer = Narrow {
                input,
                output: self.place(output),
                kernel,
                padding,
                relu,
                weight,
                bias,
                packed: self.program.packed_len,
                sums: self.program.sums_len,
            };
            self.program.packed_len += layer.packed_len();
            self.program.sums_len += layer.packed_len();
            return Box::new(layer);
        }
        let [channels, height, width] = self.plan.values()[output].shape;
        let size = Map { start: 0, channels, height, width, frame: 0 };
        let gathers = Convolution::gathers(kernel, input.channels);
        let patches =
            gathers.then(|| self.reserve(Convolution::patches_len(&size, kernel, input.channels)));
        let layer = Convolution {
            input,
            output: self.place(output),
            kernel,
            stride,
            padding,
            relu,
            weight,
            bias,
            input_grad,
            patches,
            packed: self.program.packed_len,
            sums: self.program.sums_len,
            scratch: self.program.scratch_len,
            points: Tables::default(),
        };
        let layer = layer.finish();
        self.program.packed_len += layer.packed_len();
        self.program.sums_len += layer.sums_len();
        self.program.scratch_len += layer.scratch_len();
        Box::new(layer)
    }

    fn pointwise(
        &mut self,
        input: Map,
        output: usize,
        input_grad: Option<bool>,
        function: Function,
    ) -> Box<dyn Step> {
        Box::new(Pointwise { input, output: self.place(output), input_grad, function })
    }

    fn pool(
        &mut self,
        kind: Kind,
        input: Map,
        output: usize,
        size: [usize; 2],
        stride: usize,
        input_grad: Option<bool>,
    ) -> Box<dyn Step> {
        Box::new(Pool { kind, input, output: self.place(output), size, stride, input_grad })
    }
}
