//! Journals, and the screen that is fed from one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mnist_tui::{app::App, journal::JournalReader};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = JournalReader::new("x".as_ref(), bytes);
    let mut app = App::new(Vec::new()).looking_on();
    while let Ok(Some(event)) = reader.next_event() {
        let _ = app.update(event.into());
    }
    assert!(reader.bytes() <= bytes.len() as u64);
});
