//! A network and its loss as one differentiable operation in main memory.
//!
//! The gradients are there before they are asked for, since an image goes forward and back in one
//! visit; the operation's backward pass only hands them over.

use std::sync::{Arc, OnceLock};

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, CustomOp3, Device, Layout, Result, Shape, Storage, Tensor, bail};

use super::article::Article;
use super::engine::Mode;
use super::graph::{self, Graph, Input, Pixels};
use super::host;
use crate::network::Plan;

/// How a plan is computed in main memory.
#[derive(Debug)]
pub(super) enum Kernels {
    /// The article's network, by kernels made for it.
    Article(Article),
    /// Any plan.
    Graph(Graph),
}

impl Kernels {
    /// The fastest there are for a plan.
    pub(super) fn of(plan: &Arc<Plan>) -> Self {
        if plan.is_article() {
            Self::Article(Article::default())
        } else {
            Self::Graph(Graph::new(Arc::clone(plan)))
        }
    }

    fn run(&self, input: &Input) -> graph::Outcome {
        match self {
            Self::Article(article) => article.run(input),
            Self::Graph(graph) => graph.run(input),
        }
    }
}

/// What a batch gives.
#[derive(Debug)]
pub struct Outcome {
    /// The mean of the cross-entropy over the batch, of shape `[]`.
    pub loss: Tensor,
    /// Detached, `[n, classes]`.
    pub logits: Tensor,
    /// The running statistics after the batch, if it was one of training and the network has any.
    pub running: Option<Tensor>,
    /// The gradient of the loss with respect to the trained parameters, where it is known already.
    pub(super) grads: Option<Tensor>,
}

impl Outcome {
    /// The gradient of the loss with respect to `variable`, the model's own.
    ///
    /// It is what `loss.backward()` gives. That adds it to zeros first, for which candle keeps a second
    /// pool of threads busy that would take processors from ours.
    ///
    /// # Errors
    /// Those of candle.
    pub fn backward(&self, variable: &Tensor) -> Result<GradStore> {
        let Some(grads) = &self.grads else { return self.loss.backward() };
        let mut store = GradStore::default();
        store.insert(variable, grads.clone());
        Ok(store)
    }
}

/// What a pass works on, apart from its parameters and the batch.
pub(super) struct Pass<'a> {
    pub(super) plan: &'a Arc<Plan>,
    pub(super) kernels: &'a Arc<Kernels>,
    /// The running statistics, in main memory.
    pub(super) running: &'a Tensor,
    pub(super) mode: Mode,
    pub(super) with_gradients: bool,
    /// What all classes share of each label.
    pub(super) smoothing: f64,
}

/// The loss of a batch and its logits.
///
/// `parameters` are the plan's one after the other, `images` are `[n, channels, rows, columns]`, either
/// u8 or f32 (byte / 255), `labels` are `[n]` of u32, all in main memory. Gradients are those of the
/// parameters only.
///
/// # Errors
/// When shapes or element types are others, the batch is empty or a label is no class, and those of
/// candle.
pub(super) fn loss(
    pass: &Pass,
    parameters: &Tensor,
    images: &Tensor,
    labels: &Tensor,
) -> Result<Outcome> {
    let plan = pass.plan;
    let [channels, height, width] = plan.input();
    let n = match images.dims() {
        [n, rest @ ..] if rest == plan.input() => *n,
        dims => {
            bail!("the network takes images [n, {channels}, {height}, {width}], found {dims:?}")
        }
    };
    if images.track_op() {
        bail!("the network in one operation gives no gradient of the images");
    }
    let expected = plan.trained_len();
    if parameters.dims() != [expected] {
        bail!("the network has {expected} parameters, found {:?}", parameters.dims());
    }
    if n == 0 || labels.dims() != [n] {
        bail!("{n} images need {n} labels and at least one, found {:?}", labels.dims());
    }
    let found = Arc::new(OnceLock::new());
    let operation = Network {
        plan: Arc::clone(plan),
        kernels: Arc::clone(pass.kernels),
        running: pass.running.clone(),
        mode: pass.mode,
        with_gradients: pass.with_gradients,
        smoothing: pass.smoothing,
        found: Arc::clone(&found),
    };
    let loss = if pass.with_gradients {
        parameters.apply_op3(&images.contiguous()?, &labels.contiguous()?, operation)?
    } else {
        parameters.apply_op3_no_bwd(&images.contiguous()?, &labels.contiguous()?, &operation)?
    };
    let Some(Found { logits, running, grads }) = found.get() else {
        bail!("the network was not applied");
    };
    let running = running.clone().filter(|_| matches!(pass.mode, Mode::Train(_)));
    Ok(Outcome { loss, logits: logits.clone(), grads: grads.clone(), running })
}

struct Network {
    plan: Arc<Plan>,
    kernels: Arc<Kernels>,
    running: Tensor,
    mode: Mode,
    with_gradients: bool,
    smoothing: f64,
    found: Arc<OnceLock<Found>>,
}

/// What the forward pass computes in addition to the loss.
struct Found {
    logits: Tensor,
    grads: Option<Tensor>,
    /// If the network has any.
    running: Option<Tensor>,
}

impl CustomOp3 for Network {
    fn name(&self) -> &'static str {
        "network"
    }

    fn cpu_fwd(
        &self,
        parameters: &CpuStorage,
        parameters_layout: &Layout,
        images: &CpuStorage,
        images_layout: &Layout,
        labels: &CpuStorage,
        labels_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let labels = host::elements::<u32>(labels, labels_layout)?;
        let classes = self.plan.classes();
        if let Some(label) = labels.iter().find(|&&label| label as usize >= classes) {
            bail!("the label {label} is not one of {classes} classes");
        }
        let pixels = match images {
            CpuStorage::U8(_) => Pixels::Bytes(host::elements(images, images_layout)?),
            _ => Pixels::Floats(host::elements(images, images_layout)?),
        };
        let (running, running_layout) = self.running.storage_and_layout();
        let Storage::Cpu(running) = &*running else {
            bail!("the running statistics are not in main memory");
        };
        let outcome = self.kernels.run(&Input {
            trained: host::elements(parameters, parameters_layout)?,
            running: host::elements(running, running_layout)?,
            pixels,
            labels,
            mode: self.mode,
            with_gradients: self.with_gradients,
            smoothing: self.smoothing,
        });
        let graph::Outcome { loss, logits, grads, running } = outcome;
        // The vectors become the tensors' own memory, so they cannot be kept for the next batch.
        let tensor = |values: Vec<f32>| {
            let len = values.len();
            Tensor::from_vec(values, len, &Device::Cpu)
        };
        let grads = self.with_gradients.then(|| tensor(grads)).transpose()?;
        let running = (!running.is_empty()).then(|| tensor(running)).transpose()?;
        let logits = Tensor::from_vec(logits, (labels.len(), classes), &Device::Cpu)?;
        if self.found.set(Found { logits, grads, running }).is_err() {
            bail!("{} remembers one forward pass and was applied twice", self.name());
        }
        Ok((CpuStorage::F32(vec![(loss / labels.len() as f64) as f32]), Shape::from(())))
    }

    fn bwd(
        &self,
        _parameters: &Tensor,
        _images: &Tensor,
        _labels: &Tensor,
        _loss: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let Some(Found { grads: Some(grads), .. }) = self.found.get() else {
            bail!("{} has no gradients to hand over", self.name());
        };
        let scale = grad.to_scalar::<f32>()?;
        let scaled = if scale == 1.0 { grads.clone() } else { (grads * f64::from(scale))? };
        Ok((Some(scaled), None, None))
    }
}
