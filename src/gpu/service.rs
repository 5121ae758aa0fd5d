//! GPUs that the runs of a process share.
//!
//! What a GPU does is commanded by one thread. A thread of this module owns it, and trains what several runs ask for
//! in one launch, each run on blocks of its own.

mod server;

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Sender, bounded, unbounded};

use self::server::Request;
use super::{
    driver::{DeviceInfo, devices},
    engine::RESIDENT,
    error::GpuError,
    local::{LocalGpu, OwnedChunk, Trained},
};
use crate::{data::Dataset, network::Plan};

/// GPUs that are opened once and shared by all runs that use them.
#[derive(Clone, Debug, Default)]
pub struct SharedGpus(Arc<Mutex<Vec<Arc<Service>>>>);

impl SharedGpus {
    /// Opens the GPU of this number, counted from 0, for a run of this network; other runs wait meanwhile.
    ///
    /// # Errors
    /// When it cannot be used, or there are no kernels for the network.
    pub fn open(&self, ordinal: usize, plan: &Plan) -> Result<Client, GpuError> {
        let mut services = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = services.iter().find(|it| it.ordinal == ordinal && it.plan == *plan);
        if let Some(service) = known {
            return Ok(Client::of(service));
        }
        let service = Arc::new(Service::start(ordinal, plan.clone())?);
        services.push(Arc::clone(&service));
        Ok(Client::of(&service))
    }

    /// How many runs a GPU trains side by side at most; `None` where there is no such GPU.
    pub fn runs_at_once(ordinal: usize) -> Option<usize> {
        let device = devices().ok()?.into_iter().nth(ordinal)?;
        Some((device.processors * RESIDENT) as usize)
    }
}

impl PartialEq for SharedGpus {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A thread that owns a GPU with the kernels of a network.
#[derive(Debug)]
struct Service {
    ordinal: usize,
    plan: Plan,
    device: DeviceInfo,
    /// Runs that may ask for something; `requests` says when there are fewer.
    clients: Arc<AtomicUsize>,
    /// `None` once the thread is to end.
    requests: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    fn start(ordinal: usize, plan: Plan) -> Result<Self, GpuError> {
        let (requests, receiver) = unbounded();
        let (opened, outcome) = bounded(1);
        let clients = Arc::new(AtomicUsize::new(0));
        let (for_thread, counted) = (plan.clone(), Arc::clone(&clients));
        let serve = move || match LocalGpu::open(ordinal, &for_thread) {
            Err(error) => drop(opened.send(Err(error))),
            Ok(gpu) => {
                let _ = opened.send(Ok(gpu.device().clone()));
                server::serve(gpu, &receiver, &counted);
            }
        };
        let named = thread::Builder::new().name(format!("gpu-{ordinal}"));
        let thread = named.spawn(serve).map_err(|error| refused(&error))?;
        let device = outcome.recv().unwrap_or_else(|_| Err(ended()))?;
        let (requests, thread) = (Some(requests), Some(thread));
        Ok(Self { ordinal, plan, device, clients, requests, thread })
    }
}

impl Drop for Service {
    /// Waits until the GPU is closed: the driver must not be at work when the process ends.
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has already failed the runs.
            let _ = thread.join();
        }
    }
}

/// A run's access to a GPU that it shares with others.
#[derive(Debug)]
pub struct Client(Arc<Service>);

impl Client {
    fn of(service: &Arc<Service>) -> Self {
        service.clients.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(service))
    }

    /// What GPU it is.
    pub fn device(&self) -> &DeviceInfo {
        &self.0.device
    }

    /// Trains a chunk, in one launch with those of other runs.
    ///
    /// # Errors
    /// Those of the driver.
    pub fn train(&self, chunk: OwnedChunk) -> Result<Trained, GpuError> {
        self.ask(|answer| Request::Train { chunk: Box::new(chunk), answer })
    }

    /// The logits `[n, classes]` of images at these places of a set.
    ///
    /// # Errors
    /// Those of the driver.
    pub fn logits(
        &self,
        data: &Dataset,
        order: &[u32],
        weights: &[f32],
    ) -> Result<Vec<f32>, GpuError> {
        let (data, order, weights) = (data.clone(), order.to_vec(), weights.to_vec());
        self.ask(|answer| Request::Logits { data, order, weights, answer })
    }

    fn ask<T>(
        &self,
        request: impl FnOnce(Sender<Result<T, GpuError>>) -> Request,
    ) -> Result<T, GpuError> {
        let (sender, answer) = bounded(1);
        self.0.send(request(sender));
        answer.recv().unwrap_or_else(|_| Err(ended()))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::Relaxed);
        self.0.send(Request::Left);
    }
}

impl Service {
    /// Does nothing once the thread has ended: who waits for an answer gets none.
    fn send(&self, request: Request) {
        if let Some(requests) = &self.requests {
            let _ = requests.send(request);
        }
    }
}

fn refused(error: &io::Error) -> GpuError {
    GpuError::Thread(format!("cannot be started: {error}"))
}

fn ended() -> GpuError {
    GpuError::Thread("has ended".to_owned())
}
