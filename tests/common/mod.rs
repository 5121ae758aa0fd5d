//! The program in a real pseudo-terminal, and the screen it shows there.

use std::{
    io::{Read, Write},
    num::NonZeroU16,
    sync::{
        Arc, Condvar, Mutex,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtyPair, PtySize, native_pty_system};

/// Generous, since test machines are slow and busy; a passing test never waits that long.
const DEADLINE: Duration = Duration::from_secs(120);
/// Longer than anything is under way that a pause, a key or another size has set off.
#[allow(dead_code, reason = "each file of tests compiles this anew and uses another part")]
const QUIET: Duration = Duration::from_millis(500);
/// What lies between two keys that a person presses one after the other.
#[allow(dead_code, reason = "only some files of tests press several keys")]
const BETWEEN_KEYS: Duration = Duration::from_millis(60);
#[allow(dead_code, reason = "only some files of tests count frames")]
const BEGIN_FRAME: &[u8] = b"\x1b[?2026h";
#[allow(dead_code, reason = "only some files of tests count frames")]
const END_FRAME: &[u8] = b"\x1b[?2026l";

struct Seen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    closed: bool,
    hung_up: bool,
    /// Whether nothing is read for now.
    stalled: bool,
}

/// The program, which a thread waits for.
pub(crate) struct Program {
    pid: u32,
    status: Receiver<u32>,
}

#[allow(dead_code, reason = "each file of tests compiles this anew and uses another part")]
impl Program {
    fn new(mut child: Box<dyn Child + Send + Sync>) -> Self {
        let pid = child.process_id().expect("the program runs");
        let (sender, status) = mpsc::channel();
        thread::spawn(move || {
            let status = child.wait().expect("the program is ours");
            // The test may be over.
            let _ = sender.send(status.exit_code());
        });
        Self { pid, status }
    }

    /// Waits for the program to end and gives its exit status; `state` is asked if it never does.
    pub(crate) fn wait_for_exit(&self, state: impl Fn() -> String) -> u32 {
        let status = self.status.recv_timeout(DEADLINE);
        status.unwrap_or_else(|_| panic!("never ended:\n{}", state()))
    }

    /// Whether the program has not ended.
    pub(crate) fn runs(&self) -> bool {
        self.status.recv_timeout(Duration::ZERO) == Err(RecvTimeoutError::Timeout)
    }

    /// Sends the program a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent =
            std::process::Command::new("kill").args(["-s", name, &self.pid.to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }
}

/// A terminal with the program in it.
pub(crate) struct Tty {
    program: Program,
    master: Box<dyn MasterPty + Send>,
    input: Box<dyn Write + Send>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    settings_before: String,
    // Keeps the terminal alive after the program's end, so that its settings can be read.
    slave: Box<dyn portable_pty::SlavePty + Send>,
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn cells(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).expect("a terminal has cells")
}

// Each file of tests uses some of it.
#[allow(dead_code, reason = "each file of tests compiles this anew and uses another part")]
impl Tty {
    /// Starts the program with these arguments in a terminal of 24-bit colour.
    pub(crate) fn start(arguments: &[&str], columns: u16, rows: u16) -> Self {
        Self::start_with(arguments, &[], columns, rows)
    }

    /// Starts the program with changes to its environment.
    pub(crate) fn start_with(
        arguments: &[&str],
        environment: &[(&str, &str)],
        columns: u16,
        rows: u16,
    ) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_mnist-tui"));
        command.args(arguments);
        Self::start_command(command, environment, columns, rows)
    }

