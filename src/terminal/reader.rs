//! What the terminal sends, read on a thread of its own.

use std::{io, thread, time::Instant};

use crossbeam_channel::{Receiver, bounded};

/// Reads that wait to be decoded; further bytes wait in the terminal.
const CAPACITY: usize = 64;

/// What came from the terminal, and when.
#[derive(Debug)]
pub struct Read {
    /// When it came.
    pub at: Instant,
    /// What came at once.
    pub bytes: Vec<u8>,
}

/// Reads from the terminal until it is gone; the last item then says why. The thread ends with that, or
/// with the program.
///
/// # Errors
/// If there is no terminal to read from, or no thread to be had.
#[cfg(unix)]
pub fn read_terminal() -> io::Result<Receiver<io::Result<Read>>> {
    use std::io::IsTerminal;

    let (sender, receiver) = bounded(CAPACITY);
    // Standard input may be a file or a pipe while the screen is up.
    let other =
        if io::stdin().is_terminal() { None } else { Some(std::fs::File::open("/dev/tty")?) };
    thread::Builder::new().name("input".to_owned()).spawn(move || {
        // More than a terminal has for a reader at once.
        let mut buffer = [0; 4_096];
        loop {
            let read = match &other {
                Some(terminal) => read_some(terminal, &mut buffer),
                None => read_some(&io::stdin(), &mut buffer),
            };
            let read = read.map(|count| Read { at: Instant::now(), bytes: buffer[..count].into() });
            let is_gone = read.is_err();
            if sender.send(read).is_err() || is_gone {
                return;
            }
        }
    })?;
    Ok(receiver)
}

/// Waits for bytes. The end of a terminal, which is that of its connection, is an error.
#[cfg(unix)]
fn read_some(terminal: &impl std::os::fd::AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    use rustix::{
        event::{PollFd, PollFlags, poll},
        io::Errno,
    };

    loop {
        match rustix::io::read(terminal, &mut *buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => return Ok(count),
            Err(Errno::INTR) => {}
            // Another program that shares the terminal may have set it so.
            Err(Errno::AGAIN) => match poll(&mut [PollFd::new(terminal, PollFlags::IN)], None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            },
            Err(error) => return Err(error.into()),
        }
    }
}

/// Reads standard input where terminals are no files.
///
/// # Errors
/// If there is no thread to be had.
#[cfg(not(unix))]
pub fn read_terminal() -> io::Result<Receiver<io::Result<Read>>> {
    use std::io::Read as _;

    let (sender, receiver) = bounded(CAPACITY);
    thread::Builder::new().name("input".to_owned()).spawn(move || {
        let mut buffer = [0; 4_096];
        loop {
            let read = match io::stdin().read(&mut buffer) {
                Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => Ok(Read { at: Instant::now(), bytes: buffer[..count].into() }),
                Err(error) => Err(error),
            };
            let is_gone = read.is_err();
            if sender.send(read).is_err() || is_gone {
                return;
            }
        }
    })?;
    Ok(receiver)
}
