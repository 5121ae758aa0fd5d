//! How one value of a feature map comes about.

use candle_core::Result;

use super::Image;
use crate::{
    network::{
        Plan,
        plan::{Node, Op},
    },
    nn::explain::Frozen,
    protocol::{Arithmetic, Content},
};

/// The convolution at a `[map, row, column]` of a stage, for one image; positions beyond the map stand for the
/// last ones.
pub(super) fn of(frozen: &Frozen, image: Image, stage: u32, place: [u32; 3]) -> Result<Content> {
    let plan = frozen.plan();
    let Some((node, after)) = convolution(plan, stage as usize) else {
        let reason =
            "No single sum gives a value of this stage: it pools what its convolution computes.";
        return Ok(Content::Nothing(reason.to_owned()));
    };
    let Op::Conv { weight, bias, kernel: side, stride, padding } = node.op else {
        unreachable!("it was looked for")
    };
    let pixels: Vec<f32> = image.pixels.iter().map(|&byte| f32::from(byte) / 255.0).collect();
    let values = frozen.values(&pixels)?;
    let shape = plan.values()[node.output].shape;
    let [inputs, height, width] = plan.values()[node.input].shape;
    let place = [0, 1, 2].map(|axis| (place[axis] as usize).min(shape[axis].saturating_sub(1)));
    let [map, row, column] = place;
    let at = (map * shape[1] + row) * shape[2] + column;
    let signed = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    let corner = [row, column].map(|along| signed(along * stride) - signed(padding));
    let input = &values[node.input];
    let mut patch = Vec::with_capacity(inputs * side * side);
    for channel in 0..inputs {
        for y in (corner[0]..).take(side) {
            for x in (corner[1]..).take(side) {
                let within =
                    |along: i64, len: usize| usize::try_from(along).ok().filter(|&it| it < len);
                let pixel = within(y, height).zip(within(x, width));
                patch.push(pixel.map_or(0.0, |(y, x)| input[(channel * height + y) * width + x]));
            }
        }
    }
    let weights = &frozen.weights().trained;
    let kernel_len = inputs * side * side;
    let kernel = &weights[plan.params()[weight].range.clone()][map * kernel_len..][..kernel_len];
    let shown = after.last().map_or(node.output, |last| last.output);
    let len = shape[1] * shape[2];
    Ok(Content::Arithmetic(Arithmetic {
        layer: node.name.clone(),
        place: place.map(|it| it as u32),
        shape: shape.map(|it| it as u32),
        inputs: inputs as u32,
        side: side as u32,
        corner,
        patch,
        kernel: kernel.to_vec(),
        bias: bias.map(|bias| weights[plan.params()[bias].range.start + map]),
        output: values[node.output][at],
        after: after.iter().map(|node| (node.name.clone(), values[node.output][at])).collect(),
        map: values[shown][map * len..][..len].to_vec(),
    }))
}

/// The convolution that a stage ends, and the operations after it up to the stage, which leave maps their size.
fn convolution(plan: &Plan, stage: usize) -> Option<(&Node, Vec<&Node>)> {
    let mut value = plan.stages().nth(stage)?.output;
    let mut after = Vec::new();
    loop {
        let node = plan.nodes().iter().find(|node| node.output == value)?;
        match node.op {
            Op::Conv { .. } => {
                after.reverse();
                return Some((node, after));
            }
            Op::BatchNorm { .. } | Op::Relu | Op::Gelu | Op::Dropout { .. } | Op::Add { .. } => {
                after.push(node);
                value = node.input;
            }
            _ => return None,
        }
    }
}
