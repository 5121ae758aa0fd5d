//! Walks the layers once and works out what each gives.

use std::ops::RangeInclusive;

use super::{Init, Node, Op, Param, Plan, PlanError, Row, Value};
use crate::network::spec::{Layer, NetworkSpec};

/// Largest side of an image.
const LARGEST_SIDE: usize = 64;
/// Most classes.
const MOST_CLASSES: usize = 100;
/// Most channels of a convolution and outputs of a linear layer.
const MOST_CHANNELS: usize = 4_096;
/// Most rows and columns of a convolution's kernel.
const MOST_KERNEL: usize = 7;
/// Most trained scalars: small networks are what this program is for.
const MOST_PARAMETERS: usize = 20_000_000;
/// Most scalars of all values of one image.
const MOST_VALUES: usize = 8_000_000;
/// Most layers, those inside residual blocks included.
const MOST_LAYERS: usize = 200;
/// Most residual blocks inside each other.
const MOST_DEPTH: usize = 8;

pub(super) fn build(
    spec: &NetworkSpec,
    input: [usize; 3],
    classes: usize,
) -> Result<Plan, PlanError> {
    let [channels, height, width] = input;
    let sides = 1..=LARGEST_SIDE;
    if channels == 0 || !sides.contains(&height) || !sides.contains(&width) {
        return refuse(format!(
            "images of {height}×{width} pixels are not possible, expected sides of 1 to \
             {LARGEST_SIDE}"
        ));
    }
    if !(1..=MOST_CLASSES).contains(&classes) {
        return refuse(format!("{classes} classes are not possible, expected 1 to {MOST_CLASSES}"));
    }
    if spec.layers.is_empty() {
        return refuse("a network needs at least one layer, such as linear".into());
    }
    let mut builder = Builder {
        is_article: *spec == NetworkSpec::article(),
        plan: Plan {
            spec: spec.clone(),
            classes,
            params: Vec::new(),
            running: Vec::new(),
            values: vec![Value { shape: input, is_row: false }],
            nodes: Vec::new(),
            rows: Vec::new(),
        },
        at: 0,
        dropouts: 0,
    };
    builder.walk(&spec.layers, "", 0)?;
    builder.finish()
}

fn refuse<T>(message: String) -> Result<T, PlanError> {
    Err(PlanError(message))
}

struct Builder {
    plan: Plan,
    /// The value that the next layer reads.
    at: usize,
    dropouts: usize,
    is_article: bool,
}

/// What a kind of layer is called.
fn kind(layer: &Layer) -> &'static str {
    match layer {
        Layer::Conv { .. } => "conv",
        Layer::BatchNorm => "bn",
        Layer::Relu => "relu",
        Layer::Gelu => "gelu",
        Layer::MaxPool { .. } => "pool",
        Layer::AvgPool { .. } => "avgpool",
        Layer::GlobalAvgPool => "gap",
        Layer::Dropout { .. } => "dropout",
        Layer::Flatten => "flatten",
        Layer::Linear { .. } => "fc",
        Layer::Residual { .. } => "res",
    }
}

/// Whether a linear layer is this one or inside of it.
fn has_linear(layer: &Layer) -> bool {
    match layer {
        Layer::Linear { .. } => true,
        Layer::Residual { layers } => layers.iter().any(has_linear),
        _ => false,
    }
}

impl Builder {
    fn walk(&mut self, layers: &[Layer], prefix: &str, depth: usize) -> Result<(), PlanError> {
        if depth > MOST_DEPTH {
            return refuse(format!("residual blocks are nested more than {MOST_DEPTH} deep"));
        }
        for (place, layer) in layers.iter().enumerate() {
            let kind = kind(layer);
            let number = layers[..=place].iter().filter(|other| self::kind(other) == kind).count();
            let name = match (self.is_article, kind) {
                (true, "conv" | "relu" | "pool") => format!("layer{number}_{kind}"),
                (true, "fc") => "fc".to_owned(),
                _ => format!("{prefix}{kind}{number}"),
            };
            let is_last = depth == 0 && !layers[place + 1..].iter().any(has_linear);
            self.layer(layer, &name, depth, is_last)?;
            if self.plan.rows.len() > MOST_LAYERS {
                return refuse(format!("the network has more than {MOST_LAYERS} layers"));
            }
            let values: usize = self.plan.values.iter().map(Value::len).sum();
            if self.plan.trained_len() > MOST_PARAMETERS || values > MOST_VALUES {
                return refuse(format!(
                    "{name} makes the network too large: at most {MOST_PARAMETERS} parameters and \
                     {MOST_VALUES} activations of an image are possible"
                ));
            }
        }
        Ok(())
    }

