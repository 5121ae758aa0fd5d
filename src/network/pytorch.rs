//! A network as a person would write it for `PyTorch`.

use std::fmt::Write as _;

use super::{
    plan::{Plan, Row},
    spec::Layer,
};

impl Plan {
    /// A Python file with a class `Net` that computes the same from images `[n, channels, rows, columns]`
    /// in 0..1, and whose `state_dict` has the names and shapes of a weights file of this network.
    pub fn pytorch(&self) -> String {
        let mut writer = Writer { rows: self.rows(), blocks: Vec::new() };
        let net = writer.body(&self.spec().layers, &self.input(), false);
        let mut classes = String::new();
        for (number, body) in (1..).zip(&writer.blocks) {
            let _ = write!(classes, "\n\nclass Block{number}(nn.Module):\n{body}");
        }
        let _ = write!(classes, "\n\nclass Net(nn.Module):\n{net}");
        let functions =
            if classes.contains("F.") { "import torch.nn.functional as F\n" } else { "" };
        let [channels, rows, columns] = self.input();
        format!(
            "\"\"\"{}\n\n\
             Takes images [n, {channels}, {rows}, {columns}] with values from 0 to 1, and gives logits [n, {}].\n\
             Weights go in and out with safetensors:\n\n    \
             net.load_state_dict(safetensors.torch.load_file(\"weights.safetensors\"))\n    \
             safetensors.torch.save_file(net.state_dict(), \"weights.safetensors\")\n\
             \"\"\"\n\n{functions}from torch import nn\n{classes}",
            wrapped(&self.spec().to_string()),
            self.classes(),
        )
    }
}

/// The one-line form in lines of at most a hundred characters, broken after commas.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 96;
    let mut lines = String::new();
    let mut len = 0;
    for part in text.split_inclusive(", ") {
        if len > 0 && len + part.len() > WIDTH {
            lines.truncate(lines.trim_end().len());
            lines.push('\n');
            len = 0;
        }
        lines.push_str(part);
        len += part.len();
    }
    lines
}

struct Writer<'a> {
    /// Those of the layers to come.
    rows: &'a [Row],
    /// Bodies of the classes of residual blocks, each after those that it uses.
    blocks: Vec<String>,
}

impl<'a> Writer<'a> {
    fn row(&mut self) -> &'a Row {
        let (first, rest) = self.rows.split_first().expect("a plan has a row for each layer");
        self.rows = rest;
        first
    }

    /// The body of a class with these layers, which take `input`.
    fn body(&mut self, layers: &[Layer], input: &[usize], is_residual: bool) -> String {
        let mut modules = String::new();
        let mut forward = Forward::new(if is_residual { "y" } else { "x" });
        let mut input = input;
        for layer in layers {
            let row = self.row();
            let name = row.name.rsplit('.').next().unwrap_or_default();
            if let Some(module) = self.module(layer, input, &row.shape) {
                let _ = writeln!(modules, "        self.{name} = {module}");
            }
            forward.add(layer, name);
            input = &row.shape;
        }
        let init = if modules.is_empty() {
            String::new()
        } else {
            format!("    def __init__(self):\n        super().__init__()\n{modules}\n")
        };
        let forward = forward.finish(if is_residual { "x + y" } else { "x" });
        format!("{init}    def forward(self, x):\n{forward}")
    }

    /// What makes the module of a layer that has one.
    fn module(&mut self, layer: &Layer, input: &[usize], output: &[usize]) -> Option<String> {
        let without = |bias: bool| if bias { "" } else { ", bias=False" };
        Some(match layer {
            Layer::Conv { channels, kernel, stride, padding, bias } => {
                let mut text = format!("nn.Conv2d({}, {channels}, {kernel}", input[0]);
                if *stride != 1 {
                    let _ = write!(text, ", stride={stride}");
                }
                if *padding != 0 {
                    let _ = write!(text, ", padding={padding}");
                }
                text + without(*bias) + ")"
            }
            Layer::BatchNorm => {
                let dimensions = if input.len() == 1 { 1 } else { 2 };
                format!("nn.BatchNorm{dimensions}d({})", input[0])
            }
            Layer::Dropout { p } => format!("nn.Dropout({p})"),
            Layer::Linear { bias, .. } => {
                format!("nn.Linear({}, {}{})", input[0], output[0], without(*bias))
            }
            Layer::Residual { layers } => format!("{}()", self.block(layers, input)),
            Layer::Relu
            | Layer::Gelu
            | Layer::MaxPool { .. }
            | Layer::AvgPool { .. }
            | Layer::GlobalAvgPool
            | Layer::Flatten => return None,
        })
    }

    /// The name of the class of a residual block; equal blocks share one.
    fn block(&mut self, layers: &[Layer], input: &[usize]) -> String {
        let body = self.body(layers, input, true);
        let place = self.blocks.iter().position(|known| *known == body).unwrap_or_else(|| {
            self.blocks.push(body);
            self.blocks.len() - 1
        });
        format!("Block{}", place + 1)
    }
}

/// The body of `forward`: statements that assign to one variable.
struct Forward {
    variable: &'static str,
    lines: String,
    /// What is not assigned yet.
    expression: String,
    /// Whether a normalisation or an activation may go around the expression.
    is_open: bool,
}

impl Forward {
    fn new(variable: &'static str) -> Self {
        Self { variable, lines: String::new(), expression: "x".to_owned(), is_open: false }
    }

    fn add(&mut self, layer: &Layer, name: &str) {
        let wraps = matches!(layer, Layer::BatchNorm | Layer::Relu | Layer::Gelu);
        if !(wraps && self.is_open) {
            self.assign();
        }
        let inner = &self.expression;
        let pool = |name: &str, size: &usize, stride: &Option<usize>| {
            let stride = stride.map(|stride| format!(", {stride}")).unwrap_or_default();
            format!("F.{name}({inner}, {size}{stride})")
        };
        self.expression = match layer {
            Layer::Conv { .. }
            | Layer::BatchNorm
            | Layer::Dropout { .. }
            | Layer::Linear { .. }
            | Layer::Residual { .. } => format!("self.{name}({inner})"),
            Layer::Relu => format!("F.relu({inner})"),
            Layer::Gelu => format!("F.gelu({inner})"),
            Layer::MaxPool { size, stride } => pool("max_pool2d", size, stride),
            Layer::AvgPool { size, stride } => pool("avg_pool2d", size, stride),
            Layer::GlobalAvgPool => format!("{inner}.mean((2, 3))"),
            Layer::Flatten => format!("{inner}.flatten(1)"),
        };
        self.is_open = match layer {
            Layer::Conv { .. } | Layer::Linear { .. } | Layer::Residual { .. } => true,
            Layer::BatchNorm => self.is_open,
            _ => false,
        };
    }

    /// Turns the expression into a statement.
    fn assign(&mut self) {
        if self.expression != "x" && self.expression != self.variable {
            let _ = writeln!(self.lines, "        {} = {}", self.variable, self.expression);
            self.expression = self.variable.to_owned();
        }
    }

    /// The whole body, of which `last` is the result.
    fn finish(mut self, last: &str) -> String {
        if self.variable == last {
            return format!("{}        return {}\n", self.lines, self.expression);
        }
        self.assign();
        format!("{}        return {last}\n", self.lines)
    }
}
