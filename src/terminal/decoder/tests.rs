use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use proptest::{collection::vec, prelude::*, sample};

use super::{text::REPEATS, *};

/// Longer than anything is waited for.
const LONG: Duration = Duration::from_secs(10);
/// Shorter than anything is waited for.
const SHORT: Duration = Duration::from_millis(5);

/// Decodes pieces that follow each other at once, and a quiet time.
fn decode(pieces: &[&[u8]]) -> Vec<Event> {
    decode_with(pieces, Duration::ZERO)
}

/// The same with a pause after each piece.
fn decode_with(pieces: &[&[u8]], pause: Duration) -> Vec<Event> {
    let mut decoder = Decoder::default();
    let mut events = Vec::new();
    for piece in pieces {
        events.extend(decoder.feed(piece));
        events.extend(decoder.idle(pause));
    }
    events.extend(decoder.idle(LONG));
    assert_eq!(decoder.patience(), None, "nothing stays open forever");
    events
}

fn keys(codes: &[KeyCode]) -> Vec<Event> {
    codes.iter().map(|&code| press(code)).collect()
}

fn with(code: KeyCode, modifiers: KeyModifiers) -> Vec<Event> {
    vec![Event::Key(KeyEvent::new(code, modifiers))]
}

fn pasted(text: &str) -> Vec<Event> {
    vec![Event::Paste(text.to_owned())]
}

#[test]
fn keys_are_what_terminals_send_for_them() {
    for (bytes, code) in [
        ("p", KeyCode::Char('p')),
        (" ", KeyCode::Char(' ')),
        ("ㅔ", KeyCode::Char('ㅔ')),
        ("\r", KeyCode::Enter),
        ("\t", KeyCode::Tab),
        ("\u{7f}", KeyCode::Backspace),
        ("\u{8}", KeyCode::Backspace),
        ("\u{1b}", KeyCode::Esc),
        ("\u{1b}[A", KeyCode::Up),
        ("\u{1b}OB", KeyCode::Down),
        ("\u{1b}[1;1C", KeyCode::Right),
        ("\u{1b}[H", KeyCode::Home),
        ("\u{1b}[4~", KeyCode::End),
        ("\u{1b}[5~", KeyCode::PageUp),
        ("\u{1b}[3~", KeyCode::Delete),
        ("\u{1b}OP", KeyCode::F(1)),
        ("\u{1b}[[A", KeyCode::F(1)),
        ("\u{1b}[11~", KeyCode::F(1)),
        ("\u{1b}[24~", KeyCode::F(12)),
        ("\u{1b}[27u", KeyCode::Esc),
        ("\u{1b}[13;1:1u", KeyCode::Enter),
    ] {
        assert_eq!(decode(&[bytes.as_bytes()]), keys(&[code]), "{bytes:?}");
        let pieces: Vec<_> = bytes.as_bytes().chunks(1).collect();
        assert_eq!(decode_with(&pieces, SHORT), keys(&[code]), "{bytes:?} byte by byte");
    }
}

#[test]
fn modifiers_come_with_their_keys() {
    for (bytes, code, modifiers) in [
        ("\x03", KeyCode::Char('c'), KeyModifiers::CONTROL),
        ("\x0c", KeyCode::Char('l'), KeyModifiers::CONTROL),
        ("\x1b[Z", KeyCode::BackTab, KeyModifiers::NONE),
        ("\x1b[1;2A", KeyCode::Up, KeyModifiers::SHIFT),
        ("\x1b[1;3A", KeyCode::Up, KeyModifiers::ALT),
        ("\x1b[5;5~", KeyCode::PageUp, KeyModifiers::CONTROL),
        ("\x1b[99;5u", KeyCode::Char('c'), KeyModifiers::CONTROL),
        ("\x1b[115;2u", KeyCode::Char('S'), KeyModifiers::SHIFT),
        ("\x1b[47:63;2u", KeyCode::Char('?'), KeyModifiers::SHIFT),
        ("\x1b[27;5;122~", KeyCode::Char('z'), KeyModifiers::CONTROL),
        ("\x1b[112;65u", KeyCode::Char('p'), KeyModifiers::NONE),
    ] {
        assert_eq!(decode(&[bytes.as_bytes()]), with(code, modifiers), "{bytes:?}");
    }
    for nothing in ["\x1b[112;1:3u", "\x1b[112;9u", "\x1b[57358u", "\x1b[1;0A", "\x1b[70000u"] {
        assert_eq!(decode(&[nothing.as_bytes()]), [], "{nothing:?}");
    }
}

