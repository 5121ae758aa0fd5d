//! A journal being read.

use std::{
    fs::{File, Metadata},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use crate::protocol::Event;

/// The longest line that is read, in bytes.
///
/// A run writes at most about 1 MB at once: [`Progress::MOST`](crate::protocol::Progress::MOST) losses of at most 15 bytes. Programs
/// before that limit wrote an epoch at once if the disk was slow, which is 11 MB for the 697,932
/// training images of EMNIST, the largest relative of MNIST, one by one.
pub const LONGEST_LINE: u64 = 16 << 20;

/// A journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The system refuses.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        reason: io::Error,
    },
    /// A line is no event.
    #[error("{} is damaged in line {line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: serde_json::Error,
    },
    /// A line does not end.
    #[error(
        "{} is damaged in line {line}: it is longer than the {LONGEST_LINE} bytes of any event",
        path.display()
    )]
    Endless {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
    },
}

/// A journal being read, perhaps while it grows.
#[derive(Debug)]
pub struct JournalReader<R = File> {
    path: PathBuf,
    source: BufReader<R>,
    /// The start of a line whose end was not written yet.
    line: Vec<u8>,
    lines: u64,
    /// Bytes of whole lines that were read.
    bytes: u64,
    /// The last of them, at most [`REMEMBERED`].
    remembered: Vec<u8>,
}

/// Bytes that a journal is recognised by: several lines with times to the nanosecond, which no two
/// runs share.
const REMEMBERED: usize = 4_096;

impl JournalReader<File> {
    /// Opens a journal at its start.
    ///
    /// # Errors
    /// If there is no such file, or it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        // Pipes and devices would be waited for, or never end.
        let opened = path.metadata().and_then(|metadata| {
            if metadata.is_file() {
                File::open(path)
            } else {
                Err(io::Error::other("it is not a regular file"))
            }
        });
        opened
            .map(|file| Self::new(path, file))
            .map_err(|reason| JournalError::Read { path: path.to_owned(), reason })
    }

    /// Whether the file no longer holds what was read: a run that is resumed from an earlier step
    /// cuts its journal there and writes on, so that it may be longer again at the next look. A file
    /// that is gone has not changed.
    pub fn is_outdated(&self) -> bool {
        let Ok(metadata) = self.path.metadata() else { return false };
        let opened = self.source.get_ref().metadata();
        if !metadata.is_file() || opened.is_ok_and(|opened| !is_same(&opened, &metadata)) {
            return true;
        }
        if metadata.len() < self.bytes {
            return true;
        }
        let mut found = vec![0; self.remembered.len()];
        let read = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.bytes - found.len() as u64))?;
            file.read_exact(&mut found)
        });
        match read {
            Ok(()) => found != self.remembered,
            // It was cut just now; other errors come again where it is read on.
            Err(error) => error.kind() == io::ErrorKind::UnexpectedEof,
        }
    }
}

/// Whether both are of the same file.
#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Whether both are of the same file, as far as can be told.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

impl<R: Read> JournalReader<R> {
    /// A journal out of `source`, which errors call `path`.
    pub fn new(path: &Path, source: R) -> Self {
        Self {
            path: path.to_owned(),
            source: BufReader::new(source),
            line: Vec::new(),
            lines: 0,
            bytes: 0,
            remembered: Vec::new(),
        }
    }

    /// The next event; `None` where no whole line is left, for now.
    ///
    /// # Errors
    /// If the file cannot be read, or the line is no event or longer than [`LONGEST_LINE`].
    pub fn next_event(&mut self) -> Result<Option<Event>, JournalError> {
        let room = LONGEST_LINE.saturating_sub(self.line.len() as u64);
        let read = self.source.by_ref().take(room).read_until(b'\n', &mut self.line);
        read.map_err(|reason| JournalError::Read { path: self.path.clone(), reason })?;
        if self.line.last() != Some(&b'\n') {
            return if self.line.len() as u64 >= LONGEST_LINE {
                Err(JournalError::Endless { path: self.path.clone(), line: self.lines + 1 })
            } else {
                Ok(None)
            };
        }
        self.lines += 1;
        self.bytes += self.line.len() as u64;
        self.remember();
        let event = serde_json::from_slice(&self.line).and_then(|event: Event| {
            if event.is_plausible() {
                Ok(event)
            } else {
                Err(serde::de::Error::custom(
                    "its numbers are out of the range that a run can have",
                ))
            }
        });
        self.line.clear();
        event.map(Some).map_err(|reason| JournalError::Line {
            path: self.path.clone(),
            line: self.lines,
            reason,
        })
    }