    /// Starts any command.
    pub(crate) fn start_command(
        mut command: CommandBuilder,
        environment: &[(&str, &str)],
        columns: u16,
        rows: u16,
    ) -> Self {
        let PtyPair { slave, master } =
            native_pty_system().openpty(size(columns, rows)).expect("a pseudo-terminal");
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env_remove("NO_COLOR");
        command.env("LC_ALL", "C.UTF-8");
        // Runs that a test does not ask for are kept nowhere else.
        command.env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"));
        for (name, value) in environment {
            command.env(name, value);
        }
        let settings_before = settings(master.as_ref());
        let mut output = master.try_clone_reader().expect("a reader");
        let input = master.take_writer().expect("a writer");
        let child = slave.spawn_command(command).expect("the program starts");
        let seen = Arc::new((
            Mutex::new(Seen {
                parser: vt100::Parser::new(cells(rows), cells(columns), 0),
                bytes: Vec::new(),
                closed: false,
                hung_up: false,
                stalled: false,
            }),
            Condvar::new(),
        ));
        let shared = Arc::clone(&seen);
        thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            loop {
                let read = output.read(&mut buffer).unwrap_or(0);
                let (lock, changed) = &*shared;
                let mut seen = lock.lock().expect("no holder panics");
                seen.parser.process(&buffer[..read]);
                seen.bytes.extend_from_slice(&buffer[..read]);
                seen.closed = read == 0;
                changed.notify_all();
                if read == 0 || seen.hung_up {
                    break;
                }
                drop(changed.wait_while(seen, |seen| seen.stalled).expect("no holder panics"));
            }
        });
        Self { program: Program::new(child), master, input, seen, settings_before, slave }
    }

    /// Types.
    pub(crate) fn send(&mut self, keys: &str) {
        self.input.write_all(keys.as_bytes()).expect("the terminal takes keys");
        self.input.flush().expect("the terminal takes keys");
    }

    /// Presses keys one after the other, each once the one before is likely to have been read. Keys
    /// that come closer together than a person presses them are taken for a paste.
    pub(crate) fn press(&mut self, keys: &str) {
        let never = mpsc::channel::<()>();
        for (place, key) in keys.chars().enumerate() {
            if place > 0 {
                let _ = never.1.recv_timeout(BETWEEN_KEYS);
            }
            self.send(key.encode_utf8(&mut [0; 4]));
        }
        let _ = never.1.recv_timeout(BETWEEN_KEYS);
    }

    /// Waits until the screen's text satisfies `wanted`, and gives what that found.
    pub(crate) fn wait_for<T>(&self, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        let (lock, changed) = &*self.seen;
        let mut seen = lock.lock().expect("no holder panics");
        loop {
            let text = contents(&seen.parser);
            if let Some(found) = wanted(&text) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !seen.closed, "{what} never came; the screen:\n{text}");
            seen = changed.wait_timeout(seen, left).expect("no holder panics").0;
        }
    }

    /// Waits until `text` stands on the screen.
    pub(crate) fn wait_for_text(&self, text: &str) {
        self.wait_for(text, |screen| screen.contains(text).then_some(()));
    }

    /// Waits until the program has the mouse reported, or has let it go.
    pub(crate) fn wait_for_mouse(&self, wanted: bool) {
        let deadline = Instant::now() + DEADLINE;
        let (lock, changed) = &*self.seen;
        let mut seen = lock.lock().expect("no holder panics");
        let is_reported =
            |screen: &vt100::Screen| screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None;
        while is_reported(seen.parser.screen()) != wanted {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !seen.closed, "the mouse is reported: {}", !wanted);
            seen = changed.wait_timeout(seen, left).expect("no holder panics").0;
        }
    }

    /// The screen's text as it is.
    pub(crate) fn screen(&self) -> String {
        contents(&self.seen.0.lock().expect("no holder panics").parser)
    }

    /// Changes the terminal's size.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        let mut seen = self.seen.0.lock().expect("no holder panics");
        seen.parser.set_size(cells(rows), cells(columns));
        drop(seen);
        self.master.resize(size(columns, rows)).expect("a pseudo-terminal can be resized");
    }

    /// Sends the program a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        self.program.signal(name);
    }

    /// Writes to the screen as another program would that shares the terminal.
    pub(crate) fn write_over(&self, text: &str) {
        self.seen.0.lock().expect("no holder panics").parser.process(text.as_bytes());
    }

    /// Whether the terminal brackets what is pasted.
    pub(crate) fn brackets_pastes(&self) -> bool {
        self.seen.0.lock().expect("no holder panics").parser.screen().bracketed_paste()
    }

    /// Stops reading what the program writes, as a stalled connection does, or goes on.
    pub(crate) fn stall(&self, stalled: bool) {
        self.seen.0.lock().expect("no holder panics").stalled = stalled;
        self.seen.1.notify_all();
    }

    /// The program's process.
    pub(crate) fn pid(&self) -> u32 {
        self.program.pid
    }

    /// How many bytes the program has written.
    pub(crate) fn written(&self) -> usize {
        self.seen.0.lock().expect("no holder panics").bytes.len()
    }

    /// Waits until the program has written something after the first `count` bytes.
    pub(crate) fn wait_for_more_than(&self, count: usize) {
        let deadline = Instant::now() + DEADLINE;
        let (lock, changed) = &*self.seen;
        let mut seen = lock.lock().expect("no holder panics");
        while seen.bytes.len() <= count {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !seen.closed, "nothing is written");
            seen = changed.wait_timeout(seen, left).expect("no holder panics").0;
        }
    }

    /// Waits until the program has written nothing for a while, as it does when nothing changes.
    pub(crate) fn wait_for_quiet(&self) {
        let deadline = Instant::now() + DEADLINE;
        let (lock, changed) = &*self.seen;
        let mut seen = lock.lock().expect("no holder panics");
        loop {
            let count = seen.bytes.len();
            let quiet = changed.wait_timeout_while(seen, QUIET, |seen| seen.bytes.len() == count);
            let (after, waited) = quiet.expect("no holder panics");
            if waited.timed_out() {
                return;
            }
            assert!(Instant::now() < deadline, "it writes on and on");
            seen = after;
        }
    }

    /// Waits until the program has taken the terminal over.
    pub(crate) fn wait_for_alternate_screen(&self) {
        let deadline = Instant::now() + DEADLINE;
        let (lock, changed) = &*self.seen;
        let mut seen = lock.lock().expect("no holder panics");
        while !seen.parser.screen().alternate_screen() {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the terminal was not taken over");
            seen = changed.wait_timeout(seen, left).expect("no holder panics").0;
        }
    }

    /// Waits for the program to end and gives its exit status.
    pub(crate) fn wait_for_exit(&mut self) -> u32 {
        self.program.wait_for_exit(|| self.screen())
    }

    /// Quits, and checks that the terminal is given back.
    pub(crate) fn leave(mut self) {
        self.send("q");
        self.wait_for_text("Quit?");
        self.send("y");
        assert_eq!(self.wait_for_exit(), 0);
        self.assert_restored();
    }

    /// Closes the terminal under the program, as a lost connection does, and gives the program.
    pub(crate) fn hang_up(mut self) -> Program {
        self.seen.0.lock().expect("no holder panics").hung_up = true;
        // The reader lets go of the terminal with the program's next bytes, which this key asks for.
        // It is pressed by itself, since the writer sends more when it is dropped.
        self.press("?");
        let Self { program, master, input, slave, .. } = self;
        drop((master, input, slave));
        program
    }

    /// Everything written so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.seen.0.lock().expect("no holder panics").bytes.clone()
    }

    /// Frames drawn so far; checks that each lies within one synchronized update.
    pub(crate) fn frames(&self) -> usize {
        let bytes = self.bytes();
        let count = |pattern: &[u8]| bytes.windows(pattern.len()).filter(|&w| w == pattern).count();
        let (begun, ended) = (count(BEGIN_FRAME), count(END_FRAME));
        assert!(begun - ended.min(begun) <= 1, "{begun} frames begun, {ended} ended");
        begun
    }

    /// Checks that the program has left the terminal as it found it.
    pub(crate) fn assert_restored(&self) {
        let (lock, changed) = &*self.seen;
        let deadline = Instant::now() + DEADLINE;
        let mut seen = lock.lock().expect("no holder panics");
        // The last bytes may still be on their way from the terminal's buffer.
        let is_left_behind = |screen: &vt100::Screen| {
            let mouse = screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None;
            let others = screen.hide_cursor() || screen.bracketed_paste() || mouse;
            screen.alternate_screen() || others
        };
        while is_left_behind(seen.parser.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "the alternate screen, the hidden cursor, the mouse or the bracketed paste was left"
            );
            seen = changed.wait_timeout(seen, left).expect("no holder panics").0;
        }
        assert_eq!(settings(self.master.as_ref()), self.settings_before);
    }
}

/// The batch that the progress pane shows, `412` in `batch   412/1,200`.
#[allow(dead_code, reason = "each file of tests compiles this anew and uses another part")]
pub(crate) fn batch(screen: &str) -> Option<u64> {
    let shown = screen.split_once("batch ")?.1.split_once('/')?.0;
    shown.trim().replace(',', "").parse().ok()
}

/// The screen's text, in which a cell that was never written on is like a blank.
fn contents(parser: &vt100::Parser) -> String {
    let contents = parser.screen().contents();
    let lines: Vec<_> = contents.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

/// Line settings of the terminal: echo, canonical mode and all others.
fn settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("a pseudo-terminal has settings"))
}
