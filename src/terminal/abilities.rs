//! What a terminal says of itself when it is asked.

/// Abilities of a terminal; `None` where it gave no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// Whether it shows what is written between two marks all at once (mode 2026).
    pub synchronized_output: Option<bool>,
    /// Whether it reports keys without ambiguity (kitty's keyboard protocol).
    pub keyboard_protocol: Option<bool>,
}

/// Asks for mode 2026, for the keyboard protocol, and last for what every terminal answers: its kind.
#[cfg(unix)]
const QUESTIONS: &[u8] = b"\x1b[?2026$p\x1b[?u\x1b[c";

/// Asks the terminal and waits a moment for its answers. Keys pressed meanwhile are lost. `None` without a
/// terminal to ask, or one that does not answer.
#[cfg(unix)]
pub fn ask() -> Option<Abilities> {
    use std::{
        io::{self, IsTerminal, Write},
        time::{Duration, Instant},
    };

    use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    /// A terminal on the other side of the earth answers within this time.
    const PATIENCE: Duration = Duration::from_millis(700);
    /// Answers have fewer bytes; a paste may have more.
    const MOST: usize = 4_096;

    let (stdin, mut stdout) = (io::stdin(), io::stdout());
    // Consoles without a window print what they do not know.
    let term = std::env::var("TERM").unwrap_or_default();
    let answers = !matches!(term.as_str(), "" | "linux" | "dumb");
    if !answers || !stdin.is_terminal() || !stdout.is_terminal() {
        return None;
    }
    enable_raw_mode().ok()?;
    let deadline = Instant::now() + PATIENCE;
    let mut received = Vec::new();
    let mut found = None;
    if stdout.write_all(QUESTIONS).and_then(|()| stdout.flush()).is_ok() {
        while found.is_none() && received.len() < MOST {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = Timespec { tv_sec: 0, tv_nsec: i64::from(left.subsec_nanos()) };
            if poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&left)) != Ok(1) {
                break;
            }
            let mut buffer = [0; 256];
            match rustix::io::read(&stdin, &mut buffer) {
                Ok(count @ 1..) => received.extend_from_slice(&buffer[..count]),
                _ => break,
            }
            found = answer(&received);
        }
    }
    super::discard_input();
    let _ = disable_raw_mode();
    found
}

/// Nothing is asked of a terminal that is not a file.
#[cfg(not(unix))]
pub fn ask() -> Option<Abilities> {
    None
}

/// The abilities in a terminal's replies; `None` as long as the last is not there.
#[cfg_attr(not(unix), expect(dead_code, reason = "tested everywhere"))]
fn answer(received: &[u8]) -> Option<Abilities> {
    let text = String::from_utf8_lossy(received);
    let replies: Vec<&str> = text.split("\x1b[?").skip(1).collect();
    let ends = |reply: &str, end: &str| {
        let values = reply.split(|c: char| !c.is_ascii_digit() && c != ';').next()?;
        reply[values.len()..].starts_with(end).then(|| values.to_owned())
    };
    replies.iter().find_map(|reply| ends(reply, "c"))?;
    let mode =
        replies.iter().find_map(|reply| ends(reply, "$y")?.strip_prefix("2026;")?.parse().ok());
    Some(Abilities {
        // 1 and 2: on and off for now, 3 and 4: for good; 0: not known.
        synchronized_output: Some(mode.is_some_and(|mode: u8| (1..=3).contains(&mode))),
        keyboard_protocol: Some(replies.iter().any(|reply| ends(reply, "u").is_some())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_reply_completes_the_answer() {
        let all = b"\x1b[?2026;2$y\x1b[?0u\x1b[?62;22c";
        let both = Abilities { synchronized_output: Some(true), keyboard_protocol: Some(true) };
        assert_eq!(answer(all), Some(both));
        for cut in 0..all.len() {
            assert_eq!(answer(&all[..cut]), None, "{cut}");
        }
        let neither =
            Abilities { synchronized_output: Some(false), keyboard_protocol: Some(false) };
        assert_eq!(answer(b"\x1b[?1;2c"), Some(neither));
        assert_eq!(answer(b"x\x1b[A\x1b[?2026;0$y\x1b[?6c"), Some(neither));
        assert_eq!(answer("\x1b[?\u{fc}c\x1b[c\x1b[?".as_bytes()), None);
    }
}
