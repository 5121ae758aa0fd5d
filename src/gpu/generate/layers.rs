//! A plan's operations as they are computed: `ReLU` with what gives its input where nothing else reads that.

use crate::network::Plan;
use crate::network::plan::{Node, Op};

/// An operation, and whether a `ReLU` after it is computed with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer<'a> {
    pub(super) node: &'a Node,
    pub(super) relu: bool,
    /// The value that it writes: the `ReLU`'s where there is one.
    pub(super) output: usize,
}

/// The layers of a plan, and what has to be known of its values.
#[derive(Debug)]
pub(super) struct Layers<'a> {
    pub(super) list: Vec<Layer<'a>>,
    /// For each value how many operations read it.
    readers: Vec<usize>,
    /// For each value whether parameters have a part in it.
    pub(super) trained: Vec<bool>,
    /// For each value whether its gradient is zero where it is not positive itself.
    pub(super) masked: Vec<bool>,
}

impl<'a> Layers<'a> {
    pub(super) fn of(plan: &'a Plan) -> Self {
        let count = plan.values().len();
        let mut found = Self {
            list: Vec::new(),
            readers: vec![0; count],
            trained: vec![false; count],
            masked: vec![false; count],
        };
        for node in plan.nodes() {
            found.readers[node.input] += 1;
            if let Op::Add { with } = node.op {
                found.readers[with] += 1;
            }
        }
        let nodes = plan.nodes();
        let mut place = 0;
        while let Some(node) = nodes.get(place) {
            let weighted = matches!(node.op, Op::Conv { .. } | Op::Linear { .. });
            let next = nodes.get(place + 1).filter(|next| {
                let relu = next.op == Op::Relu && next.input == node.output;
                // The gradient of the logits is given as it is.
                weighted && relu && found.has_one_reader(node.output) && next.output + 1 < count
            });
            let output = next.map_or(node.output, |next| next.output);
            found.push(Layer { node, relu: next.is_some(), output }, weighted);
            place += 1 + usize::from(next.is_some());
        }
        found
    }

    fn push(&mut self, layer: Layer<'a>, weighted: bool) {
        let Layer { node, relu, output } = layer;
        let with = match node.op {
            Op::Add { with } => self.trained[with],
            _ => false,
        };
        self.trained[output] = weighted || with || self.trained[node.input];
        self.masked[output] = relu;
        // The mask can wait where a positive output means a positive input: often it is smaller, and the
        // input needs no memory until then.
        let passes = matches!(node.op, Op::MaxPool { .. } | Op::Flatten | Op::Dropout { .. });
        let last = self.readers.len() - 1;
        if passes && self.masked[node.input] && self.has_one_reader(node.input) && output != last {
            self.masked[node.input] = false;
            self.masked[output] = true;
        }
        self.list.push(layer);
    }

    /// Whether a value has a single reader.
    pub(super) fn has_one_reader(&self, value: usize) -> bool {
        self.readers[value] == 1
    }
}
