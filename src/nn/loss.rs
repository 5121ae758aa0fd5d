//! Cross-entropy of logits and labels.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Tensor, bail};

use super::host;

/// The mean over a batch of −ln softmax(logits)\[label\], as `PyTorch`'s `CrossEntropyLoss`.
///
/// `logits` is `[n, classes]`, `labels` `[n]` of u32; the result is a scalar tensor.
///
/// f32 logits in main memory go through [`cross_entropy_fused`], all others through
/// [`cross_entropy_composed`].
///
/// # Errors
/// When the shapes do not fit together, the batch is empty or (in main memory, where looking
/// costs nothing) a label is not below the number of classes, and those of candle.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    if logits.device().is_cpu() && logits.dtype() == DType::F32 {
        cross_entropy_fused(logits, labels)
    } else {
        cross_entropy_composed(logits, labels)
    }
}

/// [`cross_entropy`] as one custom operation, for f32 logits in main memory.
///
/// # Errors
/// As [`cross_entropy`], and for tensors on other devices or of other element types.
pub fn cross_entropy_fused(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    check(logits, labels)?;
    let operation = FusedCrossEntropy { grad: OnceLock::new() };
    logits.contiguous()?.apply_op2(&labels.contiguous()?, operation)
}

/// [`cross_entropy`] as a composition of candle-nn's operations, for any device and float type.
///
/// # Errors
/// As [`cross_entropy`]; labels are not looked at, which would wait for the device.
pub fn cross_entropy_composed(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    check(logits, labels)?;
    candle_nn::loss::cross_entropy(logits, &labels.contiguous()?)
}

/// Writes the probabilities of the classes that belong to a row of logits.
///
/// Both slices have one value per class; of slices of unequal length the common part counts.
pub fn softmax(row: &[f32], out: &mut [f32]) {
    log_sum_exp(row, out);
}

/// [`softmax`], and the logarithm of the sum of the exponentials.
pub(super) fn log_sum_exp(row: &[f32], probabilities: &mut [f32]) -> f64 {
    // Without the largest taken out, a logit above 88 would overflow.
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for (probability, logit) in probabilities.iter_mut().zip(row) {
        *probability = (logit - largest).exp();
        sum += *probability;
    }
    for probability in probabilities {
        *probability /= sum;
    }
    f64::from(sum).ln() + f64::from(largest)
}

/// The cross-entropy of a row of logits, with the gradient of each logit in `grads`.
///
/// The label counts for 1 − `smoothing`, and all classes share `smoothing`, as `label_smoothing` of
/// `PyTorch`'s `CrossEntropyLoss` has it.
pub(super) fn row_loss(logits: &[f32], label: usize, smoothing: f64, grads: &mut [f32]) -> f64 {
    let log_sum = log_sum_exp(logits, grads);
    grads[label] -= 1.0;
    let loss = log_sum - f64::from(logits[label]);
    if smoothing == 0.0 {
        return loss;
    }
    let classes = logits.len() as f64;
    let each = (smoothing / classes) as f32;
    grads[label] += smoothing as f32;
    for grad in grads {
        *grad -= each;
    }
    let mean = logits.iter().copied().map(f64::from).sum::<f64>() / classes;
    (1.0 - smoothing) * loss + smoothing * (log_sum - mean)
}

/// [`cross_entropy_composed`] with smoothed labels.
pub(super) fn smoothed_composed(
    logits: &Tensor,
    labels: &Tensor,
    smoothing: f64,
) -> Result<Tensor> {
    let plain = cross_entropy_composed(logits, labels)?;
    if smoothing == 0.0 {
        return Ok(plain);
    }
    let all = candle_nn::ops::log_softmax(logits, 1)?.mean_all()?;
    (plain * (1.0 - smoothing))? - (all * smoothing)?
}

fn check(logits: &Tensor, labels: &Tensor) -> Result<()> {
    let (n, classes) = logits.dims2()?;
    if labels.dims() != [n] {
        bail!("{n} rows of logits need {n} labels, found {:?}", labels.dims());
    }
    if n == 0 || classes == 0 {
        bail!("the cross-entropy of nothing, {n} rows of {classes} classes, has no value");
    }
    if labels.dtype() != DType::U32 {
        bail!("labels are u32, found {:?}", labels.dtype());
    }
    Ok(())
}

