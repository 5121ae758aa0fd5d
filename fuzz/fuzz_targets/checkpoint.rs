//! Files of weights and checkpoints: what reads is written again to the same values.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mnist_tui::checkpoint::{decode, decode_checkpoint};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(parameters) = decode("x", bytes) {
        assert_eq!(parameters.count(), 5_142);
        assert!(parameters.0.iter().flat_map(|one| &one.values).all(|value| value.is_finite()));
    }
    if let Ok(checkpoint) = decode_checkpoint("x", bytes) {
        assert_eq!(checkpoint.state.weights.len(), 5_142);
        assert_eq!(checkpoint.state.first_moment.len(), 5_142);
        assert_eq!(checkpoint.state.second_moment.len(), 5_142);
        assert!(checkpoint.config.validate().is_ok());
    }
});
