//! Answers about the network of a run that is only watched: from its last checkpoint, by a worker that
//! trains nothing.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crossbeam_channel::{Receiver, Sender, bounded, never, select};

use super::CAPACITY;
use crate::{
    checkpoint::load_checkpoint,
    config::{DeviceChoice, RunConfig},
    data::Checksums,
    journal::JournalReader,
    protocol::{Command, Event},
    runs::{Kept, RunFolder},
    train::{self, Tools, Worker},
};

/// How often a newer checkpoint is looked for.
const LOOK: Duration = Duration::from_secs(2);

/// The worker of one checkpoint.
struct Loaded {
    worker: Worker,
    events: Receiver<Event>,
}

/// What the views ask for, to be asked again of a newer checkpoint.
#[derive(Default)]
struct Questions {
    inside: Option<Command>,
    inspect: Option<Command>,
    find: Option<Command>,
    explain: Option<Command>,
}

impl Questions {
    /// Remembers a command, if it is a question.
    fn note(&mut self, command: &Command) -> bool {
        let place = match command {
            Command::LookInside(_) => &mut self.inside,
            Command::Inspect(_) => &mut self.inspect,
            Command::Find(_) => &mut self.find,
            Command::Explain(_) => &mut self.explain,
            _ => return false,
        };
        *place = Some(command.clone());
        true
    }

    fn all(&self) -> impl Iterator<Item = &Command> {
        [&self.inside, &self.inspect, &self.find, &self.explain].into_iter().flatten()
    }
}

/// Answers commands until their sender is gone or the journal has `ended`. Nothing is read before the
/// first question.
pub(super) fn answer(
    folder: &Path,
    commands: &Receiver<Command>,
    ended: &Receiver<()>,
    events: &Sender<Event>,
) {
    let path = folder.join(Kept::Last.file());
    let mut questions = Questions::default();
    let mut loaded: Option<Loaded> = None;
    let mut seen = None;
    let mut told = false;
    loop {
        let answers = loaded.as_ref().map_or_else(never, |loaded| loaded.events.clone());
        select! {
            recv(commands) -> command => {
                let Ok(command) = command else { break };
                if !questions.note(&command) {
                    continue;
                }
                if let Some(loaded) = &loaded {
                    loaded.worker.send(command);
                    continue;
                }
            }
            recv(answers) -> event => {
                match event {
                    Ok(event) if is_answer(&event) => {
                        if events.send(event).is_err() {
                            break;
                        }
                    }
                    Ok(Event::Failed(failure)) => {
                        if !std::mem::replace(&mut told, true) {
                            let reason = format!("The images cannot be shown: {}", failure.message);
                            let _ = events.send(Event::Notice(reason));
                        }
                        loaded = None;
                    }
                    Ok(_) => {}
                    Err(_) => loaded = None,
                }
                continue;
            }
            recv(ended) -> _ => break,
            default(LOOK) => {}
        }
        let written = modified(&path);
        if written.is_some() && written != seen && questions.all().next().is_some() {
            seen = written;
            if let Some(newer) = load(&path, folder) {
                for command in [Command::Pause, Command::Evaluate].iter().chain(questions.all()) {
                    newer.worker.send(command.clone());
                }
                loaded = Some(newer);
            }
        }
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// Whether an event is about the network and not about the run, which the journal tells of.
fn is_answer(event: &Event) -> bool {
    matches!(event, Event::Insides(_) | Event::Found(_) | Event::Explained(_) | Event::Inspected(_))
}

/// Starts a worker from a checkpoint; `None` where that cannot be read, as while it is replaced.
fn load(path: &Path, folder: &Path) -> Option<Loaded> {
    let checkpoint = load_checkpoint(path).ok()?;
    let config =
        RunConfig { save: None, device: DeviceChoice::Cpu, threads: Some(1), ..checkpoint.config };
    let tools = Tools {
        start: Some(Arc::clone(&checkpoint.state)),
        data: checksums(folder),
        attended: true,
        read_only: true,
        ..Tools::unattended()
    };
    let (sender, events) = bounded(CAPACITY);
    let worker = train::spawn_with_tools(config, tools, vec![sender]);
    Some(Loaded { worker, events })
}

/// The checksums that the run noted of its images.
fn checksums(folder: &Path) -> Option<Checksums> {
    let mut reader = JournalReader::open(&RunFolder::journal_at(folder)).ok()?;
    while let Ok(Some(event)) = reader.next_event() {
        if let Event::Started(info) = event {
            return info.checksums;
        }
    }
    None
}
