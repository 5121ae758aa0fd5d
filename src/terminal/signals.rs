//! Signals that end the program.

use std::io;

/// Calls `react` with the number of the first SIGINT, SIGTERM or SIGHUP, on a thread of its own.
///
/// The program is then to end by itself. Where it has not a second later, because its terminal is
/// gone or takes nothing, the thread gives the terminal back and ends the program with status
/// 128 + signal.
///
/// # Errors
/// If the handlers or the thread cannot be set up.
#[cfg(unix)]
pub fn watch_signals(react: impl FnOnce(i32) + Send + 'static) -> io::Result<()> {
    use std::{process, thread, time::Duration};

    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
    };

    /// How long the program may take to end by itself.
    const GRACE: Duration = Duration::from_secs(1);
    /// How long a terminal may take to be given back.
    const RESTORE: Duration = Duration::from_millis(100);

    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            react(signal);
            thread::sleep(GRACE);
            // Writing to a stalled terminal blocks, so it must not be this thread that does.
            thread::spawn(super::restore);
            thread::sleep(RESTORE);
            process::exit(128 + signal);
        }
    })?;
    Ok(())
}

/// Watches nothing where there are no such signals.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn watch_signals(_react: impl FnOnce(i32) + Send + 'static) -> io::Result<()> {
    Ok(())
}
