//! Trains a convolutional network on MNIST in one terminal and shows it live.

pub mod config;
pub mod metrics;
pub mod protocol;
