//! Signals that end the program while its screen is up.

use std::io;

use crossbeam_channel::Sender;

/// Reports SIGINT, SIGTERM and SIGHUP on `sender`, on a thread of its own.
///
/// Where the program has not ended a second after a signal, because its terminal is gone or takes
/// nothing, the thread gives the terminal back and ends the program with status 128 + signal.
///
/// # Errors
/// If the handlers or the thread cannot be set up.
#[cfg(unix)]
pub fn watch_signals(sender: Sender<i32>) -> io::Result<()> {
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
            // The screen thread may be gone, or stuck in a write; the wait below covers both.
            let _ = sender.try_send(signal);
            thread::sleep(GRACE);
            // Writing to a stalled terminal blocks, so it must not be this thread that does.
            thread::spawn(super::restore);
            thread::sleep(RESTORE);
            process::exit(128 + signal);
        }
    })?;
    Ok(())
}

/// Reports nothing where there are no such signals.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn watch_signals(_sender: Sender<i32>) -> io::Result<()> {
    Ok(())
}