#[test]
fn the_mouse_is_reported_in_three_forms() {
    let report = |kind| {
        let modifiers = KeyModifiers::NONE;
        vec![Event::Mouse(MouseEvent { kind, column: 9, row: 199, modifiers })]
    };
    let (left, right) = (MouseButton::Left, MouseButton::Right);
    for (bytes, kind) in [
        (&b"\x1b[<0;10;200M"[..], MouseEventKind::Down(left)),
        (b"\x1b[<32;10;200M", MouseEventKind::Drag(left)),
        (b"\x1b[<4;10;200m", MouseEventKind::Up(left)),
        (b"\x1b[<2;10;200M", MouseEventKind::Down(right)),
        (b"\x1b[<35;10;200M", MouseEventKind::Moved),
        (b"\x1b[32;10;200M", MouseEventKind::Down(left)),
        (b"\x1b[M \x2a\xe8", MouseEventKind::Down(left)),
        (b"\x1b[M#\x2a\xe8", MouseEventKind::Up(left)),
    ] {
        assert_eq!(decode(&[bytes]), report(kind), "{bytes:?}");
        let pieces: Vec<_> = bytes.chunks(1).collect();
        assert_eq!(decode_with(&pieces, SHORT), report(kind), "{bytes:?} byte by byte");
    }
    for nothing in ["\x1b[<64;10;200M", "\x1b[<0;0;1M", "\x1b[<0;1M", "\x1b[<99999;1;1M"] {
        assert_eq!(decode(&[nothing.as_bytes()]), [], "{nothing:?}");
    }
}

#[test]
fn a_quick_double_esc_is_two_and_a_lone_one_is_prompt() {
    assert_eq!(decode(&[b"\x1b\x1b"]), keys(&[KeyCode::Esc; 2]));
    assert_eq!(decode(&[b"\x1b", b"\x1b"]), keys(&[KeyCode::Esc; 2]));
    assert_eq!(decode_with(&[b"\x1b", b"\x1b"], ESCAPE), keys(&[KeyCode::Esc; 2]));
    let mut decoder = Decoder::default();
    assert_eq!(decoder.feed(b"\x1b"), []);
    assert!(decoder.patience().is_some_and(|patience| patience <= Duration::from_millis(100)));
    assert_eq!(decoder.idle(ESCAPE), keys(&[KeyCode::Esc]));
    // The next key is one at once.
    assert_eq!(decode_with(&[b"\x1b", b"s"], ESCAPE), keys(&[KeyCode::Esc, KeyCode::Char('s')]));
    // An introducer waits no longer than the escape did.
    assert_eq!(decode_with(&[b"\x1b", b"]"], ESCAPE), keys(&[KeyCode::Esc, KeyCode::Char(']')]));
}

#[test]
fn a_key_with_alt_is_not_that_key() {
    for second in (0..=0x7f_u8).filter(|second| *second != ESC) {
        assert_eq!(decode(&[&[ESC, second]]), [], "alt and {second:#x}");
        assert_eq!(decode(&[&[ESC], &[second]]), [], "alt and {second:#x} in two pieces");
    }
    for with_alt in ["\x1bé", "\x1bㅔ", "\x1b\x1b[A", "\x1b\x1bOB", "\x1b\x1bq"] {
        assert_eq!(decode(&[with_alt.as_bytes()]), [], "{with_alt:?}");
    }
}

#[test]
fn late_replies_are_dropped_wherever_they_are_cut() {
    for reply in [
        "\x1b]11;rgb:1e1e/1e1e/1e1e\x07",
        "\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\",
        "\x1b]4;1;rgb:cdcd/0000/0000\x07",
        "\x1bP>|tmux 3.4\x1b\\",
        "\x1bP1+r544e=787465726d\x07",
        "\x1b_Gi=31;OK\x1b\\",
        "\x1b]52;c;c2hvdWxkIGJlIHVwZGF0ZWQ=\x07",
        "\x1b^should be updated\x1b\\",
        "\x1bXquickly\x1b\\",
        "\u{9d}11;rgb:1e1e\u{9c}",
        "\x1b]2;p ✜ q\x1b\\",
        "\x1b[?64;1;2;6;9;15;18;21;22c",
        "\x1b[>41;354;0c",
        "\x1b[24;80R",
        "\x1b[0n",
        "\x1b[?2026;2$y",
        "\x1b[8;24;80t",
        "\x1b[?0u",
        "\x1b[I",
        "\x1b[O",
        "\x1bc",
        "\x1b(B",
        "\x1b#8",
    ] {
        let bytes = reply.as_bytes();
        for at in 1..bytes.len() {
            let (first, second) = bytes.split_at(at);
            // A terminal in reach sends the rest at once; over a slow line it takes a while.
            for pause in [Duration::ZERO, SHORT, Duration::from_millis(60)] {
                assert_eq!(decode_with(&[first, second], pause), [], "{reply:?} cut at {at}");
            }
            let only_escape = first == [ESC];
            let expected = if only_escape { keys(&[KeyCode::Esc]) } else { Vec::new() };
            assert_eq!(decode(&[first]), expected, "{reply:?} ends at {at}");
            // Longer than an esc key is waited for. What no terminal replies may then be cut.
            let is_reply = bytes[0] != ESC || b"[]P_^X".contains(&bytes[1]);
            if is_reply {
                let late = decode_with(&[first, second], Duration::from_millis(300));
                assert_eq!(late, expected, "{reply:?} cut at {at} for long");
            }
        }
        let bytes: Vec<_> = bytes.chunks(1).collect();
        assert_eq!(decode_with(&bytes, SHORT), [], "{reply:?} byte by byte");
    }
}

