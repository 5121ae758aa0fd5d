//! The command line, configurations and breakpoints; arguments are parted by line ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mnist_tui::{cli, config::RunConfig, protocol::Breakpoint};

fuzz_target!(|text: &str| {
    let _ = cli::is_right_usage(text.lines().map(Into::into));
    if let Ok(breakpoint) = text.parse::<Breakpoint>() {
        assert_eq!(breakpoint.to_string().parse(), Ok(breakpoint));
    }
    if let Ok(config) = serde_json::from_str::<RunConfig>(text)
        && config.validate().is_ok()
    {
        let again = serde_json::to_string(&config).expect("plain data has a JSON form");
        assert_eq!(serde_json::from_str::<RunConfig>(&again).ok().as_ref(), Some(&config));
    }
});
