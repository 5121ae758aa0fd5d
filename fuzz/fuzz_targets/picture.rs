//! Pictures: decoding, and the search for the digit. Whatever is answered has the form of MNIST's images.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mnist_tui::data::{PIXELS, picture};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(digit) = picture::read_from("x", bytes) {
        assert_eq!(digit.pixels.len(), PIXELS);
        assert!(digit.pixels.contains(&255));
    }
});
