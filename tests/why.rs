//! Explanations beside a run over the real thread and channels.

use std::{path::Path, sync::Arc, time::Duration};

use crossbeam_channel::{Receiver, bounded};
use mnist_tui::{
    config::{DataSource, RunConfig},
    protocol::{
        Answer, Command, Content, EvalSet, Event, ImageSet, Method, Question, RunState, Subject,
    },
    train::{Tools, Worker, spawn_with_screen},
};
use tempfile::TempDir;

#[path = "common/idx.rs"]
mod idx;

const DEADLINE: Duration = Duration::from_secs(60);

fn small_set() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    idx::write_set(folder.path(), 200, 30);
    folder
}

fn config(folder: &Path) -> RunConfig {
    let data = DataSource::Path(folder.to_owned());
    RunConfig { data, epochs: 2, batch_size: 5, threads: Some(2), ..RunConfig::default() }
}

fn start(config: RunConfig) -> (Worker, Receiver<Event>, Receiver<Event>) {
    let (screen, shown) = bounded(64);
    let (listener, events) = bounded(100_000);
    let tools = Tools { recorded: true, ..Tools::attended() };
    (spawn_with_screen(config, tools, screen, vec![listener]), shown, events)
}

fn wait<T>(events: &Receiver<Event>, wanted: impl Fn(&Event) -> Option<T>) -> T {
    loop {
        let event = events.recv_timeout(DEADLINE).expect("an event comes in time");
        assert!(!matches!(event, Event::Failed(_)), "{event:?}");
        if let Some(found) = wanted(&event) {
            return found;
        }
    }
}

fn answer_to(events: &Receiver<Event>, question: &Question) -> Arc<Answer> {
    wait(events, |event| match event {
        Event::Explained(answer) if answer.question == *question => Some(Arc::clone(answer)),
        _ => None,
    })
}

fn questions() -> Vec<Question> {
    let subject = Subject::Image { set: ImageSet::Train, index: 7 };
    let attribution =
        |method| Question::Attribution { subject: subject.clone(), method, class: None };
    let [saliency, occlusion] = [Method::Saliency, Method::Occlusion].map(attribution);
    vec![saliency, occlusion, Question::Projection, Question::Distributions]
}

/// The weights at the end, with questions asked one after the other all the time or without.
fn trained(folder: &Path, explains: bool) -> Vec<f32> {
    let (worker, shown, events) = start(config(folder));
    drop(shown);
    if explains {
        for question in questions().iter().cycle().take(12) {
            worker.send(Command::Explain(Some(question.clone())));
            let _ = answer_to(&events, question);
        }
        worker.send(Command::Pause);
        worker.send(Command::Back(3));
        for question in [Question::Distributions, Question::Projection] {
            worker.send(Command::Explain(Some(question.clone())));
            let _ = answer_to(&events, &question);
        }
        worker.send(Command::Resume);
    }
    let weights = wait(&events, |event| match event {
        Event::Checkpoint(state) if state.progress.step == 80 => Some(state.weights.clone()),
        _ => None,
    });
    worker.send(Command::Stop);
    worker.join();
    weights
}

#[test]
fn what_is_explained_changes_no_bit_of_the_training() {
    let folder = small_set();
    assert!(trained(folder.path(), true) == trained(folder.path(), false), "the same bits");
}

#[test]
fn a_paused_run_answers_once_and_again_after_a_step() {
    let folder = small_set();
    let (worker, shown, events) = start(config(folder.path()));
    drop(shown);
    worker.send(Command::Pause);
    wait(&events, |event| (*event == Event::State(RunState::Paused)).then_some(()));
    worker.send(Command::Explain(Some(Question::Projection)));
    let first = answer_to(&events, &Question::Projection);
    worker.send(Command::Step(1));
    let second = answer_to(&events, &Question::Projection);
    assert_eq!(first.step + 1, second.step);
    let Content::Projection(found) = &second.content else { panic!("{second:?}") };
    assert_eq!((found.set, found.points.len()), (ImageSet::Test, 30));
    // Asked while paused, it knows what the last step did, and the next one's again.
    worker.send(Command::Explain(Some(Question::Distributions)));
    for step in [second.step, second.step + 1] {
        let answer = answer_to(&events, &Question::Distributions);
        let Content::Distributions(found) = &answer.content else { panic!("{answer:?}") };
        assert_eq!(answer.step, step);
        assert!(found.layers.iter().all(|it| it.gradients.is_some() && it.updates.is_some()));
        let whole = answer_to(&events, &Question::Distributions);
        let Content::Distributions(found) = &whole.content else { panic!("{whole:?}") };
        assert!(found.stages.iter().all(|stage| stage.dead.is_some()), "{found:?}");
        worker.send(Command::Step(1));
    }
    worker.send(Command::FinishEpoch);
    let (step, set) = (40, EvalSet::Test);
    wait(&events, |event| {
        matches!(event, Event::Epoch(record) if record.step == step).then_some(())
    });
    let question = Question::Calibration { step, set };
    worker.send(Command::Explain(Some(question.clone())));
    let answer = answer_to(&events, &question);
    let Content::Calibration(Some(found)) = &answer.content else { panic!("{answer:?}") };
    assert_eq!(found.count(), 30);
    worker.send(Command::Stop);
    worker.join();
}
