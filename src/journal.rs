//! The events of a run in a file, one JSON object a line, to be read again as events.
//!
//! It is what a resumed run and a watching dashboard learn the past from. Answers to a person and
//! the digits of batches are left out, checkpoints have files of their own. Numbers that are not
//! finite are `null`, and NaN when they are read.

mod reader;

use std::{
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::Path,
};

use crate::protocol::{Event, Progress};

pub use reader::{JournalError, JournalReader, LONGEST_LINE};

/// A journal being written.
#[derive(Debug)]
pub struct Journal {
    out: BufWriter<File>,
    bytes: u64,
    /// Reused from line to line.
    line: Vec<u8>,
}

impl Journal {
    /// A journal in the file at this path, created if it is missing, that keeps the first `bytes`.
    ///
    /// # Errors
    /// If the file cannot be opened, or is shorter than that.
    pub fn open(path: &Path, bytes: u64) -> io::Result<Self> {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        Self::continued(file, bytes)
    }

    /// A journal that keeps the first `bytes` of what the file holds.
    ///
    /// # Errors
    /// If the file is shorter than that, or takes no change.
    pub fn continued(mut file: File, bytes: u64) -> io::Result<Self> {
        Self::check_length(&file, bytes)?;
        file.set_len(bytes)?;
        file.seek(SeekFrom::Start(bytes))?;
        Ok(Self { out: BufWriter::new(file), bytes, line: Vec::new() })
    }

    /// Checks that a journal can be continued after its first `bytes`, and changes nothing.
    ///
    /// # Errors
    /// If the file is shorter than that.
    pub fn check_length(file: &File, bytes: u64) -> io::Result<()> {
        let found = file.metadata()?.len();
        if found < bytes {
            let message = format!("it has {found} bytes, expected at least {bytes}");
            return Err(io::Error::other(message));
        }
        Ok(())
    }

    /// Writes an event, if it is one that is kept.
    ///
    /// # Errors
    /// If the file takes nothing more.
    pub fn write(&mut self, event: &Event) -> io::Result<()> {
        self.line.clear();
        match event {
            Event::Epochs(_)
            | Event::Inspected(_)
            | Event::Insides(_)
            | Event::Explained(_)
            | Event::Found(_)
            | Event::Checkpoint(_)
            | Event::Notice(_) => {
                return Ok(());
            }
            Event::Progress(progress) if progress.losses.is_empty() => return Ok(()),
            Event::Progress(progress) => {
                let bare = Event::Progress(Progress { sample: None, ..progress.clone() });
                serde_json::to_writer(&mut self.line, &bare)?;
            }
            // Each by name, so that a new kind is looked at here.
            Event::Started(_)
            | Event::State(_)
            | Event::Epoch(_)
            | Event::Evaluated(_)
            | Event::Rewound(_)
            | Event::LearningRate(_)
            | Event::Break(_)
            | Event::Hardware(_)
            | Event::Finished(_)
            | Event::Failed(_) => serde_json::to_writer(&mut self.line, event)?,
        }
        self.line.push(b'\n');
        self.out.write_all(&self.line)?;
        self.bytes += self.line.len() as u64;
        Ok(())
    }

    /// Gives the system all that was written.
    ///
    /// # Errors
    /// If the file takes nothing more.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Waits until the disk has all that was written.
    ///
    /// # Errors
    /// If the file takes nothing more.
    pub fn sync(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.out.get_ref().sync_data()
    }

    /// Bytes written, and kept before.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::protocol::{Clock, Digit, RunInfo, RunState, Sample};

    fn progress(first_step: u64, losses: &[f32]) -> Event {
        Event::Progress(Progress {
            epoch: 1,
            first_step,
            first_batch: first_step,
            losses: losses.to_vec(),
            images: 50 * (first_step + losses.len() as u64 - 1),
            learning_rate: 1e-3,
            clock: Clock { training: 0.125, evaluating: 0.0 },
            sample: None,
            measures: Vec::new(),
        })
    }

    fn read(path: &Path) -> Vec<Event> {
        let mut reader = JournalReader::open(path).expect("it is there");
        std::iter::from_fn(|| reader.next_event().expect("it is whole")).collect()
    }

