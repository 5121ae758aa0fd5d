//! The thread that owns a GPU: gathers what runs ask for, and launches it together.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::{
    data::Dataset,
    gpu::{
        error::GpuError,
        local::{LocalGpu, OwnedChunk, Trained},
    },
};

/// Chunks are launched without those of runs that have not asked for so long after the last request ...
const QUIET: Duration = Duration::from_millis(1);
/// ... or after the first of the chunks that wait, since runs that are evaluated ask for other things.
const PATIENCE: Duration = Duration::from_millis(15);

/// What a run asks for, and where it waits for the answer.
pub(super) enum Request {
    Train {
        chunk: Box<OwnedChunk>,
        answer: Sender<Result<Trained, GpuError>>,
    },
    Logits {
        data: Dataset,
        order: Vec<u32>,
        weights: Vec<f32>,
        answer: Sender<Result<Vec<f32>, GpuError>>,
    },
    /// Nothing: there is a run less.
    Left,
}

/// Chunks that wait to be launched.
#[derive(Default)]
struct Waiting {
    chunks: Vec<OwnedChunk>,
    answers: Vec<Sender<Result<Trained, GpuError>>>,
    /// When the first of them came.
    since: Option<Instant>,
}

/// Answers requests until nobody can send any.
pub(super) fn serve(mut gpu: LocalGpu, requests: &Receiver<Request>, clients: &AtomicUsize) {
    let mut waiting = Waiting::default();
    loop {
        let request = match waiting.since {
            None => requests.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(since) => {
                let left = PATIENCE.saturating_sub(since.elapsed());
                requests.recv_timeout(left.min(QUIET))
            }
        };
        let is_over = match request {
            Ok(Request::Train { chunk, answer }) => {
                waiting.since.get_or_insert_with(Instant::now);
                waiting.chunks.push(*chunk);
                waiting.answers.push(answer);
                false
            }
            Ok(Request::Logits { data, order, weights, answer }) => {
                // A run that does not wait for its answer any more has ended.
                let _ = answer.send(gpu.logits(&data, &order, &weights));
                false
            }
            Ok(Request::Left) => false,
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let all_ask = waiting.chunks.len() >= clients.load(Ordering::Relaxed);
        if waiting.since.is_some() && (is_over || all_ask) {
            let Waiting { chunks, answers, .. } = std::mem::take(&mut waiting);
            for (answer, trained) in answers.into_iter().zip(gpu.train_together(chunks)) {
                let _ = answer.send(trained);
            }
        }
    }
}
