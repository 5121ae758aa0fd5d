//! Networks in one line and in TOML: what reads is written again to the same network.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mnist_tui::network::{NetworkSpec, Plan};

fuzz_target!(|text: &str| {
    for spec in [text.parse::<NetworkSpec>(), NetworkSpec::from_toml(text)].into_iter().flatten() {
        assert_eq!(spec.to_string().parse(), Ok(spec.clone()));
        if let Ok(plan) = Plan::of(&spec, [1, 28, 28], 10) {
            assert!(plan.pytorch().contains("class Net(nn.Module):"));
        }
    }
});
