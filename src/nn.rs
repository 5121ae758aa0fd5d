//! The network and its differentiable operations on candle tensors.
//!
//! In main memory the operations are candle custom operations with their own kernels and
//! gradients; on other devices they are compositions of candle's operations whose gradients are
//! `PyTorch`'s.

#![expect(
    clippy::inline_always,
    reason = "a kernel is compiled for the vectors of its caller only if it is inlined into it"
)]

pub mod adam;
mod chunks;
pub mod conv_block;
mod host;
pub mod init;
pub mod linear;
pub mod loss;
pub mod model;
pub mod network;
pub mod parameters;
pub mod peak;
mod simd;
pub mod stages;
/// The bits of the exponential function are the C library's.
#[cfg(all(test, target_arch = "x86_64", target_env = "gnu"))]
mod trajectory;
