//! Initial parameters.

use rand::RngCore;

use crate::network::{
    Plan,
    plan::{Init, Param},
};

/// Draws the trained parameters as `PyTorch`'s `Conv2d` and `Linear` do: uniform in ±1/√fan-in, weights
/// and biases alike, where fan-in is the number of inputs of one output.
///
/// (`PyTorch` writes it as `kaiming_uniform_(a=√5)`, which comes to the same bound.) The values
/// are a function of the generator's `u32` stream alone: one draw for each scalar that is not a
/// constant, in the plan's order, through operations that IEEE 754 rounds exactly, so they are the same
/// on every platform.
pub fn trained(plan: &Plan, rng: &mut impl RngCore) -> Vec<f32> {
    let mut flat = Vec::with_capacity(plan.trained_len());
    for param in plan.params() {
        let len = param.range.len();
        match param.init {
            Init::Uniform { fan_in } => {
                let bound = 1.0 / (fan_in as f32).sqrt();
                flat.extend((0..len).map(|_| bound * signed_unit(rng.next_u32())));
            }
            Init::Constant(value) => flat.extend(std::iter::repeat_n(value, len)),
        }
    }
    flat
}

/// The running statistics before the first batch: means 0 and variances 1.
pub fn running(plan: &Plan) -> Vec<f32> {
    let values = |param: &Param| {
        let value = match param.init {
            Init::Constant(value) => value,
            Init::Uniform { .. } => 0.0,
        };
        std::iter::repeat_n(value, param.range.len())
    };
    plan.running().iter().flat_map(values).collect()
}

/// Maps 32 random bits to an f32 uniform in [−1, 1).
///
/// The top 24 bits, all that an f32 can hold, are placed in steps of 2⁻²³, so that no value is
/// rounded and none is likelier than another.
fn signed_unit(bits: u32) -> f32 {
    const STEP: f32 = 1.0 / (1 << 23) as f32;
    (bits >> 8) as f32 * STEP - 1.0
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn the_unit_interval_is_covered_from_end_to_end() {
        assert_eq!(signed_unit(0).to_bits(), (-1.0f32).to_bits());
        assert_eq!(signed_unit(1 << 31).to_bits(), 0.0f32.to_bits());
        assert_eq!(signed_unit(u32::MAX).to_bits(), (1.0 - 2f32.powi(-23)).to_bits());
    }

    #[test]
    fn values_fill_the_bound_of_their_fan_in() {
        let plan = Plan::article();
        let flat = trained(&plan, &mut ChaCha8Rng::seed_from_u64(7));
        let values = |name: String| {
            let param = plan.params().iter().find(|param| param.name == name);
            &flat[param.expect("the article has it").range.clone()]
        };
        for (name, fan_in) in [("layer1_conv", 25.0), ("layer2_conv", 150.0), ("fc", 256.0f32)] {
            let bound = 1.0 / fan_in.sqrt();
            let weight = values(format!("{name}.weight"));
            let bias = values(format!("{name}.bias"));
            let largest = weight.iter().fold(0.0f32, |m, v| m.max(v.abs()));
            assert!(largest <= bound && largest > 0.95 * bound, "{name}: {largest} for {bound}");
            assert!(bias.iter().all(|v| v.abs() <= bound), "{name}: {bias:?}");
            // 0.58 is the standard deviation of a uniform variable over its bound, 1/√3.
            let count = weight.len() as f32;
            let spread = (weight.iter().map(|v| v * v).sum::<f32>() / count).sqrt() / bound;
            assert!((spread - 0.577).abs() < 0.06, "{name}: {spread}");
        }
    }

    #[test]
    fn the_seed_decides_every_bit() {
        let draw = |seed| trained(&Plan::article(), &mut ChaCha8Rng::seed_from_u64(seed));
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
        assert_eq!(draw(0).len(), 5_142);
    }
}
