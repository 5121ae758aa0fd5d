use candle_core::{Device, Var};
use proptest::prelude::*;

use super::*;
use crate::nn::simd::tests::on_every_width;

type Block = fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor>;

const FORMS: [Block; 2] = [forward_fused, forward_composed];

/// The block by its definition, in f64: outputs and, for a given gradient of the outputs, the
/// gradients of input, weight and bias.
struct Reference {
    output: Vec<f64>,
    input_grad: Vec<f64>,
    weight_grad: Vec<f64>,
    bias_grad: Vec<f64>,
}

fn reference(
    n: usize,
    geometry: &Geometry,
    [input, weight, bias]: [&[f32]; 3],
    grad: &[f32],
) -> Reference {
    let Geometry { inputs, outputs, kernel, height, width } = *geometry;
    let (pooled_height, pooled_width) = (geometry.pooled_height(), geometry.pooled_width());
    let input_at = |image: usize, channel: usize, y: usize, x: usize| {
        ((image * inputs + channel) * height + y) * width + x
    };
    let weight_at = |output: usize, channel: usize, ky: usize, kx: usize| {
        ((output * inputs + channel) * kernel + ky) * kernel + kx
    };
    let mut result = Reference {
        output: Vec::new(),
        input_grad: vec![0.0; input.len()],
        weight_grad: vec![0.0; weight.len()],
        bias_grad: vec![0.0; bias.len()],
    };
    for image in 0..n {
        for output in 0..outputs {
            let convolved = |y: usize, x: usize| {
                f64::from(bias[output])
                    + geometry
                        .taps()
                        .map(|(channel, ky, kx)| {
                            f64::from(input[input_at(image, channel, y + ky, x + kx)])
                                * f64::from(weight[weight_at(output, channel, ky, kx)])
                        })
                        .sum::<f64>()
            };
            for py in 0..pooled_height {
                for px in 0..pooled_width {
                    let (mut best, mut place) = (f64::NEG_INFINITY, (0, 0));
                    for (y, x) in
                        [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(dy, dx)| (2 * py + dy, 2 * px + dx))
                    {
                        let value = convolved(y, x);
                        if value > best {
                            (best, place) = (value, (y, x));
                        }
                    }
                    let grad = if best > 0.0 { f64::from(grad[result.output.len()]) } else { 0.0 };
                    result.output.push(best.max(0.0));
                    result.bias_grad[output] += grad;
                    for (channel, ky, kx) in geometry.taps() {
                        let at = input_at(image, channel, place.0 + ky, place.1 + kx);
                        let tap = weight_at(output, channel, ky, kx);
                        result.weight_grad[tap] += grad * f64::from(input[at]);
                        result.input_grad[at] += grad * f64::from(weight[tap]);
                    }
                }
            }
        }
    }
    result
}

/// Outputs and the gradients of input, weight and bias, for given gradients of the outputs.
fn run(
    block: Block,
    input: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    grad: &Tensor,
) -> Result<[Vec<f32>; 4]> {
    let output = block(input, weight, bias)?;
    let grads = output.mul(grad)?.sum_all()?.backward()?;
    let flat = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
    let grad_of = |tensor: &Tensor| flat(grads.get(tensor).expect("it is a variable"));
    Ok([flat(&output)?, grad_of(input)?, grad_of(weight)?, grad_of(bias)?])
}

fn variable(values: &[f32], shape: &[usize]) -> Result<Var> {
    Var::from_tensor(&Tensor::from_slice(values, shape, &Device::Cpu)?)
}

/// Compares relative to the largest of the expected values.
fn assert_close(what: &str, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1.0f64, |m, v| m.max(v.abs()));
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        // Sums of up to some thousand products of f32.
        assert!(
            (f64::from(*found) - expected).abs() <= 1e-4 * scale,
            "{what}[{at}]: {found} for {expected}"
        );
    }
}

/// A block and a batch, with small integers for values: sums are exact, so that windows have true
/// ties and true zeros, which random floats hardly ever have.
#[derive(Debug)]
struct Case {
    n: usize,
    geometry: Geometry,
    input: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    grad: Vec<f32>,
}