    #[test]
    fn events_read_back_as_they_were_without_digits() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path, 0).expect("it opens");
        let digit = Digit { pixels: vec![1; 784], label: 1, prediction: 2, probability: 0.5 };
        let Event::Progress(mut shown) = progress(3, &[0.25]) else { unreachable!() };
        shown.sample = Some(Sample { step: 3, digits: vec![digit], originals: Vec::new() });
        let events = [
            Event::Started(RunInfo::example()),
            Event::State(RunState::Training),
            progress(1, &[2.3, 2.1]),
        ];
        for event in &events {
            journal.write(event).expect("there is room");
        }
        journal.write(&Event::Progress(shown)).expect("there is room");
        journal.write(&progress(4, &[])).expect("there is room");
        journal.sync().expect("there is room");
        assert_eq!(journal.bytes(), fs::metadata(&path).expect("it is there").len());
        assert_eq!(read(&path), [&events[..], &[progress(3, &[0.25])]].concat());
    }

    #[test]
    fn a_loss_that_is_not_finite_is_nan_when_it_is_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path, 0).expect("it opens");
        journal.write(&progress(1, &[0.5, f32::INFINITY, f32::NAN])).expect("there is room");
        journal.flush().expect("there is room");
        let events = read(&path);
        let [Event::Progress(found)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(found.losses[0], 0.5);
        assert!(found.losses[1].is_nan() && found.losses[2].is_nan());
    }

    #[test]
    fn what_follows_the_bytes_to_keep_goes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path, 0).expect("it opens");
        journal.write(&progress(1, &[2.0])).expect("there is room");
        let kept = journal.bytes();
        journal.write(&progress(2, &[1.0])).expect("there is room");
        journal.flush().expect("there is room");
        drop(journal);
        let mut journal = Journal::open(&path, kept).expect("it opens");
        journal.write(&progress(2, &[0.5])).expect("there is room");
        journal.flush().expect("there is room");
        assert_eq!(read(&path), [progress(1, &[2.0]), progress(2, &[0.5])]);
        let error = Journal::open(&path, 1 << 40).expect_err("it is shorter").to_string();
        assert!(error.contains("expected at least"), "{error}");
    }

    #[test]
    fn a_line_without_its_end_waits_for_the_rest_and_a_damaged_one_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal");
        fs::write(&path, "{\"state\":\"training\"}\n{\"sta").expect("written");
        let mut reader = JournalReader::open(&path).expect("it is there");
        assert_eq!(reader.next_event().expect("whole"), Some(Event::State(RunState::Training)));
        assert_eq!(reader.next_event().expect("not yet"), None);
        let mut file = File::options().append(true).open(&path).expect("it is there");
        file.write_all(b"te\":\"paused\"}\n{\"state\":7}\n").expect("written");
        assert_eq!(reader.next_event().expect("whole"), Some(Event::State(RunState::Paused)));
        let error = reader.next_event().expect_err("no state").to_string();
        assert!(error.contains("is damaged in line 3: "), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn numbers_read_back_to_the_bit(
            losses in proptest::collection::vec(proptest::num::f32::NORMAL, 1..20),
            rate in proptest::num::f64::NORMAL,
            seconds in proptest::num::f64::POSITIVE,
        ) {
            let Event::Progress(mut event) = progress(1, &losses) else { unreachable!() };
            event.learning_rate = rate;
            event.clock.training = seconds;
            let json = serde_json::to_vec(&Event::Progress(event)).expect("plain data");
            let read: Event = serde_json::from_slice(&json).expect("it reads");
            let Event::Progress(read) = read else { unreachable!() };
            let bits = |values: &[f32]| values.iter().map(|loss| loss.to_bits()).collect::<Vec<_>>();
            proptest::prop_assert_eq!(bits(&read.losses), bits(&losses));
            proptest::prop_assert_eq!(read.learning_rate.to_bits(), rate.to_bits());
            proptest::prop_assert_eq!(read.clock.training.to_bits(), seconds.to_bits());
        }
    }
}
