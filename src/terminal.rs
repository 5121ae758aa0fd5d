//! Taking the terminal over, drawing on it, and giving it back as it was found.

mod abilities;
pub mod decoder;
mod reader;
mod signals;

use std::{
    cell::Cell,
    io::{self, BufWriter, Stdout, Write, stdout},
    mem::ManuallyDrop,
    panic,
    rc::Rc,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crossterm::{
    cursor,
    event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture},
    execute, queue, style,
    terminal::{
        BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
        LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
    },
};
use ratatui::{
    Frame, Terminal,
    backend::CrosstermBackend,
    layout::{Rect, Size},
};

pub use abilities::{Abilities, ask as ask_abilities};
use decoder::ASK_BACKGROUND;
pub use decoder::Decoder;
pub use reader::{Read, read_terminal};
pub use signals::{
    After, is_continue, is_hang_up, is_resize, is_suspend, let_go, report_file_limit,
    stop_until_continued, watch_signals, watch_signals_for,
};

/// Bytes gathered before they are written: more than a usual frame, so that a frame is one write.
const BUFFER: usize = 1 << 16;

/// Whether this program's screen is up.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Whether the terminal reports the mouse to this program.
static MOUSE: AtomicBool = AtomicBool::new(false);
static PANIC_HOOK: Once = Once::new();

/// The terminal, taken over until this is dropped.
#[derive(Debug)]
pub struct Screen {
    /// Never dropped: ratatui would show the cursor again, and print to stderr if that fails, which
    /// panics where stderr is the same lost terminal.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<BufWriter<Counted>>>>,
    /// Whether the next frame takes nothing on the screen for granted.
    redraws: bool,
    /// Bytes written in all.
    written: Rc<Cell<u64>>,
}

/// Standard output, with a count of what is written to it.
#[derive(Debug)]
struct Counted {
    out: Stdout,
    written: Rc<Cell<u64>>,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.written.set(self.written.get() + written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Screen {
    /// Takes the terminal over. The calling thread becomes the one whose panic gives it back.
    ///
    /// # Errors
    /// If the terminal cannot be set up; it is then given back.
    pub fn enter() -> io::Result<Self> {
        install_panic_hook();
        // Colours come from the theme, which knows of NO_COLOR; crossterm's own handling of it would
        // replace each colour by a reset of all attributes.
        style::force_color_output(true);
        TAKEN.store(true, Ordering::SeqCst);
        let written = Rc::new(Cell::new(0));
        let out = Counted { out: stdout(), written: Rc::clone(&written) };
        let entered = take().and_then(|()| {
            Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(BUFFER, out)))
        });
        match entered {
            Ok(terminal) => {
                Ok(Self { terminal: ManuallyDrop::new(terminal), redraws: false, written })
            }
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }

    /// Shows a frame, all at once on terminals that can, and gives the bytes that took.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<u64> {
        let before = self.written.get();
        // Outside a synchronized update so that no flush lies between its begin and its content.
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        if std::mem::take(&mut self.redraws) {
            // `Terminal::clear` would ask the terminal where the cursor is, and wait for the answer.
            let Size { width, height } = self.terminal.size()?;
            self.terminal.resize(Rect::new(0, 0, width, height))?;
        }
        self.terminal.draw(render)?;
        queue!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        self.terminal.backend_mut().flush()?;
        Ok(self.written.get() - before)
    }

    /// Asks for the colour of the background; the reply comes among what the terminal sends, if it
    /// comes.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    pub fn ask_background(&mut self) -> io::Result<()> {
        let backend = self.terminal.backend_mut();
        backend.write_all(ASK_BACKGROUND.as_bytes())?;
        backend.flush()
    }

    /// Has the next frame written as a whole, whatever another program has left on the screen.
    pub fn redraw(&mut self) {
        self.redraws = true;
    }

    /// Takes the terminal over once more, since the shell may have used it while the program was
    /// stopped by a signal that cannot be caught.
    ///
    /// # Errors
    /// If the terminal cannot be set up.
    pub fn take_again(&mut self) -> io::Result<()> {
        disable_raw_mode()?;
        take()?;
        if MOUSE.load(Ordering::SeqCst) {
            execute!(stdout(), EnableMouseCapture)?;
        }
        self.redraw();
        Ok(())
    }

    /// Has the mouse reported, or leaves it to the terminal, which selects text with it.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    pub fn capture_mouse(&mut self, capture: bool) -> io::Result<()> {
        match (MOUSE.swap(capture, Ordering::SeqCst), capture) {
            (false, true) => execute!(self.terminal.backend_mut(), EnableMouseCapture),
            (true, false) => execute!(self.terminal.backend_mut(), DisableMouseCapture),
            _ => Ok(()),
        }
    }
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    // Not every terminal has another screen, nor is that always an empty one.
    execute!(
        stdout(),
        EnterAlternateScreen,
        Clear(ClearType::All),
        EnableBracketedPaste,
        cursor::Hide
    )
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Columns and rows of the terminal; `None` where there is none, or it does not say.
pub fn size() -> Option<(u16, u16)> {
    crossterm::terminal::size().ok()
}

/// Gives the terminal back if it is taken. Safe to call at any time and from any thread.
pub fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // A terminal that is gone needs nothing back.
        if MOUSE.swap(false, Ordering::SeqCst) {
            let _ = execute!(stdout(), DisableMouseCapture);
        }
        let _ = execute!(
            stdout(),
            EndSynchronizedUpdate,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            cursor::Show
        );
        discard_input();
        let _ = disable_raw_mode();
    }
}

/// Drops what was sent to this program and not read, so that the rest of a paste does not run in the
/// shell.
fn discard_input() {
    #[cfg(unix)]
    {
        use rustix::{
            event::{PollFd, PollFlags, Timespec, poll},
            termios::{QueueSelector, tcflush},
        };

        /// How often the terminal is looked at for more: in all less than a signal leaves time for.
        const LOOKS: usize = 5;
        const BETWEEN: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

        let stdin = io::stdin();
        for _ in 0..LOOKS {
            let flushed = tcflush(&stdin, QueueSelector::IFlush);
            let mut watched = [PollFd::new(&stdin, PollFlags::IN)];
            if flushed.is_err() || poll(&mut watched, Some(&BETWEEN)) != Ok(1) {
                break;
            }
        }
    }
}

/// On a panic of this thread, gives the terminal back before the message is printed. Other threads
/// stay silent while the screen is up: their message would garble it, and whoever started them
/// reports it.
fn install_panic_hook() {
    let screen_thread = thread::current().id();
    PANIC_HOOK.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if thread::current().id() == screen_thread {
                restore();
            }
            if !TAKEN.load(Ordering::SeqCst) {
                report(info);
            }
        }));
    });
}