fn cases(values: impl Strategy<Value = f32> + Clone + 'static) -> impl Strategy<Value = Case> {
    (1usize..=7, 1usize..=9, 1usize..=9, 1usize..=5, 1usize..=9, 1usize..=9).prop_flat_map(
        move |(n, inputs, outputs, kernel, more_height, more_width)| {
            let (height, width) = (kernel + more_height, kernel + more_width);
            let geometry = Geometry { inputs, outputs, kernel, height, width };
            let many = |len| prop::collection::vec(values.clone(), len);
            (
                many(n * geometry.input_len()),
                many(outputs * geometry.kernel_len()),
                many(outputs),
                many(n * geometry.output_len()),
            )
                .prop_map(move |(input, weight, bias, grad)| Case {
                    n,
                    geometry,
                    input,
                    weight,
                    bias,
                    grad,
                })
        },
    )
}

fn check(case: &Case) -> Result<()> {
    let Case { n, geometry, input, weight, bias, grad } = case;
    let Geometry { inputs, outputs, kernel, height, width } = *geometry;
    let (pooled_height, pooled_width) = (geometry.pooled_height(), geometry.pooled_width());
    let expected = reference(*n, geometry, [input, weight, bias], grad);
    for block in FORMS {
        let [output, input_grad, weight_grad, bias_grad] = run(
            block,
            variable(input, &[*n, inputs, height, width])?.as_tensor(),
            variable(weight, &[outputs, inputs, kernel, kernel])?.as_tensor(),
            variable(bias, &[outputs])?.as_tensor(),
            &Tensor::from_slice(grad, &[*n, outputs, pooled_height, pooled_width], &Device::Cpu)?,
        )?;
        assert_close("output", &output, &expected.output);
        assert_close("input gradient", &input_grad, &expected.input_grad);
        assert_close("weight gradient", &weight_grad, &expected.weight_grad);
        assert_close("bias gradient", &bias_grad, &expected.bias_grad);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn both_forms_are_the_definition(case in cases((-2i8..=2).prop_map(f32::from))) {
        on_every_width(|| check(&case).expect("the shapes fit"));
    }

    #[test]
    fn both_forms_are_the_definition_on_an_image_of_one_colour(
        mut case in cases((-2i8..=2).prop_map(f32::from)),
        colour in -1i8..=1,
    ) {
        // Every window is a tie of four.
        case.input.fill(f32::from(colour));
        check(&case)?;
    }
}

/// Each kernel layout at the extents of the network itself.
#[test]
fn both_forms_are_the_definition_at_the_networks_extents() {
    for (inputs, outputs, side) in [(1, 6, 28), (6, 16, 12)] {
        let geometry = Geometry { inputs, outputs, kernel: 5, height: side, width: side };
        let mut state = 1u32;
        let mut draw = |len: usize| -> Vec<f32> {
            (0..len)
                .map(|_| {
                    // The constants of Numerical Recipes' quick generator.
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    ((state >> 24) % 5) as f32 - 2.0
                })
                .collect()
        };
        let case = Case {
            n: 9,
            geometry,
            input: draw(9 * geometry.input_len()),
            weight: draw(outputs * geometry.kernel_len()),
            bias: draw(outputs),
            grad: draw(9 * geometry.output_len()),
        };
        on_every_width(|| check(&case).expect("the shapes fit"));
    }
}

#[test]
fn of_equal_values_the_first_takes_the_gradient_and_zero_lets_none_through() -> Result<()> {
    // A kernel of one tap: the convolution is the image itself.
    let image = [[0f32, 0., 3., 3.], [0., 0., 3., 3.], [-1., 2., 1., 5.], [2., 2., 5., 5.]];
    let expected = [[0f32, 0., 1., 0.], [0., 0., 0., 0.], [0., 1., 0., 1.], [0., 0., 0., 0.]];
    for block in FORMS {
        let input = Var::from_tensor(&Tensor::new(&image, &Device::Cpu)?.reshape((1, 1, 4, 4))?)?;
        let (weight, bias) = (variable(&[1.0], &[1, 1, 1, 1])?, variable(&[0.0], &[1])?);
        let ones = Tensor::ones((1, 1, 2, 2), DType::F32, &Device::Cpu)?;
        let [output, input_grad, weight_grad, bias_grad] =
            run(block, &input, &weight, &bias, &ones)?;
        assert_eq!(output, [0.0, 3.0, 2.0, 5.0]);
        assert_eq!(input_grad, expected.concat());
        assert_eq!((weight_grad, bias_grad), (vec![10.0], vec![3.0]));
    }
    Ok(())
}

#[test]
fn strided_operands_and_gradients_make_no_difference() -> Result<()> {
    let geometry = Geometry { inputs: 2, outputs: 3, kernel: 3, height: 6, width: 8 };
    let ramp = |len: usize| (0..len).map(|i| ((i * 7 % 11) as f32 - 5.0) / 4.0).collect::<Vec<_>>();
    let input = variable(&ramp(3 * geometry.input_len()), &[3, 2, 6, 8])?;
    let weight = variable(&ramp(3 * geometry.kernel_len()), &[3, 2, 3, 3])?;
    let bias = variable(&[0.5, -0.5, 0.0], &[3])?;
    let grad = Tensor::from_vec(ramp(3 * geometry.output_len()), (3, 3, 2, 3), &Device::Cpu)?;
    // The same values with other strides: transposed, copied, transposed back.
    let strided = |tensor: &Tensor| {
        Var::from_tensor(&tensor.t()?.contiguous()?).map(|variable| {
            let view = variable.as_tensor().t();
            (variable, view)
        })
    };
    for block in FORMS {
        let expected = run(block, &input, &weight, &bias, &grad)?;
        let ((input, input_view), (weight, weight_view)) = (strided(&input)?, strided(&weight)?);
        let output = block(&input_view?, &weight_view?, &bias)?;
        // Through a transposition, the gradient arrives with its strides exchanged.
        let grads = output.t()?.mul(&grad.t()?)?.sum_all()?.backward()?;
        let flat = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
        let turned = |variable: &Var| flat(&grads.get(variable).expect("it is a variable").t()?);
        let found = [flat(&output)?, turned(&input)?, turned(&weight)?];
        assert_eq!(found[..], expected[..3]);
        assert_eq!(flat(grads.get(&bias).expect("it is a variable"))?, expected[3]);
    }
    Ok(())
}

#[test]
fn part_of_a_larger_tensor_is_read_at_its_offset() -> Result<()> {
    let all = Tensor::arange(0f32, 3.0 * 16.0, &Device::Cpu)?.reshape((3, 1, 4, 4))?;
    let (weight, bias) = (variable(&[1.0], &[1, 1, 1, 1])?, variable(&[0.0], &[1])?);
    let output = forward_fused(&all.narrow(0, 1, 1)?, &weight, &bias)?;
    assert_eq!(output.flatten_all()?.to_vec1::<f32>()?, [21.0, 23.0, 29.0, 31.0]);
    Ok(())
}

#[test]
fn what_is_not_a_number_shows_in_the_output() -> Result<()> {
    for block in FORMS {
        let input = Tensor::ones((1, 1, 4, 4), DType::F32, &Device::Cpu)?;
        let weight = variable(&[f32::NAN; 4], &[1, 1, 2, 2])?;
        let output = block(&input, &weight, variable(&[0.0], &[1])?.as_tensor())?;
        assert!(output.flatten_all()?.to_vec1::<f32>()?.iter().all(|v| v.is_nan()));
    }
    Ok(())
}

#[test]
fn an_empty_batch_gives_an_empty_batch() -> Result<()> {
    let input = Tensor::zeros((0, 1, 4, 4), DType::F32, &Device::Cpu)?;
    let (weight, bias) = (variable(&[1.0], &[1, 1, 1, 1])?, variable(&[0.0], &[1])?);
    let output = forward_fused(&input, &weight, &bias)?;
    assert_eq!(output.dims(), [0, 1, 2, 2]);
    Ok(())
}

#[test]
fn shapes_that_do_not_fit_are_named() -> Result<()> {
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu);
    let cases: [([usize; 4], [usize; 4], usize, &str); 4] = [
        ([1, 2, 8, 8], [3, 1, 5, 5], 3, "2 channels"),
        ([1, 1, 8, 8], [3, 1, 5, 4], 3, "square"),
        ([1, 1, 8, 8], [3, 1, 5, 5], 4, "3 kernels need 3 biases"),
        ([1, 1, 5, 8], [3, 1, 5, 5], 3, "too small"),
    ];
    for block in FORMS {
        for (input, weight, bias, message) in &cases {
            let error = block(&zeros(input)?, &zeros(weight)?, &zeros(&[*bias])?)
                .expect_err("the shapes do not fit")
                .to_string();
            assert!(error.contains(message), "{error}");
        }
    }
    Ok(())
}