    fn layer(
        &mut self,
        layer: &Layer,
        name: &str,
        depth: usize,
        is_last: bool,
    ) -> Result<(), PlanError> {
        let input = self.plan.values[self.at];
        let trained = self.plan.trained_len();
        let row = self.plan.rows.len();
        let mut multiply_adds = 0;
        match layer {
            Layer::Conv { .. } => multiply_adds = self.conv(layer, name)?,
            Layer::BatchNorm => self.batch_norm(name),
            Layer::Relu => self.push(name, Op::Relu, input),
            Layer::Gelu => self.push(name, Op::Gelu, input),
            &Layer::MaxPool { size, stride } => {
                let (output, stride) = self.pooled(name, size, stride)?;
                self.push(name, Op::MaxPool { size, stride }, output);
            }
            &Layer::AvgPool { size, stride } => {
                let (output, stride) = self.pooled(name, size, stride)?;
                self.push(name, Op::AvgPool { size, stride }, output);
            }
            Layer::GlobalAvgPool => {
                let [channels, ..] = self.maps(name)?;
                self.push(name, Op::GlobalAvgPool, row_of(channels));
            }
            &Layer::Dropout { p } => {
                if !(0.0..1.0).contains(&p) {
                    return refuse(format!(
                        "{name} has the probability {p}, expected 0 or more and less than 1"
                    ));
                }
                let op = Op::Dropout { p, index: self.dropouts };
                self.dropouts += 1;
                self.push(name, op, input);
            }
            Layer::Flatten => {
                self.maps(name)?;
                self.push(name, Op::Flatten, row_of(input.len()));
            }
            &Layer::Linear { width, bias } => {
                multiply_adds = self.linear(name, width, bias, is_last)?;
            }
            Layer::Residual { layers } => return self.residual(layers, name, depth),
        }
        self.row(name, depth);
        self.plan.rows[row].parameters = self.plan.trained_len() - trained;
        self.plan.rows[row].multiply_adds = multiply_adds;
        Ok(())
    }

    /// Adds a convolution and gives its multiplications.
    fn conv(&mut self, layer: &Layer, name: &str) -> Result<u64, PlanError> {
        let &Layer::Conv { channels: outputs, kernel, stride, padding, bias } = layer else {
            unreachable!("only convolutions come here");
        };
        let [channels, height, width] = self.maps(name)?;
        in_range(name, "channels", outputs, 1..=MOST_CHANNELS)?;
        in_range(name, "rows and columns of the kernel", kernel, 1..=MOST_KERNEL)?;
        in_range(name, "as its stride", stride, 1..=MOST_KERNEL)?;
        in_range(name, "as its padding", padding, 0..=kernel - 1)?;
        let side =
            |side: usize| (side + 2 * padding).checked_sub(kernel).map(|rest| rest / stride + 1);
        let (Some(rows), Some(columns)) = (side(height), side(width)) else {
            return refuse(format!(
                "{name} takes maps of at least {0}×{0}, found {channels}×{height}×{width}",
                kernel - 2 * padding
            ));
        };
        let fan_in = channels * kernel * kernel;
        let shape = vec![outputs, channels, kernel, kernel];
        let (weight, bias) = self.weight_and_bias(name, shape, fan_in, bias);
        let op = Op::Conv { weight, bias, kernel, stride, padding };
        self.push(name, op, Value { shape: [outputs, rows, columns], is_row: false });
        Ok((outputs * rows * columns * fan_in) as u64)
    }

    /// Adds a linear layer and gives its multiplications.
    fn linear(
        &mut self,
        name: &str,
        width: Option<usize>,
        bias: bool,
        is_last: bool,
    ) -> Result<u64, PlanError> {
        let input = self.plan.values[self.at];
        if !input.is_row {
            return refuse(format!(
                "{name} takes a row of values, found {}: put flatten or gap before it",
                describe(&input)
            ));
        }
        let outputs = match width {
            Some(width) => width,
            None if is_last => self.plan.classes,
            None => {
                return refuse(format!(
                    "{name} has no width, which only the last linear layer may leave out"
                ));
            }
        };
        in_range(name, "outputs", outputs, 1..=MOST_CHANNELS)?;
        let inputs = input.len();
        let (weight, bias) = self.weight_and_bias(name, vec![outputs, inputs], inputs, bias);
        self.push(name, Op::Linear { weight, bias }, row_of(outputs));
        Ok((inputs * outputs) as u64)
    }

    fn batch_norm(&mut self, name: &str) {
        let input = self.plan.values[self.at];
        let shape = vec![input.shape[0]];
        let scale = self.param(format!("{name}.weight"), shape.clone(), Init::Constant(1.0));
        self.param(format!("{name}.bias"), shape.clone(), Init::Constant(0.0));
        let running = &mut self.plan.running;
        let init = Init::Constant(0.0);
        let mean = push_param(running, format!("{name}.running_mean"), shape.clone(), init);
        push_param(running, format!("{name}.running_var"), shape, Init::Constant(1.0));
        self.push(name, Op::BatchNorm { scale, mean }, input);
    }

