//! Trains a convolutional network on MNIST in one terminal and shows it live.

pub mod checkpoint;
pub mod data;
pub mod nn;
pub mod seed;
