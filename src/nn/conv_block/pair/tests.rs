use candle_core::{Device, Var};

use super::*;
use crate::nn::conv_block::forward_fused;

fn variable(values: &[f32], shape: &[usize]) -> Result<Var> {
    Var::from_tensor(&Tensor::from_slice(values, shape, &Device::Cpu)?)
}

#[test]
fn two_blocks_in_one_pass_are_two_blocks_bit_for_bit() -> Result<()> {
    let ramp = |len: usize, step: usize| -> Vec<f32> {
        (0..len).map(|i| ((i * step % 101) as f32 - 50.0) / 300.0).collect()
    };
    let first = [variable(&ramp(6 * 25, 7), &[6, 1, 5, 5])?, variable(&ramp(6, 31), &[6])?];
    let second = [variable(&ramp(16 * 150, 11), &[16, 6, 5, 5])?, variable(&ramp(16, 17), &[16])?];
    let [first_refs, second_refs] =
        [&first, &second].map(|block| block.each_ref().map(Var::as_tensor));
    let buffers = Buffers::default();
    // Growing and shrinking batches go through the same buffers.
    for n in [3, 23, 1, 8] {
        let images = Tensor::from_vec(ramp(n * 784, 13), (n, 1, 28, 28), &Device::Cpu)?;
        let grad = Tensor::from_vec(ramp(n * 256, 29), (n, 16, 4, 4), &Device::Cpu)?;
        let separate = forward_fused(&images, &first[0], &first[1])?;
        let separate = forward_fused(&separate, &second[0], &second[1])?;
        let together = forward_pair(&images, first_refs, second_refs, &buffers)?;
        let flat = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
        assert!(flat(&separate)?.iter().any(|v| *v > 0.0));
        assert_eq!(flat(&together)?, flat(&separate)?);
        let separate = separate.mul(&grad)?.sum_all()?.backward()?;
        let together = together.mul(&grad)?.sum_all()?.backward()?;
        for variable in first_refs.into_iter().chain(second_refs) {
            let of = |grads: &candle_core::backprop::GradStore| {
                flat(grads.get(variable).expect("it is a variable"))
            };
            assert!(of(&separate)?.iter().any(|v| *v != 0.0));
            assert_eq!(of(&together)?, of(&separate)?);
        }
    }
    Ok(())
}

#[test]
fn two_blocks_in_one_pass_refuse_images_that_want_a_gradient() -> Result<()> {
    let images = variable(&[1.0; 64], &[1, 1, 8, 8])?;
    let (weight, bias) = (variable(&[1.0], &[1, 1, 1, 1])?, variable(&[0.0], &[1])?);
    let block = [weight.as_tensor(), bias.as_tensor()];
    assert!(forward_pair(&images, block, block, &Buffers::default()).is_err());
    Ok(())
}