#[test]
fn what_is_cut_holds_up_no_key_for_long() {
    for cut in ["\x1b]11;rgb", "\x1b[", "\x1bP", "\x1b[200~text", "\x1bO", "\x1b(", "\x1b[M ", "é"]
    {
        let cut = &cut.as_bytes()[..cut.len() - usize::from(cut == "é")];
        let mut decoder = Decoder::default();
        assert_eq!(decoder.feed(cut), []);
        assert_eq!(decoder.idle(Duration::from_secs(2)), []);
        assert_eq!(decoder.feed(b"p"), []);
        assert_eq!(decoder.idle(LONG), keys(&[KeyCode::Char('p')]), "after {cut:?}");
    }
}

#[test]
fn a_bracketed_paste_is_one_however_it_is_cut() {
    let bytes = b"\x1b[200~q\x1b[20 should\rbe \x1b\x1b[20 updated\x1b[201~p";
    let text = "q\x1b[20 should\rbe \x1b\x1b[20 updated";
    let expected = [pasted(text), keys(&[KeyCode::Char('p')])].concat();
    for at in 1..bytes.len() {
        let (first, second) = bytes.split_at(at);
        let pause = if at == 1 { Duration::ZERO } else { Duration::from_millis(300) };
        assert_eq!(decode_with(&[first, second], pause), expected, "cut at {at}");
    }
    let long = [b"\x1b[200~", &b"q".repeat(100_000)[..], b"\x1b[201~"].concat();
    assert_eq!(decode(&[&long]), pasted(&"q".repeat(PASTED)));
}

#[test]
fn text_that_comes_at_once_is_a_paste_however_it_is_cut() {
    for text in ["quickly", "should be updated", "s\r", "y\n", "네q", "q\t"] {
        let bytes = text.as_bytes();
        // Each bit says whether a piece ends there.
        for cuts in 0..1_u32 << (bytes.len() - 1) {
            let mut pieces = Vec::new();
            let mut start = 0;
            for at in 1..bytes.len() {
                if cuts >> (at - 1) & 1 == 1 {
                    pieces.push(&bytes[start..at]);
                    start = at;
                }
            }
            pieces.push(&bytes[start..]);
            assert_eq!(decode_with(&pieces, SHORT), pasted(text), "{pieces:?}");
        }
    }
}

#[test]
fn the_rest_of_a_long_paste_belongs_to_it() {
    let text = b"should be updated\r".repeat(1_000);
    for size in [1, 100, 1_024, 4_096] {
        let pieces: Vec<_> = text.chunks(size).collect();
        let events = decode_with(&pieces, Duration::from_millis(if size == 1 { 5 } else { 100 }));
        assert!(matches!(&events[..], [Event::Paste(_)]), "in pieces of {size}: {events:?}");
    }
}

#[test]
fn a_key_that_repeats_is_pressed_as_often() {
    let s = |count| keys(&vec![KeyCode::Char('s'); count]);
    assert_eq!(decode(&[b"ss"]), s(2));
    assert_eq!(decode(&[&b"s".repeat(REPEATS)]), s(REPEATS));
    // Faster than a character is held, so that nothing tells one read from the next.
    assert_eq!(decode_with(&[&b"s"[..]; 100], SHORT), s(100));
    assert_eq!(decode(&[&b"-".repeat(80)]), pasted(&"-".repeat(80)));
    let mut decoder = Decoder::default();
    let held: usize = (0..10).map(|_| decoder.feed(b"s").len()).sum();
    assert!(held > 0, "a key that is held down does something before it is let go");
}

