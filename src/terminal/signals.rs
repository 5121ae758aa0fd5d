//! Signals that end, stop or cut off the program.

use std::io;

/// What follows a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// The program ends by itself, or is ended.
    End,
    /// The program goes on.
    GoOn,
}

/// Calls `react` with the number of each SIGINT, SIGTERM, SIGHUP and SIGTSTP, on a thread of its own.
///
/// Once it answers [`After::End`] the program is to end by itself. Where it has not a second later,
/// because its terminal is gone or takes nothing, the thread gives the terminal back and ends the
/// program with status 128 + signal.
///
/// # Errors
/// If the handlers or the thread cannot be set up.
#[cfg(unix)]
pub fn watch_signals(mut react: impl FnMut(i32) -> After + Send + 'static) -> io::Result<()> {
    use std::{process, thread, time::Duration};

    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP},
        iterator::Signals,
    };

    /// How long the program may take to end by itself.
    const GRACE: Duration = Duration::from_secs(1);
    /// How long a terminal may take to be given back.
    const RESTORE: Duration = Duration::from_millis(100);

    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGTSTP])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().find(|signal| react(*signal) == After::End) {
            thread::sleep(GRACE);
            // Writing to a stalled terminal blocks, so it must not be this thread that does.
            thread::spawn(super::restore);
            thread::sleep(RESTORE);
            process::exit(128 + signal);
        }
    })?;
    Ok(())
}

/// Whether a signal says that the terminal is gone.
pub fn is_hang_up(signal: i32) -> bool {
    #[cfg(unix)]
    return signal == signal_hook::consts::SIGHUP;
    #[cfg(not(unix))]
    return signal == 1;
}

/// Whether a signal asks the program to stand still.
pub fn is_suspend(signal: i32) -> bool {
    #[cfg(unix)]
    return signal == signal_hook::consts::SIGTSTP;
    #[cfg(not(unix))]
    return signal == 20;
}

/// Stops the whole program, as the shell expects of ctrl-z, and returns when it is continued.
///
/// # Errors
/// If the system refuses.
pub fn stop_until_continued() -> io::Result<()> {
    #[cfg(unix)]
    return signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP);
    #[cfg(not(unix))]
    return Ok(());
}

/// Lets go of a terminal that is gone, so that nothing reads from it or writes to it any more.
///
/// The thread that waits for keys would otherwise read nothing from it, again and again: crossterm
/// takes the end of a terminal for no reason to stop. A pipe that nobody writes to lets it wait.
///
/// # Errors
/// If there is no pipe to be had, or the null device cannot be opened.
pub fn let_go() -> io::Result<()> {
    #[cfg(unix)]
    {
        let (silence, writer) = io::pipe()?;
        rustix::stdio::dup2_stdin(&silence)?;
        std::mem::forget(writer);
        let null = std::fs::File::options().write(true).open("/dev/null")?;
        rustix::stdio::dup2_stdout(&null)?;
        rustix::stdio::dup2_stderr(&null)?;
    }
    Ok(())
}

/// Watches nothing where there are no such signals.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn watch_signals(_react: impl FnMut(i32) -> After + Send + 'static) -> io::Result<()> {
    Ok(())
}