    /// Remembers the end of what was read, the line included.
    fn remember(&mut self) {
        let new = &self.line[self.line.len().saturating_sub(REMEMBERED)..];
        let old = self.remembered.len().saturating_sub(REMEMBERED - new.len());
        self.remembered.drain(..old);
        self.remembered.extend_from_slice(new);
    }

    /// Bytes of the lines that were read.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        journal::Journal,
        protocol::{Clock, Progress, RunState},
    };

    fn progress(first_step: u64, losses: &[f32]) -> Event {
        Event::Progress(Progress {
            epoch: 1,
            first_step,
            first_batch: first_step,
            losses: losses.to_vec(),
            images: first_step,
            learning_rate: 1e-3,
            clock: Clock { training: 0.125, evaluating: 0.0 },
            sample: None,
            measures: Vec::new(),
        })
    }

    #[test]
    fn a_line_without_an_end_is_named_before_it_fills_the_memory() {
        let start = &b"{\"state\":\"training\"}\n"[..];
        let source = start.chain(io::repeat(0).take(4 * LONGEST_LINE));
        let mut reader = JournalReader::new(Path::new("name"), source);
        assert_eq!(reader.next_event().expect("whole"), Some(Event::State(RunState::Training)));
        for _ in 0..2 {
            let error = reader.next_event().expect_err("no event is that long").to_string();
            assert!(error.starts_with("name is damaged in line 2: it is longer than "), "{error}");
        }
        assert!(reader.line.capacity() as u64 <= 2 * LONGEST_LINE);
    }

    #[test]
    fn the_longest_line_that_a_run_writes_is_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path, 0).expect("it opens");
        // No f32 takes more digits.
        let losses = vec![-1.175_494_4e-38; Progress::MOST];
        let Event::Progress(mut long) = progress(1 << 45, &losses) else { unreachable!() };
        long.clock = Clock { training: -1.797_693_134_862_315_7e-308, evaluating: -2e-308 };
        journal.write(&Event::Progress(long.clone())).expect("there is room");
        journal.flush().expect("there is room");
        assert!(journal.bytes() < LONGEST_LINE / 8, "{}", journal.bytes());
        let mut reader = JournalReader::open(&path).expect("it is there");
        assert_eq!(reader.next_event().expect("it is whole"), Some(Event::Progress(long)));
    }

    #[test]
    fn a_journal_that_was_cut_and_has_grown_again_is_outdated() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path, 0).expect("it opens");
        for step in 1..=100 {
            journal.write(&progress(step, &[0.5])).expect("there is room");
        }
        let kept = journal.bytes();
        for step in 101..=200 {
            journal.write(&progress(step, &[0.5])).expect("there is room");
        }
        journal.flush().expect("there is room");
        let mut reader = JournalReader::open(&path).expect("it is there");
        assert!(!reader.is_outdated(), "nothing was read");
        while reader.next_event().expect("it is whole").is_some() {}
        assert_eq!((reader.bytes(), reader.remembered.len()), (journal.bytes(), REMEMBERED));
        journal.write(&progress(201, &[0.5])).expect("there is room");
        journal.flush().expect("there is room");
        assert!(!reader.is_outdated(), "it has grown");
        drop(journal);
        let mut journal = Journal::open(&path, kept).expect("it opens");
        for step in 101..=300 {
            journal.write(&progress(step, &[0.25])).expect("there is room");
        }
        journal.flush().expect("there is room");
        assert!(journal.bytes() > reader.bytes() && reader.is_outdated());
        fs::remove_file(&path).expect("it was there");
        assert!(!reader.is_outdated(), "there is nothing else to read");
        fs::write(&path, vec![b' '; 1 << 20]).expect("there is room");
        assert!(reader.is_outdated(), "it is another file");
    }
}