#[test]
fn keys_with_time_between_them_are_keys() {
    let typed = decode_with(&[b"g", b"1", b"2", b"\r"], Duration::from_millis(25));
    let codes = [KeyCode::Char('g'), KeyCode::Char('1'), KeyCode::Char('2'), KeyCode::Enter];
    assert_eq!(typed, keys(&codes));
    let moved = decode(&[b"4\x1b[B\x1b[B"]);
    assert_eq!(moved, keys(&[KeyCode::Char('4'), KeyCode::Down, KeyCode::Down]));
}

/// Sequences that no key and no mouse sends.
fn sequence() -> impl Strategy<Value = Vec<u8>> {
    let payload = || {
        // Neither what ends a string, nor the continuation bytes that may look like an end, nor ctrl-c,
        // which is a key wherever it comes.
        let ends = [BEL, ESC, 0x9c, INTERRUPT];
        vec(any::<u8>().prop_filter("ends it", move |b| !ends.contains(b)), 0..40)
    };
    let string = (sample::select(b"]P_^X".to_vec()), payload(), 0..3_usize).prop_map(
        |(introducer, payload, form)| match form {
            0 => [&[ESC, introducer], &payload[..], &[BEL]].concat(),
            1 => [&[ESC, introducer], &payload[..], b"\x1b\\"].concat(),
            _ => [&[introducer + 0x40], &payload[..], &[BEL]].concat(),
        },
    );
    let control = (vec(0x30..=0x3f_u8, 0..50), vec(0x20..=0x2f_u8, 0..3), 0x40..=0x7e_u8)
        .prop_filter_map("of a key", |(parameters, between, last)| {
            let inner = [&parameters[..], &between[..]].concat();
            let is_key = keys::of_sequence(&inner, last).is_some();
            let is_begin = inner.is_empty() && matches!(last, b'[' | b'M');
            (!is_key && !is_begin && (&inner[..], last) != (b"200", b'~'))
                .then(|| [b"\x1b[", &inner[..], &[last]].concat())
        });
    let escape = (vec(0x20..=0x2f_u8, 0..3), 0x30..=0x7e_u8)
        .prop_filter("opens more", |(between, last)| {
            !between.is_empty() || !b"[]OPX^_".contains(last)
        })
        .prop_map(|(between, last)| [&[ESC], &between[..], &[last]].concat());
    prop_oneof![string, control, escape]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn no_sequence_is_a_key_in_whatever_pieces_it_comes(
        sequences in vec(sequence(), 1..5),
        sizes in vec(1..20_usize, 1..40),
        pauses in vec(0..70_u64, 1..40),
        cut in any::<sample::Index>(),
    ) {
        let bytes = sequences.concat();
        let end = 2 + cut.index(bytes.len() - 1);
        for bytes in [&bytes[..], &bytes[..end]] {
            // One that is cut behind its escape is the esc key.
            let bytes = bytes.strip_suffix(&[ESC]).unwrap_or(bytes);
            let mut decoder = Decoder::default();
            let (mut at, mut events) = (0, Vec::new());
            for (&size, &pause) in sizes.iter().cycle().zip(pauses.iter().cycle()) {
                if at == bytes.len() {
                    break;
                }
                let next = (at + size).min(bytes.len());
                events.extend(decoder.feed(&bytes[at..next]));
                events.extend(decoder.idle(Duration::from_millis(pause)));
                at = next;
            }
            events.extend(decoder.idle(LONG));
            prop_assert_eq!(&events, &[], "{:?}", bytes.escape_ascii().to_string());
            decoder.feed(b"p");
            prop_assert_eq!(decoder.idle(LONG), keys(&[KeyCode::Char('p')]));
        }
    }

    #[test]
    fn any_bytes_are_decoded_and_leave_nothing_open(pieces in vec(vec(any::<u8>(), 0..30), 0..10)) {
        let pieces: Vec<_> = pieces.iter().map(Vec::as_slice).collect();
        decode(&pieces);
    }
}

#[test]
fn ctrl_c_is_a_key_whatever_is_open_and_an_endless_string_can_be_abandoned() {
    for open in ["\x1b]11;rgb", "\x1bP", "\x1b_G", "\x1b[12;", "\x1bO", "\x1b]x\x1b", "\x1b[200~ab"]
    {
        let mut decoder = Decoder::default();
        assert!(decoder.feed(open.as_bytes()).is_empty(), "{open:?}");
        let events = decoder.feed(b"\x03");
        assert!(events.contains(&control('c')), "{open:?}: {events:?}");
    }
    let mut decoder = Decoder::default();
    assert!(decoder.feed(b"\x1b]s").is_empty() && decoder.is_in_sequence());
    decoder.abandon_sequence();
    let mut events = decoder.feed(b"s");
    events.extend(decoder.idle(Duration::from_secs(1)));
    assert_eq!(events, [press(KeyCode::Char('s'))]);
}