    fn residual(&mut self, layers: &[Layer], name: &str, depth: usize) -> Result<(), PlanError> {
        let start = self.at;
        let input = self.plan.values[start];
        if layers.is_empty() {
            return refuse(format!("{name} has no layers inside"));
        }
        self.row(name, depth);
        self.walk(layers, &format!("{name}."), depth + 1)?;
        let end = self.plan.values[self.at];
        if end != input {
            return refuse(format!(
                "{name} adds its input, {}, to what its layers give, {}: both must have the same \
                 shape",
                describe(&input),
                describe(&end)
            ));
        }
        self.push(name, Op::Add { with: start }, input);
        Ok(())
    }

    /// Adds a line for the layer that gave the present value.
    fn row(&mut self, name: &str, depth: usize) {
        let value = &self.plan.values[self.at];
        let shape = if value.is_row { vec![value.len()] } else { value.shape.to_vec() };
        let row = Row { name: name.to_owned(), depth, shape, parameters: 0, multiply_adds: 0 };
        self.plan.rows.push(row);
    }

    fn push(&mut self, name: &str, op: Op, output: Value) {
        self.plan.values.push(output);
        let output = self.plan.values.len() - 1;
        self.plan.nodes.push(Node { name: name.to_owned(), op, input: self.at, output });
        self.at = output;
    }

    fn param(&mut self, name: String, shape: Vec<usize>, init: Init) -> usize {
        push_param(&mut self.plan.params, name, shape, init)
    }

    fn weight_and_bias(
        &mut self,
        name: &str,
        shape: Vec<usize>,
        fan_in: usize,
        bias: bool,
    ) -> (usize, Option<usize>) {
        let (outputs, init) = (shape[0], Init::Uniform { fan_in });
        let weight = self.param(format!("{name}.weight"), shape, init);
        (weight, bias.then(|| self.param(format!("{name}.bias"), vec![outputs], init)))
    }

    /// The shape of the maps that the next layer takes.
    fn maps(&self, name: &str) -> Result<[usize; 3], PlanError> {
        let input = self.plan.values[self.at];
        if input.is_row {
            return refuse(format!(
                "{name} takes maps of pixels, found {}: put it before flatten, gap and linear",
                describe(&input)
            ));
        }
        Ok(input.shape)
    }

    /// What a pooling gives, and its stride.
    fn pooled(
        &self,
        name: &str,
        size: usize,
        stride: Option<usize>,
    ) -> Result<(Value, usize), PlanError> {
        let [channels, height, width] = self.maps(name)?;
        let stride = stride.unwrap_or(size);
        in_range(name, "rows and columns of a window", size, 1..=LARGEST_SIDE)?;
        in_range(name, "as its stride", stride, 1..=LARGEST_SIDE)?;
        if size > height.min(width) {
            return refuse(format!(
                "{name} takes maps of at least {size}×{size}, found {channels}×{height}×{width}"
            ));
        }
        let pooled = |side: usize| (side - size) / stride + 1;
        Ok((Value { shape: [channels, pooled(height), pooled(width)], is_row: false }, stride))
    }

    fn finish(self) -> Result<Plan, PlanError> {
        let last = self.plan.values[self.at];
        let classes = self.plan.classes;
        if !last.is_row || last.len() != classes {
            return refuse(format!(
                "the last layer gives {}, expected one value for each of the {classes} classes: end \
                 with `flatten, linear`, or with `gap` after a convolution to {classes} channels",
                describe(&last)
            ));
        }
        if self.plan.params.is_empty() {
            return refuse("the network has nothing to train: add a linear layer".into());
        }
        Ok(self.plan)
    }
}

fn row_of(len: usize) -> Value {
    Value { shape: [len, 1, 1], is_row: true }
}

fn push_param(params: &mut Vec<Param>, name: String, shape: Vec<usize>, init: Init) -> usize {
    let start = params.last().map_or(0, |param| param.range.end);
    let range = start..start + shape.iter().product::<usize>();
    params.push(Param { name, shape, range, init });
    params.len() - 1
}

fn describe(value: &Value) -> String {
    let [channels, height, width] = value.shape;
    if value.is_row {
        format!("a row of {channels} values")
    } else {
        format!("{channels}×{height}×{width} maps")
    }
}

fn in_range(
    name: &str,
    what: &str,
    value: usize,
    range: RangeInclusive<usize>,
) -> Result<(), PlanError> {
    if range.contains(&value) {
        return Ok(());
    }
    refuse(format!("{name} has {value} {what}, expected {} to {}", range.start(), range.end()))
}
