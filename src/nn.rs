//! The network and its differentiable operations on candle tensors.
//!
//! In main memory a network with its loss is one candle custom operation with its own kernels and
//! gradients; on other devices it is a composition of candle's operations whose gradients are
//! `PyTorch`'s.

#![expect(
    clippy::inline_always,
    reason = "a kernel is compiled for the vectors of its caller only if it is inlined into it"
)]

mod article;
pub mod average;
pub mod composed;
mod dropout;
pub mod engine;
pub mod explain;
mod gelu;
mod graph;
mod host;
pub mod init;
pub mod loss;
pub mod model;
mod operation;
pub mod optim;
pub mod peak;
mod simd;
pub(crate) use simd::lanes as vector_lanes;
/// Adam with `PyTorch`'s defaults, which [`optim::Optimizer::new`] makes.
pub mod adam {
    pub use super::optim::Optimizer as Adam;
}
/// The bits of the exponential function are the C library's.
#[cfg(all(test, target_arch = "x86_64", target_env = "gnu"))]
mod trajectory;
