//! A fully connected layer, which takes the rows of a batch as they come.

use candle_core::{CpuStorage, CustomOp3, DType, Layout, Module, Result, Shape, Tensor, bail};
use candle_nn::Linear;
use pulp::{Simd, WithSimd};

use super::{chunks, host, simd};

/// Fewest rows worth handing to another thread.
const FEWEST_ROWS: usize = 16;

/// `output = input · weightᵀ + bias` for each row of a batch.
///
/// `input` is `[n, …]` with `inputs` values in each row, whatever their inner shape, `weight`
/// `[outputs, inputs]`, `bias` `[outputs]`; the result is `[n, outputs]`.
///
/// f32 tensors in main memory go through [`forward_fused`], all others through
/// [`forward_composed`].
///
/// # Errors
/// When the shapes do not fit together, and those of candle.
pub fn forward(input: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    if input.device().is_cpu() && input.dtype() == DType::F32 {
        forward_fused(input, weight, bias)
    } else {
        forward_composed(input, weight, bias)
    }
}

/// [`forward`] as one custom operation, for f32 tensors in main memory.
///
/// # Errors
/// As [`forward`], and for tensors on other devices or of other element types.
pub fn forward_fused(input: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    check(input, weight, bias)?;
    input.contiguous()?.apply_op3(&weight.contiguous()?, &bias.contiguous()?, FusedLinear)
}

/// [`forward`] as a composition of candle's operations, for any device and float type.
///
/// # Errors
/// As [`forward`].
pub fn forward_composed(input: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    check(input, weight, bias)?;
    Linear::new(weight.clone(), Some(bias.clone())).forward(&input.flatten_from(1)?)
}

fn check(input: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<()> {
    let (outputs, inputs) = weight.dims2()?;
    let row = match input.dims() {
        [_, row @ ..] if !row.is_empty() => row.iter().product::<usize>(),
        dims => bail!("a linear layer takes a batch of rows, found the shape {dims:?}"),
    };
    if row != inputs {
        bail!("the rows have {row} values, the layer is for {inputs}");
    }
    if bias.dims() != [outputs] {
        bail!("{outputs} outputs need {outputs} biases, found {:?}", bias.dims());
    }
    Ok(())
}

struct FusedLinear;

impl CustomOp3 for FusedLinear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        input_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let input = host::elements::<f32>(input, input_layout)?;
        let weight = host::elements::<f32>(weight, weight_layout)?;
        let bias = host::elements::<f32>(bias, bias_layout)?;
        let (outputs, inputs) = weight_layout.shape().dims2()?;
        let n = input_layout.dims()[0];
        let mut output = vec![0.0; n * outputs];
        let chunk = chunks::chunk_len(n, FEWEST_ROWS);
        let pieces = input.chunks(chunk * inputs).zip(output.chunks_mut(chunk * outputs)).collect();
        chunks::map(pieces, |(input, output)| {
            simd::run(ForwardRows { input, weight, bias, output });
        });
        Ok((CpuStorage::F32(output), (n, outputs).into()))
    }

    fn bwd(
        &self,
        input: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _output: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (outputs, inputs) = weight.dims2()?;
        let n = input.dim(0)?;
        let grad = grad.contiguous()?;
        let mut input_grad = vec![0.0; n * inputs];
        let chunk = chunks::chunk_len(n, FEWEST_ROWS);
        let partials = host::with_elements::<f32, _>(input, |input| {
            host::with_elements::<f32, _>(weight, |weight| {
                host::with_elements::<f32, _>(&grad, |grad| {
                    let pieces = input
                        .chunks(chunk * inputs)
                        .zip(grad.chunks(chunk * outputs))
                        .zip(input_grad.chunks_mut(chunk * inputs))
                        .collect();
                    Ok(chunks::map(pieces, |((input, grad), input_grad)| {
                        simd::run(BackwardRows { input, weight, grad, input_grad, outputs })
                    }))
                })
            })
        })?;
        let weight_grad = chunks::add_all(partials.iter().map(|(weight, _)| &weight[..]));
        let bias_grad = chunks::add_all(partials.iter().map(|(_, bias)| &bias[..]));
        let device = input.device();
        Ok((
            Some(Tensor::from_vec(input_grad, input.shape(), device)?),
            Some(Tensor::from_vec(weight_grad, weight.shape(), device)?),
            Some(Tensor::from_vec(bias_grad, bias.shape(), device)?),
        ))
    }
}

