//! Files of weights and checkpoints: what reads is written again to the same values.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mnist_tui::checkpoint::{decode, decode_checkpoint};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(loaded) = decode("x", bytes) {
        assert_eq!(loaded.trained.len(), loaded.plan.trained_len());
        assert_eq!(loaded.running.len(), loaded.plan.running_len());
        assert!(loaded.trained.iter().chain(&loaded.running).all(|value| value.is_finite()));
    }
    if let Ok(checkpoint) = decode_checkpoint("x", bytes) {
        let parameters = checkpoint.state.weights.len();
        for slot in &checkpoint.state.slots {
            assert_eq!(slot.values.len(), parameters);
        }
        assert!(checkpoint.config.validate().is_ok());
    }
});
