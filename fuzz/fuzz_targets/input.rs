//! What a terminal sends, in pieces with pauses between them, up to what it does on the screen.
#![no_main]

use std::time::Duration;

use crossterm::event::Event;
use libfuzzer_sys::fuzz_target;
use mnist_tui::{
    app::{App, Msg},
    keymap,
    terminal::Decoder,
};

/// Longer than anything is waited for.
const LONG: Duration = Duration::from_secs(10);

fuzz_target!(|input: &[u8]| {
    let mut app = App::new(Vec::new());
    let mut decoder = Decoder::default();
    let mut rest = input;
    // Each piece begins with its length and with what is waited after it.
    while let [length, pause, bytes @ ..] = rest {
        let (piece, others) = bytes.split_at(usize::from(*length).min(bytes.len()));
        rest = others;
        let mut events = decoder.feed(piece);
        events.extend(decoder.idle(Duration::from_millis(u64::from(*pause) * 10)));
        take(&mut app, events);
    }
    take(&mut app, decoder.idle(LONG));
    assert_eq!(decoder.patience(), None, "nothing stays open forever");

    // The same bytes as the content of replies command nothing, wherever these are cut.
    let content: Vec<u8> = input.iter().map(|byte| 0x20 + byte % 0x5f).collect();
    let cut = input.first().copied().map_or(0, usize::from);
    for (begin, end) in [("\x1b]", "\x07"), ("\x1bP", "\x1b\\"), ("\x1b_", "\x1b\\")] {
        let reply = [begin.as_bytes(), &content, end.as_bytes()].concat();
        let (first, second) = reply.split_at(2 + cut % (reply.len() - 2));
        let mut events = decoder.feed(first);
        events.extend(decoder.idle(Duration::from_millis(70)));
        events.extend(decoder.feed(second));
        events.extend(decoder.idle(LONG));
        assert!(events.is_empty(), "{events:?} of {reply:?}");
    }
});

fn take(app: &mut App, events: Vec<Event>) {
    for event in events {
        let msg = match event {
            Event::Paste(text) => Some(Msg::Paste(text)),
            Event::Key(key) => keymap::action(key, app.focus())
                .map(Msg::Action)
                .or_else(|| keymap::unbound_key(key, app.focus()).map(Msg::UnboundKey)),
            _ => None,
        };
        if let Some(msg) = msg {
            let _ = app.update(msg);
        }
    }
}
