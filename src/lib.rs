//! Trains a convolutional network on MNIST in one terminal and shows it live.

pub mod nn;
