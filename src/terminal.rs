//! Taking the terminal over, drawing on it, and giving it back as it was found.

mod signals;

use std::{
    io::{self, BufWriter, Stdout, Write, stdout},
    mem::ManuallyDrop,
    panic,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crossterm::{
    cursor,
    event::{DisableMouseCapture, EnableMouseCapture},
    execute, queue, style,
    terminal::{
        BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
        LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
    },
};
use ratatui::{Frame, Terminal, backend::CrosstermBackend};

pub use signals::{
    After, is_hang_up, is_resize, is_suspend, let_go, stop_until_continued, wait_for_input,
    watch_signals,
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
    terminal: ManuallyDrop<Terminal<CrosstermBackend<BufWriter<Stdout>>>>,
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
        // Not every terminal has another screen, nor is that always an empty one.
        let entered = enable_raw_mode()
            .and_then(|()| {
                execute!(stdout(), EnterAlternateScreen, Clear(ClearType::All), cursor::Hide)
            })
            .and_then(|()| {
                Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(BUFFER, stdout())))
            });
        match entered {
            Ok(terminal) => Ok(Self { terminal: ManuallyDrop::new(terminal) }),
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }

    /// Shows a frame, all at once on terminals that can.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        // Outside a synchronized update so that no flush lies between its begin and its content.
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(render)?;
        queue!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        self.terminal.backend_mut().flush()
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

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back if it is taken. Safe to call at any time and from any thread.
pub fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // A terminal that is gone needs nothing back.
        if MOUSE.swap(false, Ordering::SeqCst) {
            let _ = execute!(stdout(), DisableMouseCapture);
        }
        let _ = execute!(stdout(), EndSynchronizedUpdate, LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
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