struct ForwardRows<'a> {
    input: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for ForwardRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let inputs = self.weight.len() / self.bias.len();
        let rows =
            self.input.chunks_exact(inputs).zip(self.output.chunks_exact_mut(self.bias.len()));
        for (input, output) in rows {
            let weights = self.weight.chunks_exact(inputs).zip(self.bias);
            for (output, (weight, bias)) in output.iter_mut().zip(weights) {
                *output = simd::dot(simd, input, weight) + bias;
            }
        }
    }
}

struct BackwardRows<'a> {
    input: &'a [f32],
    weight: &'a [f32],
    grad: &'a [f32],
    input_grad: &'a mut [f32],
    outputs: usize,
}

impl WithSimd for BackwardRows<'_> {
    /// What these rows add to the gradients of weight and bias.
    type Output = (Vec<f32>, Vec<f32>);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let inputs = self.weight.len() / self.outputs;
        let mut weight_grad = vec![0.0; self.weight.len()];
        let mut bias_grad = vec![0.0; self.outputs];
        let rows = self.input.chunks_exact(inputs).zip(self.input_grad.chunks_exact_mut(inputs));
        for ((input, input_grad), grad) in rows.zip(self.grad.chunks_exact(self.outputs)) {
            let weights =
                self.weight.chunks_exact(inputs).zip(weight_grad.chunks_exact_mut(inputs));
            for ((&grad, bias_grad), (weight, weight_grad)) in
                grad.iter().zip(&mut bias_grad).zip(weights)
            {
                *bias_grad += grad;
                simd::add_scaled(simd, input_grad, grad, weight);
                simd::add_scaled(simd, weight_grad, grad, input);
            }
        }
        (weight_grad, bias_grad)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};
    use proptest::prelude::*;

    use super::*;
    use crate::nn::simd::tests::on_every_width;

    /// Outputs and the gradients of input, weight and bias, for given gradients of the outputs.
    fn run(
        form: fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor>,
        operands: &[Var; 3],
        grad: &Tensor,
    ) -> Result<[Vec<f32>; 4]> {
        let [input, weight, bias] = operands.each_ref().map(Var::as_tensor);
        let output = form(input, weight, bias)?;
        let grads = output.mul(grad)?.sum_all()?.backward()?;
        let flat = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
        let grad_of = |tensor: &Tensor| flat(grads.get(tensor).expect("it is a variable"));
        Ok([flat(&output)?, grad_of(input)?, grad_of(weight)?, grad_of(bias)?])
    }

    /// Small integers, whose sums are exact in any order.
    fn integers(shape: &[usize], step: usize) -> Result<Tensor> {
        let len = shape.iter().product();
        let values = (0..len).map(|i| (i * step % 7) as f32 - 3.0).collect();
        Tensor::from_vec(values, shape, &Device::Cpu)
    }

    fn check(n: usize, inputs: usize, outputs: usize) -> Result<()> {
        let operands = [
            Var::from_tensor(&integers(&[n, inputs, 2], 3)?)?,
            Var::from_tensor(&integers(&[outputs, inputs * 2], 5)?)?,
            Var::from_tensor(&integers(&[outputs], 2)?)?,
        ];
        let grad = integers(&[n, outputs], 4)?;
        let fused = run(forward_fused, &operands, &grad)?;
        assert_eq!(fused, run(forward_composed, &operands, &grad)?);
        // Strided operands and gradients: transposed, copied, transposed back.
        let turned = |tensor: &Tensor| tensor.t()?.contiguous()?.t();
        let [input, weight, bias] = operands.each_ref().map(Var::as_tensor);
        let output = forward_fused(&turned(input)?, &turned(weight)?, bias)?;
        let grads = output.t()?.mul(&grad.t()?)?.sum_all()?.backward()?;
        for (operand, expected) in [input, weight, bias].into_iter().zip(&fused[1..]) {
            let grad = grads.get(operand).expect("it is a variable").flatten_all()?;
            assert_eq!(grad.to_vec1::<f32>()?, *expected);
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

        #[test]
        fn both_forms_agree(n in 1usize..40, inputs in 1usize..70, outputs in 1usize..12) {
            on_every_width(|| check(n, inputs, outputs).expect("the shapes fit"));
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_named() -> Result<()> {
        for form in [forward_fused, forward_composed] {
            let (input, weight) = (integers(&[2, 3], 1)?, integers(&[4, 3], 1)?);
            let error = |input: &Tensor, bias: &Tensor| {
                form(input, &weight, bias).expect_err("the shapes do not fit").to_string()
            };
            assert!(error(&input, &integers(&[3], 1)?).contains("4 outputs need 4 biases"));
            assert!(error(&weight.t()?, &integers(&[4], 1)?).contains("the rows have 4 values"));
            assert!(error(&integers(&[3], 1)?, &integers(&[4], 1)?).contains("a batch of rows"));
        }
        Ok(())
    }
}
