//! Signals that end, stop or cut off the program, or tell of another size of the terminal.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

/// What follows a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// The program ends by itself, or is ended.
    End,
    /// The program continues.
    GoOn,
}

/// Calls `react` with the number of each signal that would end or stop the process and can be caught,
/// and of each SIGCONT and SIGWINCH, on a thread of its own. Signals that were ignored when the program started, as
/// by `nohup`, stay so.
///
/// Once it answers [`After::End`] the program is to end by itself. Where it has not shortly before a
/// second is over, because its terminal is gone or takes nothing, the thread gives the terminal back
/// and ends the program with status 128 + signal.
///
/// SIGKILL cannot be caught, and of a fault of the process itself (SIGSEGV, SIGBUS, SIGILL, SIGFPE, or
/// the SIGABRT of an abort) no thread can tell in time: these leave the terminal as it is.
///
/// # Errors
/// If the handlers or the thread cannot be set up.
pub fn watch_signals(react: impl FnMut(i32) -> After + Send + 'static) -> io::Result<()> {
    watch_signals_for(SHORT_GRACE, react)
}

/// How long a program with a screen may take to end by itself: with what follows, less than a second.
const SHORT_GRACE: Duration = Duration::from_millis(850);

/// [`watch_signals`] for a program that may take as long as `grace` to end by itself, unless it is signalled
/// again.
///
/// # Errors
/// If the handlers or the thread cannot be set up.
#[cfg(unix)]
pub fn watch_signals_for(
    grace: Duration,
    mut react: impl FnMut(i32) -> After + Send + 'static,
) -> io::Result<()> {
    use std::{process, thread, time::Instant};

    use signal_hook::{
        consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH},
        iterator::Signals,
    };

    /// How often another signal is looked for.
    const LOOK: Duration = Duration::from_millis(50);
    /// How long a terminal may take to be given back.
    const RESTORE: Duration = Duration::from_millis(100);

    let is_wanted = |signal: &i32| !is_ignored(*signal);
    let all = [SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT, SIGWINCH];
    let mut signals = Signals::new(all.into_iter().filter(is_wanted))?;
    for signal in seldom_sent().into_iter().filter(is_wanted) {
        // Which of them there are differs between systems.
        let _ = signals.add_signal(signal);
    }
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().find(|signal| react(*signal) == After::End) {
            let mut end = Instant::now() + grace;
            while let Some(left) = end.checked_duration_since(Instant::now()) {
                thread::sleep(left.min(LOOK));
                let ends =
                    |signal| !is_suspend(signal) && !is_continue(signal) && !is_resize(signal);
                if signals.pending().any(ends) {
                    end = end.min(Instant::now() + SHORT_GRACE);
                }
            }
            // Writing to a stalled terminal blocks, so that it must not be this thread that does.
            let restore = thread::Builder::new().spawn(super::restore);
            if restore.is_ok() {
                thread::sleep(RESTORE);
            } else {
                super::restore();
            }
            process::exit(128 + signal);
        }
    })?;
    Ok(())
}

/// Signals, other than the usual ones, that end a process unless it catches them.
#[cfg(unix)]
fn seldom_sent() -> Vec<i32> {
    use signal_hook::consts::{
        SIGABRT, SIGALRM, SIGPROF, SIGQUIT, SIGSYS, SIGTRAP, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU,
    };

    let mut signals = vec![
        SIGQUIT, SIGABRT, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGSYS, SIGTRAP,
    ];
    #[cfg(target_os = "linux")]
    {
        use rustix::process::Signal;

        /// Real-time signals that the C library does not keep for itself.
        const REAL_TIME: std::ops::RangeInclusive<i32> = 34..=64;
        signals.extend([Signal::IO, Signal::POWER, Signal::STKFLT].map(Signal::as_raw));
        signals.extend(REAL_TIME);
    }
    signals
}

/// Has a write beyond the limit of a file's size fail, as one to a full disk does, in place of ending
/// the program by SIGXFSZ.
///
/// # Errors
/// If the handler cannot be set up.
pub fn report_file_limit() -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::sync::{Arc, atomic::AtomicBool};

        // Any handler will do. Unlike an ignored signal it is not handed on to other programs.
        signal_hook::flag::register(
            signal_hook::consts::SIGXFSZ,
            Arc::new(AtomicBool::new(false)),
        )?;
    }
    Ok(())
}

/// Whether the program was started with a signal ignored, as far as the system tells.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_in(&status, signal)
}

/// Whether `SigIgn` of proc(5) holds a signal.
#[cfg(unix)]
fn ignored_in(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    (1..=64).contains(&signal) && mask >> (signal - 1) & 1 == 1
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

/// Whether a signal says that the program was stopped and is continued.
pub fn is_continue(signal: i32) -> bool {
    #[cfg(unix)]
    return signal == signal_hook::consts::SIGCONT;
    #[cfg(not(unix))]
    return signal == 18;
}

/// Whether a signal tells of another size of the terminal.
pub fn is_resize(signal: i32) -> bool {
    #[cfg(unix)]
    return signal == signal_hook::consts::SIGWINCH;
    #[cfg(not(unix))]
    return signal == 28;
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
/// A read from it ends at once, again and again; a pipe without a writer keeps the reader waiting.
///
/// # Errors
/// If there is no pipe to be had, or the null device cannot be opened.
pub fn let_go() -> io::Result<()> {
    #[cfg(unix)]
    {
        // Asking a terminal that is gone fails, which says as much.
        let is_gone_or_terminal = |is_terminal: bool, file: std::path::PathBuf| {
            is_terminal || std::fs::read_link(file).is_ok_and(|to| to.starts_with("/dev/pts"))
        };
        let at = |number: u8| std::path::PathBuf::from(format!("/proc/self/fd/{number}"));
        let (silence, writer) = io::pipe()?;
        if is_gone_or_terminal(io::stdin().is_terminal(), at(0)) {
            rustix::stdio::dup2_stdin(&silence)?;
            std::mem::forget(writer);
        }
        let null = std::fs::File::options().write(true).open("/dev/null")?;
        if is_gone_or_terminal(io::stdout().is_terminal(), at(1)) {
            rustix::stdio::dup2_stdout(&null)?;
        }
        if is_gone_or_terminal(io::stderr().is_terminal(), at(2)) {
            rustix::stdio::dup2_stderr(&null)?;
        }
    }
    Ok(())
}

/// Watches nothing where there are no such signals.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn watch_signals_for(
    _grace: Duration,
    _react: impl FnMut(i32) -> After + Send + 'static,
) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn signals_that_are_ignored_are_read_from_the_mask() {
        let status = "Name:\tx\nSigBlk:\t0000000000000003\nSigIgn:\t0000000000001001\n";
        assert!(ignored_in(status, 1) && ignored_in(status, 13));
        assert!(!ignored_in(status, 2) && !ignored_in(status, 0) && !ignored_in(status, 65));
        assert!(!ignored_in("", 1));
    }
}