struct FusedCrossEntropy {
    /// d loss / d logits; the forward pass has all it takes and leaves it to the backward.
    grad: OnceLock<Vec<f32>>,
}

impl CustomOp2 for FusedCrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(
        &self,
        logits: &CpuStorage,
        logits_layout: &Layout,
        labels: &CpuStorage,
        labels_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (n, classes) = logits_layout.shape().dims2()?;
        let logits = host::elements::<f32>(logits, logits_layout)?;
        let labels = host::elements::<u32>(labels, labels_layout)?;
        let mut grad = vec![0.0; logits.len()];
        let mut total = 0.0;
        let share = 1.0 / n as f32;
        let rows = logits.chunks_exact(classes).zip(grad.chunks_exact_mut(classes));
        for ((row, grad), &label) in rows.zip(labels) {
            let label = label as usize;
            if label >= classes {
                bail!("the label {label} is not one of {classes} classes");
            }
            total += row_loss(row, label, 0.0, grad);
            for value in grad {
                *value *= share;
            }
        }
        if self.grad.set(grad).is_err() {
            bail!("{} remembers one forward pass and was applied twice", self.name());
        }
        let mean = (total / n as f64) as f32;
        Ok((CpuStorage::F32(vec![mean]), Shape::from(())))
    }

    fn bwd(
        &self,
        logits: &Tensor,
        _labels: &Tensor,
        _loss: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let Some(logits_grad) = self.grad.get() else {
            bail!("{} has no forward pass to differentiate", self.name());
        };
        let scale = grad.to_scalar::<f32>()?;
        let scaled = logits_grad.iter().map(|value| value * scale).collect();
        Ok((Some(Tensor::from_vec(scaled, logits.shape(), logits.device())?), None))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    const OPERATIONS: [fn(&Tensor, &Tensor) -> Result<Tensor>; 2] =
        [cross_entropy_fused, cross_entropy_composed];

    const EXPECTED_LOSS: f32 = 2.216_175_6;
    const EXPECTED_GRAD: [f32; 6] =
        [0.045_015_29, 0.122_364_245, -0.167_379_5, -0.491_066, 0.003_286_631_3, 0.487_779_35];

    /// `PyTorch` 2.15:
    /// ```python
    /// x = torch.tensor([[1., 2., 3.], [0., -1., 4.]], requires_grad=True)
    /// loss = torch.nn.functional.cross_entropy(x, torch.tensor([2, 0])); loss.backward()
    /// print(loss.item(), x.grad)
    /// ```
    #[test]
    fn loss_and_gradient_are_those_of_pytorch() -> Result<()> {
        for operation in OPERATIONS {
            let logits = Var::new(&[[1f32, 2., 3.], [0., -1., 4.]], &Device::Cpu)?;
            let labels = Tensor::new(&[2u32, 0], &Device::Cpu)?;
            let loss = operation(&logits, &labels)?;
            assert!((loss.to_scalar::<f32>()? - EXPECTED_LOSS).abs() < 1e-6);
            let grads = loss.backward()?;
            let grad = grads
                .get(&logits)
                .expect("logits are a variable")
                .flatten_all()?
                .to_vec1::<f32>()?;
            for (found, expected) in grad.iter().zip(EXPECTED_GRAD) {
                assert!((found - expected).abs() < 1e-6, "{grad:?}");
            }
        }
        Ok(())
    }
    /// `PyTorch` 2.15, with `label_smoothing=0.1` and the labels 2 and 1.
    #[test]
    fn smoothed_labels_are_those_of_pytorch() -> Result<()> {
        const LOSS: f32 = 2.666_175_4;
        const GRAD: [f32; 6] = [
            0.028_348_623,
            0.105_697_58,
            -0.134_046_17,
            -0.007_732_677,
            -0.463_380_04,
            0.471_112_67,
        ];
        let rows = [[1f32, 2., 3.], [0., -1., 4.]];
        let (mut grads, mut total) = ([0.0; 6], 0.0);
        for (place, (row, label)) in rows.iter().zip([2, 1]).enumerate() {
            total += row_loss(row, label, 0.1, &mut grads[place * 3..][..3]);
        }
        let logits = Var::new(&rows, &Device::Cpu)?;
        let composed = smoothed_composed(&logits, &Tensor::new(&[2u32, 1], &Device::Cpu)?, 0.1)?;
        let store = composed.backward()?;
        let other = store.get(&logits).expect("logits are a variable").flatten_all()?;
        for (loss, grads) in [
            ((total / 2.0) as f32, grads.map(|grad| grad / 2.0).to_vec()),
            (composed.to_scalar()?, other.to_vec1()?),
        ] {
            assert!((loss - LOSS).abs() < 1e-6, "{loss}");
            assert!(grads.iter().zip(GRAD).all(|(a, b)| (a - b).abs() < 1e-6), "{grads:?}");
        }
        Ok(())
    }

    #[test]
    fn the_incoming_gradient_scales_the_outgoing() -> Result<()> {
        for operation in OPERATIONS {
            let logits = Var::new(&[[1f32, 2., 3.]], &Device::Cpu)?;
            let labels = Tensor::new(&[0u32], &Device::Cpu)?;
            let grad = |loss: Tensor| {
                loss.backward()?
                    .get(&logits)
                    .expect("logits are a variable")
                    .flatten_all()?
                    .to_vec1::<f32>()
            };
            let plain = grad(operation(&logits, &labels)?)?;
            let tripled = grad((operation(&logits, &labels)? * 3.0)?)?;
            for (plain, tripled) in plain.iter().zip(&tripled) {
                assert!((3.0 * plain - tripled).abs() < 1e-6);
            }
        }
        Ok(())
    }

    #[test]
    fn huge_logits_do_not_overflow() -> Result<()> {
        for operation in OPERATIONS {
            let logits = Tensor::new(&[[1000f32, -1000., 999.]], &Device::Cpu)?;
            let loss = operation(&logits, &Tensor::new(&[2u32], &Device::Cpu)?)?;
            // ln(e⁰ + e⁻²⁰⁰⁰ + e⁻¹) − (−1)
            assert!((loss.to_scalar::<f32>()? - 1.313_261_7).abs() < 1e-4);
        }
        Ok(())
    }

    #[test]
    fn what_is_not_a_number_stays_so() -> Result<()> {
        for operation in OPERATIONS {
            let logits = Tensor::new(&[[f32::NAN, 1.], [0., 0.]], &Device::Cpu)?;
            let loss = operation(&logits, &Tensor::new(&[1u32, 0], &Device::Cpu)?)?;
            assert!(loss.to_scalar::<f32>()?.is_nan());
        }
        Ok(())
    }

    #[test]
    fn a_label_beyond_the_classes_is_named() -> Result<()> {
        let logits = Tensor::zeros((2, 3), DType::F32, &Device::Cpu)?;
        let labels = Tensor::new(&[0u32, 3], &Device::Cpu)?;
        let error = cross_entropy(&logits, &labels).expect_err("3 is no class").to_string();
        assert!(error.contains("the label 3 is not one of 3 classes"), "{error}");
        Ok(())
    }

    #[test]
    fn shapes_that_do_not_fit_are_errors() -> Result<()> {
        let labels = |n: usize| Tensor::zeros(n, DType::U32, &Device::Cpu);
        let logits = |n: usize| Tensor::zeros((n, 3), DType::F32, &Device::Cpu);
        for operation in OPERATIONS {
            assert!(operation(&logits(2)?, &labels(3)?).is_err());
            assert!(operation(&logits(0)?, &labels(0)?).is_err());
            assert!(operation(&logits(2)?, &labels(2)?.to_dtype(DType::U8)?).is_err());
        }
        Ok(())
    }

    #[test]
    fn probabilities_add_up_and_follow_the_logits() {
        let mut out = [0.0; 4];
        softmax(&[0.0, 2.0, -1.0, 2.0], &mut out);
        assert!((out.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert_eq!(out[1].to_bits(), out[3].to_bits());
        assert!((out[1] / out[0] - 2f32.exp()).abs() < 1e-4);
    }
}
